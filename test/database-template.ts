/** Made once for all test files: an initialised, empty database that every world begins from. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openDatabase } from "../src/adapters/database/open.ts";
import { silentLog } from "../src/adapters/system/log.ts";
import { databaseTemplate } from "../src/demo/world.ts";

export default async function prepare(): Promise<() => void> {
  const directory = mkdtempSync(join(tmpdir(), "baton-template-"));
  const database = await openDatabase({ databaseUrl: null, dataDir: directory, log: silentLog });
  await database.close();
  process.env[databaseTemplate] = directory;
  return () => rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
