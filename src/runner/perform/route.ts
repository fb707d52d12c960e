/**
 * Chooses the harness for a step: gathers facts for `routing/`, journals its verdict, and remembers the outcome.
 *
 * Owns: reading and keeping circuits and history (store values, so that replicas share them). Does not own: the
 * judgment.
 * Two replicas that save an outcome at the same moment may lose one of them. Then a circuit opens one attempt later.
 */
import { z } from "zod";
import type { Settings } from "../../config/schema.ts";
import type { AgentInput } from "../../core/effect.ts";
import { BatonError, type ErrorData } from "../../core/errors.ts";
import type { EffectState } from "../../core/state.ts";
import type { Json, Thread, Usage, Verdict } from "../../core/vocabulary.ts";
import type { Harness } from "../../ports/harness.ts";
import type { Store } from "../../ports/store.ts";
import { defineValues, readValue, writeValue } from "../../ports/values.ts";
import { afterOutcome, type Circuit, faultOf } from "../../routing/circuit.ts";
import { afterAttempt, type History, newHistory } from "../../routing/history.ts";
import { bothProfiles, findProfile, type Profile } from "../../routing/profile.ts";
import {
  type Choice,
  circuitKey,
  historyKey,
  modelsOf,
  type Question,
  type Ranking,
  rank,
} from "../../routing/rank.ts";
import type { Dependencies } from "../dependencies.ts";
import type { PerformContext } from "./performer.ts";

const circuitSchema: z.ZodType<Circuit> = z.object({
  outcomes: z.array(z.object({ at: z.number(), ok: z.boolean() })),
  openUntil: z.number().nullable(),
  openings: z.number(),
});
const historySchema: z.ZodType<History> = z.object({
  attempts: z.number(),
  successes: z.number(),
  usd: z.number().nullable(),
  durationMs: z.number().nullable(),
});

export interface Routed {
  harness: Harness;
  choice: Choice;
  /** The choice that would take over the work from this one. null: there is none. */
  next: Choice | null;
}

/** The outcome of an attempt. */
export interface Ran {
  harness: string;
  model: string | null;
  role: AgentInput["role"];
  error: ErrorData | null;
  usage: readonly Usage[];
  durationMs: number;
}

/** The part of the store for this memory. */
type Learned = Pick<Store, "value" | "setValue">;

export async function route(context: PerformContext, input: AgentInput, settings: Settings): Promise<Routed> {
  const { dependencies, state, effect, attempt } = context;
  const question = await questionOf(context, input, settings);
  const ranking = rank(question);
  const [choice, ...others] = ranking.choices;
  const harness = choice === undefined ? undefined : dependencies.harnesses.get(choice.harness);
  await context.decided?.(verdictOf(effect, attempt, ranking));
  if (choice === undefined || harness === undefined) throw nobody(question, ranking, dependencies);
  const failed = new Set(question.failed.map((one) => one.harness));
  dependencies.log.debug("Routed", {
    runId: state.runId,
    key: effect.key,
    harness: choice.harness,
    model: choice.model,
  });
  return { harness, choice, next: others.find((other) => !failed.has(other.harness)) ?? null };
}

/**
 * Another harness can take over after a harness's own fault. The error then allows another attempt and names that
 * harness.
 */
export function takenOver(error: ErrorData, { choice, next }: Routed): ErrorData {
  if (next === null || faultOf(error.code) === null) return error;
  return {
    code: "BATON_HARNESS_FALLBACK",
    message: `${choice.harness} gave up: ${error.message} ${next.harness} takes over.`,
    details: { ...error.details, code: error.code },
  };
}

