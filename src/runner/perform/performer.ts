/**
 * How one kind of effect is carried out. One file a kind, one line in `index.ts`.
 *
 * P1 A performer reads the effect's input and outside facts; it decides nothing that the journal does not keep.
 * P2 It may be called again for the same effect after any crash: same key, same result (J3).
 * P3 It ends within the kill grace once `signal` is aborted, with everything it made kept or undone.
 */
import type { AttemptResult } from "../../core/decide.ts";
import type { PartialWork } from "../../core/event.ts";
import type { Prompted } from "../../core/instructions.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import type { Json, Usage, Verdict } from "../../core/vocabulary.ts";
import type { Github } from "../../ports/github.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Attempt } from "../remote/claims.ts";
import type { TellMeter } from "./attempt-money.ts";
import type { Ran } from "./route.ts";

export interface PerformContext {
  dependencies: Dependencies;
  /** Read before the first await only. */
  state: RunState;
  effect: EffectState;
  attempt: number;
  github: Github;
  signal: AbortSignal;
  /** A milestone for people, with what was used so far. */
  report(note: string, usage: Usage[], partial?: PartialWork): void;
  /** A choice that was made for this attempt, for `/baton why`: journaled before the attempt goes on. */
  decided?(verdict: Verdict): Promise<void>;
  /** The policy's verdict on a write, for `/baton why`: journaled before it is obeyed. */
  judged?(action: "publish" | "merge", verdict: Verdict): Promise<void>;
  /** What the agent is told: journaled before the attempt goes on. */
  prompted?(prompted: Prompted): Promise<void>;
  /** Money of the attempt, journaled before more of it is used (B4). */
  meter: TellMeter;
  /** Takes what came of the attempt in the place of this machine's memory of harnesses: where the work is another's. */
  ran?(ran: Ran): Promise<void>;
}

/** Ends by its own work: agent, shell, publish. */
export interface WorkPerformer {
  /** How much to set aside before the dispatch, in USD; 0 for what costs nothing. */
  estimateUsd(state: RunState, effect: EffectState): number;
  perform(context: PerformContext): Promise<AttemptResult>;
  /** The end of an attempt elsewhere is in the journal: what was kept only for it may go. Never fails; not called when this process dies first. */
  settled?(dependencies: Pick<Dependencies, "store" | "log">, attempt: Attempt): Promise<void>;
  /** True when a worker elsewhere performs it: it outlives this process, and is waited for again after a start. */
  isRemote?(dependencies: Pick<Dependencies, "publicUrl">, state: RunState): boolean;
}

export type Observation =
  | { final: false; verdict: Verdict; facts: Json }
  | { final: true; output: Json; verdict: Verdict; facts: Json };

/** Ends by facts: gates and reviews. */
export interface ObservePerformer {
  observe(context: PerformContext): Promise<Observation>;
}

/** By this, in the environment of what an attempt starts, its survivors are found. */
export function attemptMarker(
  { instance = "" }: Pick<Dependencies, "instance">,
  state: Pick<RunState, "runId">,
  effect: Pick<EffectState, "key">,
  attempt: number,
): string {
  return `${instance}/${state.runId}/${effect.key}/${attempt}`;
}

/** Name of the attempt's workspace: a directory and a ref. */
export function workspaceName(effect: Pick<EffectState, "key">, attempt: number): string {
  return `${effect.key.replaceAll(/[^A-Za-z0-9._-]+/g, "-")}-${attempt}`;
}
