import type { RunEvent } from "../../core/event.ts";
import type { RunState } from "../../core/state.ts";
import type { EffectKey, Usage } from "../../core/vocabulary.ts";

/** A milestone of an attempt, while it is the one that runs. */
export function ledgerFreeProgress(
  state: RunState,
  key: EffectKey,
  attempt: number,
  note: string,
  usage: Usage[],
): RunEvent[] {
  const current = state.effects.get(key)?.attempts.at(-1);
  if (!state.open.has(key) || current?.attempt !== attempt) return [];
  return [{ type: "effect.progress", key, attempt, note, usage }];
}
