import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defaultSettings, type Settings } from "../../config/schema.ts";
import type { FileFact, GateFacts } from "../facts.ts";
import { gates, runGate } from "./index.ts";

const sha = "a".repeat(40);
const file = (path: string, added: number | null = 1, removed: number | null = 0): FileFact => ({
  path,
  added,
  removed,
});
const context = { settings: defaultSettings, now: 1_000 };
const facts = (files: FileFact[]): GateFacts => ({ sha, since: 0, files });
const denied: Settings = {
  ...defaultSettings,
  breakpoints: { ...defaultSettings.breakpoints, protectedPaths: "deny" },
};
const lines = [file("a.ts", 10, 5), file("b.png", null, null), file("package-lock.json", 4_000, 0)];

describe("gates by name", () => {
  it.each([
    ["diff-size: no limit", "diff-size", lines, {}, "passed"],
    ["diff-size: at the limit", "diff-size", lines, { filesMax: 3, linesMax: 4_015 }, "passed"],
    ["diff-size: a line too many", "diff-size", lines, { linesMax: 4_014 }, "failed"],
    ["diff-size: a file too many", "diff-size", lines, { filesMax: 2 }, "failed"],
    [
      "diff-size: lock files do not count",
      "diff-size",
      lines,
      { filesMax: 2, linesMax: 15, ignore: ["**/package-lock.json"] },
      "passed",
    ],
    ["diff-size: nothing", "diff-size", [], { filesMax: 1 }, "passed"],
    ["something-changed: a file", "something-changed", [file("a.ts")], {}, "passed"],
    ["something-changed: nothing", "something-changed", [], {}, "failed"],
    [
      "something-changed: nothing, where tests are wanted",
      "something-changed",
      [],
      { include: ["**/*.test.ts"] },
      "failed",
    ],
    [
      "something-changed: no test, where one is wanted",
      "something-changed",
      [file("a.ts")],
      { include: ["**/*.test.ts"] },
      "failed",
    ],
    [
      "something-changed: a test, where one is wanted",
      "something-changed",
      [file("a.ts"), file("a.test.ts")],
      { include: ["**/*.test.ts"] },
      "passed",
    ],
    [
      "something-changed: two tests",
      "something-changed",
      [file("b.test.ts"), file("a.test.ts")],
      { include: ["**/*.test.ts"] },
      "passed",
    ],
    ["paths-allowed: ordinary files", "paths-allowed", [file("a.ts")], undefined, "passed"],
    [
      "paths-allowed: a protected path waits for a person",
      "paths-allowed",
      [file(".github/workflows/ci.yml")],
      {},
      "pending",
    ],
    ["paths-allowed: within", "paths-allowed", [file("src/a.ts")], { only: ["src/**"] }, "passed"],
    ["paths-allowed: outside", "paths-allowed", [file("src/a.ts"), file("README.md")], { only: ["src/**"] }, "failed"],
    [
      "paths-allowed: outside outweighs protected",
      "paths-allowed",
      [file("baton.yaml")],
      { only: ["src/**"] },
      "failed",
    ],
    ["U0: a gate that does not exist", "diffsize", [], {}, "error"],
    ["U0: an option that does not exist", "diff-size", [], { filesmax: 3 }, "error"],
    ["U0: an option that makes no sense", "diff-size", [], { filesMax: 0 }, "error"],
    ["U0: options that are none", "diff-size", [], "small", "error"],
    ["U0: facts that are missing", "checks-green", [], {}, "error"],
  ] as [string, string, FileFact[], unknown, string][])("%s", (_, name, files, options, expected) => {
    expect(runGate(name, facts(files), options, context).status).toBe(expected);
  });

  it.each([
    [
      "the limit, what was found and what to do",
      "diff-size",
      lines,
      { filesMax: 2, linesMax: 5 },
      /3 changed files, limit 2, 4015 changed lines, limit 5\. Split/,
    ],
    ["one of one", "diff-size", [file("a.ts", 1, 0)], {}, /^1 file and 1 line changed\.$/],
    ["one file", "something-changed", [file("a.ts")], {}, /^1 file was changed\.$/],
    ["two files", "something-changed", [file("a.ts"), file("b.ts")], {}, /^2 files were changed\.$/],
    [
      "the paths outside, each once, the rest counted",
      "paths-allowed",
      Array.from({ length: 12 }, (_, index) => file(`docs/${index}`)),
      { only: ["src/**"] },
      /leaves `src\/\*\*`: `docs\/0`.*and 2 more/,
    ],
    [
      "the gate that was meant",
      "check-green",
      [],
      {},
      /no gate "check-green"\. Known: checks-green.*Was `checks-green` meant/,
    ],
    ["the gates there are", "xyz", [], {}, /Known: checks-green, diff-size, paths-allowed, something-changed\.$/],
    ["the option that is wrong", "diff-size", [], { linesMax: "many" }, /options of the gate `diff-size`.*linesMax:/],
    ["the facts that are missing", "checks-green", [], {}, /checks, required, suites, ownAppId could not be read/],
  ] as [string, string, FileFact[], unknown, RegExp][])(
    "the sentence tells %s",
    (_, name, files, options, expected) => {
      expect(runGate(name, facts(files), options, context).reason).toMatch(expected);
    },
  );

  it("paths-allowed: refuses protected paths where the settings do", () => {
    expect(runGate("paths-allowed", facts([file("baton.yaml")]), {}, { ...context, settings: denied })).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("deny"),
    });
  });

  it("checks-green is judged by the settings and the clock of the context", () => {
    const checks: GateFacts = { sha, since: 0, checks: [], required: [], suites: [], ownAppId: 99 };
    expect(runGate("checks-green", checks, { baseBranch: "main" }, context).status).toBe("pending");
    expect(runGate("checks-green", checks, {}, { ...context, now: 90_000 }).status).toBe("failed");
  });

  it("every gate has a name, a sentence and something that it judges", () => {
    for (const [name, gate] of gates) {
      expect(gate.name).toBe(name);
      expect(gate.summary).toMatch(/\.$/);
      expect(gate.needs.length).toBeGreaterThan(0);
    }
  });

  it("U0: whatever the options are, a gate answers", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...gates.keys(), "none"),
        fc.jsonValue(),
        fc.array(
          fc.string().map((path) => file(path)),
          { maxLength: 5 },
        ),
        (name, options, files) => {
          expect(["passed", "failed", "pending", "skipped", "error"]).toContain(
            runGate(name, facts(files), options, context).status,
          );
        },
      ),
    );
  });
});
