import { type CliCommand, group, jsonOption } from "../context.ts";
import { operator, withRuns } from "../data.ts";
import { threadOf } from "../text.ts";

export const runRetry: CliCommand = (program, context) => {
  group(program, "run", "The runs that this Baton keeps.")
    .command("retry <run>")
    .description("Start a finished run again, with its input and settings. Baton drives it as soon as Baton runs.")
    .option(...jsonOption)
    .action(async (runId: string, { json }: { json?: true }) => {
      const run = await withRuns(context, (runs) => runs.retry(runId, operator(context)));
      context.print(
        json === true ? JSON.stringify(run, null, 2) : `${run.runId} starts ${runId} again on ${threadOf(run)}.`,
      );
    });
};