/** Remembers the outcome of an attempt, for the next choice of any run. */
export async function remember(
  { store, clock }: { store: Learned; clock: Pick<Dependencies["clock"], "now"> },
  { harness, model, role, error, usage, durationMs }: Ran,
  run: { thread?: Thread } = {},
): Promise<void> {
  const circuits = circuitsOf(store, run);
  const fault = error === null ? null : faultOf(error.code);
  // This outcome is neither a success nor the harness's own fault, so it proves nothing (circuit.B1).
  if (error !== null && fault === null) return;
  const keys = fault === "harness" ? [circuitKey(harness, null)] : [circuitKey(harness, model)];
  if (fault === null && model !== null) keys.push(circuitKey(harness, null));
  for (const key of keys) {
    const circuit = await circuitOf(circuits, key);
    // Nothing is written while the harness works without faults.
    if (circuit === null && fault === null) continue;
    const after = afterOutcome(circuit ?? { outcomes: [], openUntil: null, openings: 0 }, fault === null, clock.now());
    await writeValue(circuits, circuitValues.at(key), after);
    // This copy only informs people about a harness: it never blocks one.
    if (circuits !== store) {
      const all = (await circuitOf(store, key)) ?? { outcomes: [], openUntil: null, openings: 0 };
      const { outcomes } = afterOutcome(all, fault === null, clock.now());
      await writeValue(store, circuitValues.at(key), { outcomes, openUntil: null, openings: 0 });
    }
  }
  const key = historyKey(harness, model, role);
  const usd = usage.some(({ costUsd }) => costUsd === null)
    ? null
    : usage.reduce((sum, one) => sum + (one.costUsd ?? 0), 0);
  const known = usage.some(({ tokens }) => tokens.input + tokens.output > 0) ? usd : null;
  const history = afterAttempt((await historyOf(store, key)) ?? newHistory, {
    ok: error === null,
    usd: known,
    durationMs,
  });
  await writeValue(store, historyValues.at(key), history);
}

/** Circuits belong to one repository. Failures in one repository say nothing about another, and must not block it. */
function circuitsOf(store: Learned, { thread }: { thread?: Thread }): Learned {
  if (thread === undefined) return store;
  const at = (name: string): string =>
    name.startsWith(circuitValues.at("").name) ? `repositories/${thread.repository.id}/${name}` : name;
  return { value: (name) => store.value(at(name)), setValue: (name, value) => store.setValue(at(name), value) };
}

/** The memory of attempts on runners. Each repository has its own, because each has its own machines and keys. */
export function learnedOnRunners(store: Learned, repositoryId: number): Learned {
  const at = (name: string): string => `runners/${repositoryId}/${name}`;
  return { value: (name) => store.value(at(name)), setValue: (name, value) => store.setValue(at(name), value) };
}

/** Everything that the choice for this step would read, by name: for a worker without a store. */
export async function learnedFor(
  context: Pick<PerformContext, "dependencies" | "state" | "effect">,
  input: AgentInput,
  settings: Settings,
): Promise<Record<string, Json>> {
  const { dependencies, state } = context;
  const store = learnedOnRunners(dependencies.store, state.thread.repository.id);
  const found: Record<string, Json> = {};
  const value = async (name: string): Promise<Json> => {
    const known = await store.value(name);
    if (known !== null) found[name] = known;
    return known;
  };
  const noting = { ...dependencies, store: { ...store, value } as unknown as Store };
  await questionOf({ dependencies: noting, state, effect: context.effect }, input, settings);
  return found;
}

