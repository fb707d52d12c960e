/** `/baton setup`: the configuration and the workflow as a pull request, by the API alone. */
import { sha256 } from "../adapters/system/sha256.ts";
import { explain, renderKept } from "../onboarding/explain.ts";
import { propose } from "../onboarding/propose.ts";
import { appManifest, workflowAlone, workflowForApp } from "../onboarding/template.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";

export const setup = defineCommand({
  name: "setup",
  usage: "setup",
  summary: "Open, or refresh, a pull request with a commented configuration and the workflow.",
  needs: "admin",
  needsRun: false,
  handle,
});

async function handle({ dependencies, github, repository, settings }: CommandContext): Promise<Reply> {
  const { harnesses } = dependencies;
  // Without an App this is a job of the workflow that is to be set up.
  const { appId } = await dependencies.github.identity();
  const isApp = appId !== 0 && repository.installationId !== 0;
  const workflow = isApp ? workflowForApp() : workflowAlone();
  const { pullRequest, proposal } = await propose({
    github,
    repository,
    workflow,
    permissionsText: isApp ? appManifest() : workflow.text,
    digest: sha256,
    // What works here already goes on; a harness that this Baton has not would only fail.
    harness: harnesses.has(settings.harness.default) ? settings.harness.default : ([...harnesses.keys()][0] ?? null),
    modelOf: (name) => settings.harness.model ?? harnesses.get(name)?.defaultModel ?? null,
  });
  if (pullRequest === null && proposal.refused.length === 0)
    return `Everything is set up already.\n\n${renderKept(proposal.files)}`.trim();
  if (pullRequest === null) return explain(proposal);
  const missing = proposal.refused.map(({ path }) => `\`${path}\``);
  const note = missing.length === 0 ? "" : ` I may not write ${missing.join(", ")}; its text is in the pull request.`;
  return `#${pullRequest.number} sets Baton up. It lists the findings, files, costs, and permissions.${note}`;
}
