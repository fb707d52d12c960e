import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noTokens, type Usage, usageSchema } from "../core/vocabulary.ts";
import { admit, budgetWarnings, raisedBudget, worthwhileUsd } from "./budget.ts";
import { costOf, priceUsage, unpriced } from "./cost.ts";
import { findPrice, normaliseModel, priceTable, priceTableVersion } from "./prices.ts";

describe("prices", () => {
  it.each([
    ["claude-sonnet-4-5-20250929", "claude-sonnet-4-5"],
    ["anthropic/claude-opus-5-5", "claude-opus-5-5"],
    ["claude-opus-4-1@20250805", "claude-opus-4-1"],
    ["claude-3-7-sonnet-latest", "claude-3-7-sonnet"],
    ["Claude-Opus-4-20250514 ", "claude-opus-4"],
    ["gpt-5-mini-2026-01-01", "gpt-5-mini"],
    ["openai/gpt-6.1-sol-2026-09-29", "gpt-6.1-sol"],
    ["gpt-5-codex", "gpt-5-codex"],
    ["claude-haiku-5-5", "claude-haiku-5-5"],
  ])("%s takes the price of %s", (model, listed) => {
    expect(normaliseModel(model)).toBe(listed);
    expect(findPrice(model, {})?.price).toEqual(priceTable[listed]);
  });

  it.each([
    "gpt-50",
    "gpt-5.4-codex",
    "gpt-5-turbo",
    "claude-opus-4-6[1m]",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "my-model",
    "",
    "constructor",
    "__proto__",
  ])("P1: %j has no price: nothing is guessed from a name that looks alike", (model) => {
    expect(findPrice(model, {})).toBeNull();
  });

  it("every listed price is plausible: reading the cache is cheaper than input, output dearer", () => {
    const implausible = Object.entries(priceTable).filter(
      ([model, { input, output, cacheRead, cacheWrite }]) =>
        normaliseModel(model) !== model ||
        !(cacheRead > 0 && cacheRead < input && input <= cacheWrite && input < output),
    );
    expect(implausible).toEqual([]);
  });

  it("P2: a price of baton.yaml comes before the table, by exact or by listed name", () => {
    const price = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };
    expect(findPrice("gpt-5-2026-01-01", { "gpt-5": price })).toEqual({ price, version: "baton.yaml" });
    expect(findPrice("Local/Llama", { "Local/Llama": price })).toEqual({ price, version: "baton.yaml" });
    expect(findPrice("gpt-5", {})?.version).toBe(priceTableVersion);
  });
});

