/**
 * Budget arithmetic, in USD. Money is reserved before a dispatch and settled after it.
 *
 * B1 Spent and reserved money together never exceed the budget. An attempt grows its share only through a reservation.
 *    So no other attempt gets the same money.
 * B2 Nothing is dispatched for less than `worthwhileUsd`.
 * B3 Only people raise budgets, up to `budget.maxUsd`.
 */
import { limits } from "../core/limits.ts";

export interface Funds {
  budgetUsd: number;
  spentUsd: number;
  reservedUsd: number;
}

export type Admission = { ok: true; reserveUsd: number } | { ok: false; neededUsd: number };

/** A smaller amount is not worth a dispatch: the attempt would stop at its first turn. */
export const { worthwhileUsd } = limits;

/**
 * Reserves the wanted amount, or the rest if that is less. Refuses if the rest is not worthwhile, or is less than
 * `leastUsd`. That amount is the need of an earlier attempt's next request.
 */
export function admit({
  budgetUsd,
  spentUsd,
  reservedUsd,
  wantUsd,
  leastUsd = 0,
}: Funds & { wantUsd: number; leastUsd?: number }): Admission {
  const leftUsd = budgetUsd - spentUsd - reservedUsd;
  const reserveUsd = Math.min(Math.max(wantUsd, leastUsd), leftUsd);
  const least = Math.max(worthwhileUsd, leastUsd);
  return reserveUsd >= least - roundingUsd
    ? { ok: true, reserveUsd }
    : { ok: false, neededUsd: Math.max(worthwhileUsd, wantUsd - leftUsd, leastUsd - leftUsd) };
}

/** Sums of fractions differ by less. */
const roundingUsd = 1e-9;

export interface RequestFunds {
  /** The attempt's usage, and the maximum of its requests under way. */
  usedUsd: number;
  /** The attempt's reservation. */
  reservedUsd: number;
  /** The most that may be reserved in addition. */
  spareUsd: number;
  /** The most that the attempt may use in all. */
  capUsd: number;
  wantUsd: number;
  leastUsd: number;
}

/**
 * The grant for one more request: the wanted amount, or the rest if that is less.
 * null: the rest is below `leastUsd` (B1).
 */
export function grantRequest({
  usedUsd,
  reservedUsd,
  spareUsd,
  capUsd,
  wantUsd,
  leastUsd,
}: RequestFunds): number | null {
  const leftUsd = Math.min(reservedUsd + Math.max(0, spareUsd), capUsd) - usedUsd;
  const grantedUsd = Math.max(0, Math.min(wantUsd, leftUsd));
  return grantedUsd >= leastUsd - roundingUsd ? grantedUsd : null;
}

/** Fractions of the budget that were passed and not yet reported, smallest first. */
export function budgetWarnings({
  budgetUsd,
  spentUsd,
  warnedFraction,
  fractions,
}: Funds & { warnedFraction: number; fractions: readonly number[] }): number[] {
  if (budgetUsd <= 0) return [];
  return [...fractions]
    .sort((a, b) => a - b)
    .filter((fraction) => fraction > warnedFraction && spentUsd >= fraction * budgetUsd);
}

export type BudgetRequest = { ok: true; budgetUsd: number } | { ok: false; reason: string };

/** The budget after a top-up (B3). */
export function raisedBudget({
  budgetUsd,
  addUsd,
  maxUsd,
}: {
  budgetUsd: number;
  addUsd: number;
  maxUsd: number;
}): BudgetRequest {
  if (!Number.isFinite(addUsd) || addUsd <= 0)
    return {
      ok: false,
      reason: `A top-up is more than 0 USD; ${addUsd} is not. Write for example \`/baton budget +2\`.`,
    };
  return within(budgetUsd + addUsd, maxUsd);
}

function within(budgetUsd: number, maxUsd: number): BudgetRequest {
  if (!Number.isFinite(budgetUsd) || budgetUsd < 0)
    return { ok: false, reason: `A budget is an amount in USD; ${budgetUsd} is not.` };
  if (budgetUsd <= maxUsd) return { ok: true, budgetUsd };
  return {
    ok: false,
    reason: `A run may be given at most ${maxUsd.toFixed(2)} USD here (\`budget.maxUsd\`); this would make it ${budgetUsd.toFixed(2)} USD. Anyone who may change \`baton.yaml\` can raise that limit.`,
  };
}
