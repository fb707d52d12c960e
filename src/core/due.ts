/**
 * Lists the due actions of a run as data: a pure function of state and time (PAR-009).
 *
 * Owns: order, parallel limit, when to check again. Does not own: money (`money/`), performing (`runner/`).
 * Q1 A run that is paused or over has no due actions, except the end of a cancelled run.
 * Q3 Of one group of workers' effects (`hints.group`), one runs at a time. A waiting one holds up no effect of another
 *    group.
 * Q2 Order: higher priority first, then the order in which the process asked. Money and leases never change it.
 */
import { effectEndedBy, sleepInputSchema } from "./effect.ts";
import { limits } from "./limits.ts";
import type { EffectState, RunState } from "./state.ts";
import type { EffectKey } from "./vocabulary.ts";

export type Due =
  /** A worker's attempt that can begin. */
  | { action: "perform"; key: EffectKey; attempt: number }
  /** Facts to gather and judge, or to check again. */
  | { action: "observe"; key: EffectKey }
  /** A sleep whose time has passed. */
  | { action: "wake"; key: EffectKey }
  /** A child run to create or to check. */
  | { action: "child"; key: EffectKey }
  /** An effect that waited too long. */
  | { action: "expire"; key: EffectKey }
  /** A cancelled run whose clean-up time has ended. */
  | { action: "end" };

export interface DueOptions {
  /** The number of workers' attempts that may run at once. */
  parallelMax: number;
}

/**
 * When a cancelled run ends, even if its shielded work still waits (I5).
 * null: nobody cancelled it, or nothing is open.
 */
export function shieldEndsAt(state: RunState): number | null {
  if (state.cancelRequested === null || state.open.size === 0) return null;
  if (state.status !== "running" && state.status !== "paused") return null;
  const times = [...state.open].map((key) => state.effects.get(key)?.hints.shieldedMs ?? limits.shieldedMsDefault);
  return state.cancelRequested.at + Math.max(...times);
}

export function due(state: RunState, now: number, { parallelMax }: DueOptions): Due[] {
  const endsAt = shieldEndsAt(state);
  if (endsAt !== null && now >= endsAt) return [{ action: "end" }];
  if (state.status !== "running") return [];
  const found: Due[] = [];
  const candidates: EffectState[] = [];
  let running = 0;
  const busy = new Set<string>();
  for (const key of state.open) {
    const effect = state.effects.get(key);
    if (effect === undefined) continue;
    const endedBy = effectEndedBy[effect.kind];
    if (endedBy !== "worker" && effect.timeoutMs !== null && now >= effect.requestedAt + effect.timeoutMs) {
      found.push({ action: "expire", key });
      continue;
    }
    if (effect.hints.notBefore !== undefined && now < effect.hints.notBefore) continue;
    switch (endedBy) {
      case "worker":
        if (effect.status === "running") {
          running += 1;
          if (effect.hints.group !== undefined) busy.add(effect.hints.group);
        } else if (effect.status === "requested" || (effect.status === "retrying" && now >= (effect.retryAt ?? 0)))
          candidates.push(effect);
        // A step that the day's budget stopped continues the next day.
        else if (effect.status === "stopped" && effect.retryAt !== null && now >= effect.retryAt)
          candidates.push(effect);
        break;
      case "facts":
        if (effect.status !== "retrying" || now >= (effect.retryAt ?? 0)) found.push({ action: "observe", key });
        break;
      case "people":
        // People answer a review on GitHub, so Baton reads the answer there. Other questions only wait.
        if (effect.kind === "breakpoint") found.push({ action: "observe", key });
        break;
      case "time":
        if (now >= sleepInputSchema.parse(effect.input).until) found.push({ action: "wake", key });
        break;
      case "run":
        if (effect.status !== "retrying" || now >= (effect.retryAt ?? 0)) found.push({ action: "child", key });
        break;
    }
  }
  candidates.sort((a, b) => (b.hints.priority ?? 0) - (a.hints.priority ?? 0));
  for (const { key, hints, attempts } of candidates) {
    if (running >= parallelMax) break;
    // Q3
    if (hints.group !== undefined && busy.has(hints.group)) continue;
    if (hints.group !== undefined) busy.add(hints.group);
    running += 1;
    found.push({ action: "perform", key, attempt: attempts.length + 1 });
  }
  return found;
}

/** The next time at which something becomes due without an event. null: only an event can move the run. */
export function nextWakeAt(state: RunState, now: number): number | null {
  let next: number | null = null;
  const at = (time: number): void => {
    if (time > now && (next === null || time < next)) next = time;
  };
  const endsAt = shieldEndsAt(state);
  if (endsAt !== null) at(endsAt);
  if (state.status !== "running") return next;
  for (const key of state.open) {
    const effect = state.effects.get(key);
    if (effect === undefined) continue;
    if (effect.retryAt !== null) at(effect.retryAt);
    if (effect.hints.notBefore !== undefined) at(effect.hints.notBefore);
    if (effect.timeoutMs !== null && effectEndedBy[effect.kind] !== "worker") at(effect.requestedAt + effect.timeoutMs);
    if (effect.kind === "sleep") at(sleepInputSchema.parse(effect.input).until);
  }
  return next;
}
