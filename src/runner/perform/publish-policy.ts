/**
 * Whether the policy lets a run push or merge, by the run's journal: a second check that no process can skip.
 *
 * PP1 A push contains the changes of this run's agents up to that commit. A protected path among them needs a person of
 *     this run who saw exactly its content. If the run did not make a commit on that way, git's report counts as well.
 * PP2 A merge needs green gates and, unless configured otherwise, an approval. Both must be for exactly the merged
 *     commit and its base branch.
 * PP3 A branch is deleted only if this run began it and nobody has pushed to it since.
 * PP4 Each verdict names its subject. Baton journals it before it obeys it, whether it allows or refuses.
 */
import { agentOutputSchema, effectSchemas, joinInputSchema, type PublishOperation } from "../../core/effect.ts";
import { type PathState, sameState, shownChange } from "../../core/shown-change.ts";
import { type EffectOf, type EffectState, isOfKind, type RunState } from "../../core/state.ts";
import type { Evidence, Verdict } from "../../core/vocabulary.ts";
import { decide } from "../../policy/decide.ts";
import { protectedAmong } from "../../policy/rules/protected-paths.ts";
import type { PullRequestFacts } from "../../ports/github.ts";
import { baseOf, settingsOf } from "../settings-of.ts";

export function mayPush(
  state: RunState,
  { branch, sha }: Pick<Extract<PublishOperation, { operation: "push" }>, "branch" | "sha">,
  present: readonly PathState[],
  besides: readonly string[] = [],
): Verdict {
  const settings = settingsOf(state);
  const paths = [...changedPaths(state, sha), ...besides];
  const allowed = allowedPaths(state, present);
  const verdict = decide({
    action: "publish",
    facts: { paths: paths.filter((path) => !allowed.has(path)), settings },
  });
  return { ...verdict, evidence: [...verdict.evidence, ...branchAt(branch, sha)] };
}

function branchAt(branch: string, sha: string): Evidence[] {
  return [
    { label: "branch", value: branch },
    { label: "commit", value: sha },
  ];
}

/**
 * The paths whose content at the pushed commit a person must have allowed. `besides`: git's report for an unknown
 * lineage.
 */
export function protectedAtPush(state: RunState, { sha }: { sha: string }, besides: readonly string[] = []): string[] {
  return protectedAmong([...new Set([...changedPaths(state, sha), ...besides])], settingsOf(state).protectedPaths);
}

/** Only a branch that this run itself pushed, at that commit, and never a target branch of work. */
export function mayDelete(
  state: RunState,
  { branch, expectedSha }: Extract<PublishOperation, { operation: "delete-branch" }>,
): Verdict {
  const { baseBranch } = state.input as { baseBranch?: string };
  const pushed = pushes(state).some(
    (push) => push.branch === branch && push.published === expectedSha && push.expectedSha === null,
  );
  const own = pushed && branch !== baseBranch && branch !== state.thread.repository.defaultBranch;
  return {
    name: "publish",
    status: own ? "passed" : "failed",
    reason: own
      ? `This run began ${branch}, so it may delete the branch.`
      : `${branch} is not a branch that this run began, so it is not deleted.`,
    evidence: branchAt(branch, expectedSha),
    children: [],
  };
}

export function mayMerge(
  state: RunState,
  { sha, base: judged }: Pick<Extract<PublishOperation, { operation: "merge" }>, "sha" | "base">,
  pull: Pick<PullRequestFacts, "headSha" | "headRepositoryId" | "baseRef">,
): Verdict {
  const base = judged ?? baseOf(state) ?? pull.baseRef;
  return decide({
    action: "merge",
    facts: {
      subjectSha: sha,
      headSha: pull.headSha,
      subjectBase: base,
      base: pull.baseRef,
      approvedSha: approvedSha(state, sha, base),
      gatesPassed: gatesPassed(state, sha, base),
      headIsFork: pull.headRepositoryId !== state.thread.repository.id,
      settings: settingsOf(state),
    },
  });
}

function succeeded<K extends EffectState["kind"]>(state: RunState, kind: K): EffectOf<K>[] {
  return [...state.effects.values()].filter(isOfKind(kind)).filter(({ status }) => status === "succeeded");
}

/** Effects of a kind since the last change of the pull request's base. Earlier judgments were for the old base. */
function judgedForThisBase<K extends EffectState["kind"]>(state: RunState, kind: K): EffectOf<K>[] {
  const effects = [...state.effects.values()].filter(({ status }) => status === "succeeded");
  const last = effects.findLastIndex((effect) => effect.kind === "base");
  return effects.slice(last + 1).filter(isOfKind(kind));
}

/** The pushes of this run, each with the branch's head after it: GitHub creates signed commits again. */
function pushes(state: RunState): { branch: string; sha: string; expectedSha: string | null; published: string }[] {
  return [...state.effects.values()].filter(isOfKind("publish")).flatMap(({ input: { publish }, output }) => {
    if (publish.operation !== "push") return [];
    return [{ ...publish, published: output?.sha ?? publish.sha }];
  });
}

/**
 * The changes of the steps that lead to `sha`, also through joins. If the lineage is unknown, the changes of all agents
 * count.
 */
function changedPaths(state: RunState, sha: string): string[] {
  const { steps, lineage, isKnown } = lineageOf(state, sha);
  return (isKnown && lineage.size > 0 ? [...lineage] : steps).flatMap(({ paths }) => paths);
}

