import { count, duration } from "../../text/format.ts";
import { type CliCommand, jsonOption } from "../context.ts";
import { runningHere } from "../daemon.ts";
import { exitCodes } from "../exit.ts";

export const status: CliCommand = (program, context) => {
  program
    .command("status")
    .description("Say whether the App runs on this data directory: version, address, database, GitHub, runs.")
    .option(...jsonOption)
    .action(async ({ json }: { json?: true }) => {
      const running = await runningHere(context);
      if (running === null) context.exit(exitCodes.no);
      if (json === true) return context.print(JSON.stringify(running?.about ?? null, null, 2));
      if (running === null) return context.print("No Baton runs on this data directory. Start it: `baton start`.");
      const { version, pid, startedAt, url, database, github, activeRuns } = running.about;
      context.print(
        [
          `Baton ${version} runs as process ${pid} for ${duration(Date.now() - startedAt)}.`,
          `  address   ${url ?? "of its host"}`,
          `  database  ${database}`,
          `  GitHub    ${github}`,
          `  runs      ${count(activeRuns)} active`,
        ].join("\n"),
      );
    });
};
