/** Opens the database that the settings name: a PostgreSQL server, or an embedded PGlite in a locked directory. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Kysely, PGliteDialect, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { fromPglite } from "pg-boss";
import { BatonError } from "../../core/errors.ts";
import type { Log } from "../../ports/log.ts";
import type { Database } from "../../ports/store.ts";
import { lockDirectory } from "./directory-lock.ts";
import { migrate } from "./migrations.ts";
import { PgBossQueue } from "./pg-boss-queue.ts";
import { feedChannel, listenOn, SqlFeed } from "./sql-feed.ts";
import { SqlStore } from "./sql-store.ts";
import type { Tables } from "./tables.ts";

const poolMax = 10;
/**
 * PostgreSQL touches its default of 128 MB at the start. Every program that Baton starts costs more as Baton's memory
 * grows.
 */
const sharedBuffers = "16MB";

export async function openDatabase(options: {
  databaseUrl: string | null;
  dataDir: string;
  log: Log;
}): Promise<Database> {
  return options.databaseUrl === null
    ? openPglite({ directory: join(options.dataDir, "database"), log: options.log })
    : openPostgres(options.databaseUrl, options.log);
}

/** `directory: null` keeps everything in memory, for tests. */
export async function openPglite({ directory, log }: { directory: string | null; log: Log }): Promise<Database> {
  await using opening = new AsyncDisposableStack();
  const PGlite = await loadPglite();
  if (directory !== null) opening.use(await lockDirectory(directory));
  const pglite = await PGlite.create({
    ...(directory === null ? {} : { dataDir: join(directory, "pglite") }),
    startParams: [...PGlite.defaultStartParams, "-c", `shared_buffers=${sharedBuffers}`],
  }).catch(unavailable);
  opening.defer(async () => {
    if (!pglite.closed) await pglite.close();
  });
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
  await migrate(db);
  const queue = await PgBossQueue.open({ log, backend: "pglite", connection: { db: fromPglite(pglite) } });
  opening.defer(() => queue.stop(0));
  const feed = new SqlFeed(db);
  await pglite.listen(feedChannel, (payload) => feed.hear(payload));
  // This process is alone on the database. Jobs that an earlier process held when it died start again at once.
  await sql`update pgboss.job set state = 'retry', start_after = now() where state = 'active'`.execute(db);
  const backup = async (): Promise<Blob> => {
    await sql`checkpoint`.execute(db);
    // Queries wait meanwhile. Nothing changes the files during the read.
    return pglite.dumpDataDir("gzip");
  };
  return { ...database("pglite", { db, queue, feed }, opening.move()), backup };
}

export async function openPostgres(connectionString: string, log: Log): Promise<Database> {
  await using opening = new AsyncDisposableStack();
  const pool = new pg.Pool({ connectionString, max: poolMax, application_name: "baton" });
  pool.on("error", (error) => log.warn("An idle database connection failed", { error }));
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  opening.defer(() => db.destroy());
  await sql`select 1`.execute(db).catch(unavailable);
  await migrate(db);
  const queue = await PgBossQueue.open({ log, backend: "postgres", connection: { connectionString, max: poolMax } });
  opening.defer(() => queue.stop(0));
  const feed = new SqlFeed(db);
  opening.use(await listenOn(connectionString, feed, log).catch(unavailable));
  return database("postgres", { db, queue, feed }, opening.move());
}

/** Restores a backup into a data directory that has no database. */
export async function restorePglite(dataDir: string, backup: Blob): Promise<void> {
  const directory = join(dataDir, "database");
  if (existsSync(join(directory, "pglite")))
    throw new BatonError("BATON_INPUT_INVALID", `${directory} holds a database already. Nothing was restored.`);
  const PGlite = await loadPglite();
  await using _lock = await lockDirectory(directory);
  const pglite = await PGlite.create({ dataDir: join(directory, "pglite"), loadDataDir: backup }).catch(unavailable);
  await pglite.close();
}

function database(
  kind: string,
  { db, queue, feed }: { db: Kysely<Tables>; queue: PgBossQueue; feed: SqlFeed },
  resources: AsyncDisposableStack,
): Database {
  return {
    kind,
    store: new SqlStore(db, queue),
    queue,
    feed,
    async ping() {
      await sql`select 1`.execute(db).catch(unavailable);
    },
    // Closes the queue first, then the connection, then the lock. No process may enter before the last write is out.
    close: () => resources.disposeAsync(),
  };
}

/** An optional package. A server that uses PostgreSQL does not need its 27 MB. */
export async function loadPglite(): Promise<typeof import("@electric-sql/pglite").PGlite> {
  const { PGlite } = await import("@electric-sql/pglite").catch(notInstalled);
  return PGlite;
}

function notInstalled(thrown: unknown): never {
  if ((thrown as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") unavailable(thrown);
  const message = "DATABASE_URL is not set, and the embedded database is not installed.";
  throw new BatonError("BATON_DATABASE_MISSING", message, { cause: thrown });
}

function unavailable(thrown: unknown): never {
  const message = `The database does not answer: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  throw new BatonError("BATON_DATABASE_UNAVAILABLE", message, { cause: thrown });
}
