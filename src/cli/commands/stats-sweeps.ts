import { duration, usd } from "../../text/format.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { withRuns } from "../data.ts";
import { table } from "../text.ts";

export const statsSweeps: CliCommand = (program, context) => {
  group(program, "stats", "Figures of Baton's work.")
    .command("sweeps")
    .description("Print what people made of the proposals of sweeps, by detector, with time to decision and cost.")
    .option("--repository <owner/name>", "Of one repository. Without it of all that this App serves.")
    .option(...jsonOption)
    .action(async ({ repository, json }: { repository?: string; json?: true }) => {
      const stats = await withRuns(context, ({ sweeps }) => sweeps.stats(repository ?? null));
      if (json === true) return context.print(JSON.stringify(stats, null, 2));
      if (stats.length === 0) return context.print("No sweep has proposed anything.");
      context.print(
        table([
          [
            "REPOSITORY",
            "DETECTOR",
            "PROPOSALS",
            "MERGED",
            "CLOSED",
            "OPEN",
            "DECIDED IN",
            "COST",
            "A MERGED CHANGE",
            "RATE",
          ],
          ...stats.map((one) => [
            one.repository,
            one.detector,
            `${one.proposals}`,
            `${one.merged}`,
            `${one.closed}`,
            `${one.open}`,
            one.decisionMs === null ? "-" : duration(one.decisionMs),
            usd(one.costUsd),
            one.costPerMergedUsd === null ? "-" : usd(one.costPerMergedUsd),
            one.throttle.rate === 0 ? "paused" : `${one.throttle.rate * 100} %`,
          ]),
        ]),
      );
    });
};
