import { resolve } from "node:path";
import { type CliCommand, group } from "../context.ts";
import { withRuns } from "../data.ts";

export const databaseBackup: CliCommand = (program, context) => {
  group(program, "database", "The database that Baton keeps its runs in.")
    .command("backup <file>")
    .description("Write the embedded database into a new file, also while Baton runs.")
    .action(async (file: string) => {
      const path = resolve(context.directory, file);
      const bytes = await withRuns(context, (runs) => runs.backup(path));
      context.print(`${path}: ${(bytes / 1024 / 1024).toFixed(1)} MB. Restore it with \`baton database restore\`.`);
    });
};
