/** A database that lives and dies with its owner, by the given clock. For tests. */
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Database } from "../../ports/store.ts";
import { JobLoop } from "./job-loop.ts";
import { createMemoryStore } from "./memory-store.ts";
import { Tables } from "./tables.ts";
import { TablesFeed } from "./tables-feed.ts";

export function openMemory({ clock, log }: { clock: Clock; log: Log }): Database {
  const tables: Tables = new Tables((table, row) => feed.changed(table, row));
  const feed = new TablesFeed(() => tables);
  const queue = new JobLoop({
    clock,
    log,
    source: {
      pending: () => [...tables.jobs.values()].filter(({ state }) => state !== "active"),
      begin: (id) => tables.beginJob(id),
      complete: (id) => tables.completeJob(id),
      bringBack: (id, startAt) => tables.bringBackJob(id, startAt),
    },
  });
  return {
    kind: "memory",
    store: createMemoryStore({ clock, tables, loop: queue }),
    queue,
    feed,
    async ping() {},
    close: () => queue.stop(0),
  };
}
