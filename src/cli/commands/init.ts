import type { CliCommand } from "../context.ts";

interface Options {
  action?: string;
  harness?: string;
  pullRequest?: true;
  dryRun?: true;
  force?: true;
  json?: true;
}

export const init: CliCommand = (program, context) => {
  program
    .command("init")
    .description("Set Baton up in this repository: find out what it has, write the workflow and a short `baton.yaml`.")
    .option(
      "--pull-request",
      "Open, or refresh, a pull request on GitHub instead of writing files here. Needs GITHUB_TOKEN.",
    )
    .option("--dry-run", "Print what would be written, write nothing.")
    .option("--force", "Overwrite files that were changed by hand.")
    .option("--harness <name>", "The agent that works here. Default: the agent of the first key that is found.")
    .option("--action <owner/name@ref>", "The Action that the workflow uses. Default: the release that this Baton is.")
    .option("--json", "Print JSON instead of text.")
    .addHelpText(
      "after",
      "\nGITHUB_TOKEN, for example `GITHUB_TOKEN=$(gh auth token) baton init --pull-request`, also lets it see names of secrets and rules of the branch.",
    )
    .action(async (options: Options) => {
      const { initialise } = await import("../initialise.ts");
      await initialise(context, options);
    });
};
