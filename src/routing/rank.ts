/**
 * Ranks harnesses and models for a step: all choices in order, each with its reasons.
 *
 * Owns: the order. Does not own: gathering facts, acting on the result (`runner/perform/route.ts`).
 * Q1 A harness without a needed capability, or outside the profile, is never among the choices.
 * Q2 Equal questions give equal answers: no clock, no randomness. The configured order breaks ties.
 * Q3 With less money left, the model is cheaper. More money never gives a cheaper one.
 * Q4 A harness that failed at this step comes after one that has not. A harness with an open circuit is not a choice
 *    until its time.
 * Q5 A harness that serves the requested model by name takes precedence over one that would use another. A harness that
 *    a person named comes first.
 */
import { type ErrorCode, errorCatalogue } from "../core/errors.ts";
import type { Capability, Tokens } from "../core/vocabulary.ts";
import { costOf } from "../money/cost.ts";
import { findPrice, type PriceTable } from "../money/prices.ts";
import { type Circuit, circuitState, newCircuit } from "./circuit.ts";
import { type History, newHistory } from "./history.ts";
import type { Capabilities, Profile, Role } from "./profile.ts";
import { isTier, type OwnTiers, serves, tierModels, tiers } from "./tier.ts";

export interface Candidate {
  name: string;
  capabilities: Capabilities;
  defaultModel: string | null;
}

export interface Question {
  role: Role;
  access: "read-only" | "write";
  /** Capabilities that the step itself needs from a harness. */
  needs: readonly Capability[];
  /** A person's request for this step. null: the configuration decides. */
  asked: { harness: string | null; model: string | null };
  /** True: nobody takes over from the requested harness. */
  only?: boolean;
  /** Configured order: the default, then the harnesses that take over. */
  order: readonly string[];
  /** Models or tiers by role. `any` applies if a role has none. */
  models: Readonly<Partial<Record<Role | "any", string>>>;
  tiers: OwnTiers;
  /** Names of allowed models. Empty: any. */
  allowedModels: readonly string[];
  prefer: "listed" | "cheapest";
  profile: Profile;
  profileName: string;
  harnesses: readonly Candidate[];
  prices: PriceTable;
  money: { budgetUsd: number; leftUsd: number; downgradeAt: number };
  /** By `historyKey`. */
  history: ReadonlyMap<string, History>;
  /** By `circuitKey`. */
  circuits: ReadonlyMap<string, Circuit>;
  /** Failed attempts at this step, with the harness's own fault. */
  failed: readonly { harness: string; code: string }[];
  now: number;
}

export interface Choice {
  harness: string;
  /** Null: the harness's own model. */
  model: string | null;
  access: "read-only" | "write";
  estimateUsd: number | null;
  reasons: string[];
}

export interface Ranking {
  choices: Choice[];
  /** The excluded harnesses, and the reasons. */
  left: { harness: string; reason: string }[];
  /** When the first circuit allows a try, if only circuits block the step. */
  waitUntil: number | null;
}

/** Typical tokens of an agent's step without history. Most of them are read again from the cache. */
const typical: Readonly<Record<Role, Tokens>> = {
  plan: { input: 30_000, output: 6_000, cacheRead: 200_000, cacheWrite: 40_000 },
  implement: { input: 40_000, output: 15_000, cacheRead: 800_000, cacheWrite: 80_000 },
  repair: { input: 40_000, output: 10_000, cacheRead: 500_000, cacheWrite: 60_000 },
  address: { input: 40_000, output: 10_000, cacheRead: 500_000, cacheWrite: 60_000 },
  review: { input: 40_000, output: 6_000, cacheRead: 200_000, cacheWrite: 40_000 },
  verify: { input: 40_000, output: 6_000, cacheRead: 200_000, cacheWrite: 40_000 },
};

/** The text for people about a harness that lacks a needed capability. */
const lacking: Readonly<Record<Capability, string>> = {
  resume: "cannot go on in an earlier conversation",
  readOnly: "cannot be held to reading",
  systemPrompt: "takes no system text",
  maxTurns: "cannot count its turns",
  maxUsd: "cannot stop at an amount of money",
  reportsUsage: "does not tell what it used",
  reportsCost: "does not tell what it cost",
  toolServers: "uses no tool servers",
};

/** The code, for the reference, and its meaning. */
function inWords(code: string): string {
  const entry = Object.hasOwn(errorCatalogue, code) ? errorCatalogue[code as ErrorCode] : undefined;
  return entry === undefined ? code : `${code} (${entry.when.replace(/\.$/, "")})`;
}

