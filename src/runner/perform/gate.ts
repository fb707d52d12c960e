/** `gate`: facts gathered once, judged purely, both journaled. A failed check brings the end of its log along as evidence. */
import { gateInputSchema } from "../../core/effect.ts";
import { limits } from "../../core/limits.ts";
import type { Json, Verdict } from "../../core/vocabulary.ts";
import { runGate } from "../../gate/rules/index.ts";
import type { CheckFacts } from "../../ports/github.ts";
import { settingsOf } from "../settings-of.ts";
import type { ObservePerformer, PerformContext } from "./performer.ts";

export const gatePerformer: ObservePerformer = {
  async observe(context) {
    const { github, state, effect, dependencies } = context;
    const input = gateInputSchema.parse(effect.input);
    const { repository } = state.thread;
    const settings = settingsOf(state);
    const options = (input.options ?? {}) as { baseBranch?: string };
    const [checks, required, identity] = await Promise.all([
      github.checks(repository, input.sha),
      github.requiredChecks(repository, options.baseBranch ?? repository.defaultBranch),
      dependencies.github.identity(),
    ]);
    const facts = { sha: input.sha, checks, required, ownAppId: identity.appId, since: effect.requestedAt };
    const verdict = runGate(input.gate, facts, input.options, { settings, now: dependencies.clock.now() });
    const kept = { sha: input.sha, checks: checks.length, required: required.map(({ name }) => name) } as Json;
    if (verdict.status === "pending") return { final: false, verdict, facts: kept };
    const output = verdict.status === "failed" ? await withLogs(context, verdict, checks) : verdict;
    return { final: true, verdict, facts: kept, output: output as unknown as Json };
  },
};

async function withLogs(
  { github, state, dependencies }: PerformContext,
  verdict: Verdict,
  checks: CheckFacts[],
): Promise<Verdict> {
  let left: number = limits.ciLogBytesMax;
  const children: Verdict[] = [];
  for (const child of verdict.children) {
    const check = checks.find(({ name, conclusion }) => name === child.name && conclusion !== "success");
    if (child.status !== "failed" || check === undefined || left <= 0) {
      children.push(child);
      continue;
    }
    const log = dependencies.redact(await github.checkLog(state.thread.repository, check, left));
    left -= log.length;
    children.push({ ...child, evidence: [...child.evidence, { label: "log", value: log }] });
  }
  return { ...verdict, children };
}
