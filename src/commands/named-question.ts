/** Which of a run's open questions the first word of a command names. */
import { openQuestions } from "../core/decide.ts";
import type { EffectState, RunState } from "../core/state.ts";
import { questionName } from "../summary/waiting.ts";

/** What people may answer by a command in the thread: a review is given on GitHub. */
export function isAnswered(effect: EffectState, kind: "breakpoint" | "ask"): boolean {
  return effect.kind === kind && (effect.input as { kind?: string }).kind !== "review";
}

/** By its key, which is one question's only, or by its name, where no other question has it. */
export function namedBy(word: string, open: readonly EffectState[]): EffectState | "several" | null {
  const keyed = open.find(({ key }) => key === word);
  const [found, ...others] = keyed === undefined ? open.filter((effect) => questionName(effect) === word) : [keyed];
  return others.length > 0 ? "several" : (found ?? null);
}

/** Whether the first word of a command names an open question of a run. */
export function namesQuestion(state: RunState, kind: "breakpoint" | "ask", text: string): boolean {
  const open = openQuestions(state).filter((effect) => isAnswered(effect, kind));
  return namedBy(splitFirst(text.trim())[0], open) !== null;
}

export function splitFirst(text: string): [string, string] {
  const found = /^(\S+)(?:\s+([\s\S]*))?$/.exec(text);
  return [found?.[1] ?? "", (found?.[2] ?? "").trim()];
}
