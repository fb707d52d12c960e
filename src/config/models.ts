/**
 * The models that Baton knows: their prices, their retirement, and the defaults of harnesses. The only such table.
 *
 * MO1 Every default and every tier of a harness is a row here, with a price. It is not retired on the date of the table.
 * MO2 The table never reads the calendar. A caller that asks whether a model retires soon brings the date.
 * MO3 A price may depend on the prompt's length or on the day. The row then has the highest price of a default prompt, so a
 *     budget ends early.
 */
import { describedHarness, describedHarnesses, type descriptions } from "../adapters/harness/descriptions.ts";

/** USD per million tokens, standard tier. */
export interface Price {
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
}

export type Provider = "anthropic" | "openai" | "google";

export interface ModelRow {
  provider: Provider;
  model: string;
  price: Price;
  /** The most tokens of one answer, including reasoning. */
  outputMax: number;
  /** The day on which the service begins to refuse it, YYYY-MM-DD. null: no day is announced. */
  retires: string | null;
  /** Facts that the figures of the row do not show. */
  note: string | null;
}

export interface ModelSource {
  prices: string;
  retirements: string;
  /** Lists in npm packages that also name the model, read on the same day. */
  lists: string;
  read: string;
}

export const modelTableDate = "2026-11-30";

export const modelSources: Readonly<Record<Provider, ModelSource>> = {
  anthropic: {
    prices: "https://platform.claude.com/docs/en/about-claude/pricing",
    retirements: "https://platform.claude.com/docs/en/about-claude/model-deprecations",
    lists: "@earendil-works/pi-ai 1.6.0 dist/providers/data/anthropic.json; @anthropic-ai/sdk 1.14.0 messages.d.ts",
    read: modelTableDate,
  },
  openai: {
    prices: "https://developers.openai.com/api/docs/pricing",
    retirements: "https://developers.openai.com/api/docs/deprecations",
    lists: "@earendil-works/pi-ai 1.6.0 dist/providers/data/openai.json; @openai/codex 0.171.0 (catalog in the binary)",
    read: modelTableDate,
  },
  google: {
    prices: "https://ai.google.dev/gemini-api/docs/pricing",
    retirements: "https://ai.google.dev/gemini-api/docs/deprecations",
    lists:
      "@earendil-works/pi-ai 1.6.0 dist/providers/data/google.json; @google/gemini-cli-core 0.61.0 config/models.js",
    read: modelTableDate,
  },
};

/**
 * The clouds' price for a place that keeps the data there, as a factor of the global price. Earlier models of Claude have one
 * price everywhere. Azure's depends on the type of the deployment, which no address shows: `prices` has it.
 */
export const placeFactor = {
  factor: 1.1,
  source: "https://platform.claude.com/docs/en/about-claude/pricing#third-party-platform-pricing",
  of: (model: string): number => (model.startsWith("claude-") && !earlierClaude.test(model) ? placeFactor.factor : 1),
};
const earlierClaude = /^claude-(?:[123]\b|(?:opus|sonnet)-4(?:-[01])?$)/;

type Figures = readonly [input: number, output: number, cacheRead: number, cacheWrite: number];
type More = Partial<Pick<ModelRow, "retires" | "note" | "outputMax">>;

/** The limit of most models of each service, by the same lists. */
const outputMaxOf: Readonly<Record<Provider, number>> = { anthropic: 128_000, openai: 128_000, google: 65_536 };

const rowOf =
  (provider: Provider) =>
  (
    model: string,
    [input, output, cacheRead, cacheWrite]: Figures,
    { retires = null, note = null, outputMax = outputMaxOf[provider] }: More = {},
  ): ModelRow => ({
    provider,
    model,
    price: { input, output, cacheRead, cacheWrite },
    outputMax,
    retires,
    note,
  });

// Cache writes that last 5 minutes.
const anthropic = rowOf("anthropic");
const opus4: Figures = [15, 75, 1.5, 18.75];
const opus45: Figures = [5, 25, 0.5, 6.25];
const sonnet4: Figures = [3, 15, 0.3, 3.75];
const fable51: Figures = [10, 50, 0.25, 12.5];

