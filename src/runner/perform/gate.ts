/**
 * `gate`: gathers the gate's facts once, judges them purely, and journals both. A failed check adds the end of its log
 * as evidence.
 */
import { gateInputSchema } from "../../core/effect.ts";
import { limits } from "../../core/limits.ts";
import type { EffectOf, RunState } from "../../core/state.ts";
import type { Json, Verdict } from "../../core/vocabulary.ts";
import { baseNow, otherBase } from "../../gate/absent.ts";
import type { CheckFact, FactName, GateFacts } from "../../gate/facts.ts";
import { gates, runGate } from "../../gate/rules/index.ts";
import { repositoryAccess } from "../repository-access.ts";
import { settingsOf } from "../settings-of.ts";
import type { ObservePerformer, PerformContext } from "./performer.ts";

export const gatePerformer: ObservePerformer = {
  async observe(context) {
    const { state, effect, dependencies } = context;
    const input = gateInputSchema.parse(effect.input);
    const { baseBranch } = (input.options ?? {}) as { baseBranch?: string };
    const subject = { sha: input.sha, baseBranch: baseBranch ?? state.thread.repository.defaultBranch };
    const retargeted = await otherBaseVerdict(context, input, baseBranch);
    if (retargeted !== null) {
      const facts = { sha: input.sha, base: baseNow(retargeted) };
      return { final: true, verdict: retargeted, facts, output: retargeted as unknown as Json };
    }
    const facts = await gatherFacts(context, input.gate, subject, effect.requestedAt);
    const verdict = runGate(input.gate, facts, input.options, {
      settings: settingsOf(state),
      now: dependencies.clock.now(),
    });
    const kept = summary(facts);
    if (verdict.status === "pending") return { final: false, verdict, facts: kept };
    const output = verdict.status === "failed" ? await withLogs(context, verdict, facts.checks ?? []) : verdict;
    return { final: true, verdict, facts: kept, output: output as unknown as Json };
  },
};

async function gatherFacts(context: PerformContext, gate: string, subject: Subject, since: number): Promise<GateFacts> {
  const facts: GateFacts = { sha: subject.sha, since };
  const needs = gates.get(gate)?.needs ?? [];
  await Promise.all(
    needs.map(async (need) => Object.assign(facts, { [need]: await gatherers[need](context, subject) })),
  );
  return facts;
}

/**
 * The checks of a commit that this run's gate found green, read again. null: no gate of this run did, or they are still
 * green.
 */
export async function noLongerGreen(context: PerformContext, sha: string): Promise<Verdict | null> {
  const gate = greenGateOf(context.state, sha);
  return gate === null ? null : readAgain(context, gate);
}

/** While a review waits, each check of its commit wakes the run: hundreds of times for one push. */
const freshMs = 60_000;
const readsKept = 1_000;
const reads = new WeakMap<object, Map<string, { at: number; verdict: Verdict | null }>>();

/** As `noLongerGreen`, but no older than a minute: for a wait that is shown, never for a decision. */
export async function seenNoLongerGreen(context: PerformContext, sha: string): Promise<Verdict | null> {
  const { dependencies, state } = context;
  const gate = greenGateOf(state, sha);
  if (gate === null) return null;
  const known = reads.get(dependencies) ?? new Map<string, { at: number; verdict: Verdict | null }>();
  reads.set(dependencies, known);
  const name = `${state.runId}/${gate.input.sha}`;
  const now = dependencies.clock.now();
  const last = known.get(name);
  if (last !== undefined && now >= last.at && now < last.at + freshMs) return last.verdict;
  const verdict = await readAgain(context, gate);
  if (known.size >= readsKept) known.clear();
  known.set(name, { at: now, verdict });
  return verdict;
}

/** The newest gate of the commit's checks. null: there is none, or it is not green. */
function greenGateOf(state: RunState, sha: string): EffectOf<"gate"> | null {
  for (const effect of [...state.effects.values()].toReversed()) {
    if (effect.kind !== "gate" || effect.input.gate !== "checks-green" || effect.input.sha !== sha) continue;
    return effect.output?.status === "passed" ? effect : null;
  }
  return null;
}

