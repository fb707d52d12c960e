/** The result of a step as a decision. A gate that says "no" has succeeded as an effect, and is still a "no". */
import type { EffectPart, EffectState } from "./state.ts";
import type { Verdict } from "./vocabulary.ts";

/** null: the step decides nothing, or has not decided yet. */
export function stepVerdict(effect: EffectPart<"kind" | "output" | "observed">): Verdict | null {
  switch (effect.kind) {
    case "gate":
      return effect.output ?? null;
    case "subprocess":
      return effect.output?.verdict ?? null;
    case "breakpoint": {
      if (effect.output === undefined) return null;
      const { decision, by } = effect.output;
      const last = effect.observed?.verdict;
      const whose = by === null ? "" : ` by @${by.login}`;
      return {
        name: last?.name ?? "breakpoint",
        status: decision === "approved" ? "passed" : "failed",
        reason: last === undefined || last.status === "pending" ? `${decision}${whose}` : last.reason,
        evidence: last?.evidence ?? [],
        children: last?.children ?? [],
      };
    }
    default:
      return null;
  }
}

/** The status for people and programs. A step that ended with a "no" is not shown as succeeded. */
export function stepStatus(effect: EffectPart<"kind" | "output" | "observed" | "status">): EffectState["status"] {
  const verdict = effect.status === "succeeded" ? stepVerdict(effect) : null;
  return verdict?.status === "failed" || verdict?.status === "error" ? "failed" : effect.status;
}
