/**
 * Models by tier, and which harness asks which service: so that a step can say how strong a model it wants, and another harness can
 * take over a step whose model it does not serve.
 */
export const tiers = ["fast", "standard", "strong"] as const;
export type Tier = (typeof tiers)[number];
export type TierModels = Readonly<Partial<Record<Tier, string>>>;

type Family = "anthropic" | "openai" | "google";

const families: [Family, RegExp][] = [
  ["anthropic", /^(?:anthropic\/)?claude-/],
  ["openai", /^(?:openai\/)?(?:gpt-|o\d|codex-)/],
  ["google", /^(?:google\/|models\/)?gemini-/],
];

const anthropic: TierModels = { fast: "claude-haiku-4-5", standard: "claude-sonnet-4-5", strong: "claude-opus-4-5" };

/** Of the harnesses that ask one service only. Others are asked for a model by its name, or take their own. */
const served: Readonly<Record<string, { family: Family; models: TierModels }>> = {
  "claude-code": { family: "anthropic", models: anthropic },
  copilot: { family: "anthropic", models: anthropic },
  opencode: { family: "anthropic", models: anthropic },
  pi: { family: "anthropic", models: anthropic },
  gemini: {
    family: "google",
    models: { fast: "gemini-2.5-flash", standard: "gemini-2.5-pro", strong: "gemini-3.1-pro-preview" },
  },
  codex: {
    family: "openai",
    models: { fast: "gpt-5-mini", standard: "gpt-5-codex", strong: "gpt-5.2-codex" },
  },
};

export type OwnTiers = Readonly<Record<string, TierModels>>;

export function isTier(name: string): name is Tier {
  return (tiers as readonly string[]).includes(name);
}

export function tierModels(harness: string, own: OwnTiers): TierModels {
  const ready = Object.hasOwn(served, harness) ? served[harness]?.models : undefined;
  return { ...ready, ...(Object.hasOwn(own, harness) ? own[harness] : {}) };
}

/** False only where both are known and differ: nobody's own harness or model is refused by its name. */
export function serves(harness: string, model: string, own: OwnTiers): boolean {
  if (Object.values(tierModels(harness, own)).includes(model)) return true;
  const family = families.find(([, pattern]) => pattern.test(model))?.[0];
  const its = Object.hasOwn(served, harness) ? served[harness]?.family : undefined;
  return family === undefined || its === undefined || family === its;
}
