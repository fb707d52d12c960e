/**
 * The money of one attempt, request by request, as events.
 *
 * B4 What an attempt has used and what its requests under way may use is journaled before a request is sent, and never exceeds
 *    what is set aside for the attempt: a crash charges what was journaled, and nobody else was given it.
 */
import { usdOf } from "../core/decide.ts";
import type { RunEvent } from "../core/event.ts";
import type { RunState } from "../core/state.ts";
import { type EffectKey, noTokens, type Usage } from "../core/vocabulary.ts";
import { grantRequest } from "./budget.ts";

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
