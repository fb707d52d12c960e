import { type CliCommand, group, repositoryOption } from "../context.ts";
import { operator, withRuns } from "../data.ts";

export const schedulePause: CliCommand = (program, context) => {
  group(program, "schedule", "The schedules of the repositories that this App serves.")
    .command("pause <name>")
    .description("Pause a schedule: its times pass without a run.")
    .option(...repositoryOption)
    .action(async (name: string, { repository }: { repository?: string }) => {
      const done = await withRuns(context, ({ schedules }) =>
        schedules.pause(name, repository ?? null, operator(context).login),
      );
      context.print(`${done} is paused.`);
    });
};
