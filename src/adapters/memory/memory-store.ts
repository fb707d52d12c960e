/** The store in memory: the contract S1–S5 of `ports/store.ts` without a database. A change is kept at once. */
import type { Clock } from "../../ports/clock.ts";
import { sha256 } from "../system/sha256.ts";
import type { JobLoop } from "./job-loop.ts";
import type { Tables } from "./tables.ts";
import { TablesStore } from "./tables-store.ts";

export function createMemoryStore(options: { clock: Clock; tables: Tables; loop: JobLoop }): TablesStore {
  const { clock, tables, loop } = options;
  const blobs = new Map<string, string>();
  return new TablesStore({
    tables: () => tables,
    async change(apply, { jobs }) {
      const result = apply(tables);
      if (jobs.length > 0) loop.poke();
      return result;
    },
    async putBlob(content) {
      const id = sha256(content);
      blobs.set(id, content);
      return id;
    },
    blob: async (id) => blobs.get(id) ?? null,
    now: () => clock.now(),
  });
}
