import { describe, expect, it } from "vitest";
import { effectiveDifference } from "./effective.ts";
import { parseConfig } from "./parse.ts";
import { defaultSettings } from "./schema.ts";

function problems(text: string) {
  const parsed = parseConfig(text);
  return parsed.ok ? [] : parsed.problems;
}

describe("baton.yaml", () => {
  it.each(["", "# nothing\n", "version: 1\n", "{}"])("%j gives the defaults", (text) => {
    expect(parseConfig(text)).toEqual({ ok: true, settings: defaultSettings });
  });

  it("an unknown key names its line, what is allowed, and the key that was meant", () => {
    expect(problems("version: 1\nbudget:\n  runUSD: 3\n")).toEqual([
      {
        line: 3,
        column: 3,
        path: "budget.runUSD",
        message: expect.stringContaining("Allowed: runUsd, maxUsd"),
        suggestion: "runUsd",
      },
    ]);
  });

  it("tells all problems at once, each at its line", () => {
    const found = problems("harnes: x\nlimits:\n  turns: none\nmerge: atuo\n");
    expect(found.map(({ line, path }) => [line, path])).toEqual(
      expect.arrayContaining([
        [1, "harnes"],
        [3, "limits.turns"],
        [4, "merge"],
      ]),
    );
    expect(found.find(({ path }) => path === "harnes")?.suggestion).toBe("harness");
  });

  it.each([
    ["not YAML", "a: [1\n"],
    ["a key twice", "version: 1\nversion: 1\n"],
    ["a list", "- 1\n"],
    ["a text", "hello"],
    [
      "an alias bomb",
      `a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n`,
    ],
    ["too large a file", "#".repeat(70_000)],
    ["a negative budget", "budget: {runUsd: -1}"],
    ["a prefix that is no branch name", "branchPrefix: '../x'"],
  ])("%s is refused with a line", (_, text) => {
    expect(problems(text).length).toBeGreaterThan(0);
    expect(problems(text)[0]?.line).toBeGreaterThan(0);
  });

  it("merge is written short or long", () => {
    expect(parseConfig("merge: auto")).toMatchObject({
      ok: true,
      settings: { merge: { mode: "auto", method: "squash" } },
    });
    expect(parseConfig("merge: {mode: auto, method: rebase}")).toMatchObject({
      ok: true,
      settings: { merge: { mode: "auto", method: "rebase" } },
    });
  });

  it("the effective difference shows what changes, not what is written differently", () => {
    const same = parseConfig("merge: {mode: manual}");
    const other = parseConfig("approvals: {self: allow}\nbudget: {runUsd: 9}");
    expect(same.ok && effectiveDifference(defaultSettings, same.settings)).toEqual([]);
    expect(other.ok && effectiveDifference(defaultSettings, other.settings)).toEqual([
      { path: "approvals.self", from: '"deny"', to: '"allow"' },
      { path: "budget.runUsd", from: "5", to: "9" },
    ]);
  });
});