// Up to GPT-5.5, OpenAI lists no price for writing to the cache and bills such tokens as input. Prompts up to 272k tokens.
const openai = rowOf("openai");
const gpt5: Figures = [1.25, 10, 0.125, 1.25];
const gpt5Mini: Figures = [0.25, 2, 0.025, 0.25];
const gpt52: Figures = [1.75, 14, 0.175, 1.75];
const gpt56Sol: Figures = [4, 20, 0.4, 5];

// Caching is implicit: Google bills writes as input and does not store anything. Pro models: prompts up to 200k tokens.
const google = rowOf("google");
const gemini3Pro: Figures = [2, 12, 0.2, 2];
const gemini3Flash: Figures = [0.5, 3, 0.05, 0.5];
const gemini31FlashLite: Figures = [0.25, 1.5, 0.025, 0.25];
/** Half price until 2026-12-31. */
const gemini36Flash: Figures = [1.5, 7.5, 0.15, 1.5];
const halfPrice = "half of it until 2026-12-31";

export const models: readonly ModelRow[] = [
  anthropic("claude-fable-5-2", [8, 40, 0.2, 10]),
  anthropic("claude-fable-5-1", fable51),
  anthropic("claude-fable-5", [10, 50, 1, 12.5]),
  anthropic("claude-mythos-5-1", fable51),
  anthropic("claude-mythos-5", [10, 50, 1, 12.5]),
  anthropic("claude-opus-5-5", [4, 20, 0.2, 5]),
  anthropic("claude-opus-5", opus45),
  anthropic("claude-opus-4-8", opus45),
  anthropic("claude-opus-4-7", opus45),
  anthropic("claude-opus-4-6", opus45),
  anthropic("claude-opus-4-5", opus45, { retires: "2027-01-22" }),
  anthropic("claude-opus-4-1", opus4, { retires: "2026-08-05" }),
  anthropic("claude-opus-4-0", opus4, { retires: "2026-06-15" }),
  anthropic("claude-opus-4", opus4, { retires: "2026-06-15" }),
  anthropic("claude-sonnet-5-5", [2, 10, 0.1, 2.5]),
  anthropic("claude-sonnet-5", [2, 10, 0.2, 2.5]),
  anthropic("claude-sonnet-4-6", sonnet4),
  anthropic("claude-sonnet-4-5", sonnet4, { retires: "2026-11-30" }),
  anthropic("claude-sonnet-4-0", sonnet4, { retires: "2026-06-15" }),
  anthropic("claude-sonnet-4", sonnet4, { retires: "2026-06-15" }),
  anthropic("claude-3-7-sonnet", sonnet4, { retires: "2026-02-19" }),
  anthropic("claude-haiku-5-5", [0.5, 2.5, 0.05, 0.625], { note: "a fifth of it for prompts up to 100k tokens" }),
  anthropic("claude-haiku-4-5", [1, 5, 0.1, 1.25]),
  anthropic("claude-3-5-haiku", [0.8, 4, 0.08, 1], { retires: "2026-02-19" }),

  openai("gpt-6.2-astra", [8, 40, 0.4, 10]),
  openai("gpt-6.2-sol", [2, 10, 0.1, 2.5]),
  openai("gpt-6.1-sol", [2, 10, 0.1, 2.5]),
  openai("gpt-6.1-terra", [1, 5, 0.05, 1.25]),
  openai("gpt-6-astra", [10, 50, 1, 12.5]),
  openai("gpt-6-sol", [2, 10, 0.2, 2.5]),
  openai("gpt-6-luna", [0.1, 0.5, 0.01, 0.125]),
  openai("gpt-5.6", gpt56Sol),
  openai("gpt-5.6-sol", gpt56Sol),
  openai("gpt-5.6-terra", [2, 12, 0.2, 2.5]),
  openai("gpt-5.6-luna", [0.2, 1.2, 0.02, 0.25]),
  openai("gpt-5.5", [5, 30, 0.5, 5]),
  openai("gpt-5.4", [2.5, 15, 0.25, 2.5]),
  openai("gpt-5.4-mini", [0.75, 4.5, 0.075, 0.75]),
  openai("gpt-5.4-nano", [0.2, 1.25, 0.02, 0.2], { retires: "2027-04-01" }),
  openai("gpt-5.3-codex", gpt52, { retires: "2027-04-01" }),
  openai("gpt-5.2", gpt52),
  openai("gpt-5.2-codex", gpt52, { retires: "2026-07-31", note: "in July 2026; the day was not read" }),
  openai("gpt-5.1", gpt5, { retires: "2027-04-01" }),
  openai("gpt-5.1-codex", gpt5, { retires: "2026-07-31", note: "in July 2026; the day was not read" }),
  openai("gpt-5.1-codex-max", gpt5, { retires: "2026-07-31", note: "in July 2026; the day was not read" }),
  openai("gpt-5.1-codex-mini", gpt5Mini, { retires: "2026-07-31", note: "in July 2026; the day was not read" }),
  openai("gpt-5", gpt5, { retires: "2026-12-11" }),
  openai("gpt-5-codex", gpt5, { retires: "2026-07-31", note: "in July 2026; the day was not read" }),
  openai("gpt-5-mini", gpt5Mini, { retires: "2026-12-11" }),
  openai("gpt-5-nano", [0.05, 0.4, 0.005, 0.05], { retires: "2026-12-11" }),
  openai("gpt-4.1", [2, 8, 0.5, 2], { outputMax: 32_768, retires: "2027-01-14" }),
  openai("gpt-4.1-mini", [0.4, 1.6, 0.1, 0.4], { outputMax: 32_768, retires: "2027-01-14" }),
  openai("gpt-4.1-nano", [0.1, 0.4, 0.025, 0.1], { outputMax: 32_768, retires: "2026-10-23" }),
  openai("o3", [2, 8, 0.5, 2], { outputMax: 100_000, retires: "2026-12-11" }),
  openai("o4-mini", [1.1, 4.4, 0.275, 1.1], { outputMax: 100_000, retires: "2026-10-23" }),

  google("gemini-4-neon", [3, 15, 0.15, 3]),
  google("gemini-4-carbon", [4, 20, 0.2, 4], { outputMax: 32_768, note: "half of it until 2026-11-30" }),
  google("gemini-4-argon", [4, 20, 0.2, 4], { outputMax: 32_768, note: "half of it until 2026-11-30" }),
  google("gemini-4-hydrogen", [1.5, 7.5, 0.075, 1.5]),
  google("gemini-3.8-flash", gemini36Flash, { note: halfPrice }),
  google("gemini-3.7-flash", gemini36Flash, { note: halfPrice }),
  google("gemini-3.6-flash", gemini36Flash, { note: halfPrice }),
  google("gemini-3.5-flash", [1.5, 9, 0.15, 1.5]),
  google("gemini-3.5-flash-lite", [0.3, 2.5, 0.03, 0.3]),
  google("gemini-3.1-pro", gemini3Pro),
  google("gemini-3.1-pro-preview", gemini3Pro, { note: "a preview: Google may retire it on short notice" }),
  google("gemini-3.1-flash-lite", gemini31FlashLite, { retires: "2027-05-07" }),
  google("gemini-3.1-flash-lite-preview", gemini31FlashLite, { retires: "2026-05-25" }),
  google("gemini-3-pro-preview", gemini3Pro, { retires: "2026-03-09" }),
  google("gemini-3-flash", gemini3Flash),
  google("gemini-3-flash-preview", gemini3Flash),
  google("gemini-2.5-pro", [1.25, 10, 0.125, 1.25], { retires: "2026-12-01", note: "then served by gemini-3.8-flash" }),
  google("gemini-2.5-flash", [0.3, 2.5, 0.03, 0.3], {
    retires: "2026-12-01",
    note: "then served by gemini-3.5-flash-lite",
  }),
  google("gemini-2.5-flash-lite", [0.1, 0.4, 0.01, 0.1]),
];

