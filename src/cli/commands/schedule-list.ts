import { showLocal } from "../../core/zone.ts";
import { usd } from "../../text/format.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { withRuns } from "../data.ts";
import { table } from "../text.ts";

export const scheduleList: CliCommand = (program, context) => {
  group(program, "schedule", "The schedules of the repositories that this App serves.")
    .command("list")
    .description("List schedules with their next time, last result and its cost.")
    .option(...jsonOption)
    .action(async ({ json }: { json?: true }) => {
      const listed = await withRuns(context, ({ schedules }) => schedules.list());
      if (json === true) return context.print(JSON.stringify(listed, null, 2));
      if (listed.length === 0) return context.print("There are no schedules.");
      context.print(
        table([
          ["REPOSITORY", "SCHEDULE", "WHEN", "NEXT", "LAST", "COST", "NOTE"],
          ...listed.map(({ repository, name, cron, timeZone, next, pausedBy, problem, lastRun }) => [
            repository,
            name,
            `${cron} ${timeZone}`,
            next === null ? "-" : showLocal(next, timeZone),
            lastRun === null ? "-" : `${lastRun.status} ${showLocal(lastRun.createdAt, timeZone)}`,
            lastRun === null ? "-" : usd(lastRun.spentUsd),
            pausedBy === null ? (problem ?? "") : `paused by ${pausedBy}`,
          ]),
        ]),
      );
    });
};
