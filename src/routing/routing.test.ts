import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { capabilities as capabilityNames } from "../core/vocabulary.ts";
import type { HarnessCapabilities } from "../ports/harness.ts";
import { afterOutcome, type Circuit, circuitState, faultOf, newCircuit } from "./circuit.ts";
import { afterAttempt, newHistory } from "./history.ts";
import { findProfile, type Role, readyProfiles } from "./profile.ts";
import { type Candidate, circuitKey, historyKey, type Question, rank } from "./rank.ts";
import { serves, tierModels } from "./tier.ts";

const all: HarnessCapabilities = {
  resume: true,
  readOnly: true,
  systemPrompt: true,
  maxTurns: true,
  maxUsd: true,
  reportsUsage: true,
  reportsCost: true,
  toolServers: true,
};
const names = Object.keys(all) as (keyof HarnessCapabilities)[];
const claude: Candidate = { name: "claude-code", capabilities: all, defaultModel: "claude-sonnet-5-5" };
const codex: Candidate = { name: "codex", capabilities: { ...all, maxTurns: false }, defaultModel: "gpt-6.1-sol" };
const command: Candidate = { name: "command", capabilities: { ...all, readOnly: false }, defaultModel: null };
const full = readyProfiles["full"] as Question["profile"];

const question = (change: Partial<Question> = {}): Question => ({
  role: "implement",
  access: "write",
  needs: [],
  asked: { harness: null, model: null },
  order: ["claude-code", "codex", "command"],
  models: {},
  tiers: {},
  allowedModels: [],
  prefer: "listed",
  profile: full,
  profileName: "full",
  harnesses: [claude, codex, command],
  prices: {},
  money: { budgetUsd: 10, leftUsd: 10, downgradeAt: 0.9 },
  history: new Map(),
  circuits: new Map(),
  failed: [],
  now: 1_000_000,
  ...change,
});
const chosen = (change: Partial<Question> = {}): string[] =>
  rank(question(change)).choices.map(({ harness, model }) => `${harness} ${model ?? "-"}`);
const profile = (name: string): Pick<Question, "profile" | "profileName"> => ({
  profile: findProfile(name, {}) as Question["profile"],
  profileName: name,
});
const opened = (now: number): Circuit => [1, 2, 3].reduce((circuit) => afterOutcome(circuit, false, now), newCircuit);

