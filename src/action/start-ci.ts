/**
 * CI after a push with the job's own token, for which GitHub starts no workflow (its guard against loops). Baton starts
 * the named workflows here, and reports in the thread which ones started and what is missing.
 *
 * SC1 If expected checks cannot come, the thread says so.
 * SC3 Baton never starts a workflow that no pull request starts, or that may publish. It judges the base branch's file
 *     again.
 * SC2 With another token GitHub itself starts CI. Then Baton starts nothing here, and reports nothing.
 */
import type { TokenGithub } from "../adapters/github/github-token.ts";
import { toBatonError } from "../core/errors.ts";
import { fold } from "../core/fold.ts";
import { shown } from "../onboarding/workflow-yaml.ts";
import type { Log } from "../ports/log.ts";
import type { Store } from "../ports/store.ts";
import { namedKey, outboxRow } from "../runner/outbox/row.ts";
import { settingsOf } from "../runner/settings-of.ts";
import { judgeDispatch } from "./judge-dispatch.ts";
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
  const { workflows, base } = await wantedOf(starting, branch);
  const place = { repository, head: branch, base: base ?? repository.defaultBranch };
  const told: Told = { started: [], failed: [], refused: [] };
  for (const workflow of workflows) {
    try {
      const judgement = await judgeDispatch(await github.installation(0), place, workflow);
      if (judgement.may === "start") {
        await github.dispatch(repository, workflow, branch, {});
        told.started.push(workflow);
      } else if (judgement.may === "not") {
        log.warn("Baton does not start a workflow", { workflow, reason: judgement.reason });
        told.refused.push({ workflow, reason: judgement.reason });
      } else {
        log.warn("A workflow to start is not there", { workflow });
        told.failed.push(workflow);
      }
    } catch (thrown) {
      log.warn("A workflow could not be started", { workflow, error: toBatonError(thrown) });
      told.failed.push(workflow);
    }
  }
  const body = bodyOf(branch, told);
  const row = outboxRow({
    operationKey: namedKey("ci", branch),
    repository,
    kind: "comment",
    payload: { number: thread, body },
    priority: 20,
    content: body,
  });
  await store.write({ outbox: [row] });
}

interface Wanted {
  workflows: string[];
  /** The base branch of the pushing run. null: no run names one. */
  base: string | null;
}

/** The workflow file's input takes precedence over `gates.dispatch` of the run that pushes. */
async function wantedOf({ settings, store }: Starting, branch: string): Promise<Wanted> {
  for (const { runId } of await store.runs({ active: true })) {
    const state = fold(await store.read(runId));
    const pushes = [...state.effects.values()].some(({ kind, input }) => {
      if (kind !== "publish") return false;
      const { publish } = input as { publish: { operation: string; branch?: string } };
      return publish.operation === "push" && publish.branch === branch;
    });
    if (!pushes) continue;
    const { baseBranch } = (state.input ?? {}) as { baseBranch?: unknown };
    return {
      workflows: settings.dispatchWorkflows.length > 0 ? settings.dispatchWorkflows : settingsOf(state).gates.dispatch,
      base: typeof baseBranch === "string" && baseBranch !== "" ? baseBranch : null,
    };
  }
  return { workflows: settings.dispatchWorkflows, base: null };
}

interface Told {
  started: string[];
  failed: string[];
  refused: { workflow: string; reason: string }[];
}

function bodyOf(branch: string, { started, failed, refused }: Told): string {
  const names = (files: string[]): string => files.map((file) => shown(file)).join(", ");
  const why = `${shown(branch)} is pushed with the job's own token, and GitHub starts no workflow for such a push.`;
  const parts = [
    ...(failed.length > 0
      ? [
          `⚠️ These workflows could not be started on ${shown(branch)}: ${names(failed)}. Each needs \`on: workflow_dispatch\`, and this job \`permissions: actions: write\`.`,
        ]
      : []),
    ...refused.map(
      ({ workflow, reason }) =>
        `⚠️ Baton does not start ${shown(workflow)} on ${shown(branch)}. ${reason} Baton starts only workflows that a pull request starts and that publish nothing. Remove it from \`gates.dispatch\` or \`dispatch-workflows\`.`,
    ),
    ...(started.length > 0 ? [`ℹ️ ${why} Baton starts ${names(started)} after each push.`] : []),
  ];
  if (parts.length > 0) return parts.join("\n\n");
  return `⚠️ ${why} Name your CI's files in \`gates: { dispatch: [ci.yml] }\` of \`baton.yaml\` or in the input \`dispatch-workflows\`, or give the token of an App in the input \`token\`; until then start CI by hand, or by a push of your own.`;
}
