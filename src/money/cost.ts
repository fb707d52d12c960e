/** What tokens cost: our table times tokens where the model is known, else what the harness reports, else unknown. */
import type { Tokens, Usage } from "../core/vocabulary.ts";
import { type Price, priceOf, priceTableVersion } from "./prices.ts";

const million = 1_000_000;

export function priceUsage(used: { harness: string; model: string; tokens: Tokens; costUsd: number | null }, overrides: Record<string, Price>): Usage {
  const price = priceOf(used.model, overrides);
  const { harness, model, tokens } = used;
  if (price !== null) return { harness, model, tokens, costUsd: costOf(tokens, price), priceSource: "table", priceTableVersion };
  if (used.costUsd !== null) return { harness, model, tokens, costUsd: used.costUsd, priceSource: "harness", priceTableVersion: null };
  return { harness, model, tokens, costUsd: null, priceSource: "unknown", priceTableVersion: null };
}

export function costOf(tokens: Tokens, price: Price): number {
  return (tokens.input * price.input + tokens.output * price.output + tokens.cacheRead * price.cacheRead + tokens.cacheWrite * price.cacheWrite) / million;
}
