/**
 * The table of models: it contains the defaults with prices, and none of them is retired on the table's date. No test here
 * reads the calendar.
 */
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { readSettings } from "../environment/settings.ts";
import { findPrice } from "../money/prices.ts";
import { tierModels, tiers } from "../routing/tier.ts";
import { harnessesHere } from "../wire-tools.ts";
import {
  defaultTiers,
  harnessProviders,
  type ModelRow,
  modelRow,
  modelSources,
  models,
  modelTableDate,
  retirementText,
  retiringDefaults,
  searchFee,
  searchFeeSources,
  tableAgeText,
} from "./models.ts";

const day = /^20\d{2}-\d{2}-\d{2}$/;

it.each([
  ["anthropic", "claude-opus-5-5", 0.01, "search"],
  ["openai", "gpt-6.1-sol", 0.01, "search"],
  ["openai", "gpt-4.1-mini", 0.025, "search"],
  ["google", "gemini-3.8-flash", 0.014, "search"],
  ["google", "gemini-2.5-pro", 0.035, "request"],
] as const)("a search by %s for %s costs %d USD for each %s", (provider, model, usd, per) => {
  expect(searchFee(provider, model)).toEqual({ usd, per });
  expect(searchFeeSources[provider]).toMatch(/^https:/);
});

describe("harnesses-and-models: living defaults from one table", () => {
  const harnesses = [...harnessesHere(readSettings({})).values()].filter(({ defaultModel }) => defaultModel !== null);

  it("every harness that asks for a model by itself has its provider in the table", () => {
    expect(harnesses.map(({ name }) => name).sort()).toEqual(Object.keys(harnessProviders).sort());
  });

  it.each(harnesses.map(({ name, defaultModel }) => [name, defaultModel as string] as const))(
    "%s: its default %s and its tiers are in the table, priced, and not retired within 60 days of the table's date",
    (name, defaultModel) => {
      const byTier = tierModels(name, {});
      expect(byTier.standard).toBe(defaultModel);
      for (const tier of tiers) {
        const row = modelRow(byTier[tier] as string);
        expect(row?.provider).toBe(harnessProviders[name]);
        expect(findPrice(byTier[tier] as string, {})).toMatchObject({ price: row?.price, version: modelTableDate });
      }
      expect(retiringDefaults(modelTableDate, 60).filter(({ harness }) => harness === name)).toEqual([]);
    },
  );

  it.each([
    "gpt-5-codex",
    "gpt-5.2-codex",
    "claude-sonnet-4-5",
    "claude-opus-4-5",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gpt-5-mini",
  ])("%s is nobody's default, and its retirement is known", (model) => {
    expect(Object.values(defaultTiers).flatMap((tier) => Object.values(tier))).not.toContain(model);
    expect(modelRow(model)?.retires).toMatch(day);
  });

  it("each row is there once, with a day or none; each provider names its sources", () => {
    expect(new Set(models.map(({ model }) => model)).size).toBe(models.length);
    for (const { model, retires } of models)
      if (retires !== null) expect([model, retires]).toEqual([model, expect.stringMatching(day)]);
    for (const { prices, retirements, read } of Object.values(modelSources)) {
      for (const address of [prices, retirements]) expect(new URL(address).protocol).toBe("https:");
      expect(read).toMatch(day);
    }
  });
});

describe("defaults that retire", () => {
  const table = (retires: string): ModelRow[] => [{ ...(modelRow("gemini-3.8-flash") as ModelRow), retires }];
  it.each<[string, string, number[]]>([
    ["2027-01-01", "2027-02-01", []],
    ["2027-01-02", "2027-02-01", [30]],
    ["2027-02-01", "2027-02-01", [0]],
    ["2028-02-28", "2028-03-01", [2]],
    ["2028-03-02", "2028-03-01", [-1]],
  ])("on %s of one that retires on %s: %j", (today, retires, days) => {
    expect(retiringDefaults(today, 30, table(retires)).map((one) => one.days)).toEqual(days);
  });

  it("the text says when and what to do", () => {
    const one = { harness: "gemini", tier: "standard", model: "m", retires: "2027-02-01" } as const;
    expect(retirementText({ ...one, days: 1 })).toContain("retires on 2027-02-01, in 1 day.");
    expect(retirementText({ ...one, days: 0 })).toContain("retired on 2027-02-01.");
  });

  it("`models:check` takes a day, and says what to look at; of an old table it says so", () => {
    const run = (today: string) => spawnSync(process.execPath, ["tools/models-check.ts", today], { encoding: "utf8" });
    const fine = run(modelTableDate);
    expect([fine.status, fine.stdout]).toEqual([0, expect.stringContaining("No default model retires within 30 days")]);
    expect(fine.stdout).toContain(modelSources.openai.retirements);
    expect(run("soon").status).not.toBe(0);
    expect([run("2031-01-01").status, run("2031-01-01").stdout]).toEqual([1, expect.stringContaining("days old")]);
  });
});

it.each<[string, string | null]>([
  ["2026-12-01", null],
  ["2027-02-28", null],
  ["2027-03-01", "The table of models was read on 2026-11-30 and is 91 days old."],
])("on %s the age of the table is worth a word: %j", (today, text) => {
  if (text === null) expect(tableAgeText(today)).toBeNull();
  else expect(tableAgeText(today)).toContain(text);
});
