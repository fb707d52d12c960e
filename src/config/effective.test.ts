import { describe, expect, it } from "vitest";
import { configCheck, renderDifference } from "./check.ts";
import { effectiveDifference } from "./effective.ts";
import { type JsonSchema, settingsJsonSchema } from "./json-schema.ts";
import { loosening } from "./loosening.ts";
import { parseConfig } from "./parse.ts";
import { defaultSettings, type Settings } from "./schema.ts";

function settings(text: string): Settings {
  const parsed = parseConfig(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.settings;
}

describe("the effective difference", () => {
  it("shows what changes, not what is written differently", () => {
    expect(effectiveDifference(defaultSettings, settings("merge: {mode: manual}\nversion: 1"))).toEqual([]);
    expect(
      effectiveDifference(defaultSettings, settings("approvals: {self: allow}\nbudget: {runUsd: 3}")),
    ).toMatchObject([
      {
        path: "approvals.self",
        from: '"deny"',
        to: '"allow"',
        loosens: true,
        sentence: expect.stringMatching(
          /goes from `"deny"` to `"allow"`, which allows more than before\. Whether the person/,
        ),
      },
      { path: "budget.runUsd", from: "5", to: "3", loosens: false },
    ]);
  });

  it.each([
    ["budget: {runUsd: 6}", "", true],
    ["", "budget: {runUsd: 6}", false],
    ["budget: {warnAt: [0.5]}", "", true],
    ["budget: {unknownPrice: allow}", "", true],
    ["limits: {turns: 81}", "", true],
    ["limits: {turns: 79}", "", false],
    ["gates: {ignore: [flaky]}", "", true],
    ["", "gates: {required: [test]}", true],
    ["gates: {required: [test]}", "", false],
    ["gates: {appearSeconds: 1}", "", true],
    ["gates: {noChecks: pass}", "", true],
    ["approvals: {count: 2}", "", false],
    ["", "approvals: {count: 2}", true],
    ["approvals: {people: [alice]}", "", false],
    ["approvals: {people: [alice, bob]}", "approvals: {people: [alice]}", true],
    ["approvals: {people: [alice]}", "approvals: {people: [alice, bob]}", false],
    ["", "approvals: {people: [alice]}", true],
    ["approvals: {permission: admin}", "", false],
    ["", "approvals: {permission: admin}", true],
    ["breakpoints: {review: auto}", "", true],
    ["breakpoints: {plan: ask}", "", false],
    ["protectedPaths: []", "", true],
    ["merge: auto", "", true],
    ["", "merge: auto", false],
    ["commands: {run: triage}", "", true],
    ["commands: {steer: admin}", "", false],
    ["commands: {allow: {budget: admin}}", "commands: {allow: {budget: write}}", false],
    ["commands: {allow: {budget: write}}", "commands: {allow: {budget: admin}}", true],
    ["commands: {bots: [3]}", "", true],
    [
      "prices: {m: {input: 1, output: 1, cacheRead: 1, cacheWrite: 1}}",
      "prices: {m: {input: 2, output: 1, cacheRead: 1, cacheWrite: 1}}",
      true,
    ],
    [
      "prices: {m: {input: 2, output: 1, cacheRead: 1, cacheWrite: 1}}",
      "prices: {m: {input: 1, output: 1, cacheRead: 1, cacheWrite: 1}}",
      false,
    ],
    ["harness: {command: [node, x.js]}", "", true],
    ["harness: {default: codex}", "", false],
  ])("%j instead of %j allows more: %s", (to, from, expected) => {
    const changes = effectiveDifference(settings(from), settings(to));
    expect(changes.length).toBeGreaterThan(0);
    expect(changes.some(({ loosens }) => loosens)).toBe(expected);
  });

  it("a price within a name with dots is told by its key", () => {
    const [change] = effectiveDifference(
      defaultSettings,
      settings('prices: {"gpt-5.4": {input: 1, output: 1, cacheRead: 1, cacheWrite: 1}}'),
    );
    expect(change).toMatchObject({
      path: "prices.gpt-5.4.cacheRead",
      from: "(none)",
      loosens: true,
      sentence: expect.stringContaining("USD per million tokens read from the cache."),
    });
  });

  it("every key of the format has a direction, and only those", () => {
    expect(Object.keys(loosening).sort()).toEqual(leafKeys(settingsJsonSchema()).sort());
  });
});

/** `prices.*.input`. A union is one leaf, unless one of its forms is a map with keys that the settings keep. */
function leafKeys(schema: JsonSchema, path: string[] = []): string[] {
  const map = [schema, ...(schema.anyOf ?? [])].find(({ properties }) => properties !== undefined);
  if (map?.properties !== undefined)
    return Object.entries(map.properties).flatMap(([key, inner]) => leafKeys(inner, [...path, key]));
  if (typeof schema.additionalProperties === "object") return leafKeys(schema.additionalProperties, [...path, "*"]);
  return [path.join(".")];
}

describe("the check run on a change of baton.yaml", () => {
  const check = (text: string, base = "") =>
    configCheck({ path: ".github/baton.yaml", parsed: parseConfig(text), base: settings(base) });
  it.each([
    ["nothing in effect", "version: 1", "success", "Nothing changes in effect"],
    ["something stricter", "approvals: {count: 2}", "success", "1 setting changes"],
    [
      "something looser",
      "approvals: {self: allow, count: 2}",
      "neutral",
      "2 settings change, 1 allows more than before",
    ],
    [
      "a warning",
      "merge: auto\nbreakpoints: {review: auto}",
      "neutral",
      "2 settings change, 2 allow more than before, 1 warning",
    ],
    ["errors", "x: 1\ny: 1\n", "failure", "2 problems in .github/baton.yaml"],
  ] as const)("%s", (_, text, conclusion, title) => {
    expect(check(text)).toMatchObject({ conclusion, title });
  });

  it("annotates each problem at its line of the file that was changed", () => {
    expect(check("version: 1\nbudgte: {}\n").annotations).toEqual([
      {
        path: ".github/baton.yaml",
        line: 2,
        level: "failure",
        title: "budgte",
        message: expect.stringContaining("Did you mean `budget`?"),
      },
    ]);
  });

  it("the table shows what allows more first, and a value cannot break it", () => {
    const { summary } = check('process: "a|b`c"\nmerge: auto');
    expect(summary).toBe(
      [
        "| Setting | Before | After | |",
        "|---|---|---|---|",
        '| `merge.mode` | `"manual"` | `"auto"` | **allows more** |',
        '| `process` | `null` | `"a\\|b?c"` |  |',
      ].join("\n"),
    );
  });

  it("stays within what a check run takes, however much changes", () => {
    const prices = Array.from(
      { length: 400 },
      (_, index) => `  m${index}: {input: 1, output: 1, cacheRead: 1, cacheWrite: 1}`,
    ).join("\n");
    const { summary } = check(`prices:\n${prices}\n`);
    expect(summary).toContain("and 1500 more");
    expect(summary.length).toBeLessThan(60_000);
  });

  it("nothing to show is said", () => {
    expect(renderDifference([])).toContain("behavior is unchanged");
  });
});