describe("cost", () => {
  const tokens = { input: 1_000_000, output: 100_000, cacheRead: 2_000_000, cacheWrite: 1_000_000 };
  const sonnetUsd = 3 + 1.5 + 0.6 + 3.75;
  const free = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  it.each([
    [
      "the table, where the harness reports nothing",
      "claude-sonnet-4-5",
      null,
      {},
      { costUsd: sonnetUsd, priceSource: "table", priceTableVersion },
    ],
    [
      "C2: the table, where the harness reports less",
      "claude-sonnet-4-5",
      1,
      {},
      { costUsd: sonnetUsd, priceSource: "table" },
    ],
    [
      "C2: the harness, where it reports more",
      "claude-sonnet-4-5",
      12.6,
      {},
      { costUsd: 12.6, priceSource: "harness", priceTableVersion: null },
    ],
    [
      "C1: the price of baton.yaml, whatever the harness reports",
      "claude-sonnet-4-5",
      12.6,
      { "claude-sonnet-4-5": free },
      { costUsd: 0, priceSource: "table", priceTableVersion: "baton.yaml" },
    ],
    ["the harness, for a model that is not listed", "mine", 0.3, {}, { costUsd: 0.3, priceSource: "harness" }],
    ["C3: nothing, where nobody knows", "mine", null, {}, { costUsd: null, priceSource: "unknown" }],
    [
      "C3: nothing, where the harness reports nonsense",
      "mine",
      Number.NaN,
      {},
      { costUsd: null, priceSource: "unknown" },
    ],
    [
      "the table, where the harness reports less than nothing",
      "gpt-5",
      -1,
      {},
      { costUsd: 1.25 + 1 + 0.25 + 1.25, priceSource: "table" },
    ],
  ] as const)("%s", (_, model, costUsd, overrides, expected) => {
    const priced = priceUsage({ harness: "h", model, tokens, costUsd }, overrides);
    expect(priced).toMatchObject(expected);
    expect(usageSchema.safeParse(priced).success).toBe(true);
  });

  it.each([
    ["claude-sonnet-4-5", null, sonnetUsd + 0.02, "table"],
    ["claude-sonnet-4-5", 12.6, 12.62, "harness"],
    ["mine", null, 0.02, "unknown"],
  ] as const)("fees of the service come on top: %s, reported %s", (model, costUsd, allUsd, priceSource) => {
    const priced = priceUsage({ harness: "h", model, tokens, costUsd, feesUsd: 0.02 }, {});
    expect(priced).toMatchObject({ costUsd: expect.closeTo(allUsd, 9), feesUsd: 0.02, priceSource });
    expect(usageSchema.parse(priced)).toEqual(priced);
    expect(priceUsage({ harness: "h", model, tokens, costUsd, feesUsd: 0 }, {})).not.toHaveProperty("feesUsd");
  });

  it("a cloud's factor raises the price of the table, and no price of the owner", () => {
    const used = { harness: "h", model: "claude-sonnet-4-5", tokens, costUsd: null, priceFactor: 1.1 };
    expect(priceUsage(used, {}).costUsd).toBeCloseTo(sonnetUsd * 1.1, 9);
    const own = { input: 1, output: 1, cacheRead: 1, cacheWrite: 1 };
    expect(priceUsage(used, { "claude-sonnet-4-5": own }).costUsd).toBe(costOf(tokens, own));
  });

  it("grows with every kind of token", () => {
    const count = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(
        fc.record({ input: count, output: count, cacheRead: count, cacheWrite: count }),
        fc.constantFrom("input", "output", "cacheRead", "cacheWrite"),
        fc.constantFrom(...Object.keys(priceTable)),
        (used, kind, model) => {
          const price = priceTable[model];
          if (price === undefined) throw new Error(model);
          expect(costOf({ ...used, [kind]: used[kind] + 1_000 }, price)).toBeGreaterThan(costOf(used, price));
        },
      ),
    );
  });

  const usage = (change: Partial<Usage>): Usage => ({
    harness: "h",
    model: "m",
    tokens: { ...noTokens, input: 1 },
    costUsd: null,
    priceSource: "unknown",
    priceTableVersion: null,
    ...change,
  });
  it.each([
    ["tokens without a price stop", [usage({})], "stop", true],
    ["nothing used stops nothing", [usage({ tokens: noTokens })], "stop", false],
    ["priced tokens stop nothing", [usage({ costUsd: 0, priceSource: "table" })], "stop", false],
    ["one of two models without a price stops", [usage({ costUsd: 1 }), usage({ model: "x" })], "stop", true],
    ["budget.unknownPrice: allow lets them pass", [usage({})], "allow", false],
  ] as const)("C3: %s", (_, used, unknownPrice, stops) => {
    expect(unpriced(used, unknownPrice) !== null).toBe(stops);
  });

  it("says which models have no price, and where to put one", () => {
    expect(unpriced([usage({ model: "a" }), usage({ model: "b" }), usage({ model: "a" })], "stop")).toMatchObject({
      code: "BATON_PRICE_UNKNOWN",
      message: expect.stringMatching(/"a", "b".*`prices`/),
    });
  });
});

