/**
 * The state of a run, folded from its events by `fold.ts`. Everybody reads it; only the fold writes it.
 *
 * Owns: the shape. The fold mutates a RunState in place, so that a step costs O(1) for any length of the run. Readers
 * never change it, and never keep a part of it across an await.
 */
import type { EffectInput, EffectKind, EffectOutput, Hints, RetryPolicy } from "./effect.ts";
import type { ErrorData } from "./errors.ts";
import type { Kept, PartialWork, ProcessSource, StartedBy } from "./event.ts";
import type { Priority } from "./priority.ts";
import type { Agent, StageHistory } from "./progress.ts";
import type { Actor, EffectKey, Json, RunId, Thread, Tokens, Usage, Verdict } from "./vocabulary.ts";

export interface AttemptState {
  attempt: number;
  worker: string;
  startedAt: number;
  endedAt: number | null;
  reservedUsd: number;
  error: ErrorData | null;
  usage: Usage[];
  /** The most that requests under way may use beyond `usage`. null: the attempt is not metered by request. */
  held: Usage[] | null;
  /** Work that the attempt leaves for the next one. */
  kept: Kept | null;
  /** The agent's last report of its progress. */
  partial: PartialWork | null;
  /** Content hash of the agent's prompt. null: there is none yet, or an older Baton recorded none. */
  promptId: string | null;
  /** The agent of the attempt. null: there is none yet, or an older Baton recorded none. */
  agent: Agent | null;
}

interface EffectCommon {
  key: EffectKey;
  title: string;
  stage: string | null;
  cause: number;
  requestedAt: number;
  endedAt: number | null;
  /**
   * `requested`: not begun. `running`: an attempt is active. `retrying`: waits for `retryAt`. `stopped`: waits for
   * money.
   */
  status: "requested" | "running" | "retrying" | "stopped" | "succeeded" | "failed" | "cancelled";
  attempts: AttemptState[];
  retryAt: number | null;
  timeoutMs: number | null;
  retry: RetryPolicy;
  hints: Hints;
  /** The last milestone of the running attempt. */
  progress: { note: string; at: number; turns: number | null } | null;
  /** The last decision that was not final: the reason for waiting. */
  observed: { verdict: Verdict; facts: Json; at: number } | null;
  error: ErrorData | null;
}

/** By `kind`. Input and output passed the schemas of their kind before they were journaled (`effect.ts`, F2). */
export type EffectState = {
  [K in EffectKind]: EffectCommon & { kind: K; input: EffectInput<K>; output: EffectOutput<K> | undefined };
}[EffectKind];

export type EffectOf<K extends EffectKind> = Extract<EffectState, { kind: K }>;

export function isOfKind<K extends EffectKind>(kind: K): (effect: EffectState) => effect is EffectOf<K> {
  return (effect): effect is EffectOf<K> => effect.kind === kind;
}

/** Parts of an effect with matching types: input and output belong to the same kind. */
export type EffectPart<P extends keyof EffectState, E = EffectState> = E extends EffectState ? Pick<E, P> : never;

export interface RunState {
  runId: RunId;
  process: { name: string; version: number; stages: string[]; source?: ProcessSource | undefined };
  input: Json;
  thread: Thread;
  requestedBy: Actor;
  trigger: { operationKey: string; commentId: number | null; text: string };
  settings: Json;
  settingsSha: string | null;
  parent: { runId: RunId; key: EffectKey; depth: number } | null;
  retryOf: RunId | null;
  /** The rule that began the run. null: no rule did. */
  startedBy: StartedBy | null;
  /** Priority of the run's agents in the queue. */
  priority: Priority;
  /** The person who changed it. null: nobody did. */
  priorityBy: Actor | null;
  /** When people want the result, in milliseconds since the epoch. It orders agents, and ends nothing. */
  deadline: number | null;
  /** The results of its stages in earlier runs. null: unknown. */
  history: StageHistory | null;
  createdAt: number;
  updatedAt: number;
  /** Position and hash of the last event. */
  position: number;
  hash: string;
  /** The run's personal texts were deleted. It is over, and nobody can start it again. */
  erased: boolean;
  /** `waiting` is derived (`waiting.ts`); the fold knows only these. */
  status: "running" | "paused" | "completed" | "failed" | "cancelled";
  pausedBy: Actor | null;
  cancelRequested: { by: Actor; reason: string; at: number } | null;
  /** In the order in which the process asked. */
  effects: Map<EffectKey, EffectState>;
  /** Keys of the effects that have not ended. The runner reads only these. */
  open: Set<EffectKey>;
  money: {
    budgetUsd: number;
    spentUsd: number;
    reservedUsd: number;
    tokens: Tokens;
    warnedFraction: number;
    /** The number of top-ups at each stop for lack of money. Each number is one question. */
    stopsAfter: number[];
    stop: { key: EffectKey; neededUsd: number; day?: { until: number; reason: string } | undefined } | null;
    /** False as soon as one attempt's price was unknown. */
    complete: boolean;
  };
  decisions: { at: number; action: string; actor: Actor | null; verdict: Verdict }[];
  /** Operation keys of everything that was asked of this run. A repeated request has no effect. */
  handled: Set<string>;
  topUps: { by: Actor; addUsd: number; at: number }[];
  outcome: { verdict: Verdict; output: Json | undefined; error: ErrorData | null; at: number } | null;
}

/** The people behind a run in addition to the requester: the authors of the files that it runs. */
export function authorsOf({ startedBy }: Pick<RunState, "startedBy">): readonly Pick<Actor, "id" | "login">[] {
  return startedBy?.authors ?? [];
}
