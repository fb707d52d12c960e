/**
 * How far a run is: percent, the present step, and how much work is left by earlier runs of the same process here.
 *
 * Owns: the arithmetic. Does not own: keeping what earlier runs came to (`runner/stage-history.ts`), words (`thread/render`).
 * H1 A function of the journal alone: what was known of earlier runs when this one began is in `run.created`.
 * H2 From 0 to 100, and never less than before: a stage that is done stays done. 100 only for a run that passed.
 * H3 No figure without ground: what is left is a range of what earlier runs took, or nothing. People's time is in none of it.
 */
import { effectEndedBy } from "./effect.ts";
import type { EffectState, RunState } from "./state.ts";

/** What one stage came to in one earlier run. */
export interface StageSample {
  /** Time in which something of it was at work; parallel work counts once. */
  activeMs: number;
  steps: number;
}
/** By stage, oldest run first: the same run has the same place in each. */
export type StageHistory = Record<string, StageSample[]>;

export interface Progress {
  percent: number;
  /** What is being done, and which stage of how many. */
  step: { title: string; stage: string | null; number: number; of: number } | null;
  /** Work left, by the earlier runs in the middle: who waits for people waits longer. null: nothing to go by. */
  left: { lowMs: number; highMs: number } | null;
  /** The present stage has taken longer than in any earlier run. */
  overdue: boolean;
  /** Earlier runs that are known. */
  runs: number;
  /** Agent steps that nobody planned: repairs, and what was asked for again. */
  grown: number;
  /** Last sign of life of the running step. */
  activity: { title: string; note: string; turns: number | null; at: number } | null;
}

/** Fewer say nothing. */
export const runsNeeded = 3;
/** A stage that has not ended is never whole. */
const openStageMost = 0.95;
/** Each stage is seen to pass, however quick it is. */
const leastWeight = 0.02;

export function progressOf(state: RunState): Progress {
  const { stages } = state.process;
  const history = usable(state);
  const effects = [...state.effects.values()];
  const at = effects.reduce((most, { stage }) => Math.max(most, stage === null ? -1 : stages.indexOf(stage)), -1);
  const open = [...state.open].map((key) => state.effects.get(key)).filter((effect) => effect !== undefined);
  const present = open.find(({ status }) => status === "running") ?? open[0];
  const done = state.outcome?.verdict.status === "passed";
  const active = at < 0 ? 0 : activeMs(state, stages[at] as string);
  const number = Math.max(0, present?.stage == null ? at : stages.indexOf(present.stage)) + 1;
  return {
    percent: done ? 100 : Math.min(99, Math.floor(100 * fraction(state, stages, at, active, history))),
    step:
      present === undefined || state.outcome !== null
        ? null
        : { title: present.title, stage: present.stage, number, of: Math.max(stages.length, number) },
    left: state.outcome !== null || history === null ? null : left(stages, at, active, history),
    overdue:
      state.outcome === null &&
      history !== null &&
      at >= 0 &&
      active > Math.max(...samplesOf(history, stages[at]).map((one) => one.activeMs)),
    runs: runsOf(state),
    grown: effects.filter(isGrown).length,
    activity: present?.progress == null ? null : { title: present.title, ...present.progress },
  };
}

/** What a run that is over came to, stage by stage: for the runs after it. */
export function samplesOfRun(state: RunState): Record<string, StageSample> {
  return Object.fromEntries(
    state.process.stages.map((stage) => [stage, { activeMs: activeMs(state, stage), steps: endedIn(state, stage) }]),
  );
}

function fraction(state: RunState, stages: string[], at: number, active: number, history: StageHistory | null): number {
  if (at < 0) return 0;
  const medians = stages.map((stage) =>
    history === null
      ? 1
      : quantile(
          samplesOf(history, stage).map((one) => one.activeMs),
          0.5,
        ),
  );
  const total = medians.reduce((sum, one) => sum + one, 0) || 1;
  const weights = medians.map((one) => Math.max(leastWeight, one / total));
  const all = weights.reduce((sum, one) => sum + one, 0);
  const before = weights.slice(0, at).reduce((sum, one) => sum + one, 0);
  const ended = endedIn(state, stages[at] as string);
  const steps =
    history === null
      ? 0
      : quantile(
          samplesOf(history, stages[at]).map((one) => one.steps),
          0.5,
        );
  const byCount = steps > 0 ? ended / steps : ended / (ended + 1);
  const byTime = (medians[at] as number) > 0 && history !== null ? active / (medians[at] as number) : 0;
  return (before + (weights[at] as number) * Math.min(openStageMost, Math.max(byCount, byTime))) / all;
}

function left(stages: string[], at: number, active: number, history: StageHistory): Progress["left"] {
  const count = Math.min(...stages.map((stage) => samplesOf(history, stage).length));
  const totals = Array.from({ length: count }, (_, run) =>
    stages.reduce((sum, stage, index) => {
      const took = samplesOf(history, stage)[run]?.activeMs ?? 0;
      return index < at ? sum : sum + (index === at ? Math.max(0, took - active) : took);
    }, 0),
  );
  return { lowMs: quantile(totals, 0.2), highMs: quantile(totals, 0.8) };
}

/** Union of the times in which an attempt or a gate of the stage was on. */
function activeMs(state: RunState, stage: string): number {
  const spans = [...state.effects.values()]
    .filter((effect) => effect.stage === stage)
    .flatMap((effect): [number, number][] => {
      if (effectEndedBy[effect.kind] === "worker")
        return effect.attempts.map(({ startedAt, endedAt }) => [startedAt, endedAt ?? state.updatedAt]);
      return effectEndedBy[effect.kind] === "facts" ? [[effect.requestedAt, effect.endedAt ?? state.updatedAt]] : [];
    })
    .toSorted(([a], [b]) => a - b);
  let sum = 0;
  let until = Number.NEGATIVE_INFINITY;
  for (const [from, to] of spans) {
    sum += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return sum;
}

function endedIn(state: RunState, stage: string): number {
  return [...state.effects.values()].filter((effect) => effect.stage === stage && effect.endedAt !== null).length;
}

function isGrown({ kind, key, input }: EffectState): boolean {
  if (kind !== "agent") return false;
  return (input as { role?: string }).role === "repair" || /#\d+$/.test(key);
}

/** null: too few earlier runs, or of a process with other stages. */
function usable({ process: { stages }, history }: RunState): StageHistory | null {
  if (history === null || stages.length === 0) return null;
  return stages.every((stage) => (history[stage]?.length ?? 0) >= runsNeeded) ? history : null;
}

function runsOf({ process: { stages }, history }: RunState): number {
  return history === null || stages.length === 0 ? 0 : Math.min(...stages.map((stage) => history[stage]?.length ?? 0));
}

function samplesOf(history: StageHistory, stage: string | undefined): StageSample[] {
  return stage === undefined ? [] : (history[stage] ?? []);
}

/** Nearest rank. */
function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] as number;
}
