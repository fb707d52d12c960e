/** Money for a grant's requests from a fixed amount, as a run gives it from its budget, without a journal. */
import type { Tokens } from "../../src/core/vocabulary.ts";
import { grantRequest } from "../../src/money/budget.ts";
import type { GrantRequest } from "../../src/ports/model-proxy.ts";

export function reserveUpTo(
  limitUsd: number,
  priceUsd: (model: string, tokens: Tokens, priceFactor: number) => number | null,
): GrantRequest["reserve"] {
  return async ({ wantUsd, leastUsd, uses, underWay }) => {
    const spentUsd = uses.reduce(
      (sum, { model, tokens, feesUsd = 0, priceFactor = 1 }) =>
        sum + feesUsd + (priceUsd(model, tokens, priceFactor) ?? 0),
      0,
    );
    const usedUsd = underWay.reduce((sum, { usd }) => sum + usd, spentUsd);
    return grantRequest({
      usedUsd,
      reservedUsd: limitUsd,
      spareUsd: 0,
      capUsd: Number.POSITIVE_INFINITY,
      wantUsd,
      leastUsd,
    });
  };
}
