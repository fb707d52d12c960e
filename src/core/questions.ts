/**
 * Questions to people in a run, one for each wait. Baton posts each question once, and folds it when it is over.
 *
 * QU1 A question is listed as soon as people can answer it. For protected files, that is once Baton has shown their
 *     change. For a review or a merge, that is once a check found it missing.
 * QU2 Some waits need no question: a pause by a person, the merge queue, the next day's budget.
 */
import { isOver, openQuestions } from "./decide.ts";
import { effectEndedBy } from "./effect.ts";
import { shownChange } from "./shown-change.ts";
import type { EffectState, RunState } from "./state.ts";

export interface Question {
  /** Unique in its run: the effect's key, or `@money/<top-ups before>`, which is never an effect's key. */
  id: string;
  /** null: the question asks for money. */
  effect: EffectState | null;
  open: boolean;
}

/** Open or answered questions, in the order in which Baton asked them. */
export function questionsOf(state: RunState): Question[] {
  const open = new Set(isOver(state) ? [] : openQuestions(state).map(({ key }) => key));
  const found: Question[] = [];
  for (const effect of state.effects.values())
    if (effectEndedBy[effect.kind] === "people" && isAsked(effect))
      found.push({ id: effect.key, effect, open: open.has(effect.key) });
  const lacksMoney = !isOver(state) && [...state.open].some((key) => isOutOfMoney(state.effects.get(key)));
  for (const topUps of state.money.stopsAfter)
    found.push({ id: `@money/${topUps}`, effect: null, open: lacksMoney && topUps === state.topUps.length });
  return found;
}

/** QU1, QU2 */
function isAsked(effect: EffectState): boolean {
  if (effect.kind !== "breakpoint") return true;
  const { kind, subject } = effect.input;
  if (kind === "merge") return effect.observed !== null && subject.queued !== true;
  if (subject.pullRequest !== undefined && subject.sha !== undefined) return effect.observed !== null;
  return subject.change === undefined || shownChange(effect) !== null;
}

function isOutOfMoney(effect: EffectState | undefined): boolean {
  return effect?.status === "stopped" && effect.retryAt === null;
}
