/**
 * `GET /api/v1/events`: news of runs as server-sent events, over the feed's one order of all threads.
 *
 * ES1 The id of an event is its number in that order. A client that sends it as `Last-Event-ID` misses nothing and gets
 *     nothing twice, at any replica and after any restart.
 * ES2 A stream shows only runs that its caller may read. Baton asks GitHub again at each beat, and ends a stream whose caller
 *     lost the right, or whose right it cannot learn.
 * ES3 A client that is behind is cut off, with the reason as its last event. It continues by its id.
 * ES4 Streams of a process share each read of the feed.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Settings } from "../../config/schema.ts";
import { BatonError, nullFor, toBatonError } from "../../core/errors.ts";
import type { StoredEvent } from "../../core/event.ts";
import { limits } from "../../core/limits.ts";
import type { RunId, Thread } from "../../core/vocabulary.ts";
import type { Feed, OrderedEntry } from "../../ports/feed.ts";
import { settingsOf } from "../../runner/settings-of.ts";
import { type Access, hidden } from "./caller.ts";
import { type ApiParts, runOf } from "./handlers.ts";
import type { Metrics } from "./metrics.ts";
import { type AnswerOf, type Given, routes } from "./table.ts";

const runsKnownMax = 2_000;
/** A run that this Baton cannot read holds up no other. */
const unreadable = ["BATON_EVENT_NEWER", "BATON_EVENT_INVALID", "BATON_JOURNAL_BROKEN"] as const;

interface News {
  number: number;
  /** As it is sent. */
  text: string;
  thread: Thread;
  settings: Settings;
  data: AnswerOf<"streamEvents">;
}

interface Opening {
  access: Access;
  query: Given<"streamEvents">["query"];
  /** Whether the request's token still holds. */
  isStillValid(): Promise<boolean>;
}

/** The part of the feed up to a number. */
interface Part {
  news: News[];
  upTo: number;
}

interface Stream {
  response: ServerResponse;
  clientId: string;
  number: number;
  /** It reached the shared news once. */
  isLive: boolean;
  fits(news: News): boolean;
  wake(): void;
}

export class EventStreams {
  readonly #parts: ApiParts;
  readonly #metrics: Pick<Metrics, "arrived">;
  readonly #streams = new Set<Stream>();
  readonly #threads = new Map<RunId, { thread: Thread; settings: Settings }>();
  /** Everything after `#from`, up to `#read`: news that streams may still need, within the bound of ES3. */
  #shared: News[] = [];
  #sharedBytes = 0;
  #from = Number.POSITIVE_INFINITY;
  #read = 0;
  #reading: Promise<void> | null = null;
  #isWanted = false;
  #unwatch: (() => void) | null = null;
  #isClosed = false;

  constructor(parts: ApiParts, metrics: Pick<Metrics, "arrived">) {
    this.#parts = parts;
    this.#metrics = metrics;
  }

  get size(): number {
    return this.#streams.size;
  }

