import { InvalidArgumentError } from "commander";
import { type CliCommand, jsonOption } from "../context.ts";
import { withRuns } from "../data.ts";
import { table } from "../text.ts";

interface Options {
  owner: string;
  repositories: string;
  perDay?: number;
  list?: true;
  json?: true;
}

export const onboard: CliCommand = (program, context) => {
  program
    .command("onboard")
    .description(
      "Ask the running App for the set-up pull request in every repository of an account that never had one, a few each day.",
    )
    .requiredOption("--owner <account>", "The account that the repositories belong to.")
    .option("--repositories <names>", "Names or globs, with commas between: shop, lib-*.", "*")
    .option(
      "--per-day <number>",
      "Most pull requests a day for this account. Default: BATON_ONBOARDING_PER_DAY.",
      number,
    )
    .option("--list", "Ask for nothing. Show what came of each repository.")
    .option(...jsonOption)
    .action(async ({ owner, repositories, perDay, list, json }: Options) => {
      const globs = repositories.split(",").flatMap((one) => (one.trim() === "" ? [] : [one.trim()]));
      const lines = await withRuns(context, ({ setups }) =>
        list === true ? setups.list(owner) : setups.ask({ owner, repositories: globs, perDay: perDay ?? null }),
      );
      if (json === true) return context.print(JSON.stringify(lines, null, 2));
      context.print(
        table([
          ["REPOSITORY", "PULL REQUEST", "STATE"],
          ...lines.map(({ repository, pullRequest, state }) => [
            repository,
            pullRequest === null ? "-" : `#${pullRequest}`,
            state,
          ]),
        ]),
      );
      if (list !== true)
        context.note("The App opens the first within 10 minutes. `baton onboard --owner … --list` shows the rest.");
    });
};

function number(text: string): number {
  const parsed = Number(text);
  if (!Number.isInteger(parsed) || parsed < 1 || parsed > 500)
    throw new InvalidArgumentError("A whole number from 1 to 500.");
  return parsed;
}
