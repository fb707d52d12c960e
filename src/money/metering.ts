/**
 * The money of one attempt, request by request, as events.
 *
 * B4 What an attempt has used and what its requests under way may use is journaled before a request is sent, and never exceeds
 *    what is set aside for the attempt: a crash charges what was journaled, and nobody else was given it.
 */
import type { RunEvent } from "../core/event.ts";
import type { RunState } from "../core/state.ts";
import { type EffectKey, noTokens, type Usage, usdOf } from "../core/vocabulary.ts";
import type { Allowance } from "./allowance.ts";
import { admit, grantRequest, worthwhileUsd } from "./budget.ts";

/** What is asked before an attempt begins. */
export interface Start {
  key: EffectKey;
  attempt: number;
  worker: string;
  /** What the step would have set aside. */
  wantUsd: number;
  /** What the attempt before could not go on without. */
  leastUsd: number;
  /** What the repository has left of its day. */
  day: Pick<Allowance, "leftUsd" | "until" | "reason">;
  /** Others of the run are at work: what they set aside comes back when they end. */
  othersAtWork: boolean;
}

/** The attempt begins with its money, or the step waits for money; nothing: it waits for others first (budget.B1). */
export function startAttempt(state: RunState, start: Start): RunEvent[] {
  const { key, attempt, worker, wantUsd, leastUsd, day, othersAtWork } = start;
  const { spentUsd, reservedUsd, budgetUsd } = state.money;
  const least = Math.max(worthwhileUsd, leastUsd);
  const admission = admit({ ...state.money, wantUsd: Math.min(wantUsd, Math.max(day.leftUsd, 0)), leastUsd });
  if (admission.ok && day.leftUsd >= least)
    return [{ type: "effect.started", key, attempt, worker, reservedUsd: Math.min(admission.reserveUsd, day.leftUsd) }];
  // That is waited for before people are asked.
  if (othersAtWork && reservedUsd > 0 && spentUsd + least <= budgetUsd) return [];
  const inRunUsd = budgetUsd - spentUsd - reservedUsd;
  if (inRunUsd >= least && day.until !== null)
    return [{ type: "run.budget-stopped", key, neededUsd: 0, spentUsd, day: { until: day.until, reason: day.reason } }];
  const neededUsd = Math.max(worthwhileUsd, wantUsd - inRunUsd, leastUsd - inRunUsd);
  return [{ type: "run.budget-stopped", key, neededUsd, spentUsd }];
}

/** What an attempt used and asks for, as the meter has it. */
export interface Metering {
  usage: Usage[];
  /** Requests under way, without the one that is asked for. */
  held: Usage[];
  /** The request that money is asked for; null: only what was used is told. */
  request: {
    harness: string;
    /** Null: what is given is not held for one request; the harness reports what it uses of it. */
    model: string | null;
    wantUsd: number;
    leastUsd: number;
  } | null;
  /** The most that the attempt may use in all. */
  capUsd: number;
}

/**
 * What was used so far, and money for one more request, in one event (B4). `grantedUsd` null: there is not even the least of it.
 * `spareUsd`: the most that may be set aside beyond the attempt's reservation; the run's own rest bounds it.
 */
export function metered(
  state: RunState,
  key: EffectKey,
  attempt: number,
  { usage, held, request, capUsd }: Metering,
  spareUsd = Number.POSITIVE_INFINITY,
): { events: RunEvent[]; grantedUsd: number | null } {
  const current = state.effects.get(key)?.attempts.at(-1);
  if (current?.attempt !== attempt || current.endedAt !== null) return { events: [], grantedUsd: null };
  const usedUsd = usdOf(usage) + usdOf(held);
  const { budgetUsd, spentUsd, reservedUsd } = state.money;
  const grant =
    request === null || !state.open.has(key)
      ? null
      : grantRequest({
          usedUsd,
          reservedUsd: current.reservedUsd,
          spareUsd: Math.min(spareUsd, budgetUsd - spentUsd - reservedUsd),
          capUsd,
          wantUsd: request.wantUsd,
          leastUsd: request.leastUsd,
        });
  const after = Math.max(current.reservedUsd, usedUsd + (grant ?? 0));
  const asked: Usage[] =
    request === null || request.model === null || grant === null || grant === 0
      ? []
      : [reservedUsage(request.harness, request.model, grant)];
  const event: RunEvent = {
    type: "effect.metered",
    key,
    attempt,
    usage,
    held: [...held, ...asked],
    ...(after > current.reservedUsd ? { reservedUsd: after } : {}),
  };
  // A refusal is no news.
  return {
    events: request !== null && grant === null && after === current.reservedUsd ? [] : [event],
    grantedUsd: grant,
  };
}

/** Charged if nobody sees how the request ends. */
export function reservedUsage(harness: string, model: string, usd: number): Usage {
  return {
    harness,
    model,
    tokens: noTokens,
    costUsd: usd,
    priceSource: "table",
    priceTableVersion: null,
    reserved: true,
  };
}
