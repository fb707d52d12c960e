/** Opens the database that the settings name: a PostgreSQL server, or an embedded PGlite in a locked directory. */
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { fromPglite } from "pg-boss";
import { BatonError } from "../../core/errors.ts";
import type { Log } from "../../ports/log.ts";
import type { Database } from "../../ports/store.ts";
import { lockDirectory } from "./directory-lock.ts";
import { migrate } from "./migrations.ts";
import { PgBossQueue } from "./pg-boss-queue.ts";
import { SqlStore } from "./sql-store.ts";
import type { Tables } from "./tables.ts";

const poolMax = 10;

export async function openDatabase(options: { databaseUrl: string | null; dataDir: string; log: Log }): Promise<Database> {
  return options.databaseUrl === null ? openPglite({ directory: join(options.dataDir, "database"), log: options.log }) : openPostgres(options.databaseUrl, options.log);
}

/** `directory: null` keeps everything in memory: for tests. */
export async function openPglite({ directory, log }: { directory: string | null; log: Log }): Promise<Database> {
  const lock = directory === null ? null : await lockDirectory(directory);
  try {
    const pglite = await PGlite.create(directory === null ? {} : { dataDir: join(directory, "pglite") });
    const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
    await migrate(db);
    const queue = await PgBossQueue.open({ log, backend: "pglite", connection: { db: fromPglite(pglite) } });
    // Alone on this database: what an earlier process had in hand when it died is handed out again at once.
    await sql`update pgboss.job set state = 'retry', start_after = now() where state = 'active'`.execute(db);
    return database("pglite", db, queue, async () => {
      if (!pglite.closed) await pglite.close();
      await lock?.[Symbol.asyncDispose]();
    });
  } catch (thrown) {
    await lock?.[Symbol.asyncDispose]();
    throw thrown;
  }
}

export async function openPostgres(connectionString: string, log: Log): Promise<Database> {
  const pool = new pg.Pool({ connectionString, max: poolMax, application_name: "baton" });
  pool.on("error", (error) => log.warn("An idle database connection failed", { error }));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    await sql`select 1`.execute(db);
  } catch (thrown) {
    await db.destroy();
    throw new BatonError("BATON_DATABASE_UNAVAILABLE", `PostgreSQL does not answer: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown });
  }
  await migrate(db);
  const queue = await PgBossQueue.open({ log, backend: "postgres", connection: { connectionString, max: poolMax } });
  return database("postgres", db, queue, () => db.destroy());
}

function database(kind: string, db: Kysely<Tables>, queue: PgBossQueue, close: () => Promise<void>): Database {
  return {
    kind,
    store: new SqlStore(db, (transaction, job) => queue.enqueue(transaction, job)),
    queue,
    async ping() {
      await sql`select 1`.execute(db);
    },
    close,
  };
}
