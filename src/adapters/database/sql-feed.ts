/**
 * The feed over LISTEN and NOTIFY, on PGlite and PostgreSQL alike. `ports/feed.ts` has the contract FE1–FE4.
 *
 * FE1 holds by one row per thread. An append locks that row until its commit (`sql-store.ts`). Triggers report both
 *     tables.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Kysely } from "kysely";
import pg from "pg";
import type { RunId } from "../../core/vocabulary.ts";
import type { Feed, FeedEntry, News } from "../../ports/feed.ts";
import type { Log } from "../../ports/log.ts";
import { Listeners } from "../system/listeners.ts";
import { rethrow } from "./store-error.ts";
import type { Tables } from "./tables.ts";

export const feedChannel = "baton_feed";
/** The payload of the outbox's trigger. The payload for events is the thread's key, the run and the last position. */
const outboxNews = "outbox";
const entriesAtOnce = 500;
const reconnectMs = 1_000;

export class SqlFeed implements Feed {
  readonly #db: Kysely<Tables>;
  readonly #listeners = new Listeners();

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  async entries(threadKey: string, after: number): Promise<FeedEntry[]> {
    const rows = await this.#db
      .selectFrom("events")
      .select(["stream", "position", "feed_position"])
      .where("feed", "=", threadKey)
      .where("feed_position", ">", after)
      .orderBy("feed_position")
      .limit(entriesAtOnce)
      .execute()
      .catch(rethrow);
    return rows.map((row) => ({
      position: row.feed_position ?? 0,
      runId: row.stream as RunId,
      event: row.position,
    }));
  }

  watch(listener: (news: News) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** A notification as the database sends it. Null: some may have been lost (FE4). */
  hear(payload: string | null): void {
    const [threadKey = "", runId, event] = (payload ?? "").split(" ");
    if (payload === outboxNews) this.#listeners.tell({ kind: "outbox" });
    else if (runId === undefined) this.#listeners.tell({ kind: "anything" });
    else this.#listeners.tell({ kind: "thread", threadKey, runId: runId as RunId, event: Number(event) });
  }
}

/** One connection that only listens, and reconnects when it breaks. */
export async function listenOn(connectionString: string, feed: SqlFeed, log: Log): Promise<AsyncDisposable> {
  const closed = new AbortController();
  let client: pg.Client | null = null;
  const connect = async (): Promise<void> => {
    const next = new pg.Client({ connectionString, application_name: "baton feed" });
    next.on("error", (error) => log.warn("The connection that listens to the database failed", { error }));
    next.on("notification", ({ payload }) => feed.hear(payload ?? null));
    next.on("end", () => {
      if (client === next) void again();
    });
    try {
      await next.connect();
      await next.query(`listen ${feedChannel}`);
    } catch (thrown) {
      // Closes a connection that does not listen. Each try opens another one.
      await next.end().catch(() => {});
      throw thrown;
    }
    client = next;
    if (closed.signal.aborted) await next.end();
  };
  const again = async (): Promise<void> => {
    client = null;
    while (!closed.signal.aborted) {
      try {
        await delay(reconnectMs, undefined, { signal: closed.signal, ref: false });
        await connect();
        // FE4
        feed.hear(null);
        return;
      } catch (error) {
        if (!closed.signal.aborted) log.warn("The database cannot be listened to; it is tried again", { error });
      }
    }
  };
  await connect();
  return {
    async [Symbol.asyncDispose]() {
      closed.abort();
      const last = client;
      client = null;
      await last?.end();
    },
  };
}
