/** Journals an attempt's usage and grants its next request, here or for a runner (B4). */
import type { RunState } from "../../core/state.ts";
import { type EffectKey, usdOf } from "../../core/vocabulary.ts";
import { type Metering, metered } from "../../money/metering.ts";
import type { TransactionWrites } from "../../ports/store.ts";
import { sweepLimitsOf, withDay } from "../day-budget.ts";
import type { Dependencies } from "../dependencies.ts";
import type { Decide } from "../run-actor.ts";
import { settingsOf } from "../settings-of.ts";
import type { Metered } from "./attempt-money.ts";

type Change = (decide: Decide) => Promise<unknown>;

export async function meterAttempt(
  dependencies: Pick<Dependencies, "store" | "clock" | "owner">,
  run: RunState,
  change: Change,
  { key, attempt }: { key: EffectKey; attempt: number },
  metering: Metering,
): Promise<Metered> {
  const { budget } = settingsOf(run);
  let result: Metered = { grantedUsd: null, reservedUsd: 0 };
  const grant = async (spareUsd: number, also: TransactionWrites = {}): Promise<Metered> => {
    await change((state) => {
      const { events, grantedUsd } = metered(state, key, attempt, metering, spareUsd);
      const [event] = events;
      const before = state.effects.get(key)?.attempts.find((one) => one.attempt === attempt)?.reservedUsd ?? 0;
      const after = event?.type === "effect.metered" ? event.reservedUsd : undefined;
      result = { grantedUsd, reservedUsd: after ?? before };
      return { events, also };
    });
    return result;
  };
  const { request } = metering;
  const reservedUsd = run.effects.get(key)?.attempts.find((one) => one.attempt === attempt)?.reservedUsd ?? 0;
  const usedUsd = usdOf(metering.usage) + usdOf(metering.held);
  // Only usage above the attempt's own reservation can affect other runs.
  const sweep = sweepLimitsOf(run);
  if ((budget.dayUsd === null && sweep === null) || request === null || usedUsd + request.wantUsd <= reservedUsd)
    return grant(Number.POSITIVE_INFINITY);
  const { id } = run.thread.repository;
  return withDay(dependencies, id, budget, ({ leftUsd }, also) => grant(leftUsd, also), sweep);
}
