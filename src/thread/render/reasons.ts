/** Why a run is where it is: requests with their decisions, and verdicts with their evidence. `/baton why` leads here. */
import { publishInputSchema } from "../../core/effect.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import type { Verdict } from "../../core/vocabulary.ts";
import { verdictTree } from "./parts.ts";

export function reasons(state: RunState): string {
  const judged = [...state.effects.values()].flatMap((effect) => judgementOf(effect) ?? []);
  return [
    "**Asked and decided**",
    decisions(state),
    ...(judged.length === 0 ? [] : ["**Judged**", judged.map((verdict) => verdictTree(verdict)).join("\n")]),
  ].join("\n\n");
}

function decisions(state: RunState): string {
  if (state.decisions.length === 0) return "Nobody has asked this run for anything yet.";
  return state.decisions.map(({ verdict }) => verdictTree(verdict)).join("\n");
}

/** The newest verdict about a step. null: there is none. */
export function judgementOf(effect: EffectState): Verdict | null {
  return effect.observed?.verdict ?? toldVerdict(effect);
}

/** A decision of the process itself, in its own comment: which contestant won a race. */
function toldVerdict({ kind, input }: EffectState): Verdict | null {
  if (kind !== "publish") return null;
  const { publish } = publishInputSchema.parse(input);
  return publish.operation === "comment" ? (publish.verdict ?? null) : null;
}