/** The fee of a service for searching the web itself, in addition to tokens. */
export interface SearchFee {
  usd: number;
  /** The service charges for each search, or once for a request that searched. */
  per: "search" | "request";
}

/** The sources of the fees of `searchFee`, read on the day of the table. @internal A test asks each provider for one. */
export const searchFeeSources: Readonly<Record<Provider, string>> = {
  anthropic: "https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool#usage-and-pricing",
  openai: "https://developers.openai.com/api/docs/pricing#built-in-tools",
  google: "https://ai.google.dev/gemini-api/docs/pricing; https://ai.google.dev/gemini-api/docs/google-search#pricing",
};

const searchFees: Readonly<Record<Provider, readonly (readonly [models: RegExp, fee: SearchFee])[]>> = {
  anthropic: [[/^/, { usd: 0.01, per: "search" }]],
  openai: [
    // The preview tool of models that do not reason.
    [/^gpt-4/, { usd: 0.025, per: "search" }],
    [/^/, { usd: 0.01, per: "search" }],
  ],
  google: [
    [/^gemini-[12]\b/, { usd: 0.035, per: "request" }],
    [/^/, { usd: 0.014, per: "search" }],
  ],
};

/** The highest fee that applies (MO3), without free quotas. */
export function searchFee(provider: Provider, model: string): SearchFee {
  const found = searchFees[provider].find(([models]) => models.test(model));
  if (found === undefined) throw new Error(`No fee is listed for searches by ${provider}.`);
  return found[1];
}

