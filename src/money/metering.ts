/**
 * The money of one attempt, request by request, as events.
 *
 * B4 An attempt's usage and the maximum of its requests under way are journaled before a request is sent. They never
 *    exceed the attempt's reservation. A crash charges the journaled amount, and nobody else got that money.
 */
import type { RunEvent } from "../core/event.ts";
import type { RunState } from "../core/state.ts";
import { type EffectKey, noTokens, type Usage, usdOf } from "../core/vocabulary.ts";
import type { Allowance } from "./allowance.ts";
import { admit, grantRequest, worthwhileUsd } from "./budget.ts";

/** The facts before an attempt begins. */
export interface Start {
  key: EffectKey;
  attempt: number;
  worker: string;
  /** The wanted reservation of the step. */
  wantUsd: number;
  /** The least that the previous attempt needed to continue. */
  leastUsd: number;
  /** The rest of the repository's day. */
  day: Pick<Allowance, "leftUsd" | "until" | "reason">;
  /** Other steps of the run are active: their reservations come back when they end. */
  othersAtWork: boolean;
}

/**
 * The attempt begins with its money, or the step waits for money. Empty: it waits for other steps first (budget.B1).
 */
export function startAttempt(state: RunState, start: Start): RunEvent[] {
  const { key, attempt, worker, wantUsd, leastUsd, day, othersAtWork } = start;
  const { spentUsd, reservedUsd, budgetUsd } = state.money;
  const least = Math.max(worthwhileUsd, leastUsd);
  const admission = admit({ ...state.money, wantUsd: Math.min(wantUsd, Math.max(day.leftUsd, 0)), leastUsd });
  if (admission.ok && day.leftUsd >= least)
    return [{ type: "effect.started", key, attempt, worker, reservedUsd: Math.min(admission.reserveUsd, day.leftUsd) }];
  // The step waits for that before Baton asks people.
  if (othersAtWork && reservedUsd > 0 && spentUsd + least <= budgetUsd) return [];
  const inRunUsd = budgetUsd - spentUsd - reservedUsd;
  if (inRunUsd >= least && day.until !== null)
    return [{ type: "run.budget-stopped", key, neededUsd: 0, spentUsd, day: { until: day.until, reason: day.reason } }];
  const neededUsd = Math.max(worthwhileUsd, wantUsd - inRunUsd, leastUsd - inRunUsd);
  return [{ type: "run.budget-stopped", key, neededUsd, spentUsd }];
}

/** An attempt's usage and request, as the meter has them. */
export interface Metering {
  usage: Usage[];
  /** Requests under way, without the new one. */
  held: Usage[];
  /** The request that needs money. null: the attempt only reports usage. */
  request: {
    harness: string;
    /** Null: the grant is not for one request. The harness reports its usage. */
    model: string | null;
    wantUsd: number;
    leastUsd: number;
  } | null;
  /** The most that the attempt may use in all. */
  capUsd: number;
}

/**
 * The usage so far, and money for one more request, in one event (B4).
 * `grantedUsd` null: even the least amount is missing.
 * `spareUsd`: the most that may be reserved beyond the attempt's reservation. The run's own rest also limits it.
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
  // A refusal adds no event.
  return {
    events: request !== null && grant === null && after === current.reservedUsd ? [] : [event],
    grantedUsd: grant,
  };
}

/** The charge if nobody sees the end of the request. */
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
