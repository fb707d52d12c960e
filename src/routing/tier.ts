/**
 * Models by tier, and the service that each harness uses. A step can thus name a strength of model. Another harness can
 * take over a step whose model it does not serve.
 */
import { harnessProviders, type Provider, tiersOf } from "../config/models.ts";

export const tiers = ["fast", "standard", "strong"] as const;
export type Tier = (typeof tiers)[number];
export type TierModels = Readonly<Partial<Record<Tier, string>>>;

const families: [Provider, RegExp][] = [
  ["anthropic", /^(?:anthropic\/)?claude-/],
  ["openai", /^(?:openai\/)?(?:gpt-|o\d|codex-)/],
  ["google", /^(?:google\/|models\/)?gemini-/],
];

export type OwnTiers = Readonly<Record<string, TierModels>>;

export function isTier(name: string): name is Tier {
  return (tiers as readonly string[]).includes(name);
}

function providerOf(harness: string): Provider | undefined {
  return Object.hasOwn(harnessProviders, harness) ? harnessProviders[harness] : undefined;
}

export function tierModels(harness: string, own: OwnTiers): TierModels {
  return {
    ...tiersOf(harness),
    ...(Object.hasOwn(own, harness) ? own[harness] : {}),
  };
}

/** False only if both are known and differ: an unknown custom harness or model is never refused by its name. */
export function serves(harness: string, model: string, own: OwnTiers): boolean {
  if (Object.values(tierModels(harness, own)).includes(model)) return true;
  const family = families.find(([, pattern]) => pattern.test(model))?.[0];
  const its = providerOf(harness);
  return family === undefined || its === undefined || family === its;
}