/** A fee that appears neither in a service's count of tokens nor in its count of searches. */
export interface UncountedFee {
  provider: Provider;
  /** The name on the wire: `tool <type>`, or a field of the request with its value. */
  asked: RegExp;
  /** The purpose of the fee. */
  what: string;
  source: string;
}

/** Requests for these pass only if no budget has to hold (`budget.unknownPrice: allow`). Read on the day of the table. */
const uncountedFees: readonly UncountedFee[] = [
  {
    provider: "anthropic",
    asked: /^tool code_execution/,
    what: "a container of the service, by the hour",
    source: "https://platform.claude.com/docs/en/agents-and-tools/tool-use/code-execution-tool#usage-and-pricing",
  },
  {
    provider: "anthropic",
    asked: /^tool advisor/,
    what: "a second model, at its own price",
    source: "https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool",
  },
  {
    provider: "anthropic",
    asked: /^speed (?!standard$)/,
    what: "fast mode, at a multiple of the price",
    source: "https://platform.claude.com/docs/en/about-claude/pricing",
  },
  {
    provider: "anthropic",
    asked: /^inference_geo (?!global$)/,
    what: "a place of inference, at a multiple of the price",
    source: "https://platform.claude.com/docs/en/build-with-claude/data-residency",
  },
  {
    provider: "openai",
    asked: /^tool (?:code_interpreter|shell)$/,
    what: "a container of the service, by the minute",
    source: "https://developers.openai.com/api/docs/pricing#built-in-tools",
  },
  {
    provider: "openai",
    asked: /^tool (?:image_generation|hosted_)/,
    what: "a model for images, at its own price",
    source: "https://developers.openai.com/api/docs/pricing#built-in-tools",
  },
  {
    provider: "openai",
    asked: /^service_tier (?!auto$|default$|flex$)/,
    what: "a faster tier, at a multiple of the price",
    source: "https://developers.openai.com/api/docs/guides/fast-mode",
  },
  {
    provider: "google",
    asked: /^service_tier (?!(?:service_tier_)?(?:standard|flex|unspecified)$)/,
    what: "a tier of priority, at a higher price",
    source: "https://ai.google.dev/gemini-api/docs/priority-inference",
  },
];

/** The first requested item with an uncounted fee. null: none has one. */
export function uncountedFee(provider: Provider, asked: readonly string[]): (UncountedFee & { name: string }) | null {
  for (const name of asked) {
    const fee = uncountedFees.find((one) => one.provider === provider && one.asked.test(name));
    if (fee !== undefined) return { ...fee, name };
  }
  return null;
}

