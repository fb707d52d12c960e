/**
 * Moves the embedded database's content to a PostgreSQL server, once.
 *
 * MV1 All or nothing. The server's side is one transaction, and it must hold no runs before.
 * MV2 Waiting jobs move along, or Baton would never wake their runs again. Leases stay behind, because their owner has
 *     ended.
 */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { Kysely, PGliteDialect, PostgresDialect, sql, type Transaction } from "kysely";
import pg from "pg";
import { BatonError } from "../../core/errors.ts";
import type { Log } from "../../ports/log.ts";
import { lockDirectory } from "./directory-lock.ts";
import { migrate } from "./migrations.ts";
import { loadPglite } from "./open.ts";
import { PgBossQueue } from "./pg-boss-queue.ts";
import type { Tables } from "./tables.ts";

/** Rows in one batch, so that memory stays small. Commits and transcripts are large. */
export const movedTables = {
  events: 500,
  feeds: 500,
  feed_order: 500,
  feed_numbered: 500,
  runs: 500,
  run_watches: 500,
  threads: 500,
  deliveries: 100,
  outbox: 100,
  ledger: 500,
  blobs: 20,
  settings_values: 20,
} as const satisfies Partial<Record<keyof Tables, number>>;

/** Columns that number themselves. */
const counters = [
  ["outbox", "created"],
  ["ledger", "id"],
  ["feed_order", "number"],
] as const;

export interface Moved {
  /** Number of rows by table. */
  rows: Record<string, number>;
  /** The folder that holds the embedded database now. */
  keptAt: string;
}

export async function moveDatabase(options: { dataDir: string; databaseUrl: string; log: Log }): Promise<Moved> {
  const directory = join(options.dataDir, "database");
  await using opening = new AsyncDisposableStack();
  opening.use(await lockDirectory(directory));
  const PGlite = await loadPglite();
  const pglite = await PGlite.create({ dataDir: join(directory, "pglite") });
  opening.defer(() => pglite.close());
  const from = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
  // An older Baton may have left this database.
  await migrate(from);
  const pool = new pg.Pool({ connectionString: options.databaseUrl, max: 2, application_name: "baton" });
  const to = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  opening.defer(() => to.destroy());
  await migrate(to);
  const connection = { connectionString: options.databaseUrl, max: 2 };
  const queue = await PgBossQueue.open({ log: options.log, backend: "postgres", connection });
  await queue.stop(0);
  const rows = await to.transaction().execute((inside) => copyAll(from, inside));
  await opening.disposeAsync();
  const keptAt = `${directory}-moved`;
  await rename(directory, keptAt);
  return { rows, keptAt };
}

async function copyAll(from: Kysely<Tables>, to: Transaction<Tables>): Promise<Record<string, number>> {
  const { rows: there } = await sql<{ run_id: string }>`select run_id from runs limit 1`.execute(to);
  if (there.length > 0)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      "The server of DATABASE_URL holds runs already. Name an empty database: nothing was moved.",
    );
  // The first start wrote these values. They belong to this Baton.
  await sql`delete from settings_values`.execute(to);
  const counts: Record<string, number> = {};
  for (const [table, atOnce] of Object.entries(movedTables))
    counts[table] = await copyRows(from, to, { table, where: "true", atOnce });
  await sql.raw("update pgboss.job set state = 'retry' where state = 'active'").execute(from);
  const where = "state in ('created', 'retry')";
  counts["jobs"] = await copyRows(from, to, { table: "pgboss.job", where, atOnce: 100 });
  for (const [table, column] of counters)
    await sql
      .raw(
        `select setval(pg_get_serial_sequence('${table}', '${column}'), coalesce((select max(${column}) from ${table}), 0) + 1, false)`,
      )
      .execute(to);
  return counts;
}

/** As JSON, which both sides read by the same columns. */
async function copyRows(
  from: Kysely<Tables>,
  to: Transaction<Tables>,
  { table, where, atOnce }: { table: string; where: string; atOnce: number },
): Promise<number> {
  for (let count = 0; ; ) {
    const page = `select * from ${table} where ${where} order by ctid limit ${atOnce} offset ${count}`;
    const { rows } = await sql
      .raw<{ rows: string | null; count: number }>(
        `select json_agg(row_to_json(page))::text as rows, count(*)::integer as count from (${page}) page`,
      )
      .execute(from);
    const [read] = rows;
    if (read === undefined || read.rows === null) return count;
    await sql`insert into ${sql.raw(table)} select * from json_populate_recordset(null::${sql.raw(table)}, ${read.rows}::json)`.execute(
      to,
    );
    count += read.count;
    if (read.count < atOnce) return count;
  }
}
