/**
 * Models by tier, and which harness asks which service: so that a step can say how strong a model it wants, and another harness can
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

/** False only where both are known and differ: nobody's own harness or model is refused by its name. */
export function serves(harness: string, model: string, own: OwnTiers): boolean {
  if (Object.values(tierModels(harness, own)).includes(model)) return true;
  const family = families.find(([, pattern]) => pattern.test(model))?.[0];
  const its = providerOf(harness);
  return family === undefined || its === undefined || family === its;
}
