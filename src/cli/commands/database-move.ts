import { createLog } from "../../adapters/system/log.ts";
import { runningBaton } from "../../app/control/client.ts";
import { BatonError } from "../../core/errors.ts";
import { readSettings } from "../../environment/settings.ts";
import { createRedactor } from "../../text/redact.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { environmentOf } from "../data.ts";

export const databaseMove: CliCommand = (program, context) => {
  group(program, "database", "The database that Baton keeps its runs in.")
    .command("move")
    .description(
      "Move the embedded database to the PostgreSQL server of DATABASE_URL, all of it or nothing. Stop Baton first. The server's database must be empty.",
    )
    .option(...jsonOption)
    .action(async ({ json }: { json?: true }) => {
      const { dataDir, databaseUrl, secrets } = readSettings(environmentOf(context));
      if (databaseUrl === null)
        throw new BatonError("BATON_SETTINGS_INVALID", "DATABASE_URL is not set: it names the server to move to.");
      const running = await runningBaton(dataDir);
      if (running !== null)
        throw new BatonError(
          "BATON_DATABASE_LOCKED",
          `Baton runs, as process ${running.about.pid}. Stop it first: \`baton stop\`.`,
        );
      const { moveDatabase } = await import("../../adapters/database/move.ts");
      const log = createLog({ level: "error", redact: createRedactor({ secrets }) });
      const { rows, keptAt } = await moveDatabase({ dataDir, databaseUrl, log });
      if (json === true) return context.print(JSON.stringify({ rows, keptAt }, null, 2));
      const moved = Object.values(rows).reduce((sum, one) => sum + one, 0);
      context.print(
        `${moved} rows are moved, ${rows["runs"]} runs among them. Start Baton with the same DATABASE_URL. The old database is kept at ${keptAt}.`,
      );
    });
};
