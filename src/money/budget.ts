/**
 * Budget arithmetic, in USD. Money is set aside before a dispatch and settled after it.
 *
 * B1 What is spent and what is set aside together never exceed the budget, so a run overspends by no more than what attempts
 *    use beyond their reservation: stopped at it, by none.
 * B2 Nothing is dispatched for less than `worthwhileUsd`.
 * B3 Budgets are raised by people only, up to `budget.maxUsd`.
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
  return reserveUsd >= worthwhileUsd
    ? { ok: true, reserveUsd }
    : { ok: false, neededUsd: Math.max(worthwhileUsd, wantUsd - leftUsd) };
}

/** Fractions of the budget that were passed and not yet told of, smallest first. */
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

/** The budget that a run begins with: what was asked for, else the configured one (B3). */
export function startingBudget(askedUsd: number | null, settings: { runUsd: number; maxUsd: number }): BudgetRequest {
  return within(askedUsd ?? settings.runUsd, settings.maxUsd);
}

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
    reason: `A run may be given at most ${maxUsd.toFixed(2)} USD here (\`budget.maxUsd\`); this would make it ${budgetUsd.toFixed(2)} USD. Whoever may change \`baton.yaml\` can raise that.`,
  };
}
