/**
 * The cost of an attempt.
 *
 * C1 A price in `baton.yaml` applies unchanged, because the owner states their own price.
 * C2 Otherwise the higher of our table and the harness's own figure applies. Totals hide hour-long caches and long
 *    prompts, which the harness sees. A harness may not know a model that our table has. A wrong budget then stops
 *    early, never late.
 * C3 Without either, the cost is unknown: null, never 0. `unpriced` decides whether a run may continue.
 */
import type { ErrorData } from "../core/errors.ts";
import type { Tokens, Usage } from "../core/vocabulary.ts";
import { findPrice, type Price, type PriceTable } from "./prices.ts";

const million = 1_000_000;

export interface ReportedUsage {
  harness: string;
  model: string;
  tokens: Tokens;
  /** The harness's own figure. */
  costUsd: number | null;
  /** Charges of the service for other things than tokens. */
  feesUsd?: number;
  /** A cloud may charge more than our table in some places. 1: it does not. */
  priceFactor?: number;
}

export function priceUsage({ feesUsd = 0, ...reported }: ReportedUsage, overrides: PriceTable): Usage {
  const priced = priceTokens(reported, overrides);
  // A fee is known even if the price of tokens is not.
  return feesUsd > 0 ? { ...priced, costUsd: (priced.costUsd ?? 0) + feesUsd, feesUsd } : priced;
}

function priceTokens(
  { harness, model, tokens, costUsd, priceFactor = 1 }: ReportedUsage,
  overrides: PriceTable,
): Usage {
  const used = { harness, model, tokens };
  const found = findPrice(model, overrides);
  const reportedUsd = costUsd !== null && Number.isFinite(costUsd) && costUsd >= 0 ? costUsd : null;
  if (found !== null) {
    const isOwn = found.version === "baton.yaml";
    const listedUsd = costOf(tokens, found.price) * (isOwn ? 1 : priceFactor);
    if (isOwn || reportedUsd === null || reportedUsd <= listedUsd) {
      return { ...used, costUsd: listedUsd, priceSource: "table", priceTableVersion: found.version };
    }
  }
  if (reportedUsd !== null) return { ...used, costUsd: reportedUsd, priceSource: "harness", priceTableVersion: null };
  return { ...used, costUsd: null, priceSource: "unknown", priceTableVersion: null };
}

/** Finite and bounded: an unreasonable price or count must stop a run, not break its journal. */
const usdMax = 1_000_000;

export function costOf(tokens: Tokens, price: Price): number {
  const usd =
    (tokens.input * price.input +
      tokens.output * price.output +
      tokens.cacheRead * price.cacheRead +
      tokens.cacheWrite * price.cacheWrite) /
    million;
  return usd > 0 ? Math.min(usd, usdMax) : 0;
}

/**
 * Why a run must stop: it used tokens without a known price, so its budget has no meaning. Null: it may continue (C3).
 */
export function unpriced(usage: readonly Usage[], unknownPrice: "stop" | "allow"): ErrorData | null {
  if (unknownPrice === "allow") return null;
  const models = usage.filter(
    ({ costUsd, tokens }) =>
      costUsd === null && tokens.input + tokens.output + tokens.cacheRead + tokens.cacheWrite > 0,
  );
  if (models.length === 0) return null;
  return priceUnknown(models.map(({ model }) => model));
}

export function priceUnknown(models: readonly string[]): ErrorData {
  const names = [...new Set(models.map((model) => `"${model}"`))].join(", ");
  return {
    code: "BATON_PRICE_UNKNOWN",
    message: `Nobody knows the price of ${names}, so the budget cannot hold (\`budget.unknownPrice: stop\`). Add it to \`prices\` in \`baton.yaml\`.`,
  };
}
