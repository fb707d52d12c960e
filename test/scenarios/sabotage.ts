/** Promises that a Baton of a test breaks on purpose. They show that a clean proof could have found a mistake. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { SqlStore } from "../../src/adapters/database/sql-store.ts";
import { Requester } from "../../src/adapters/github/request.ts";
import type { AppSettings } from "../../src/environment/settings.ts";

/** A Baton's report of a durable append. */
export interface Acknowledged {
  runId: string;
  events: { position: number; hash: string; type: string; key?: string; attempt?: number; paid?: boolean }[];
}

export const sabotage = {
  /** Posts a comment without searching for its marker first. */
  async "blind-outbox"() {
    const { list } = Requester.prototype;
    Requester.prototype.list = async function (this: Requester, route: string, ...rest: unknown[]) {
      return route.endsWith("/issues/{issue_number}/comments") ? [] : Reflect.apply(list, this, [route, ...rest]);
    } as typeof list;
  },
  /** The disk lost the last append of each active run when the process died. */
  async "lost-append"({ dataDir }) {
    const directory = join(dataDir, "database", "pglite");
    if (!existsSync(directory)) return;
    const database = await PGlite.create({ dataDir: directory });
    const exists = await database.query("select 1 from information_schema.tables where table_name = 'events'");
    if (exists.rows.length > 0)
      await database.exec(`
        delete from events using runs where stream = run_id and events.position = runs.position and runs.position > 1 and status = 'running';
        update runs set position = position - 1 where position > 1 and status = 'running';`);
    await database.close();
  },
  /** Books a settled amount again. */
  async "double-charge"() {
    const { append } = SqlStore.prototype;
    SqlStore.prototype.append = function (request) {
      const ledger = (request.also?.ledger ?? []).flatMap((row) => (row.kind === "settle" ? [row, row] : [row]));
      return append.call(this, ledger.length === 0 ? request : { ...request, also: { ...request.also, ledger } });
    };
  },
} satisfies Record<string, (settings: AppSettings) => Promise<void>>;

export type Sabotage = keyof typeof sabotage;

export function isSabotage(name: string): name is Sabotage {
  return name in sabotage;
}
