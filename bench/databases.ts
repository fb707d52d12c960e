/** The three databases for benchmarks, each new and empty. */
import { join } from "node:path";
import pg from "pg";
import { openPglite, openPostgres } from "../src/adapters/database/open.ts";
import { openMemory } from "../src/adapters/memory/open.ts";
import { systemClock } from "../src/adapters/system/clock.ts";
import { silentLog } from "../src/adapters/system/log.ts";
import type { Database } from "../src/ports/store.ts";
import { createPostgresDatabase } from "../test/fakes/postgres.ts";
import type { BenchContext } from "./figure.ts";

export type DatabaseKind = "memory" | "pglite" | "postgres";
export const databaseKinds: readonly DatabaseKind[] = ["memory", "pglite", "postgres"];

let count = 0;

/** Gives `use` a new database and removes it afterwards. null: no such server here. */
export async function withDatabase<T>(
  kind: DatabaseKind,
  { directory, postgresUrl }: Pick<BenchContext, "directory" | "postgresUrl">,
  use: (database: Database) => Promise<T>,
): Promise<T | null> {
  await using resources = new AsyncDisposableStack();
  let database: Database;
  if (kind === "memory") {
    database = openMemory({ clock: systemClock, log: silentLog });
  } else if (kind === "pglite") {
    count += 1;
    database = await openPglite({ directory: join(directory, `database-${count}`), log: silentLog });
  } else {
    if (postgresUrl === null) return null;
    const { url, drop } = await createPostgresDatabase(postgresUrl);
    resources.defer(drop);
    database = await openPostgres(url, silentLog);
  }
  resources.defer(() => database.close());
  return await use(database);
}

export const noPostgres = "no PostgreSQL server: set BATON_TEST_DATABASE_URL or DATABASE_URL";

const durable = ["fsync", "synchronous_commit", "full_page_writes"] as const;

/** The reason why figures of this server would say nothing: it acknowledges what a power failure loses. null: there is none. */
export async function notDurable(url: string): Promise<string | null> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const setting of durable) {
      const { rows } = await client.query<{ value: string }>("select current_setting($1) as value", [setting]);
      if (rows[0]?.value === "off") return `the server runs with ${setting}=off`;
    }
    return null;
  } finally {
    await client.end();
  }
}

/** The number of transactions of the whole server that wrote something: only these get an id. */
export async function writtenTransactions(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ next: string }>(
      "select pg_snapshot_xmax(pg_current_snapshot())::text as next",
    );
    return Number(rows[0]?.next);
  } finally {
    await client.end();
  }
}