/** By a step's wish. `standard` is a harness's default. */
export interface Tiers {
  fast: string;
  standard: string;
  strong: string;
}

/** Each model is in the catalog of the harness that asks for it. */
export const defaultTiers: Readonly<Record<Provider, Tiers>> = {
  anthropic: { fast: "claude-haiku-5-5", standard: "claude-sonnet-5-5", strong: "claude-opus-5-5" },
  openai: { fast: "gpt-6.1-terra", standard: "gpt-6.1-sol", strong: "gpt-6.2-astra" },
  google: { fast: "gemini-3.5-flash-lite", standard: "gemini-3.8-flash", strong: "gemini-3.1-pro-preview" },
};

/** Harnesses that ask only one service. Others get a model by its name, or choose their own. */
export const harnessProviders: Readonly<Record<string, Provider>> = Object.fromEntries(
  describedHarnesses.flatMap(({ name, provider }) => (provider === null ? [] : [[name, provider]])),
);

export type HarnessWithModels = Extract<(typeof descriptions)[number], { provider: Provider }>["name"];

/** The models behind `fast`, `standard` and `strong` for a harness of Baton. */
export function harnessTiers({ provider, tiers }: { provider: Provider; tiers: Partial<Tiers> }): Tiers {
  return { ...defaultTiers[provider], ...tiers };
}

/** null: the harness chooses its own model, or is not one of Baton's. */
export function tiersOf(harness: string): Tiers | null {
  const found = describedHarness(harness);
  return found === null || found.provider === null ? null : harnessTiers({ ...found, provider: found.provider });
}

export function defaultModelOf(harness: HarnessWithModels): string {
  return (tiersOf(harness) as Tiers).standard;
}

export function modelRow(model: string): ModelRow | null {
  return models.find((row) => row.model === model) ?? null;
}

export interface Retirement {
  harness: string;
  tier: keyof Tiers;
  model: string;
  retires: string;
  /** Whole days from the given day. 0 or less: it is retired. */
  days: number;
}

export const retirementNoticeDays = 30;

/** Defaults that retire within this many days after a day, YYYY-MM-DD (MO2). */
export function retiringDefaults(
  today: string,
  withinDays: number = retirementNoticeDays,
  table: readonly ModelRow[] = models,
): Retirement[] {
  return Object.keys(harnessProviders).flatMap((harness) =>
    (Object.entries(tiersOf(harness) ?? {}) as [keyof Tiers, string][]).flatMap(([tier, model]) => {
      const retires = table.find((row) => row.model === model)?.retires ?? null;
      if (retires === null) return [];
      const days = daysBetween(today, retires);
      return days <= withinDays ? [{ harness, tier, model, retires, days }] : [];
    }),
  );
}

/** Baton warns about a table that is older, because prices and retirements change. */
const tableDaysMax = 90;

export function tableAgeText(today: string): string | null {
  const days = daysBetween(modelTableDate, today);
  if (days <= tableDaysMax) return null;
  return `The table of models was read on ${modelTableDate} and is ${days} days old. Update Baton, or check \`prices\` in \`baton.yaml\`.`;
}

const dayMs = 86_400_000;

function daysBetween(from: string, to: string): number {
  return Math.round((utcOf(to) - utcOf(from)) / dayMs);
}

/** The time of YYYY-MM-DD in milliseconds since 1970. */
function utcOf(date: string): number {
  const [year = 0, month = 1, day = 1] = date.split("-").map(Number);
  return Date.UTC(year, month - 1, day);
}

export function retirementText({ harness, tier, model, days, retires }: Retirement): string {
  const when = days > 0 ? `retires on ${retires}, in ${days} day${days === 1 ? "" : "s"}` : `retired on ${retires}`;
  return `\`${model}\`, the ${tier} model of ${harness}, ${when}. Update Baton, or name another one in \`models\` or \`tiers\` of \`baton.yaml\`.`;
}
