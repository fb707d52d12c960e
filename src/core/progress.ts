/**
 * Progress of a run: percent, current step, and work left, based on earlier runs of its process in the repository.
 *
 * Owns: the arithmetic. Does not own: keeping results of earlier runs (`runner/stage-history.ts`), words
 * (`thread/render`).
 * H1 A function of the journal alone: `run.created` contains the known earlier runs.
 * H2 From 0 to 100, and never decreasing: a completed stage stays complete. Only a run that passed has 100.
 * H3 No figure without data: the work left is a range from earlier runs, or nothing. It excludes people's time.
 * H4 A stage is compared with runs by the same harness and model. With too few of these, runs by the same harness
 *    apply, then all runs. Only the work left uses this choice. The percentage, which must not fall, uses all runs.
 */
import { effectEndedBy } from "./effect.ts";
import type { EffectState, RunState } from "./state.ts";

/** The agent of a step: a harness, and the requested model. null: the harness's own model. */
export interface Agent {
  harness: string;
  model: string | null;
}

/** The result of one stage in one earlier run. */
export interface StageSample {
  /** Time during which work of the stage was active. Parallel work counts once. */
  activeMs: number;
  steps: number;
  /** The agents of the stage. Absent: an older Baton recorded none. */
  agents?: Agent[] | undefined;
}
/** By stage, oldest run first. One run has the same index in each stage. */
export type StageHistory = Record<string, StageSample[]>;

export interface Progress {
  percent: number;
  /** The current step, and the number of its stage. */
  step: { title: string; stage: string | null; number: number; of: number } | null;
  /** Work left, by the middle of the earlier runs, without time waiting for people. null: there is no data. */
  left: { lowMs: number; highMs: number } | null;
  /** The current stage has taken longer than in any earlier run. */
  overdue: boolean;
  /** The number of known earlier runs. */
  runs: number;
  /**
   * The agents whose runs `left` uses, and the lowest count of such runs for a coming stage. null: runs of all agents.
   */
  by: { agents: string[]; runs: number } | null;
  /** Unplanned agent steps: repairs, and repeated requests. */
  grown: number;
  /** The last sign of life of the running step. */
  activity: { title: string; note: string; turns: number | null; at: number } | null;
}

/** A smaller number of runs is not enough for an estimate. */
export const runsNeeded = 3;
/** A stage that has not ended never counts as complete. */
const openStageMost = 0.95;
/** Each stage has a visible share, even a quick one. */
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
  const fitting = history === null ? null : fit(state, stages, Math.max(0, at), history);
  const number = Math.max(0, present?.stage == null ? at : stages.indexOf(present.stage)) + 1;
  return {
    percent: done ? 100 : Math.min(99, Math.floor(100 * fraction(state, stages, at, active, history))),
    step:
      present === undefined || state.outcome !== null
        ? null
        : { title: present.title, stage: present.stage, number, of: Math.max(stages.length, number) },
    left: state.outcome !== null || fitting === null ? null : left(stages, at, active, fitting.history),
    overdue:
      state.outcome === null &&
      fitting !== null &&
      at >= 0 &&
      active > Math.max(...samplesOf(fitting.history, stages[at]).map((one) => one.activeMs)),
    runs: runsOf(state),
    by: state.outcome === null && fitting !== null ? fitting.by : null,
    grown: effects.filter(isGrown).length,
    activity: present?.progress == null ? null : { title: present.title, ...present.progress },
  };
}

/** The results of a finished run by stage, for later runs. */
export function samplesOfRun(state: RunState): Record<string, StageSample> {
  return Object.fromEntries(
    state.process.stages.map((stage) => [
      stage,
      { activeMs: activeMs(state, stage), steps: endedIn(state, stage), agents: agentsIn(state, stage) },
    ]),
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

/**
 * H4: the history that fits the agents of this run. If a run used other agents in a stage, a fitting run replaces it.
 */
function fit(
  state: RunState,
  stages: string[],
  from: number,
  history: StageHistory,
): { history: StageHistory; by: Progress["by"] } {
  const whoever = latest(state);
  const fitted: StageHistory = { ...history };
  const names = new Set<string>();
  let runs = Number.POSITIVE_INFINITY;
  for (const stage of stages.slice(from)) {
    const samples = samplesOf(history, stage);
    // No agent ever worked in this stage: gates take equally long for every agent.
    if (samples.every(({ agents }) => agents?.length === 0)) continue;
    const here = agentsIn(state, stage);
    // For a coming stage only the harness is known. Its model belongs to another step, maybe of another tier.
    const wanted = here.length > 0 ? here : whoever === null ? [] : [whoever];
    const levels = here.length > 0 ? [nameOf, harnessOf] : [harnessOf];
    for (const level of wanted.length === 0 ? [] : levels) {
      const fits = samples.filter(({ agents }) => agents !== undefined && same(agents, wanted, level));
      if (fits.length < runsNeeded) continue;
      const others = samples.filter((sample) => !fits.includes(sample));
      fitted[stage] = samples.map((sample) => {
        const place = others.indexOf(sample);
        return place < 0 ? sample : (fits[Math.floor((place * fits.length) / others.length)] as StageSample);
      });
      for (const agent of wanted) names.add(level(agent));
      runs = Math.min(runs, fits.length);
      break;
    }
  }
  // Names a model without repeating its harness.
  const said = [...names].filter((name) => ![...names].some((other) => other.startsWith(`${name}:`)));
  return { history: fitted, by: names.size === 0 ? null : { agents: said, runs } };
}

const nameOf = ({ harness, model }: Agent): string => (model === null ? harness : `${harness}:${model}`);
const harnessOf = ({ harness }: Agent): string => harness;

/** A stage without an agent's step (nothing to repair) had no other agent. */
function same(agents: readonly Agent[], wanted: readonly Agent[], level: (agent: Agent) => string): boolean {
  const [had, have] = [new Set(agents.map(level)), new Set(wanted.map(level))];
  return had.size === 0 || (had.size === have.size && [...had].every((name) => have.has(name)));
}

function agentsIn(state: RunState, stage: string): Agent[] {
  const found = new Map<string, Agent>();
  for (const effect of state.effects.values())
    if (effect.stage === stage)
      for (const { agent } of effect.attempts) if (agent !== null) found.set(nameOf(agent), agent);
  return [...found.values()];
}

/** The agent of the last prompt, or else the requested agent. */
function latest(state: RunState): Agent | null {
  for (const effect of [...state.effects.values()].toReversed()) {
    const told = effect.attempts.findLast(({ agent }) => agent !== null)?.agent;
    if (told != null) return told;
    const harness = effect.kind === "agent" ? effect.input.harness : undefined;
    if (harness !== undefined) return { harness, model: null };
  }
  return null;
}

/** Union of the times with an active attempt or gate in the stage. */
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

/** null: there are too few earlier runs, or their process had other stages. */
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