export function circuitKey(harness: string, model: string | null): string {
  return model === null ? harness : `${harness}/${model}`;
}

export function historyKey(harness: string, model: string | null, role: Role): string {
  return `${harness}/${model ?? ""}/${role}`;
}

/** Every model that this harness could use here. The question needs their circuits and history. */
export function modelsOf(
  question: Pick<Question, "tiers" | "models" | "asked" | "role" | "profile">,
  harness: Candidate,
): (string | null)[] {
  return [
    ...new Set([wantedModel(question, harness).model, ...Object.values(tierModels(harness.name, question.tiers))]),
  ];
}

export function rank(question: Question): Ranking {
  const { profile, profileName, role, harnesses, asked, order, now } = question;
  const left: Ranking["left"] = [];
  const found: (Choice & { failures: number; halfOpen: boolean; misses: boolean; position: number })[] = [];
  let waitUntil: number | null = null;
  if (profile.roles.length > 0 && !profile.roles.includes(role)) {
    const reason = `The profile \`${profileName}\` has no step "${role}": only ${profile.roles.join(", ")}.`;
    return { choices: [], left: [{ harness: "", reason }], waitUntil };
  }
  const access = profile.access === "read-only" ? "read-only" : question.access;
  const needs = [...new Set([...question.needs, ...profile.needs])];
  const alone = question.only === true && asked.harness !== null;
  const names = [...new Set([...(asked.harness === null ? [] : [asked.harness]), ...(alone ? [] : order)])];
  names.forEach((name, position) => {
    const harness = harnesses.find((one) => one.name === name);
    const leave = (reason: string): void => {
      left.push({ harness: name, reason });
    };
    if (harness === undefined) return leave("is not set up here, or has another name");
    if (profile.harnesses.length > 0 && !profile.harnesses.includes(name))
      return leave(`is not in the profile \`${profileName}\``);
    const lacks = needs.filter((need) => !harness.capabilities[need]);
    if (lacks.length > 0) return leave(lacks.map((need) => `${lacking[need]} (\`${need}\`)`).join(", "));
    const picked = pickModel(question, harness);
    if (picked === null)
      return leave(`has no model that \`harness.models\` allows (${question.allowedModels.join(", ")})`);
    const circuits = [circuitKey(name, null), ...(picked.model === null ? [] : [circuitKey(name, picked.model)])].map(
      (key) => question.circuits.get(key) ?? newCircuit,
    );
    const openUntil = Math.max(
      ...circuits.map((circuit) => (circuitState(circuit, now) === "open" ? (circuit.openUntil ?? 0) : 0)),
    );
    if (openUntil > 0) {
      waitUntil = Math.min(waitUntil ?? openUntil, openUntil);
      return leave(`failed too often lately; it is tried again in ${Math.ceil((openUntil - now) / 1_000)} s`);
    }
    const failures = question.failed.filter((one) => one.harness === name);
    const reasons = [positionReason(question, name, position), ...picked.reasons];
    const halfOpen = circuits.some((circuit) => circuitState(circuit, now) === "half-open");
    if (halfOpen) reasons.push("failed too often before; this is the try that tells");
    if (failures.length > 0)
      reasons.push(`failed at this step: ${failures.map(({ code }) => inWords(code)).join(", ")}`);
    if (access !== question.access) reasons.push(`the profile \`${profileName}\` makes it ${access}`);
    const { model, estimateUsd, misses } = picked;
    const place = { failures: failures.length, halfOpen, misses: misses && asked.harness === null, position };
    found.push({ harness: name, model, access, estimateUsd, reasons, ...place });
  });
  const usd = ({ estimateUsd }: Choice): number => estimateUsd ?? Number.POSITIVE_INFINITY;
  const cheapest = question.prefer === "cheapest" && asked.harness === null;
  found.sort(
    (a, b) =>
      a.failures - b.failures ||
      Number(a.halfOpen) - Number(b.halfOpen) ||
      Number(a.misses) - Number(b.misses) ||
      (cheapest && usd(a) !== usd(b) ? usd(a) - usd(b) : 0) ||
      a.position - b.position,
  );
  const choices = found.map(({ harness, model, access: its, estimateUsd, reasons }): Choice => {
    const cost = estimateUsd === null ? [] : [`about ${estimateUsd.toFixed(2)} USD`];
    return { harness, model, access: its, estimateUsd, reasons: [...reasons, ...cost] };
  });
  return { choices, left, waitUntil: choices.length === 0 ? waitUntil : null };
}

