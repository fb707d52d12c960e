import { describe, expect, it } from "vitest";
import type { Verdict } from "../core/vocabulary.ts";
import { explainLines, explainSentence } from "./explain.ts";

const verdict = (change: Partial<Verdict> = {}): Verdict => ({
  name: "checks",
  status: "passed",
  reason: "all 2 checks green.",
  evidence: [],
  children: [],
  ...change,
});
const child = (name: string, status: Verdict["status"]): Verdict =>
  verdict({ name, status, reason: `${name} is ${status}` });

describe("a verdict in words", () => {
  it.each([
    ["passed", "checks passed: all 2 checks green."],
    ["failed", "checks failed: all 2 checks green."],
    ["pending", "checks waits: all 2 checks green."],
    ["skipped", "checks does not count: all 2 checks green."],
    ["error", "checks could not be judged: all 2 checks green."],
  ] as const)("%s", (status, expected) => {
    expect(explainSentence(verdict({ status }))).toBe(expected);
  });

  it("shows the tree, what matters first", () => {
    const tree = verdict({
      status: "failed",
      reason: "no",
      children: [
        child("a", "passed"),
        child("b", "pending"),
        { ...child("c", "failed"), children: [child("d", "error")] },
        child("e", "skipped"),
      ],
    });
    expect(explainLines(tree)).toEqual([
      "- ❌ **checks** failed: no",
      "  - ❌ **c** failed: c is failed",
      "    - ⚠️ **d** could not be judged: d is error",
      "  - ⏳ **b** waits: b is pending",
      "  - ➖ **e** does not count: e is skipped",
      "  - ✅ **a** passed: a is passed",
    ]);
  });

  it("is bounded in length and depth, and counts what it leaves out", () => {
    const wide = verdict({ children: Array.from({ length: 100 }, (_, index) => child(`c${index}`, "passed")) });
    expect(explainLines(wide, { linesMax: 11 })).toHaveLength(12);
    expect(explainLines(wide, { linesMax: 11 }).at(-1)).toBe("- and 90 more");
    let deep = child("leaf", "passed");
    for (let depth = 0; depth < 10; depth += 1) deep = verdict({ children: [deep] });
    expect(explainLines(deep, { depthMax: 2 })).toHaveLength(4);
    expect(explainLines(deep, { depthMax: 2 }).at(-1)).toBe("- and 8 more");
  });

  it("a name or reason of others stays on its line and in its emphasis", () => {
    const [line] = explainLines(verdict({ name: "a**\n# b [x](y) <img>", reason: "one\n\n- two" }));
    expect(line).toBe("- ✅ **a\\*\\* # b \\[x\\](y) \\<img\\>** passed: one - two");
  });

  it("links evidence, and only to the web", () => {
    const evidence = [
      { label: "check", value: "1", url: "https://example.com/1" },
      { label: "bad", value: "2", url: "javascript:alert(1)" },
      { label: "broken", value: "3", url: "https://example.com/) [x](y" },
      { label: "none", value: "4" },
    ];
    expect(explainLines(verdict({ evidence }))[0]).toBe(
      "- ✅ **checks** passed: all 2 checks green. ([check](https://example.com/1))",
    );
  });
});
