import { type CliCommand, group, repositoryOption } from "../context.ts";
import { withRuns } from "../data.ts";

export const scheduleResume: CliCommand = (program, context) => {
  group(program, "schedule", "The schedules of the repositories that this App serves.")
    .command("resume <name>")
    .description("Resume a schedule. Times that passed meanwhile do not run.")
    .option(...repositoryOption)
    .action(async (name: string, { repository }: { repository?: string }) => {
      const done = await withRuns(context, ({ schedules }) => schedules.resume(name, repository ?? null));
      context.print(`${done} is resumed.`);
    });
};