function positionReason({ asked, order, prefer }: Question, name: string, position: number): string {
  if (asked.harness === name) return "was asked for";
  if (prefer === "cheapest" && asked.harness === null) return "the cheapest goes first";
  return order[0] === name ? "is the default" : `takes over as number ${position + 1}`;
}

/** The model that configuration and people want from this harness, before money is considered. */
function wantedModel(
  { asked, models, role, profile, tiers: own }: Pick<Question, "tiers" | "models" | "asked" | "role" | "profile">,
  harness: Candidate,
): { model: string | null; fixed: boolean; misses: boolean; reason: string | null } {
  const wanted = asked.model ?? profile.model ?? models[role] ?? models.any ?? null;
  const byTier = tierModels(harness.name, own);
  if (wanted === null) return { model: harness.defaultModel, fixed: false, misses: false, reason: null };
  if (isTier(wanted)) {
    const model = byTier[wanted] ?? null;
    return model === null
      ? { model: harness.defaultModel, fixed: false, misses: false, reason: `has no model for "${wanted}"; its own` }
      : { model, fixed: false, misses: false, reason: `"${wanted}" is ${model}` };
  }
  if (!serves(harness.name, wanted, own))
    return { model: harness.defaultModel, fixed: false, misses: true, reason: `does not serve ${wanted}; its own` };
  return {
    model: wanted,
    fixed: asked.model === wanted,
    misses: false,
    reason: asked.model === wanted ? `${wanted} was asked for` : null,
  };
}

interface Picked {
  model: string | null;
  /** True: somebody requested a model by name, and this is another one. */
  misses: boolean;
  estimateUsd: number | null;
  reasons: string[];
}

function pickModel(question: Question, harness: Candidate): Picked | null {
  const { allowedModels, money, prices, history, role } = question;
  const wanted = wantedModel(question, harness);
  const allowed = (model: string | null): boolean =>
    allowedModels.length === 0 || (model !== null && allowedModels.includes(model));
  const estimate = (model: string | null): number | null => {
    const known = (history.get(historyKey(harness.name, model, role)) ?? newHistory).usd;
    if (known !== null) return known;
    const price = model === null ? null : findPrice(model, prices);
    return price === null ? null : costOf(typical[role], price.price);
  };
  const reasons = wanted.reason === null ? [] : [wanted.reason];
  const byTier = tierModels(harness.name, question.tiers);
  const allowedTiers = tiers
    .map((tier) => byTier[tier])
    .filter((model) => model !== undefined)
    .filter(allowed)
    .map((model) => ({ model, usd: estimate(model) }));
  let { model } = wanted;
  if (!allowed(model)) {
    const [first] = allowedTiers.toSorted((a, b) => (b.usd ?? 0) - (a.usd ?? 0));
    if (wanted.fixed || first === undefined) return null;
    reasons.push(`${model ?? "its own model"} is not allowed; ${first.model} is`);
    ({ model } = first);
  }
  const usd = estimate(model);
  const stay: Picked = { model, misses: wanted.misses, estimateUsd: usd, reasons };
  // A model that a person requested by name stays. The budget still applies.
  if (wanted.fixed || usd === null) return stay;
  const cheaper = allowedTiers
    .filter((one): one is { model: string; usd: number } => one.usd !== null && one.usd < usd)
    .sort((a, b) => a.usd - b.usd || (a.model < b.model ? -1 : 1));
  const [least] = cheaper;
  if (least === undefined) return stay;
  const near = money.leftUsd < (1 - money.downgradeAt) * money.budgetUsd;
  if (!near && usd <= money.leftUsd) return stay;
  const chosen = near ? least : (cheaper.findLast((one) => one.usd <= money.leftUsd) ?? least);
  const why = near
    ? `only ${money.leftUsd.toFixed(2)} of ${money.budgetUsd.toFixed(2)} USD are left`
    : `that would cost about ${usd.toFixed(2)} USD, ${money.leftUsd.toFixed(2)} are left`;
  return {
    model: chosen.model,
    misses: wanted.misses,
    estimateUsd: chosen.usd,
    reasons: [...reasons, `${chosen.model} in place of ${model ?? "its own"}: ${why}`],
  };
}
