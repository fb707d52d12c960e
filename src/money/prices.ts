/**
 * USD per million tokens, by model: what the vendors list publicly for their standard tier.
 *
 * P1 A model is found by its exact name, after provider prefix and date are taken off; families are not guessed:
 *    `gpt-5.4` costs twice what `gpt-5` does. Unknown is null.
 * P2 `prices` in `baton.yaml` comes first.
 * P3 A total of tokens does not tell how long each prompt was. Where that changes the price the table has the short band
 *    (GPT-5.4 and later up to 272k, Gemini's Pro models up to 200k), or nothing (Claude Haiku 5.5, whose bands differ fivefold): then the harness's figure counts.
 *
 * Sources, read on the date of the version: platform.claude.com/docs/en/about-claude/pricing (cache writes: 5 minutes),
 * developers.openai.com/api/docs/pricing, ai.google.dev/gemini-api/docs/pricing (implicit caching: writes are billed as input, nothing
 * is stored).
 */
export interface Price {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

export type PriceTable = Readonly<Record<string, Price>>;

export const priceTableVersion = "2026-11-21";

const price = (input: number, output: number, cacheRead: number, cacheWrite: number): Price => ({
  input,
  output,
  cacheRead,
  cacheWrite,
});

const opus4 = price(15, 75, 1.5, 18.75);
const opus45 = price(5, 25, 0.5, 6.25);
const sonnet4 = price(3, 15, 0.3, 3.75);
const fable5 = price(10, 50, 1, 12.5);
// Before GPT-5.6 OpenAI lists no price for writing to the cache: such tokens are billed as input.
const gpt5 = price(1.25, 10, 0.125, 1.25);
const gpt5Mini = price(0.25, 2, 0.025, 0.25);
const gpt52 = price(1.75, 14, 0.175, 1.75);
const gpt56Sol = price(4, 20, 0.4, 5);
const gemini3Pro = price(2, 12, 0.2, 2);
const gemini3Flash = price(0.5, 3, 0.05, 0.5);
const gemini31FlashLite = price(0.25, 1.5, 0.025, 0.25);

export const priceTable: PriceTable = {
  "claude-fable-5-1": price(10, 50, 0.25, 12.5),
  "claude-fable-5": fable5,
  "claude-mythos-5-1": price(10, 50, 0.25, 12.5),
  "claude-mythos-5": fable5,
  "claude-opus-5-5": price(4, 20, 0.2, 5),
  "claude-opus-5": opus45,
  "claude-opus-4-8": opus45,
  "claude-opus-4-7": opus45,
  "claude-opus-4-6": opus45,
  "claude-opus-4-5": opus45,
  "claude-opus-4-1": opus4,
  "claude-opus-4-0": opus4,
  "claude-opus-4": opus4,
  "claude-sonnet-5-5": price(2, 10, 0.1, 2.5),
  "claude-sonnet-5": price(2, 10, 0.2, 2.5),
  "claude-sonnet-4-6": sonnet4,
  "claude-sonnet-4-5": sonnet4,
  "claude-sonnet-4-0": sonnet4,
  "claude-sonnet-4": sonnet4,
  "claude-3-7-sonnet": sonnet4,
  "claude-haiku-4-5": price(1, 5, 0.1, 1.25),
  "claude-3-5-haiku": price(0.8, 4, 0.08, 1),

  "gpt-6.1-sol": price(2, 10, 0.1, 2.5),
  "gpt-6.1-terra": price(1, 5, 0.05, 1.25),
  "gpt-6-astra": price(10, 50, 1, 12.5),
  "gpt-6-sol": price(2, 10, 0.2, 2.5),
  "gpt-6-luna": price(0.1, 0.5, 0.01, 0.125),
  "gpt-5.6": gpt56Sol,
  "gpt-5.6-sol": gpt56Sol,
  "gpt-5.6-terra": price(2, 12, 0.2, 2.5),
  "gpt-5.6-luna": price(0.2, 1.2, 0.02, 0.25),
  "gpt-5.5": price(5, 30, 0.5, 5),
  "gpt-5.4": price(2.5, 15, 0.25, 2.5),
  "gpt-5.4-mini": price(0.75, 4.5, 0.075, 0.75),
  "gpt-5.4-nano": price(0.2, 1.25, 0.02, 0.2),
  "gpt-5.3-codex": gpt52,
  "gpt-5.2": gpt52,
  "gpt-5.2-codex": gpt52,
  "gpt-5.1": gpt5,
  "gpt-5.1-codex": gpt5,
  "gpt-5.1-codex-max": gpt5,
  "gpt-5.1-codex-mini": gpt5Mini,
  "gpt-5": gpt5,
  "gpt-5-codex": gpt5,
  "gpt-5-mini": gpt5Mini,
  "gpt-5-nano": price(0.05, 0.4, 0.005, 0.05),
  "gpt-4.1": price(2, 8, 0.5, 2),
  "gpt-4.1-mini": price(0.4, 1.6, 0.1, 0.4),
  "gpt-4.1-nano": price(0.1, 0.4, 0.025, 0.1),
  o3: price(2, 8, 0.5, 2),
  "o4-mini": price(1.1, 4.4, 0.275, 1.1),

  "gemini-3.5-flash": price(1.5, 9, 0.15, 1.5),
  "gemini-3.1-pro": gemini3Pro,
  "gemini-3.1-pro-preview": gemini3Pro,
  "gemini-3.1-flash-lite": gemini31FlashLite,
  "gemini-3.1-flash-lite-preview": gemini31FlashLite,
  "gemini-3-pro-preview": gemini3Pro,
  "gemini-3-flash": gemini3Flash,
  "gemini-3-flash-preview": gemini3Flash,
  "gemini-2.5-pro": price(1.25, 10, 0.125, 1.25),
  "gemini-2.5-flash": price(0.3, 2.5, 0.03, 0.3),
  "gemini-2.5-flash-lite": price(0.1, 0.4, 0.01, 0.1),
};

export interface FoundPrice {
  price: Price;
  /** Version of the table, or `baton.yaml` where the configuration gave the price. */
  version: string;
}

/** Null: nobody has told what this model costs. */
export function findPrice(model: string, overrides: PriceTable): FoundPrice | null {
  const name = normaliseModel(model);
  const own = lookUp(overrides, model) ?? lookUp(overrides, name);
  if (own !== null) return { price: own, version: "baton.yaml" };
  const listed = lookUp(priceTable, name);
  return listed === null ? null : { price: listed, version: priceTableVersion };
}

export function priceOf(model: string, overrides: PriceTable): Price | null {
  return findPrice(model, overrides)?.price ?? null;
}

const providers = /^(?:anthropic|openai|google|models)\//;
/** `-20250929`, `@20250929`, `-2026-09-29`, `-latest`. */
const dated = /(?:[-@]20\d{6}|-20\d{2}-\d{2}-\d{2}|-latest)$/;

/** The name that price lists use. Names of other platforms (Bedrock, `[1m]`) stay as they are: their prices differ. */
export function normaliseModel(model: string): string {
  return model.trim().toLowerCase().replace(providers, "").replace(dated, "");
}

function lookUp(table: PriceTable, name: string): Price | null {
  return Object.hasOwn(table, name) ? (table[name] ?? null) : null;
}
