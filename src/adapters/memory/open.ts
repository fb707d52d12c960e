/** A database that lives and dies with its owner, by the given clock: for tests. */
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Database } from "../../ports/store.ts";
import { MemoryQueue } from "./memory-queue.ts";
import { MemoryStore } from "./memory-store.ts";

export function openMemory(options: { clock: Clock; log: Log }): Database {
  const queue = new MemoryQueue(options);
  return {
    kind: "memory",
    store: new MemoryStore(queue),
    queue,
    async ping() {},
    close: () => queue.stop(0),
  };
}
