import { InvalidArgumentError } from "commander";
import { usd } from "../../text/format.ts";
import { type CliCommand, gitOption, group, jsonOption } from "../context.ts";
import { readRuns } from "../data.ts";
import { table, threadOf } from "../text.ts";

interface Options {
  active?: true;
  limit: number;
  git?: string;
  json?: true;
}

export const runList: CliCommand = (program, context) => {
  group(program, "run", "The runs that this Baton keeps.")
    .command("list")
    .description("List runs, newest first.")
    .option("--active", "Only those that are not over.")
    .option("--limit <number>", "At most so many.", whole, 20)
    .option(...gitOption)
    .option(...jsonOption)
    .action(async ({ active, limit, git, json }: Options) => {
      const runs = await readRuns(context, git, (runs) =>
        runs.list({ limit, ...(active === undefined ? {} : { active }) }),
      );
      if (json === true) return context.print(JSON.stringify(runs, null, 2));
      if (runs.length === 0) return context.print("There are no runs.");
      context.print(
        table([
          ["RUN", "THREAD", "PROCESS", "STATUS", "DONE", "COST", "WAITS FOR"],
          ...runs.map((run) => [
            run.runId,
            threadOf(run),
            run.process.name,
            run.status,
            `${run.progress.percent} %`,
            usd(run.money.spentUsd),
            run.waitsFor.map(({ sentence }) => sentence).join(" "),
          ]),
        ]),
      );
    });
};

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 200)
    throw new InvalidArgumentError("A number from 1 to 200.");
  return number;
}
