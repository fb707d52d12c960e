/**
 * What people are asked in a run, one question a wait: each is posted once, and folded away when it is over.
 *
 * QU1 A question is listed from the moment at which it can be answered: protected files once their change is shown, a
 *     review or a merge once a look found that it is missing.
 * QU2 What people wait for without being asked is none: a pause that one of them wanted, the merge queue, the next day's budget.
 */
import { isOver, openQuestions } from "./decide.ts";
import { effectEndedBy } from "./effect.ts";
import { shownChange } from "./shown-change.ts";
import type { EffectState, RunState } from "./state.ts";

export interface Question {
  /** Unique in its run: the effect's key, or `@money/<top-ups before>`, which no effect's key is. */
  id: string;
  /** null: it asks for money. */
  effect: EffectState | null;
  open: boolean;
}

/** Open or over, in the order in which they were asked. */
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