describe("the order", () => {
  const table: [string, Partial<Question>, string[]][] = [
    [
      "is as configured, each with its own model",
      {},
      ["claude-code claude-sonnet-5-5", "codex gpt-6.1-sol", "command -"],
    ],
    [
      "begins with what was asked for",
      { asked: { harness: "codex", model: null } },
      ["codex gpt-6.1-sol", "claude-code claude-sonnet-5-5", "command -"],
    ],
    [
      "asks a harness for a model only if it serves it; who does not goes behind",
      { asked: { harness: null, model: "claude-opus-4-1" } },
      ["claude-code claude-opus-4-1", "command claude-opus-4-1", "codex gpt-6.1-sol"],
    ],
    [
      "Q5: goes to who serves the model of a role, not to the default",
      { models: { implement: "gpt-5.4" } },
      ["codex gpt-5.4", "command gpt-5.4", "claude-code claude-sonnet-5-5"],
    ],
    [
      "Q5: stays with the harness that a person named, and its own model",
      { asked: { harness: "claude-code", model: null }, models: { implement: "gpt-5.4" }, order: ["codex"] },
      ["claude-code claude-sonnet-5-5", "codex gpt-5.4"],
    ],
    [
      "Q5: is the configured one for tiers, which everybody has in their own way",
      { models: { implement: "strong" }, order: ["codex", "claude-code"] },
      ["codex gpt-6.2-astra", "claude-code claude-opus-5-5"],
    ],
    [
      "takes a tier as each harness has it",
      { models: { implement: "strong" } },
      ["claude-code claude-opus-5-5", "codex gpt-6.2-astra", "command -"],
    ],
    [
      "takes a model of a role, and of any role where that has none",
      { models: { plan: "strong", any: "fast" } },
      ["claude-code claude-haiku-5-5", "codex gpt-6.1-terra", "command -"],
    ],
    [
      "takes tiers of one's own",
      { models: { implement: "strong" }, tiers: { command: { strong: "big" } } },
      ["claude-code claude-opus-5-5", "codex gpt-6.2-astra", "command big"],
    ],
    [
      "puts who failed at this step behind",
      { failed: [{ harness: "claude-code", code: "BATON_HARNESS_CRASHED" }] },
      ["codex gpt-6.1-sol", "command -", "claude-code claude-sonnet-5-5"],
    ],
    [
      "leaves out what lacks a needed capability",
      { needs: ["readOnly", "maxTurns"] },
      ["claude-code claude-sonnet-5-5"],
    ],
    ["leaves out what the profile needs", profile("read-only"), ["claude-code claude-sonnet-5-5", "codex gpt-6.1-sol"]],
    ["is empty for a role that the profile has not", profile("plan-only"), []],
    [
      "holds for a role that the profile has",
      { role: "verify", ...profile("verify-only") },
      ["claude-code claude-sonnet-5-5", "codex gpt-6.1-sol"],
    ],
    [
      "takes an allowed model in place of one that is not",
      { allowedModels: ["claude-opus-5-5", "claude-haiku-5-5"] },
      ["claude-code claude-opus-5-5"],
    ],
    [
      "refuses what was asked for by name where it is not allowed",
      { asked: { harness: "claude-code", model: "claude-opus-4-1" }, allowedModels: ["claude-opus-5-5"], order: [] },
      [],
    ],
    [
      "goes by cost where that is preferred; unknown cost last",
      { prefer: "cheapest", models: { any: "fast" }, order: ["command", "codex", "claude-code"] },
      ["claude-code claude-haiku-5-5", "codex gpt-6.1-terra", "command -"],
    ],
    [
      "goes by what it did cost before what it should",
      {
        prefer: "cheapest",
        history: new Map([[historyKey("command", null, "implement"), { ...newHistory, usd: 0.01 }]]),
      },
      ["command -", "claude-code claude-sonnet-5-5", "codex gpt-6.1-sol"],
    ],
    [
      "takes the cheapest model near the limit",
      { money: { budgetUsd: 10, leftUsd: 0.9, downgradeAt: 0.9 } },
      ["claude-code claude-haiku-5-5", "codex gpt-6.1-terra", "command -"],
    ],
    [
      "takes the best model that the rest covers",
      { models: { any: "strong" }, money: { budgetUsd: 2, leftUsd: 0.9, downgradeAt: 1 } },
      ["claude-code claude-sonnet-5-5", "codex gpt-6.1-sol", "command -"],
    ],
    [
      "keeps what a person asked for by name also near the limit",
      {
        asked: { harness: null, model: "claude-opus-4-1" },
        money: { budgetUsd: 10, leftUsd: 0.1, downgradeAt: 0.9 },
        order: ["claude-code"],
      },
      ["claude-code claude-opus-4-1"],
    ],
  ];
  it.each(table)("%s", (_, change, expected) => {
    expect(chosen(change)).toEqual(expected);
  });

  it("takes the model of each role", () => {
    const roles: Role[] = ["plan", "implement", "repair", "address", "review", "verify"];
    const models = Object.fromEntries(roles.map((role) => [role, `m-${role}`]));
    expect(roles.map((role) => chosen({ role, models, order: ["command"] })[0])).toEqual(
      roles.map((role) => `command m-${role}`),
    );
  });

  it("every choice and every harness that was left out has a reason", () => {
    const { choices, left } = rank(
      question({
        needs: ["maxTurns"],
        order: ["claude-code", "codex", "ghost"],
        money: { budgetUsd: 10, leftUsd: 0.5, downgradeAt: 0.9 },
        failed: [{ harness: "claude-code", code: "BATON_HARNESS_QUOTA" }],
      }),
    );
    expect(choices[0]?.reasons).toEqual([
      "is the default",
      "claude-haiku-5-5 in place of claude-sonnet-5-5: only 0.50 of 10.00 USD are left",
      "failed at this step: BATON_HARNESS_QUOTA (The model's service reports too many requests, or a quota that is used up)",
      expect.stringMatching(/^about 0\.\d\d USD$/),
    ]);
    expect(left).toEqual([
      { harness: "codex", reason: "cannot count its turns (`maxTurns`)" },
      { harness: "ghost", reason: "is not set up here, or has another name" },
    ]);
  });

  it("a read-only profile holds a step that would write", () => {
    const [first] = rank(question(profile("read-only"))).choices;
    expect(first?.access).toBe("read-only");
    expect(first?.reasons).toContain("the profile `read-only` makes it read-only");
  });

  it("Q4: an open circuit leaves a harness out until its time, of one model only that model", () => {
    const circuits = new Map([[circuitKey("claude-code", null), opened(1_000_000)]]);
    expect(chosen({ circuits })).toEqual(["codex gpt-6.1-sol", "command -"]);
    const alone = rank(question({ circuits, order: ["claude-code"] }));
    expect(alone).toMatchObject({ choices: [], waitUntil: 1_060_000 });
    expect(alone.left[0]?.reason).toContain("in 60 s");
    // Half open: it is a choice again, after healthy harnesses.
    expect(chosen({ circuits, now: 1_060_000 })).toEqual([
      "codex gpt-6.1-sol",
      "command -",
      "claude-code claude-sonnet-5-5",
    ]);
    const ofModel = new Map([[circuitKey("claude-code", "claude-sonnet-5-5"), opened(1_000_000)]]);
    expect(chosen({ circuits: ofModel })[0]).toBe("codex gpt-6.1-sol");
    expect(chosen({ circuits: ofModel, models: { any: "strong" } })[0]).toBe("claude-code claude-opus-5-5");
  });
});

