/**
 * USD per million tokens, by model. Unknown models have no price: nothing is guessed.
 *
 * Source: the vendors' public price lists as of the version's date. Override or add with `prices` in `baton.yaml`.
 */
export interface Price {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

export const priceTableVersion = "2026-11-01";

/** Keys are model families: a dated or suffixed model takes the longest key that it begins with. */
export const priceTable: Record<string, Price> = {
  "claude-opus-4": { input: 15, output: 75, cacheRead: 1.5, cacheWrite: 18.75 },
  "claude-opus-4-5": { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 },
  "claude-sonnet-4": { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
  "claude-haiku-4": { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 },
  "claude-3-5-haiku": { input: 0.8, output: 4, cacheRead: 0.08, cacheWrite: 1 },
  "gpt-5": { input: 1.25, output: 10, cacheRead: 0.125, cacheWrite: 1.25 },
  "gpt-5-mini": { input: 0.25, output: 2, cacheRead: 0.025, cacheWrite: 0.25 },
  "gpt-5-nano": { input: 0.05, output: 0.4, cacheRead: 0.005, cacheWrite: 0.05 },
  "gemini-2.5-pro": { input: 1.25, output: 10, cacheRead: 0.31, cacheWrite: 1.25 },
  "gemini-2.5-flash": { input: 0.3, output: 2.5, cacheRead: 0.075, cacheWrite: 0.3 },
};

export function priceOf(model: string, overrides: Record<string, Price>): Price | null {
  return longestPrefix(model, overrides) ?? longestPrefix(model, priceTable);
}

function longestPrefix(model: string, table: Record<string, Price>): Price | null {
  let best: string | null = null;
  for (const key of Object.keys(table)) {
    // "gpt-5" is the family of "gpt-5-2026-01-01", not of "gpt-50".
    const belongs = model === key || model.startsWith(`${key}-`) || model.startsWith(`${key}.`) || model.startsWith(`${key}@`);
    if (belongs && (best === null || key.length > best.length)) best = key;
  }
  return best === null ? null : (table[best] ?? null);
}
