/**
 * The feed over LISTEN and NOTIFY, on PGlite and PostgreSQL alike. `ports/feed.ts` has the contract FE1–FE4.
 *
 * FE1 holds by one row per thread. An append locks that row until its commit (`sql-store.ts`). Triggers report both
 *     tables.
 * FE5 holds by a lock of the database: one process at a time gives numbers, to committed events only, and commits before
 *     the next one begins.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Kysely, sql } from "kysely";
import pg from "pg";
import type { RunId } from "../../core/vocabulary.ts";
import type { Feed, FeedEntry, News, OrderedEntry } from "../../ports/feed.ts";
import type { Log } from "../../ports/log.ts";
import { Listeners } from "../system/listeners.ts";
import { rethrow } from "./store-error.ts";
import type { Tables } from "./tables.ts";

export const feedChannel = "baton_feed";
/** The payload of the outbox's trigger. The payload for events is the thread's key, the run and the last position. */
const outboxNews = "outbox";
const entriesAtOnce = 500;
/** A lock of the database: any number that nobody else uses. */
const numberingLock = 7_230_114;
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

  async ordered(after: number): Promise<OrderedEntry[]> {
    await this.#number().catch(rethrow);
    const { rows } = await sql<{
      number: number;
      feed: string;
      feed_position: number;
      stream: string;
      position: number;
    }>`
      select placed.number::double precision as number, placed.feed, placed.feed_position, events.stream, events.position
      from feed_order as placed join events on events.feed = placed.feed and events.feed_position = placed.feed_position
      where placed.number > ${after} order by placed.number limit ${entriesAtOnce}`
      .execute(this.#db)
      .catch(rethrow);
    return rows.map((row) => ({
      number: row.number,
      threadKey: row.feed,
      position: row.feed_position,
      runId: row.stream as RunId,
      event: row.position,
    }));
  }

  async newest(): Promise<number> {
    await this.#number().catch(rethrow);
    const { rows } = await sql<{
      number: number | null;
    }>`select max(number)::double precision as number from feed_order`
      .execute(this.#db)
      .catch(rethrow);
    return rows[0]?.number ?? 0;
  }

  /** FE5: gives numbers to all committed events that have none. Events of an older Baton have no place in a feed. */
  async #number(): Promise<void> {
    const { rows } = await behind.execute(this.#db);
    if (rows.length === 0) return;
    await this.#db.transaction().execute(async (transaction) => {
      await sql`select pg_advisory_xact_lock(${numberingLock})`.execute(transaction);
      await sql`
        with behind as (
          select feeds.thread_key, feeds.position, coalesce(numbered.position, 0) as before
          from feeds left join feed_numbered as numbered on numbered.thread_key = feeds.thread_key
          where feeds.position > coalesce(numbered.position, 0)
        ), placed as (
          insert into feed_order (feed, feed_position)
          select events.feed, events.feed_position from behind
          join events on events.feed = behind.thread_key and events.feed_position > behind.before and events.feed_position <= behind.position
          order by events.at, events.feed, events.feed_position
        )
        insert into feed_numbered (thread_key, position) select thread_key, position from behind
        on conflict (thread_key) do update set position = excluded.position`.execute(transaction);
    });
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

/** A cheap look, so that a reader without news takes no lock. */
const behind = sql<{ thread_key: string }>`
  select feeds.thread_key from feeds left join feed_numbered as numbered on numbered.thread_key = feeds.thread_key
  where feeds.position > coalesce(numbered.position, 0) limit 1`;

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
