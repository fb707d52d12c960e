/**
 * Changes, as they are committed, so that followers need not poll.
 *
 * FE1 Each thread is a stream. A position in it counts its events from 1, without a gap, in the order of their commits.
 *     A reader of a position has read all earlier ones, even if another writer's commit came late.
 * FE2 `follow` gives every entry after a position once, in order, and then waits for more.
 * FE3 An entry names the event and its place. The store contains the content.
 * FE4 A notification may be lost, as with its connection. Then the reader checks everything that it watches again.
 * FE5 The threads together have one order, too. A number in it never changes, and all processes see the same. A reader of
 *     a number has read all lower ones. Numbers have gaps. The order of a thread's events is that of its stream.
 */
import type { RunId } from "../core/vocabulary.ts";

export interface FeedEntry {
  /** Position in the thread's stream. */
  position: number;
  runId: RunId;
  /** Position of the event in its run's journal. */
  event: number;
}

/** An event in the order of all threads (FE5). */
export interface OrderedEntry extends FeedEntry {
  number: number;
  threadKey: string;
}

/** The subject of the news: a thread, up to this event of a run; writes to GitHub; or after FE4 anything. */
export type News =
  | { kind: "thread"; threadKey: string; runId: RunId; event: number }
  | { kind: "outbox" }
  | { kind: "anything" };

export interface Feed {
  /** Entries of a thread after a position, oldest first. The number for one call is bounded. */
  entries(threadKey: string, after: number): Promise<FeedEntry[]>;
  /** Entries of all threads after a number, lowest first. The number for one call is bounded. */
  ordered(after: number): Promise<OrderedEntry[]>;
  /** The highest number so far. 0: there is none. */
  newest(): Promise<number>;
  /** Returns a function that ends it. The listener is called after the commit, and maybe without need. */
  watch(listener: (news: News) => void): () => void;
}

/** FE2. The signal ends it. */
export async function* follow(
  feed: Feed,
  threadKey: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<FeedEntry, void, void> {
  let position = after;
  let rang = true;
  let wake = (): void => {};
  const ring = (): void => {
    rang = true;
    wake();
  };
  const unwatch = feed.watch((news) => {
    if (news.kind === "anything" || (news.kind === "thread" && news.threadKey === threadKey)) ring();
  });
  signal.addEventListener("abort", ring);
  try {
    while (!signal.aborted) {
      rang = false;
      const found = await feed.entries(threadKey, position);
      for (const entry of found) {
        if (signal.aborted) return;
        position = entry.position;
        yield entry;
      }
      if (found.length > 0) continue;
      if (!rang)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    unwatch();
    signal.removeEventListener("abort", ring);
  }
}
