/**
 * Budget arithmetic. Money is set aside before a dispatch and settled after it.
 *
 * B1 What is spent and set aside never exceeds the budget by more than one attempt's overshoot.
 */
export interface Funds {
  budgetUsd: number;
  spentUsd: number;
  reservedUsd: number;
}

export type Admission = { ok: true; reserveUsd: number } | { ok: false; neededUsd: number };

/** Less than this is not worth a dispatch: the attempt would stop at its first turn. */
export const worthwhileUsd = 0.01;

/** Sets aside what is wanted, or what is left if that is less; refuses when nothing worthwhile is left. */
export function admit({ budgetUsd, spentUsd, reservedUsd, wantUsd }: Funds & { wantUsd: number }): Admission {
  const leftUsd = budgetUsd - spentUsd - reservedUsd;
  const reserveUsd = Math.min(wantUsd, leftUsd);
  return reserveUsd >= worthwhileUsd ? { ok: true, reserveUsd } : { ok: false, neededUsd: Math.max(worthwhileUsd, wantUsd - Math.max(0, leftUsd)) };
}

/** Fractions of the budget that were passed and not yet told of. */
export function budgetWarnings({ budgetUsd, spentUsd, warnedFraction, fractions }: Funds & { warnedFraction: number; fractions: readonly number[] }): number[] {
  if (budgetUsd <= 0) return [];
  return fractions.filter((fraction) => fraction > warnedFraction && spentUsd >= fraction * budgetUsd);
}
