import { describe, expect, it } from "vitest";
import { defaultSettings } from "../../config/schema.ts";
import { noTokens, type Tokens, usageSchema } from "../../core/vocabulary.ts";
import type { HarnessResult } from "../../ports/harness.ts";
import { Meter } from "./meter.ts";

const model = "claude-sonnet-4-5";
const tokens: Tokens = { input: 1_000_000, output: 0, cacheRead: 0, cacheWrite: 0 };
const half: Tokens = { ...tokens, input: 500_000 };
const meter = (): Meter => new Meter("h", defaultSettings, 2);
const ended = (usage: HarnessResult["usage"]): HarnessResult => ({
  ok: true,
  error: null,
  text: "",
  sessionId: null,
  usage,
  turns: 1,
  exitCode: 0,
  signal: null,
  transcript: "",
  transcriptTruncated: false,
  durationMs: 1,
});
const use = (change: { model?: string; tokens?: Tokens } = {}) => ({
  model,
  tokens,
  requests: 1,
  estimated: 0,
  ...change,
});

describe("usage-that-falls-is-believed", () => {
  const report = (input: number, costUsd: number | null) => ({
    type: "usage" as const,
    model: "m",
    tokens: { ...noTokens, input, output: input },
    costUsd,
  });

  it.each([
    ["in money and tokens", [report(100, 1), report(1, 0.0001)], 1, 100],
    ["in money alone", [report(100, 1), report(200, 0.5)], 1, 200],
    ["to nothing", [report(100, 1), report(0, 0)], 1, 100],
    ["and says no money any more", [report(100, 1), report(100, null)], 1, 100],
    ["and rises again", [report(100, 1), report(1, 0.1), report(150, 1.5)], 1.5, 150],
  ] as const)("a report that falls %s: the largest counts", (_, reports, usd, input) => {
    const one = meter();
    for (const event of reports) one.take(event);
    expect(one.spentUsd()).toBe(usd);
    const [last] = reports.slice(-1);
    const settled = one.settle(ended(last === undefined ? [] : [{ ...last }]));
    expect(settled).toMatchObject([{ costUsd: usd, tokens: { input } }]);
  });

  it("the last line of a harness does not make it less", () => {
    const one = meter();
    one.take(report(100, 1));
    expect(one.settle(ended([{ model: "m", tokens: noTokens, costUsd: 0 }]))).toMatchObject([{ costUsd: 1 }]);
    expect(one.fell).toBe(true);
  });

  it.each([1e300, Number.POSITIVE_INFINITY])(
    "a cost of %s is bounded, and charged at one reservation beyond what is set aside",
    (costUsd) => {
      const one = meter();
      one.take(report(100, costUsd));
      expect(one.claimedUsd()).toBe(1_000_000);
      expect(one.spentUsd()).toBe(4);
      expect(one.usage()).toMatchObject([{ costUsd: 4, reported: { costUsd: 1_000_000 } }]);
    },
  );

  it("M4: models together are charged one reservation beyond what is set aside, and more once more is", () => {
    const one = meter();
    for (const [name, costUsd] of [
      ["m", 3],
      ["n", 2],
      ["o", 1],
    ] as const)
      one.take({ ...report(100, costUsd), model: name });
    expect(one.usage().map(({ costUsd }) => costUsd)).toEqual([3, 1, 0]);
    one.reservedUsd = 3.5;
    expect(one.usage().map(({ costUsd }) => costUsd)).toEqual([3, 2, 0.5]);
  });

  it.each([-5, Number.NaN])("a cost of %s counts as none", (costUsd) => {
    const one = meter();
    one.take(report(100, costUsd));
    expect(one.spentUsd()).toBe(0);
  });
});

describe("what an attempt used", () => {
  it("M2: nothing passed the proxy: the harness's report, the last one for each model", () => {
    const one = meter();
    one.take({ type: "usage", model, tokens: half, costUsd: null });
    expect(one.settle(ended([{ model, tokens, costUsd: null }]))).toMatchObject([{ model, tokens, costUsd: 3 }]);
  });

  it("M1: the harness says nothing: what the proxy counted", () => {
    const one = meter();
    one.count(use());
    expect(one.settle(ended([]))).toEqual([
      { harness: "h", model, tokens, costUsd: 3, priceSource: "table", priceTableVersion: expect.any(String) },
    ]);
  });

  it.each([
    ["less", half, 0.1],
    ["more", { ...tokens, input: 9_000_000 }, 27],
    ["only more money", { ...tokens, output: 1 }, 27],
  ])("M1: the harness says %s: its word is kept beside and moves no money", (_, said, costUsd) => {
    const one = meter();
    one.count(use());
    const [usage, ...more] = one.settle(ended([{ model, tokens: said, costUsd }]));
    expect(more).toEqual([]);
    expect(usage).toMatchObject({ tokens, costUsd: 3, reported: { tokens: said, costUsd } });
    expect(usageSchema.parse(usage)).toEqual(usage);
  });

  it.each([4, 27])(
    "M1: for the same tokens the harness says %s USD: kept beside, what was reserved holds",
    (costUsd) => {
      const one = meter();
      one.count(use());
      const [usage] = one.settle(ended([{ model, tokens, costUsd }]));
      expect(usage).toMatchObject({ costUsd: 3, priceSource: "table", reported: { tokens, costUsd } });
    },
  );

  it("a model without a price costs what the harness says", () => {
    const one = meter();
    one.count(use({ model: "own" }));
    expect(one.settle(ended([{ model: "own", tokens: half, costUsd: 0.4 }]))).toMatchObject([
      { model: "own", tokens, costUsd: 0.4, reported: { tokens: half, costUsd: 0.4 } },
    ]);
  });

  it("a model that the harness speaks of and nobody saw costs nothing, and is kept", () => {
    const one = meter();
    one.count(use());
    expect(one.settle(ended([{ model: "ghost", tokens, costUsd: 9 }]))).toMatchObject([
      { model, costUsd: 3 },
      { model: "ghost", tokens: noTokens, costUsd: 0, reported: { tokens, costUsd: 9 } },
    ]);
  });
});
