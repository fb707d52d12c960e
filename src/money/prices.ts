/**
 * Prices by model, from the table of models (`config/models.ts`), and the parts of a model's name.
 *
 * P1 A model is found by its exact name, without provider prefix and date. Baton never guesses families: `gpt-5.4`
 *    costs twice as much as `gpt-5`. Unknown is null.
 * P2 `prices` in `baton.yaml` comes first.
 * P3 A total of tokens does not show the length of each prompt. The table has the band of ordinary prompts (GPT-5.4 and
 *    later up to 272k, Gemini's Pro models up to 200k). For Claude Haiku 5.5, whose bands differ fivefold, it has the
 *    dearer one.
 */
import { models, modelTableDate, type Price } from "../config/models.ts";

export type { Price } from "../config/models.ts";

export type PriceTable = Readonly<Record<string, Price>>;

export const priceTableVersion = modelTableDate;

export const priceTable: PriceTable = Object.fromEntries(models.map(({ model, price }) => [model, price]));

export interface FoundPrice {
  price: Price;
  /** Version of the table, or `baton.yaml` if the configuration gave the price. */
  version: string;
}

/** Null: the price of this model is unknown. */
export function findPrice(model: string, overrides: PriceTable): FoundPrice | null {
  const name = normaliseModel(model);
  const own = lookUp(overrides, model) ?? lookUp(overrides, name);
  if (own !== null) return { price: own, version: "baton.yaml" };
  const listed = lookUp(priceTable, name);
  return listed === null ? null : { price: listed, version: priceTableVersion };
}

const providers = /^(?:anthropic|openai|google|models)\//;
/** `-20250929`, `@20250929`, `-2026-09-29`, `-latest`. */
const dated = /(?:[-@]20\d{6}|-20\d{2}-\d{2}-\d{2}|-latest)$/;

/** The name in price lists. Names on other platforms (Bedrock, `[1m]`) stay unchanged, because their prices differ. */
export function normaliseModel(model: string): string {
  return model.trim().toLowerCase().replace(providers, "").replace(dated, "");
}

function lookUp(table: PriceTable, name: string): Price | null {
  return Object.hasOwn(table, name) ? (table[name] ?? null) : null;
}
