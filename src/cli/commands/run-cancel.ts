import { type CliCommand, group, jsonOption } from "../context.ts";
import { operator, withRuns } from "../data.ts";

interface Options {
  reason: string;
  json?: true;
}

export const runCancel: CliCommand = (program, context) => {
  group(program, "run", "The runs that this Baton keeps.")
    .command("cancel <run>")
    .description("Cancel a run. Baton ends the run's open work and reports it in the thread as soon as Baton runs.")
    .option("--reason <text>", "Why; shown in the thread.", "Cancelled by the operator.")
    .option(...jsonOption)
    .action(async (runId: string, { reason, json }: Options) => {
      const run = await withRuns(context, (runs) => runs.cancel(runId, operator(context), reason));
      context.print(
        json === true
          ? JSON.stringify(run, null, 2)
          : run.status === "cancelled"
            ? `${run.runId} is cancelled.`
            : `${run.runId} will be cancelled as soon as Baton runs.`,
      );
    });
};
