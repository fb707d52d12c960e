/**
 * CI after a push with the job's own token, for which GitHub starts no workflow (its guard against loops): those that are
 * named are started here, and the thread says what was started, or what is missing for it.
 *
 * SC1 Nobody waits for checks that cannot come without the thread saying so.
 * SC2 With another token GitHub itself starts CI; then nothing is started here, and nothing said.
 */
import type { TokenGithub } from "../adapters/github/github-token.ts";
import { toBatonError } from "../core/errors.ts";
import { fold } from "../core/fold.ts";
import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";
import { outboxRow } from "../runner/outbox/row.ts";
import { settingsOf } from "../runner/settings-of.ts";
import type { ActionSettings } from "./settings.ts";

interface Starting {
  settings: ActionSettings;
  github: TokenGithub;
  store: Store;
  log: Log;
}

export async function startCi(
  starting: Starting,
  { branch, thread }: { branch: string; thread: number },
): Promise<void> {
  const { settings, github, store, log } = starting;
  if (!(await github.isJobToken())) return;
  const repository = await github.repositoryByName(settings.repository.owner, settings.repository.name);
  const workflows = await workflowsOf(starting, branch);
  const failed: string[] = [];
  for (const workflow of workflows) {
    await github.dispatch(repository, workflow, branch, {}).catch((thrown: unknown) => {
      log.warn("A workflow could not be started", { workflow, error: toBatonError(thrown) });
      failed.push(workflow);
    });
  }
  const body = told(branch, { workflows, failed });
  const row = outboxRow({
    operationKey: `ci:${branch}`,
    repository,
    kind: "comment",
    payload: { number: thread, body },
    priority: 20,
    content: body,
  });
  await store.write({ outbox: [row] });
}

/** The workflow file's input goes before `gates.dispatch` of the run that pushes. */
async function workflowsOf({ settings, store }: Starting, branch: string): Promise<string[]> {
  if (settings.dispatchWorkflows.length > 0) return settings.dispatchWorkflows;
  for (const { runId } of await store.runs({ active: true })) {
    const state = fold(await store.read(runId));
    const pushes = [...state.effects.values()].some(({ kind, input }) => {
      if (kind !== "publish") return false;
      const { publish } = input as { publish: { operation: string; branch?: string } };
      return publish.operation === "push" && publish.branch === branch;
    });
    if (pushes) return settingsOf(state).gates.dispatch;
  }
  return [];
}

function told(branch: string, { workflows, failed }: { workflows: string[]; failed: string[] }): string {
  const names = (files: string[]): string => files.map((file) => `\`${file}\``).join(", ");
  const why = `\`${branch}\` is pushed with the job's own token, and GitHub starts no workflow for such a push.`;
  if (failed.length > 0)
    return `⚠️ These workflows could not be started on \`${branch}\`: ${names(failed)}. Each needs \`on: workflow_dispatch\`, and this job \`permissions: actions: write\`.`;
  if (workflows.length > 0) return `ℹ️ ${why} Baton starts ${names(workflows)} after each push.`;
  return `⚠️ ${why} Name your CI's files in \`gates: { dispatch: [ci.yml] }\` of \`baton.yaml\` or in the input \`dispatch-workflows\`, or give the token of an App in the input \`token\`; until then start CI by hand, or by a push of your own.`;
}