const usd = fc.double({ min: 0, max: 20, noNaN: true });
const harnessName = fc.constantFrom("claude-code", "codex", "command", "pi", "own");
const capabilities = fc.record(
  Object.fromEntries(names.map((name) => [name, fc.boolean()])),
) as fc.Arbitrary<HarnessCapabilities>;
const modelName = fc.constantFrom(null, "fast", "standard", "strong", "claude-opus-4-1", "gpt-5", "own-model");
const roles: Role[] = ["plan", "implement", "repair", "address", "review", "verify"];
const anyQuestion: fc.Arbitrary<Question> = fc.record({
  role: fc.constantFrom(...roles),
  access: fc.constantFrom("read-only" as const, "write" as const),
  needs: fc.subarray(names),
  asked: fc.record({ harness: fc.option(harnessName), model: modelName }),
  order: fc.array(harnessName, { maxLength: 5 }),
  models: modelName.map((any) => (any === null ? {} : { any })),
  tiers: fc.constantFrom({}, { own: { fast: "gpt-5-nano", strong: "gpt-5.5" } }),
  allowedModels: fc.constantFrom([], ["claude-haiku-5-5", "gpt-6.1-terra"]),
  prefer: fc.constantFrom("listed" as const, "cheapest" as const),
  profile: fc.record({
    access: fc.constantFrom("read-only" as const, "write" as const),
    roles: fc.subarray(roles),
    needs: fc.subarray(names, { maxLength: 2 }),
    harnesses: fc.oneof(fc.constant([]), fc.array(harnessName)),
    model: modelName,
  }),
  profileName: fc.constant("p"),
  harnesses: fc.uniqueArray(
    fc.record({
      name: harnessName,
      capabilities,
      defaultModel: fc.constantFrom(null, "claude-sonnet-5-5", "gpt-6.1-sol"),
    }),
    { selector: ({ name }) => name },
  ),
  prices: fc.constant({}),
  money: fc.record({ budgetUsd: usd, leftUsd: usd, downgradeAt: fc.double({ min: 0, max: 1, noNaN: true }) }),
  history: fc
    .array(
      fc.tuple(
        fc.tuple(
          harnessName,
          fc.constantFrom("claude-haiku-5-5", "gpt-6.1-sol", "claude-sonnet-5-5"),
          fc.constantFrom(...roles),
        ),
        usd,
      ),
    )
    .map(
      (all_) =>
        new Map(
          all_.map(([[harness, model, role], mean]) => [
            historyKey(harness, model, role),
            { ...newHistory, usd: mean },
          ]),
        ),
    ),
  circuits: fc
    .array(harnessName)
    .map((open) => new Map(open.map((name) => [circuitKey(name, null), opened(1_000_000)]))),
  failed: fc.array(fc.record({ harness: harnessName, code: fc.constant("BATON_HARNESS_CRASHED") }), { maxLength: 3 }),
  now: fc.constantFrom(1_000_000, 2_000_000),
});

