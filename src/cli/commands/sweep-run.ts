import { InvalidArgumentError } from "commander";
import { usd } from "../../text/format.ts";
import { type CliCommand, group, jsonOption } from "../context.ts";
import { operator, withRuns } from "../data.ts";
import { table } from "../text.ts";

interface Options {
  owner: string;
  repositories: string;
  budget: number;
  json?: true;
}

export const sweepRun: CliCommand = (program, context) => {
  group(program, "sweep", "What scheduled sweeps find.")
    .command("run")
    .description(
      "Ask the running App for a sweep in each repository that fits, now, under one budget. Each gets an equal share of it.",
    )
    .requiredOption("--owner <account>", "The account that the repositories belong to.")
    .option("--repositories <names>", "Names or globs, with commas between: shop, lib-*.", "*")
    .requiredOption("--budget <usd>", "Most that all of them may spend together, in USD.", money)
    .option(...jsonOption)
    .action(async ({ owner, repositories, budget, json }: Options) => {
      const globs = repositories.split(",").flatMap((one) => (one.trim() === "" ? [] : [one.trim()]));
      const asked = await withRuns(context, ({ sweeps }) =>
        sweeps.run({ owner, repositories: globs, budgetUsd: budget, by: operator(context) }),
      );
      if (json === true) return context.print(JSON.stringify(asked, null, 2));
      context.print(
        table([
          ["REPOSITORY", "BUDGET", "NOTE"],
          ...asked.map(({ repository, budgetUsd }) => [
            repository,
            budgetUsd === null ? "-" : usd(budgetUsd),
            budgetUsd === null ? "nothing asked: an earlier sweep runs or waits to begin" : "",
          ]),
        ]),
      );
      context.note("The App begins them within a minute. `baton run list` shows them.");
    });
};

function money(text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number) || number <= 0 || number > 10_000)
    throw new InvalidArgumentError("An amount in USD, at most 10000.");
  return number;
}