async function questionOf(
  { dependencies, state, effect }: Pick<PerformContext, "dependencies" | "state" | "effect">,
  input: AgentInput,
  settings: Settings,
): Promise<Question> {
  const { clock, harnesses } = dependencies;
  const store = circuitsOf(dependencies.store, state);
  const { harness: wanted, profiles, tiers, budget, prices } = settings;
  const named = (name: string, where: string): Profile => {
    const found = findProfile(name, profiles as Record<string, Profile>);
    if (found === null) throw new BatonError("BATON_INPUT_INVALID", `There is no profile "${name}" (${where}).`);
    return found;
  };
  const ofRun = named(wanted.profile, "`harness.profile`");
  const profile = input.profile === undefined ? ofRun : bothProfiles(ofRun, named(input.profile, effect.key));
  const { any, ...byRole } = settings.models;
  const models = Object.fromEntries(Object.entries(byRole).filter(([, model]) => model !== null));
  const fallbackModel = any ?? wanted.model;
  const { money } = state;
  const own = effect.attempts.at(-1)?.reservedUsd ?? 0;
  const partial = {
    role: input.role,
    asked: { harness: input.harness ?? null, model: input.model ?? null },
    only: input.onlyHarness === true,
    order: [wanted.default, ...wanted.fallback],
    models: { ...models, ...(fallbackModel === null ? {} : { any: fallbackModel }) } as Question["models"],
    tiers: tiers as Question["tiers"],
    profile,
  };
  const candidates = [...harnesses.values()].map(({ name, capabilities, defaultModel }) => ({
    name,
    capabilities,
    defaultModel,
  }));
  const circuits = new Map<string, Circuit>();
  const history = new Map<string, History>();
  const reads: Promise<unknown>[] = [];
  for (const candidate of candidates) {
    if (!partial.order.includes(candidate.name) && partial.asked.harness !== candidate.name) continue;
    for (const model of new Set([null, ...modelsOf(partial, candidate)])) {
      const [own, ofRole] = [circuitKey(candidate.name, model), historyKey(candidate.name, model, input.role)];
      // At once: the store reads values that are asked for together in one statement.
      reads.push(
        circuitOf(store, own).then((circuit) => circuit !== null && circuits.set(own, circuit)),
        historyOf(store, ofRole).then((past) => past !== null && history.set(ofRole, past)),
      );
    }
  }
  await Promise.all(reads);
  return {
    ...partial,
    access: input.access,
    needs: input.needs ?? [],
    profileName: input.profile === undefined ? wanted.profile : `${wanted.profile}, ${input.profile}`,
    allowedModels: wanted.models,
    prefer: wanted.prefer,
    harnesses: candidates,
    prices,
    money: {
      budgetUsd: money.budgetUsd,
      leftUsd: Math.max(0, money.budgetUsd - money.spentUsd - Math.max(0, money.reservedUsd - own)),
      downgradeAt: budget.downgradeAt,
    },
    circuits,
    history,
    failed: failures(effect),
    now: clock.now(),
  };
}

function failures(effect: EffectState): Question["failed"] {
  return effect.attempts.flatMap(({ error, kept }) => {
    const code = error?.details?.["code"] ?? error?.code ?? null;
    return code === null || kept === null || faultOf(code) === null ? [] : [{ harness: kept.harness, code }];
  });
}

function nobody(
  { asked, order }: Question,
  { left, waitUntil }: Ranking,
  { harnesses, clock }: Pick<Dependencies, "harnesses" | "clock">,
): BatonError {
  const names = [...new Set([...(asked.harness === null ? [] : [asked.harness]), ...order])];
  if (!names.some((name) => harnesses.has(name)))
    return new BatonError(
      "BATON_HARNESS_UNKNOWN",
      `Harness "${names[0] ?? ""}" is not known. Known: ${[...harnesses.keys()].join(", ")}.`,
    );
  const reasons = left.map(({ harness, reason }) => (harness === "" ? reason : `${harness} ${reason}.`)).join(" ");
  if (waitUntil !== null)
    return new BatonError("BATON_HARNESS_UNAVAILABLE", reasons, { retryAfterMs: Math.max(0, waitUntil - clock.now()) });
  return new BatonError("BATON_HARNESS_UNSUITABLE", reasons);
}

/** The verdict that `/baton why` shows. */
function verdictOf(effect: EffectState, attempt: number, { choices, left }: Ranking): Verdict {
  const [first, ...others] = choices;
  const line = (status: Verdict["status"], name: string, reason: string): Verdict => ({
    name,
    status,
    reason,
    evidence: [],
    children: [],
  });
  const what = `${effect.key}${attempt === 1 ? "" : `, attempt ${attempt}`}`;
  return {
    ...line(
      first === undefined ? "failed" : "passed",
      what,
      first === undefined ? "No harness can do this." : `Goes to ${nameOf(first)}: ${first.reasons.join("; ")}.`,
    ),
    children: [
      ...others.map((choice) => line("skipped", nameOf(choice), `Next: ${choice.reasons.join("; ")}.`)),
      ...left.map(({ harness, reason }) => line("skipped", harness === "" ? "profile" : harness, reason)),
    ],
  };
}

function nameOf({ harness, model }: Choice): string {
  return model === null ? harness : `${harness} with ${model}`;
}

const circuitValues = defineValues("routing/circuit/", circuitSchema);
const historyValues = defineValues("routing/history/", historySchema);

export function circuitOf(store: Pick<Store, "value">, key: string): Promise<Circuit | null> {
  return readValue(store, circuitValues.at(key));
}

function historyOf(store: Pick<Store, "value">, key: string): Promise<History | null> {
  return readValue(store, historyValues.at(key));
}
