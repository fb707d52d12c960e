/** `/baton setup`: the configuration and the workflow as a pull request, by the API alone. */
import { proposeHere } from "../begin/set-up-here.ts";
import { explain, renderKept } from "../onboarding/explain.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";

export const setup = defineCommand({
  name: "setup",
  usage: "setup",
  summary: "Open, or refresh, a pull request with the configuration for this repository.",
  needs: "admin",
  needsRun: false,
  handle,
});

async function handle({ dependencies, github, repository, settings }: CommandContext): Promise<Reply> {
  const { pullRequest, proposal } = await proposeHere(dependencies, { github, repository, settings });
  if (pullRequest === null && proposal.refused.length === 0)
    return `Everything is set up already.\n\n${renderKept(proposal.files)}`.trim();
  if (pullRequest === null) return explain(proposal);
  const missing = proposal.refused.map(({ path }) => `\`${path}\``);
  const note = missing.length === 0 ? "" : ` I may not write ${missing.join(", ")}; its text is in the pull request.`;
  return `#${pullRequest.number} sets Baton up. It lists the findings, files, costs, and permissions.${note}`;
}