  async open(request: IncomingMessage, response: ServerResponse, opening: Opening): Promise<void> {
    const { feed } = this.#parts.dependencies;
    if (feed === undefined) throw new BatonError("BATON_PATH_UNKNOWN", "This Baton has no events to follow.");
    const { access, query } = opening;
    const clientId = access.caller.id;
    const own = [...this.#streams].filter((one) => one.clientId === clientId).length;
    if (own >= limits.apiStreamsPerClientMax || this.#streams.size >= limits.apiStreamsMax)
      throw new BatonError("BATON_RATE_LIMITED", `Too many event streams are open: ${own} of this client.`, {
        retryAfterMs: limits.apiStreamBeatMs,
      });
    const fits = await this.#filter(opening);
    const number = await startOf(request, query, feed);
    const stream: Stream = { response, clientId, number, isLive: false, fits, wake: () => {} };
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
      "x-content-type-options": "nosniff",
    });
    // With this id, a client continues from here even if it gets no news.
    response.write(`retry: 1000\nid: ${stream.number}\nevent: open\ndata: {}\n\n`);
    await this.#watch(feed);
    this.#streams.add(stream);
    void this.#serve(stream, feed, opening);
  }

  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams) {
      finish(stream, "stopping", "Baton stops. Connect again.");
      stream.wake();
    }
    this.#unwatch?.();
  }

  /** Shared news begin with the first stream, and end with the last one. */
  async #watch(feed: Feed): Promise<void> {
    if (this.#unwatch !== null) return;
    const unwatch = feed.watch((news) => {
      if (news.kind !== "outbox") void this.#catchUp(feed);
    });
    // A notification may be lost without a sign.
    const look = setInterval(() => void this.#catchUp(feed), limits.apiStreamBeatMs);
    this.#unwatch = () => {
      unwatch();
      clearInterval(look);
      this.#unwatch = null;
      this.#from = Number.POSITIVE_INFINITY;
      this.#shared = [];
      this.#sharedBytes = 0;
    };
    await this.#catchUp(feed);
  }

  /** Which news a stream wants. Throws when the caller may not know the run or repository that it names. */
  async #filter({ access, query }: Opening): Promise<Stream["fits"]> {
    const { repository, owner, run, number } = query;
    if (number !== undefined && repository === undefined)
      throw new BatonError("BATON_INPUT_INVALID", "`number` needs `repository`.");
    const [account = "", name = ""] = repository?.split("/") ?? [];
    if (repository !== undefined && !access.reaches({ owner: account, name })) throw hidden(`repository ${repository}`);
    const asked = { ...this.#parts, access, operationKey: "", isRepeated: false };
    const runId = run === undefined ? null : (await runOf(asked, run, "streamEvents")).runId;
    const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
    return ({ thread, data }) =>
      access.reaches(thread.repository) &&
      (runId === null || data.run === runId) &&
      (repository === undefined || isSame(data.repository, repository)) &&
      (owner === undefined || isSame(thread.repository.owner, owner)) &&
      (number === undefined || thread.number === number);
  }

  async #serve(stream: Stream, feed: Feed, { access, isStillValid }: Opening): Promise<void> {
    const { response } = stream;
    let rights = new Map<number, boolean>();
    let current = access;
    let isOver = false;
    let release = (): void => {};
    const over = (): void => {
      isOver = true;
      stream.wake();
      release();
    };
    response.once("close", over);
    const end = (why: string, words: string): void => {
      finish(stream, why, words);
      over();
    };
    const beat = setInterval(() => {
      if (isOver) return;
      response.write(": beat\n\n");
      // ES2
      current = access.again();
      rights = new Map();
      isStillValid().then(
        (holds) => {
          if (!holds) end("token", "The token does not hold any more.");
        },
        () => end("unknown", "Baton could not learn whether the token holds. Connect again."),
      );
    }, limits.apiStreamBeatMs);
    // ES3
    let reads = 0;
    response.on("drain", () => {
      reads += 1;
    });
    let waiting = { since: 0, reads: -1 };
    const patience = setInterval(() => {
      if (stream.isLive && stream.number < this.#from) end("behind", "The client is more than 1 MB behind.");
      if (!response.writableNeedDrain || waiting.reads !== reads) waiting = { since: performance.now(), reads };
      else if (performance.now() - waiting.since >= limits.apiStreamBehindMs)
        end("behind", "The client did not read for 10 s.");
    }, 1_000);
    const send = async (text: string): Promise<void> => {
      if (response.write(text) || isOver) return;
      // Nothing piles up here: the next news wait until the client has read.
      await new Promise<void>((resolve) => {
        release = resolve;
        response.once("drain", resolve);
      });
    };
    const mayRead = async ({ thread: { repository }, settings }: News): Promise<boolean> => {
      const known = rights.get(repository.id);
      if (known !== undefined) return known;
      const verdict = await current.verdict(
        repository,
        routes.streamEvents.demand ?? { command: "status", needs: "read" },
        settings,
      );
      rights.set(repository.id, verdict?.status === "passed");
      return verdict?.status === "passed";
    };
    try {
      while (!isOver) {
        const woken = new Promise<void>((resolve) => {
          stream.wake = resolve;
        });
        const { news, upTo } = await this.#after(stream, feed);
        for (const one of news) {
          if (isOver) break;
          if (stream.fits(one) && (await mayRead(one))) await send(one.text);
          stream.number = one.number;
        }
        if (upTo === stream.number && news.length === 0 && !isOver) await woken;
        stream.number = Math.max(stream.number, isOver ? 0 : upTo);
      }
    } catch (thrown) {
      const error = toBatonError(thrown);
      this.#parts.dependencies.log.warn("An event stream ended", { code: error.code, client: stream.clientId });
      end("unknown", "Baton could not read the events or your permission. Connect again.");
    } finally {
      clearInterval(beat);
      clearInterval(patience);
      this.#streams.delete(stream);
      if (this.#streams.size === 0) this.#unwatch?.();
    }
  }

  /** ES4: from the shared news where they reach back far enough. Nothing new: the next news wake the stream. */
  async #after(stream: Stream, feed: Feed): Promise<Part> {
    const { number } = stream;
    if (this.#isClosed) return { news: [], upTo: number };
    if (number < this.#from) return this.#newsOf(await feed.ordered(number), number);
    stream.isLive = true;
    return { news: this.#shared.filter((one) => one.number > number), upTo: Math.max(number, this.#read) };
  }

  #catchUp(feed: Feed): Promise<void> {
    this.#isWanted = true;
    this.#reading ??= this.#readWanted(feed).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readWanted(feed: Feed): Promise<void> {
    try {
      while (this.#isWanted && this.#unwatch !== null) {
        this.#isWanted = false;
        await this.#readShared(feed);
      }
    } catch (thrown) {
      // The next notification or look tries again.
      this.#parts.dependencies.log.warn("The feed could not be read", { error: thrown });
    }
  }

  async #readShared(feed: Feed): Promise<void> {
    if (this.#from === Number.POSITIVE_INFINITY) {
      this.#read = await feed.newest();
      this.#from = this.#read;
    }
    for (;;) {
      const entries = await feed.ordered(this.#read);
      const last = entries.at(-1);
      if (last === undefined) break;
      const { news } = await this.#newsOf(entries, this.#read);
      this.#shared.push(...news);
      for (const { data, text } of news) {
        this.#sharedBytes += text.length;
        this.#metrics.arrived(this.#parts.dependencies.clock.now() - data.at);
      }
      this.#read = last.number;
      while (this.#sharedBytes > limits.apiStreamBehindBytesMax) {
        const oldest = this.#shared.shift();
        if (oldest === undefined) break;
        this.#sharedBytes -= oldest.text.length;
        this.#from = oldest.number;
      }
      for (const stream of this.#streams) stream.wake();
    }
  }

  async #newsOf(entries: readonly OrderedEntry[], after: number): Promise<Part> {
    const news: News[] = [];
    const journals = new Map<RunId, StoredEvent[]>();
    for (const { number, runId, event } of entries) {
      const about = await this.#threadOf(runId);
      // The entries of a run come in its order, so the first one says how far back.
      const journal = journals.get(runId) ?? (await this.#journal(runId, event - 1));
      journals.set(runId, journal);
      const stored = journal.find(({ position }) => position === event);
      if (about === null || stored === undefined) continue;
      const { repository } = about.thread;
      const data = {
        run: runId,
        repository: `${repository.owner}/${repository.name}`,
        number: about.thread.number,
        position: event,
        at: stored.at,
        type: stored.event.type,
        step: "key" in stored.event ? (stored.event.key ?? null) : null,
      };
      news.push({ number, ...about, data, text: `id: ${number}\ndata: ${JSON.stringify(data)}\n\n` });
    }
    return { news, upTo: entries.at(-1)?.number ?? after };
  }

  async #journal(runId: RunId, after: number): Promise<StoredEvent[]> {
    return (await this.#parts.dependencies.store.read(runId, after).catch(nullFor(...unreadable))) ?? [];
  }

  async #threadOf(runId: RunId): Promise<{ thread: Thread; settings: Settings } | null> {
    const known = this.#threads.get(runId);
    if (known !== undefined) return known;
    const state = await this.#parts.runner.state(runId).catch(nullFor(...unreadable));
    if (state === null) return null;
    const found = { thread: state.thread, settings: settingsOf(state) };
    if (this.#threads.size >= runsKnownMax) this.#threads.clear();
    this.#threads.set(runId, found);
    return found;
  }
}

async function startOf(request: IncomingMessage, query: Opening["query"], feed: Feed): Promise<number> {
  const header = request.headers["last-event-id"];
  if (typeof header !== "string") return query.after ?? feed.newest();
  if (!/^\d{1,15}$/.test(header))
    throw new BatonError("BATON_INPUT_INVALID", "`Last-Event-ID` is not an id of this stream. Connect without it.");
  return Number(header);
}

/** The last event says why. A client that reads nothing loses its socket all the same. */
function finish({ response }: Pick<Stream, "response">, reason: string, words: string): void {
  if (response.writableEnded || response.destroyed) return;
  response.end(`event: end\ndata: ${JSON.stringify({ reason, words })}\n\n`);
  setTimeout(() => response.destroy(), 1_000).unref();
}
