/**
 * The state of a run, folded from its events by `fold.ts`. Read by everybody, written only by the fold.
 *
 * Owns: the shape. A RunState is mutated in place by the fold (a step costs O(1), whatever the run's length);
 * readers never change it and never keep a part of it across an await.
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
  /** The most that its requests under way may use beyond `usage`; null: it is not metered request by request. */
  held: Usage[] | null;
  /** What it leaves to the next attempt. */
  kept: Kept | null;
  /** How far it got by its own word, as last told. */
  partial: PartialWork | null;
  /** Content hash of what its agent was told; null: nothing yet, or an older Baton did not say. */
  promptId: string | null;
  /** Who does it; null: nobody yet, or an older Baton did not say. */
  agent: Agent | null;
}

interface EffectCommon {
  key: EffectKey;
  title: string;
  stage: string | null;
  cause: number;
  requestedAt: number;
  endedAt: number | null;
  /** `requested`: not begun; `running`: an attempt is on; `retrying`: waits for `retryAt`; `stopped`: waits for money. */
  status: "requested" | "running" | "retrying" | "stopped" | "succeeded" | "failed" | "cancelled";
  attempts: AttemptState[];
  retryAt: number | null;
  timeoutMs: number | null;
  retry: RetryPolicy;
  hints: Hints;
  /** Last milestone of the running attempt. */
  progress: { note: string; at: number; turns: number | null } | null;
  /** Last decision that was not final: what it waits for. */
  observed: { verdict: Verdict; facts: Json; at: number } | null;
  error: ErrorData | null;
}

/** By `kind`: input and output passed the schemas of their kind before they were journaled (`effect.ts`, F2). */
export type EffectState = {
  [K in EffectKind]: EffectCommon & { kind: K; input: EffectInput<K>; output: EffectOutput<K> | undefined };
}[EffectKind];

export type EffectOf<K extends EffectKind> = Extract<EffectState, { kind: K }>;

export function isOfKind<K extends EffectKind>(kind: K): (effect: EffectState) => effect is EffectOf<K> {
  return (effect): effect is EffectOf<K> => effect.kind === kind;
}

/** Parts of an effect that still belong together: input and output are those of the kind. */
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
  /** The rule that began it; null: none did. */
  startedBy: StartedBy | null;
  /** Which agents its own wait for. */
  priority: Priority;
  /** What its stages came to in earlier runs; null: nothing is known. */
  history: StageHistory | null;
  createdAt: number;
  updatedAt: number;
  /** Position and hash of the last event. */
  position: number;
  hash: string;
  /** Its personal texts were deleted: it is over, and nobody can begin it again. */
  erased: boolean;
  /** `waiting` is derived (`waiting.ts`); the fold knows only these. */
  status: "running" | "paused" | "completed" | "failed" | "cancelled";
  pausedBy: Actor | null;
  cancelRequested: { by: Actor; reason: string; at: number } | null;
  /** In the order in which the process asked. */
  effects: Map<EffectKey, EffectState>;
  /** Keys of the effects that have not ended: what the runner looks at. */
  open: Set<EffectKey>;
  money: {
    budgetUsd: number;
    spentUsd: number;
    reservedUsd: number;
    tokens: Tokens;
    warnedFraction: number;
    /** How many top-ups there were each time that work stopped for want of money: each is one question. */
    stopsAfter: number[];
    stop: { key: EffectKey; neededUsd: number; day?: { until: number; reason: string } | undefined } | null;
    /** False as soon as one attempt's price was unknown. */
    complete: boolean;
  };
  decisions: { at: number; action: string; actor: Actor | null; verdict: Verdict }[];
  /** Operation keys of everything that was asked of this run: asked twice, done once. */
  handled: Set<string>;
  topUps: { by: Actor; addUsd: number; at: number }[];
  outcome: { verdict: Verdict; output: Json | undefined; error: ErrorData | null; at: number } | null;
}

/** Who is behind a run next to the person who asked for it: people whose files it runs. */
export function authorsOf({ startedBy }: Pick<RunState, "startedBy">): readonly Pick<Actor, "id" | "login">[] {
  return startedBy?.authors ?? [];
}
