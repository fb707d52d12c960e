import { type CliCommand, group, jsonOption } from "../context.ts";
import { withRuns } from "../data.ts";

export const runErase: CliCommand = (program, context) => {
  group(program, "run", "The runs that this Baton keeps.")
    .command("erase <run>")
    .description(
      "Delete what may be personal text in the journal of a run that is over. Status, money and verdicts stay, and the hash chain still holds.",
    )
    .option(...jsonOption)
    .action(async (runId: string, { json }: { json?: true }) => {
      const run = await withRuns(context, (runs) => runs.erase(runId));
      context.print(
        json === true
          ? JSON.stringify(run, null, 2)
          : `The personal texts of ${run.runId} are deleted; its chain holds.`,
      );
    });
};