describe("budget", () => {
  it("B1: over 10,000 random schedules of parallel attempts, spent and set aside stay within the budget", () => {
    const step = fc.record({
      start: fc.boolean(),
      wantUsd: fc.double({ min: 0.01, max: 5, noNaN: true }),
      used: fc.double({ min: 0, max: 1, noNaN: true }),
      which: fc.nat(),
    });
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 20, noNaN: true }),
        fc.array(step, { maxLength: 60 }),
        (budgetUsd, steps) => {
          const open: number[] = [];
          let spentUsd = 0;
          for (const { start, wantUsd, used, which } of steps) {
            const reservedUsd = open.reduce((sum, usd) => sum + usd, 0);
            if (start) {
              const admission = admit({ budgetUsd, spentUsd, reservedUsd, wantUsd });
              if (admission.ok) open.push(admission.reserveUsd);
            } else {
              const [reserved] = open.splice(which % Math.max(1, open.length), 1);
              if (reserved !== undefined) spentUsd += reserved * used;
            }
            expect(spentUsd + open.reduce((sum, usd) => sum + usd, 0)).toBeLessThanOrEqual(budgetUsd + 1e-9);
          }
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it("B1: one attempt at a time, each overshooting by up to its whole reservation, overspends by at most one reservation", () => {
    const attempt = fc.record({
      wantUsd: fc.double({ min: 0.01, max: 5, noNaN: true }),
      used: fc.double({ min: 0, max: 2, noNaN: true }),
    });
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 20, noNaN: true }),
        fc.array(attempt, { maxLength: 60 }),
        (budgetUsd, attempts) => {
          let spentUsd = 0;
          let largestUsd = 0;
          for (const { wantUsd, used } of attempts) {
            const admission = admit({ budgetUsd, spentUsd, reservedUsd: 0, wantUsd });
            if (!admission.ok) continue;
            largestUsd = Math.max(largestUsd, admission.reserveUsd);
            spentUsd += admission.reserveUsd * used;
          }
          expect(spentUsd).toBeLessThanOrEqual(budgetUsd + largestUsd + 1e-9);
        },
      ),
      { numRuns: 10_000 },
    );
  });

  it.each([
    [
      "sets aside what is wanted",
      { budgetUsd: 5, spentUsd: 0, reservedUsd: 0, wantUsd: 2 },
      { ok: true, reserveUsd: 2 },
    ],
    [
      "sets aside what is left",
      { budgetUsd: 1, spentUsd: 0.25, reservedUsd: 0.5, wantUsd: 2 },
      { ok: true, reserveUsd: 0.25 },
    ],
    [
      "B2: refuses when nothing worthwhile is left",
      { budgetUsd: 1, spentUsd: 0.995, reservedUsd: 0, wantUsd: 2 },
      { ok: false, neededUsd: 1.995 },
    ],
    [
      "refuses after an overshoot, and asks for it too",
      { budgetUsd: 1, spentUsd: 1.5, reservedUsd: 0, wantUsd: 2 },
      { ok: false, neededUsd: 2.5 },
    ],
    [
      "a budget of 0 dispatches nothing",
      { budgetUsd: 0, spentUsd: 0, reservedUsd: 0, wantUsd: 2 },
      { ok: false, neededUsd: 2 },
    ],
  ] as const)("%s", (_, funds, expected) => {
    const admission = admit(funds);
    expect(admission.ok).toBe(expected.ok);
    expect(admission.ok ? admission.reserveUsd : admission.neededUsd).toBeCloseTo(
      expected.ok ? expected.reserveUsd : expected.neededUsd,
      9,
    );
  });

  it("what is asked for after a refusal is enough for the dispatch", () => {
    const usd = fc.double({ min: 0, max: 20, noNaN: true });
    fc.assert(
      fc.property(
        usd,
        usd,
        usd,
        fc.double({ min: worthwhileUsd, max: 5, noNaN: true }),
        (budgetUsd, spentUsd, reservedUsd, wantUsd) => {
          const refused = admit({ budgetUsd, spentUsd, reservedUsd, wantUsd });
          fc.pre(!refused.ok);
          if (refused.ok) return;
          expect(admit({ budgetUsd: budgetUsd + refused.neededUsd + 1e-9, spentUsd, reservedUsd, wantUsd }).ok).toBe(
            true,
          );
        },
      ),
    );
  });

  it("tells of each passed fraction once, in order", () => {
    const at = (spentUsd: number, warnedFraction: number, budgetUsd = 10) =>
      budgetWarnings({ budgetUsd, spentUsd, reservedUsd: 0, warnedFraction, fractions: [0.8, 0.5] });
    expect(at(4.9, 0)).toEqual([]);
    expect(at(5, 0)).toEqual([0.5]);
    expect(at(9, 0)).toEqual([0.5, 0.8]);
    expect(at(9, 0.8)).toEqual([]);
    expect(at(0, 0, 0)).toEqual([]);
  });

  it.each([
    ["a top-up", raisedBudget({ budgetUsd: 5, addUsd: 2, maxUsd: 25 }), 7],
    ["a top-up to the maximum", raisedBudget({ budgetUsd: 5, addUsd: 20, maxUsd: 25 }), 25],
    ["B3: a top-up beyond the maximum is refused", raisedBudget({ budgetUsd: 24, addUsd: 2, maxUsd: 25 }), null],
    ["a top-up of nothing is refused", raisedBudget({ budgetUsd: 5, addUsd: 0, maxUsd: 25 }), null],
    ["a top-up that takes away is refused", raisedBudget({ budgetUsd: 5, addUsd: -2, maxUsd: 25 }), null],
  ] as const)("%s", (_, request, expected) => {
    expect(request.ok ? request.budgetUsd : null).toBe(expected);
    expect(request.ok || /USD/.test(request.reason)).toBe(true);
  });
});
