import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { noTokens } from "../core/vocabulary.ts";
import { admit, budgetWarnings } from "./budget.ts";
import { priceUsage } from "./cost.ts";
import { priceOf, priceTable } from "./prices.ts";

describe("prices", () => {
  it.each([
    ["claude-sonnet-4-5-20250929", "claude-sonnet-4"],
    ["claude-opus-4-5-20251101", "claude-opus-4-5"],
    ["claude-opus-4-1", "claude-opus-4"],
    ["gpt-5-mini-2026-01-01", "gpt-5-mini"],
    ["gpt-5.1", "gpt-5"],
  ])("%s takes the price of %s", (model, family) => {
    expect(priceOf(model, {})).toEqual(priceTable[family]);
  });

  it.each(["gpt-50", "my-model", ""])("%s has no price: nothing is guessed", (model) => {
    expect(priceOf(model, {})).toBeNull();
  });

  it("an override comes before the table", () => {
    const price = { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 };
    expect(priceOf("gpt-5", { "gpt-5": price })).toEqual(price);
  });

  it("prices the four kinds of tokens apart, and says where the figure comes from", () => {
    const tokens = { input: 1_000_000, output: 100_000, cacheRead: 2_000_000, cacheWrite: 1_000_000 };
    expect(priceUsage({ harness: "h", model: "claude-sonnet-4-5", tokens, costUsd: 99 }, {})).toMatchObject({ costUsd: 3 + 1.5 + 0.6 + 3.75, priceSource: "table" });
    expect(priceUsage({ harness: "h", model: "mine", tokens, costUsd: 0.3 }, {})).toMatchObject({ costUsd: 0.3, priceSource: "harness" });
    expect(priceUsage({ harness: "h", model: "mine", tokens: noTokens, costUsd: null }, {})).toMatchObject({ costUsd: null, priceSource: "unknown" });
  });
});

describe("budget", () => {
  it("B1: over any schedule of reserve and settle, the excess is at most one overshoot", () => {
    const step = fc.record({ start: fc.boolean(), wantUsd: fc.double({ min: 0.01, max: 5, noNaN: true }), used: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(fc.double({ min: 0, max: 20, noNaN: true }), fc.array(step, { maxLength: 60 }), (budgetUsd, steps) => {
        const open: number[] = [];
        let spentUsd = 0;
        for (const { start, wantUsd, used } of steps) {
          const reservedUsd = open.reduce((sum, usd) => sum + usd, 0);
          if (start) {
            const admission = admit({ budgetUsd, spentUsd, reservedUsd, wantUsd });
            if (admission.ok) open.push(admission.reserveUsd);
          } else {
            const reserved = open.shift();
            if (reserved !== undefined) spentUsd += reserved * used;
          }
          expect(spentUsd + open.reduce((sum, usd) => sum + usd, 0)).toBeLessThanOrEqual(budgetUsd + 1e-9);
        }
      }),
      { numRuns: 10_000 },
    );
  });

  it("refuses when nothing worthwhile is left and says how much is needed", () => {
    expect(admit({ budgetUsd: 1, spentUsd: 0.995, reservedUsd: 0, wantUsd: 2 })).toMatchObject({ ok: false });
    expect(admit({ budgetUsd: 1, spentUsd: 0.4, reservedUsd: 0.4, wantUsd: 2 })).toEqual({ ok: true, reserveUsd: expect.closeTo(0.2, 9) });
  });

  it("tells of each passed fraction once", () => {
    const at = (spentUsd: number, warnedFraction: number) => budgetWarnings({ budgetUsd: 10, spentUsd, reservedUsd: 0, warnedFraction, fractions: [0.5, 0.8] });
    expect(at(4.9, 0)).toEqual([]);
    expect(at(5, 0)).toEqual([0.5]);
    expect(at(9, 0)).toEqual([0.5, 0.8]);
    expect(at(9, 0.8)).toEqual([]);
  });
});
