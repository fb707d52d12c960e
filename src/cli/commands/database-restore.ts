import { openAsBlob } from "node:fs";
import { resolve } from "node:path";
import { BatonError } from "../../core/errors.ts";
import { readSettings } from "../../environment/settings.ts";
import { type CliCommand, group } from "../context.ts";
import { environmentOf } from "../data.ts";

export const databaseRestore: CliCommand = (program, context) => {
  group(program, "database", "The database that Baton keeps its runs in.")
    .command("restore <file>")
    .description("Make the embedded database from a backup, in a data directory that has none.")
    .action(async (file: string) => {
      const { dataDir } = readSettings(environmentOf(context));
      const path = resolve(context.directory, file);
      const backup = await openBackup(path);
      const { restorePglite } = await import("../../adapters/database/open.ts");
      await restorePglite(dataDir, backup);
      context.print(`${dataDir} holds the database of the backup. Start Baton: \`baton start\`.`);
    });
};

/** It throws at once for a missing file, and rejects for others. */
async function openBackup(path: string): Promise<Blob> {
  try {
    return await openAsBlob(path);
  } catch (cause) {
    throw new BatonError("BATON_INPUT_INVALID", `${path} cannot be read.`, { cause });
  }
}
