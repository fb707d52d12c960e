/**
 * How Baton performs one kind of effect. One file for each kind, one line in `index.ts`.
 *
 * P1 A performer reads the effect's input and outside facts. It decides nothing that the journal does not keep.
 * P2 It may run again for the same effect after any crash: same key, same result (J3).
 * P3 It ends within the kill grace after `signal` is aborted. By then all its work is kept or undone.
 */
import type { AttemptResult } from "../../core/decide.ts";
import type { PartialWork } from "../../core/event.ts";
import type { Prompted } from "../../core/instructions.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import type { Json, Usage, Verdict } from "../../core/vocabulary.ts";
import type { Github } from "../../ports/github.ts";
import type { Store } from "../../ports/store.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Attempt } from "../remote/claims.ts";
import type { TellMeter } from "./attempt-money.ts";
import type { Ran } from "./route.ts";

export interface PerformContext {
  dependencies: Dependencies;
  /** Read it only before the first await. */
  state: RunState;
  effect: EffectState;
  attempt: number;
  github: Github;
  signal: AbortSignal;
  /** A milestone for people, with the usage so far. */
  report(note: string, usage: Usage[], partial?: PartialWork): void;
  /** A choice for this attempt, for `/baton why`: journaled with its prompt, or with its end if it got none. */
  decided?(verdict: Verdict): Promise<void>;
  /** The policy's verdict on a write, for `/baton why`: journaled before Baton obeys it. */
  judged?(action: "publish" | "merge", verdict: Verdict): Promise<void>;
  /** The agent's prompt: journaled before the attempt continues. */
  prompted?(prompted: Prompted): Promise<void>;
  /** Money of the attempt, journaled before the attempt uses more (B4). */
  meter: TellMeter;
  /** The memory of harnesses, kept with the attempt's end. Absent: the store keeps it at once. */
  learned?: Pick<Store, "value" | "setValue">;
  /** Receives the attempt's outcome for a remote worker, in place of this machine's memory of harnesses. */
  ran?(ran: Ran): Promise<void>;
}

/** Effects that end by their own work: agent, shell, publish. */
export interface WorkPerformer {
  /** The reservation before the dispatch, in USD. 0: the effect costs nothing. */
  estimateUsd(state: RunState, effect: EffectState): number;
  perform(context: PerformContext): Promise<AttemptResult>;
  /**
   * The end of a remote attempt is in the journal, so data kept only for it may go. Never fails. Not called if this
   * process dies first.
   */
  settled?(dependencies: Pick<Dependencies, "store" | "log">, attempt: Attempt): Promise<void>;
  /**
   * True when a remote worker performs the effect. It outlives this process, which waits for it again after a start.
   */
  isRemote?(dependencies: Pick<Dependencies, "publicUrl">, state: RunState): boolean;
}

export type Observation =
  | { final: false; verdict: Verdict; facts: Json }
  | { final: true; output: Json; verdict: Verdict; facts: Json };

/** Effects that end by facts: gates and reviews. */
export interface ObservePerformer {
  observe(context: PerformContext): Promise<Observation>;
}

/** Marks the environment of an attempt's programs, so that Baton finds survivors. */
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
