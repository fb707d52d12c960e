/**
 * An initialized, empty database from which every test world begins.
 *
 * It is made once for each version of the migrations and of PGlite, and kept between runs, because making it takes seconds.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { databaseTemplate } from "../packages/local-github/demo/world.ts";

const cache = fileURLToPath(new URL("../node_modules/.cache/baton", import.meta.url));
const sources = ["migrations.ts", "open.ts", "pg-boss-queue.ts", "tables.ts"].map(
  (name) => new URL(`../src/adapters/database/${name}`, import.meta.url),
);

export default async function prepare(): Promise<void> {
  const hash = createHash("sha256");
  for (const source of [...sources, new URL(import.meta.url)]) hash.update(readFileSync(source));
  const require = createRequire(import.meta.url);
  for (const name of ["@electric-sql/pglite", "pg-boss"]) hash.update(readFileSync(require.resolve(name)));
  const directory = join(cache, `database-${hash.digest("hex").slice(0, 16)}`);
  if (!existsSync(directory)) await make(directory);
  process.env[databaseTemplate] = directory;
}

/** Another run may make it at the same time. The first to finish keeps its own. */
async function make(directory: string): Promise<void> {
  const { openDatabase } = await import("../src/adapters/database/open.ts");
  const { silentLog } = await import("../src/adapters/system/log.ts");
  mkdirSync(cache, { recursive: true });
  const made = mkdtempSync(join(cache, "making-"));
  const database = await openDatabase({ databaseUrl: null, dataDir: made, log: silentLog });
  await database.close();
  // Two thirds of the files belong to the databases that a new one is copied from. Nothing in Baton makes or opens one.
  for (const id of ["1", "4"]) rmSync(join(made, "database/pglite/base", id), { recursive: true, force: true });
  try {
    renameSync(made, directory);
  } catch {
    rmSync(made, { recursive: true, force: true });
  }
}
