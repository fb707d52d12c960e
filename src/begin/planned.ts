/**
 * The plan from before, for a run that continues from it or judges it. Baton looks in this thread, and in the issue of this
 * pull request.
 *
 * Owns: finding it in journals. Does not own: how a process uses it.
 * PL1 A branch of a fork with the name of one of Baton's branches has no plan.
 */
import { z } from "zod";
import { fold } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import type { Json } from "../core/vocabulary.ts";
import { threadKeyOf } from "../runner/ledger-rows.ts";
import type { BeginContext } from "./context.ts";

/** Baton reads at most this many runs of an issue. The newest run that worked on the branch counts. */
const runsMax = 5;

export async function plannedBefore(
  context: Pick<BeginContext, "lastRun" | "pullRequest" | "repository" | "settings" | "dependencies">,
): Promise<Json> {
  const { lastRun, pullRequest, repository, settings, dependencies } = context;
  const own = lastRun?.status === "completed" ? (inOutput(lastRun) ?? null) : null;
  if (own !== null || pullRequest === null || pullRequest.headRepositoryId !== repository.id) return own;
  const issue = issueOf(pullRequest.headRef, settings.branchPrefix);
  if (issue === null) return null;
  const threadKey = threadKeyOf({ thread: { repository, number: issue, kind: "issue" } });
  for (const { runId } of await dependencies.store.runs({ threadKey, limit: runsMax })) {
    const state = fold(await dependencies.store.read(runId));
    if ((state.input as { branch?: unknown } | null)?.branch !== pullRequest.headRef) continue;
    const planned = inOutput(state) ?? inSteps(state);
    if (planned != null) return planned;
  }
  return null;
}

/** The number in a branch such as `baton/issue-12-fix-the-sum`, as `begin-run.ts` names them. */
function issueOf(branch: string, prefix: string): number | null {
  const number = branch.startsWith(prefix) ? /^issue-(\d{1,9})-/.exec(branch.slice(prefix.length))?.[1] : undefined;
  return number === undefined ? null : Number(number);
}

function inOutput({ outcome }: RunState): Json | undefined {
  const output = outcome?.output;
  return typeof output === "object" && output !== null && !Array.isArray(output) ? output["planned"] : undefined;
}

const plannedStepSchema = z.object({
  prompt: z.object({ facts: z.object({ plan: z.string().min(1), outcomes: z.array(z.unknown()).min(1) }) }),
});

/** A run that waits for its review has no output yet. Its steps' input is in the journal. */
function inSteps({ effects }: RunState): Json | null {
  for (const { input } of [...effects.values()].reverse()) {
    const { data } = plannedStepSchema.safeParse(input);
    if (data !== undefined) return { plan: data.prompt.facts.plan, outcomes: data.prompt.facts.outcomes as Json[] };
  }
  return null;
}
