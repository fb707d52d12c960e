/**
 * The feed over tables, in memory and in Actions mode, where a thread's ref has its state. The contract FE1–FE4 is in
 * `ports/feed.ts`.
 */
import type { RunId } from "../../core/vocabulary.ts";
import type { Feed, FeedEntry, News, OrderedEntry } from "../../ports/feed.ts";
import { Listeners } from "../system/listeners.ts";
import type { TableName, Tables } from "./tables.ts";

export class TablesFeed implements Feed {
  readonly #tables: () => Tables;
  readonly #listeners = new Listeners();
  /** feed.FE5 within this process: nobody else reads these tables at the same time. */
  readonly #order: OrderedEntry[] = [];
  readonly #numbered = new Map<string, number>();

  constructor(tables: () => Tables) {
    this.#tables = tables;
  }

  async entries(threadKey: string, after: number): Promise<FeedEntry[]> {
    return this.#tables().feed(threadKey, after);
  }

  async ordered(after: number): Promise<OrderedEntry[]> {
    this.#number();
    return this.#order.slice(after);
  }

  async newest(): Promise<number> {
    this.#number();
    return this.#order.length;
  }

  #number(): void {
    const tables = this.#tables();
    for (const threadKey of new Set([...tables.runRows.values()].map((row) => row.threadKey)))
      for (const entry of tables.feed(threadKey, this.#numbered.get(threadKey) ?? 0)) {
        this.#order.push({ ...entry, threadKey, number: this.#order.length + 1 });
        this.#numbered.set(threadKey, entry.position);
      }
  }

  watch(listener: (news: News) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Reports a change of a table after the change is whole, because a listener reads the tables. */
  changed(table: TableName, row: string): void {
    if (table === "outbox") queueMicrotask(() => this.#listeners.tell({ kind: "outbox" }));
    if (table !== "events") return;
    queueMicrotask(() => {
      const run = this.#tables().runRows.get(row as RunId);
      if (run === undefined) return;
      this.#listeners.tell({ kind: "thread", threadKey: run.threadKey, runId: run.runId, event: run.position });
    });
  }

  /** The tables were read again. Others may have written. */
  replaced(): void {
    this.#listeners.tell({ kind: "anything" });
  }
}