async function readAgain(context: PerformContext, { input, requestedAt }: EffectOf<"gate">): Promise<Verdict | null> {
  const { state } = context;
  const { baseBranch } = (input.options ?? {}) as { baseBranch?: string };
  const subject = { sha: input.sha, baseBranch: baseBranch ?? state.thread.repository.defaultBranch };
  const settings = settingsOf(state);
  // A check that runs again gets its whole time again.
  const now = requestedAt + settings.gates.appearSeconds * 1_000;
  const facts = await gatherFacts(context, input.gate, subject, requestedAt);
  const verdict = runGate(input.gate, facts, input.options, { settings, now });
  return verdict.status === "passed" ? null : verdict;
}

/** A pull request with a new base follows other rules: the rules in the request no longer apply. */
async function otherBaseVerdict(
  { github, state }: PerformContext,
  { gate, sha, pullRequest }: { gate: string; sha: string; pullRequest?: number | undefined },
  baseBranch: string | undefined,
): Promise<Verdict | null> {
  if (pullRequest === undefined || baseBranch === undefined) return null;
  const { baseRef, merged, state: standing } = await github.pullRequest(state.thread.repository, pullRequest);
  if (merged || standing === "closed" || baseRef === baseBranch) return null;
  return {
    name: gate,
    status: "failed",
    reason: `The base of #${pullRequest} is now \`${baseRef}\`, not \`${baseBranch}\`, so the rules of \`${baseBranch}\` say nothing about ${sha.slice(0, 7)}.`,
    evidence: [otherBase(baseRef)],
    children: [],
  };
}

interface Subject {
  sha: string;
  baseBranch: string;
}

/** One gatherer for each fact: Baton reads only the facts that the gate needs. */
const gatherers: { [Name in FactName]: (context: PerformContext, subject: Subject) => Promise<GateFacts[Name]> } = {
  checks: ({ github, state }, { sha }) => github.checks(state.thread.repository, sha),
  suites: ({ github, state }, { sha }) => github.checkSuites(state.thread.repository, sha),
  required: ({ github, state }, { baseBranch }) => github.requiredChecks(state.thread.repository, baseBranch),
  ownAppId: async ({ dependencies }) => (await dependencies.github.identity()).appId,
  async files({ github, state, dependencies }, { sha, baseBranch }) {
    const access = await repositoryAccess(github, state.thread.repository, "read");
    const base = await dependencies.workspaces.fetch(access, baseBranch);
    return dependencies.workspaces.changes(access, base, sha);
  },
};

/** The facts for the journal: enough to see the judged facts, without the texts. */
function summary({ sha, checks, required, suites, files }: GateFacts): Json {
  return {
    sha,
    ...(checks === undefined ? {} : { checks: checks.length }),
    ...(required === undefined ? {} : { required: required.map(({ name }) => name) }),
    ...(suites === undefined ? {} : { suites: suites.length }),
    ...(files === undefined ? {} : { files: files.length }),
  };
}

async function withLogs(
  { github, state, dependencies }: PerformContext,
  verdict: Verdict,
  checks: readonly CheckFact[],
): Promise<Verdict> {
  const red = verdict.children.filter(({ status }) => status === "failed").length;
  // Divided, so that the first red check leaves room for the others.
  const bytesMax = Math.floor(limits.ciLogBytesMax / Math.max(1, red));
  const children: Verdict[] = [];
  for (const child of verdict.children) {
    const id = child.evidence.find(({ label }) => label === "check")?.value;
    const check = checks.find((one) => one.name === child.name && `${one.id}` === id);
    if (child.status !== "failed" || check === undefined) {
      children.push(child);
      continue;
    }
    const log = dependencies.redact(await github.checkLog(state.thread.repository, check, bytesMax));
    children.push({ ...child, evidence: [...child.evidence, { label: "log", value: log }] });
  }
  return { ...verdict, children };
}
