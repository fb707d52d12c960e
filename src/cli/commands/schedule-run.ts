import { type CliCommand, group, repositoryOption } from "../context.ts";
import { operator, withRuns } from "../data.ts";

export const scheduleRun: CliCommand = (program, context) => {
  group(program, "schedule", "The schedules of the repositories that this App serves.")
    .command("run <name>")
    .description("Run a schedule now. The App begins it within a minute.")
    .option(...repositoryOption)
    .action(async (name: string, { repository }: { repository?: string }) => {
      const done = await withRuns(context, ({ schedules }) =>
        schedules.run(name, repository ?? null, operator(context)),
      );
      context.print(`${done} will begin as soon as Baton runs.`);
    });
};