describe("whatever is asked", () => {
  it("Q1: nothing is chosen that lacks a needed capability, is outside the profile or asks for a model that is not allowed", () => {
    fc.assert(
      fc.property(anyQuestion, (asked) => {
        const { choices } = rank(asked);
        for (const choice of choices) {
          const harness = asked.harnesses.find(({ name }) => name === choice.harness);
          const lacking = [...asked.needs, ...asked.profile.needs].filter(
            (need) => harness?.capabilities[need] !== true,
          );
          expect(lacking).toEqual([]);
          expect(asked.profile.harnesses.length === 0 || asked.profile.harnesses.includes(choice.harness)).toBe(true);
          expect(asked.profile.roles.length === 0 || asked.profile.roles.includes(asked.role)).toBe(true);
          expect(asked.allowedModels.length === 0 || asked.allowedModels.includes(choice.model ?? "")).toBe(true);
          expect(choice.access === "write" && asked.profile.access === "read-only").toBe(false);
          expect([...asked.order, asked.asked.harness]).toContain(choice.harness);
          expect(choice.reasons.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("Q2: the same question has the same answer, in whatever order harnesses are known", () => {
    fc.assert(
      fc.property(anyQuestion, (asked) => {
        const again = rank({
          ...asked,
          harnesses: asked.harnesses.toReversed(),
          history: new Map([...asked.history].reverse()),
        });
        expect(again).toEqual(rank(asked));
      }),
    );
  });

  it("each harness is once among the choices and those left out, if it is in the order", () => {
    fc.assert(
      fc.property(anyQuestion, (asked) => {
        fc.pre(asked.profile.roles.length === 0);
        const { choices, left } = rank(asked);
        for (const { reason } of left) expect(reason).toMatch(/^(?:is|has|fail|can|take|do|use)[^ ]* /);
        const named = [...choices.map(({ harness }) => harness), ...left.map(({ harness }) => harness)].sort();
        expect(named).toEqual(
          [...new Set([...asked.order, ...(asked.asked.harness === null ? [] : [asked.asked.harness])])].sort(),
        );
      }),
    );
  });

  it("Q3: with more left, no harness gets a cheaper model, and the first choice is not cheaper", () => {
    fc.assert(
      fc.property(anyQuestion, usd, (asked, more) => {
        const poor = rank(asked);
        const rich = rank({ ...asked, money: { ...asked.money, leftUsd: asked.money.leftUsd + more } });
        const estimates = ({ choices }: typeof poor) =>
          new Map(choices.map((choice) => [choice.harness, choice.estimateUsd ?? 0]));
        const before = estimates(poor);
        for (const [harness, estimate] of estimates(rich))
          expect(estimate).toBeGreaterThanOrEqual(before.get(harness) ?? 0);
        expect(rich.choices[0]?.estimateUsd ?? 0).toBeGreaterThanOrEqual(poor.choices[0]?.estimateUsd ?? 0);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("circuits", () => {
  const after = (...outcomes: [ok: boolean, at: number][]): Circuit =>
    outcomes.reduce((circuit, [ok, at]) => afterOutcome(circuit, ok, at), newCircuit);
  const minute = 60_000;

  it.each([
    ["two failures are an accident", after([false, 0], [false, 1]), 2, "closed"],
    ["three in a row open it", after([false, 0], [false, 1], [false, 2]), 3, "open"],
    [
      "three of many are no reason",
      after([true, 0], [true, 0], [true, 0], [true, 0], [false, 1], [false, 2], [false, 3]),
      4,
      "closed",
    ],
    ["failures of long ago do not count", after([false, 0], [false, 1], [false, 20 * minute]), 20 * minute, "closed"],
    ["after a minute a try goes", after([false, 0], [false, 0], [false, 0]), minute, "half-open"],
    ["the try that succeeds closes it", after([false, 0], [false, 0], [false, 0], [true, minute]), minute, "closed"],
    [
      "B3: the try that fails opens it for twice as long",
      after([false, 0], [false, 0], [false, 0], [false, minute]),
      3 * minute - 1,
      "open",
    ],
    [
      "B2: failures of attempts that began before do not lengthen it",
      after([false, 0], [false, 0], [false, 0], [false, 1], [false, 2]),
      minute,
      "half-open",
    ],
  ] as const)("%s", (_, circuit, now, state) => {
    expect(circuitState(circuit, now)).toBe(state);
  });

  it("never stays open for more than half an hour, and keeps a bounded memory", () => {
    const outcome = fc.record({ ok: fc.boolean(), pauseMs: fc.integer({ min: 0, max: 60 * minute }) });
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 200 }), (outcomes) => {
        let [circuit, now] = [newCircuit, 0];
        for (const { ok, pauseMs } of outcomes) {
          now += pauseMs;
          circuit = afterOutcome(circuit, ok, now);
          expect(circuit.outcomes.length).toBeLessThanOrEqual(20);
          expect((circuit.openUntil ?? now) - now).toBeLessThanOrEqual(30 * minute);
          expect(ok && circuitState(circuit, now) === "open").toBe(false);
        }
      }),
    );
  });

  it.each([
    ["BATON_HARNESS_AUTH", "harness"],
    ["BATON_HARNESS_CRASHED", "harness"],
    ["BATON_HARNESS_QUOTA", "model"],
    ["BATON_HARNESS_REFUSED", null],
    ["BATON_BUDGET_EXCEEDED", null],
    ["BATON_CANCELLED", null],
  ] as const)("B1: %s counts against: %s", (code, fault) => {
    expect(faultOf(code)).toBe(fault);
  });
});

describe("profiles, tiers, history", () => {
  it("ready-made profiles cannot be redefined, own ones are found, others are not there", () => {
    const own = { "read-only": { ...full, model: "x" }, mine: { ...full, model: "y" } };
    expect(findProfile("read-only", own)).toBe(readyProfiles["read-only"]);
    expect(findProfile("mine", own)?.model).toBe("y");
    expect([findProfile("none", own), findProfile("constructor", own)]).toEqual([null, null]);
  });

  it("the names of capabilities are the port's", () => {
    const declared: (keyof HarnessCapabilities)[] = [...capabilityNames];
    expect(declared.toSorted()).toEqual(names.toSorted());
  });

  it.each([
    ["claude-code", "claude-opus-9", true],
    ["claude-code", "gpt-5", false],
    ["codex", "claude-opus-5-5", false],
    ["codex", "my-gateway-model", true],
    ["own", "gpt-5", true],
  ])("%s serves %s: %s", (harness, model, expected) => {
    expect(serves(harness, model, {})).toBe(expected);
  });

  it("a model that the owner named for a harness is served by it", () => {
    const own = { codex: { strong: "claude-opus-5-5" } };
    expect(serves("codex", "claude-opus-5-5", own)).toBe(true);
    expect(tierModels("codex", own)).toMatchObject({ strong: "claude-opus-5-5", standard: "gpt-6.1-sol" });
  });

  it("history follows what succeeded, newer more than older; what broke off tells no cost", () => {
    const one = afterAttempt(newHistory, { ok: true, usd: 1, durationMs: 100 });
    const two = afterAttempt(one, { ok: false, usd: 9, durationMs: 1 });
    const three = afterAttempt(two, { ok: true, usd: 2, durationMs: 200 });
    expect(three).toEqual({ attempts: 3, successes: 2, usd: 1.2, durationMs: 120 });
  });
});