/** False: a step of this run did not make all of this commit, so git must list its changes. */
export function knowsLineage(state: RunState, sha: string): boolean {
  return lineageOf(state, sha).isKnown;
}

function lineageOf(state: RunState, sha: string): { steps: Made[]; lineage: Set<Made>; isKnown: boolean } {
  const steps = [...succeeded(state, "agent"), ...succeeded(state, "join")].flatMap(madeBy);
  const lineage = new Set<Made>();
  const published = [...pushes(state), ...branchUpdates(state)];
  const given = givenTo(state);
  const seen = new Set<string>();
  let isKnown = true;
  for (const tips = [sha]; tips.length > 0; ) {
    const tip = tips.pop() as string;
    if (seen.has(tip)) continue;
    seen.add(tip);
    const sources = published.filter((one) => one.published === tip && one.sha !== tip);
    const makers = steps.filter(({ headSha }) => headSha === tip);
    for (const step of makers) lineage.add(step);
    tips.push(...sources.map((one) => one.sha), ...makers.flatMap(({ from }) => from));
    if (sources.length === 0 && makers.length === 0 && !given.has(tip)) isKnown = false;
  }
  return { steps, lineage, isKnown };
}

/** Merges of the base into a branch that GitHub made. */
function branchUpdates(state: RunState): { sha: string; published: string }[] {
  return succeeded(state, "publish").flatMap(({ input: { publish }, output }) =>
    publish.operation === "update-branch" && output?.sha != null ? [{ sha: publish.sha, published: output.sha }] : [],
  );
}

/**
 * Commits that steps began from. Excludes commits that another agent may have made, in a child, in a parent, or on
 * another branch.
 */
function givenTo(state: RunState): ReadonlySet<string> {
  const foreign = new Set([
    ...succeeded(state, "subprocess").flatMap(({ output }) => commitsIn(output)),
    ...succeeded(state, "agent").flatMap(({ output }) => commitsIn(output?.aside)),
    ...(state.parent ? commitsIn(state.input) : []),
  ]);
  const steps = [...succeeded(state, "agent"), ...succeeded(state, "join")].flatMap(madeBy);
  return new Set(steps.flatMap(({ from }) => from.slice(0, 1)).filter((sha) => !foreign.has(sha)));
}

function commitsIn(value: unknown): string[] {
  return JSON.stringify(value ?? null).match(/\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b/g) ?? [];
}

interface Made {
  headSha: string | null;
  from: string[];
  paths: string[];
}

function madeBy({ kind, input, output }: EffectState): Made[] {
  if (kind === "join") {
    const { baseSha, shas } = joinInputSchema.parse(input);
    const { headSha, joined } = effectSchemas.join.output.parse(output);
    return [{ headSha, from: [baseSha, ...shas.slice(0, joined)], paths: [] }];
  }
  const made = agentOutputSchema.pick({ files: true, baseSha: true, headSha: true }).safeParse(output);
  if (!made.success) return [];
  const { headSha, baseSha, files } = made.data;
  return [{ headSha, from: [baseSha], paths: files.map(({ path }) => path) }];
}

/** Commits that steps of this run began from and that none of them made: the remote has them. */
export function begunFrom(state: RunState): string[] {
  const made = new Set(
    [...succeeded(state, "agent"), ...succeeded(state, "join")].map(({ output }) => output?.headSha),
  );
  const begun = [...state.effects.values()].flatMap((effect) =>
    effect.kind === "agent" || effect.kind === "join" ? [effect.input.baseSha] : [],
  );
  return [...new Set(begun)].filter((sha) => !made.has(sha));
}

/** Paths whose present content a person of this run has seen and allowed. */
function allowedPaths(state: RunState, present: readonly PathState[]): ReadonlySet<string> {
  const allowed = new Set<string>();
  for (const effect of succeeded(state, "breakpoint")) {
    if (effect.input.kind !== "protected-paths" || effect.output?.decision !== "approved") continue;
    const shown = shownChange(effect)?.files ?? [];
    for (const now of present) if (shown.some((file) => sameState(file, now))) allowed.add(now.path);
  }
  return allowed;
}

/** The commit of the newest approval, or `sha` itself if that commit was approved. */
function approvedSha(state: RunState, sha: string, base: string): string | null {
  const approved = judgedForThisBase(state, "breakpoint")
    // Only a review is an approval. A merge that is no longer blocked is not one.
    .filter(({ input }) => input.kind === "review")
    .filter(({ input }) => (input.subject.base ?? baseOf(state) ?? base) === base)
    .flatMap(({ output }) => (output?.decision === "approved" && output.sha !== null ? [output.sha] : []));
  return approved.includes(sha) ? sha : (approved.at(-1) ?? null);
}

/** At least one gate judged this commit, and the last verdict of each gate is "passed". */
function gatesPassed(state: RunState, sha: string, base: string): boolean {
  const last = new Map<string, string>();
  for (const { input, output } of judgedForThisBase(state, "gate")) {
    const { gate, sha: judged, options } = input;
    const { baseBranch = base } = (options ?? {}) as { baseBranch?: string };
    if (judged === sha && baseBranch === base && output !== undefined) last.set(gate, output.status);
  }
  return last.size > 0 && [...last.values()].every((status) => status === "passed");
}
