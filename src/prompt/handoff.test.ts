import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AgentOutput } from "../core/effect.ts";
import { handoff, pullRequestText, questionsOf } from "./handoff.ts";
import { readAnswers } from "./outcomes.ts";
import { estimateTokens } from "./tokens.ts";

const report = [
  "### Intent",
  "Multiply.",
  "### Decisions",
  "No rounding.",
  "**Discoveries:**",
  "The tax is wrong, too.",
  "## Risks",
  "None known.",
  "### Verification",
  "npm test: 2 passed.",
  "### Next",
  "Repair the tax.",
].join("\n");

const output = (more: Partial<AgentOutput> = {}): AgentOutput => ({
  harness: "small",
  model: "m",
  text: report,
  sessionId: null,
  baseSha: "a".repeat(40),
  headSha: "b".repeat(40),
  commits: 1,
  files: [{ path: "src/cart.js", added: 3, removed: 1 }],
  rescued: false,
  turns: 1,
  transcriptId: null,
  promptId: null,
  ...more,
});

describe("handoff", () => {
  it.each<[Parameters<typeof handoff>[0]["role"], Parameters<typeof handoff>[1], string[], string[]]>([
    [
      "implement",
      "repair",
      ["Intent", "Decisions", "Discoveries", "Next", "src/cart.js (+3 -1)"],
      ["Verification", "Risks"],
    ],
    ["implement", "review", ["Intent", "Decisions", "Risks", "src/cart.js"], ["Verification", "npm test", "Next"]],
    ["implement", "verify", ["Intent", "Risks"], ["Verification"]],
    ["review", "address", ["Discoveries", "Next"], ["Intent", "src/cart.js"]],
    ["plan", "implement", ["Discoveries", "Risks"], ["Intent", "src/cart.js"]],
  ])("%s to %s: who goes on gets what was found, who judges gets no claims", (role, to, has, hasNot) => {
    const { text } = handoff({ role, title: "Do it" }, to, output()) ?? { text: "" };
    for (const part of has) expect(text).toContain(part);
    for (const part of hasNot) expect(text).not.toContain(part);
  });

  it("A1: never more than its tokens, and what was cut says so", () => {
    const long = handoff(
      { role: "implement", title: "Do it" },
      "repair",
      output({ text: `### Intent\n${"word ".repeat(20_000)}` }),
    );
    expect(estimateTokens(long?.text ?? "")).toBeLessThanOrEqual(1_500);
    expect(long?.text).toContain("the rest of this handoff was cut");
    fc.assert(
      fc.property(fc.string({ maxLength: 9_000 }), fc.nat(500), (text, files) => {
        const left = handoff(
          { role: "implement", title: "t" },
          "review",
          output({
            text: `### Intent\n${text}`,
            files: Array.from({ length: files }, (_, index) => ({ path: `f${index}`, added: 1, removed: null })),
          }),
        );
        expect(estimateTokens(left?.text ?? "")).toBeLessThanOrEqual(1_000);
      }),
      { numRuns: 30 },
    );
  });

  it("nothing is handed on where nothing was left", () => {
    expect(handoff({ role: "plan", title: "Plan" }, "implement", output({ text: "Done.", files: [] }))).toBeNull();
  });
});

describe("questions", () => {
  it.each([
    ["none", "### Intent\nMultiply.", []],
    [
      "one a line, however it is listed",
      "I looked.\n### Questions\n- Round up?\n2. And\tdown?\n\n",
      ["Round up?", "And\tdown?"],
    ],
    ["only at the end: a report that goes on is an answer", "### Questions\nWhich?\n### Intent\nMultiply.", []],
    ["bounded", `## Questions\n${"Why?\n".repeat(9)}`, Array(5).fill("Why?")],
  ])("%s", (_, text, expected) => {
    expect(questionsOf(text)).toEqual(expected);
  });
});

describe("the pull request's text", () => {
  const facts = {
    thread: { number: 7, kind: "issue" as const, title: "The sum" },
    plan: "Multiply.",
    steps: [output()],
  };
  const outcomes = [{ id: "sum.1", statement: "Two items at 3 cost 6" }];

  it("has the expected outcomes, answered by nobody or by whom", () => {
    expect(pullRequestText(facts).body).not.toContain("Expected outcomes");
    expect(pullRequestText({ ...facts, outcomes }).body).toMatch(
      /### Expected outcomes[\s\S]*▫️ \| `sum\.1`[\s\S]*nobody yet/,
    );
    const { answers } = readAnswers(
      '```json\n{"answers": [{"id": "sum.1", "met": true, "evidence": "ran it"}]}\n```',
      outcomes,
    );
    expect(pullRequestText({ ...facts, outcomes, answers: { by: "codex", answers } }).body).toMatch(
      /✅ \| `sum\.1` \| Two items at 3 cost 6 \| ran it[\s\S]*Answered by codex/,
    );
  });

  it.each([
    ["fix: sum [skip ci]", "fix: sum (skip ci)"],
    ["Fixes #99 @bob [no ci]", "Fixes no. 99 @ bob (no ci)"],
    ["\u200b", "Change"],
  ])("commits-carry-whatever-the-agent-says: the title %j becomes %j, with nothing invisible", (title, expected) => {
    expect(pullRequestText({ ...facts, thread: { ...facts.thread, title } }).title).toBe(expected);
  });

  it("commits-carry-whatever-the-agent-says: nothing in the body skips CI where it becomes a commit's message", () => {
    const words = "[skip ci] [no ci] ***NO_CI*** skip-checks: true";
    const thread = { ...facts.thread, title: words };
    const { body } = pullRequestText({
      ...facts,
      thread,
      plan: words,
      steps: [output({ text: `## Risks\n\n${words}` })],
    });
    expect(body).toContain("(skip ci)");
    expect(body).not.toMatch(/\[(?:skip|no) ci\]|\*\*NO_CI|skip-checks/);
  });

  it.each([
    ["### Title\nfix: count each item\n\n### Intent\nMultiply.", "fix: count each item"],
    ["### Title\n**`total` counts each item.**\n\n### Intent\nMultiply.", "`total` counts each item"],
    ["### Title\nChanges\n\n### Intent\nMultiply.", "The sum"],
    [`### Title\n${"long ".repeat(40)}\n\n### Intent\nMultiply.`, "The sum"],
    ["### Title\nOne thing\nand another\n\n### Intent\nMultiply.", "The sum"],
    ["### Title\nCloses #99 for @bob\n\n### Intent\nMultiply.", "Closes no. 99 for @ bob"],
    ["### Intent\nMultiply.", "The sum"],
  ])("the title is the agent's, if it says what changes: %j", (text, title) => {
    expect(pullRequestText({ ...facts, steps: [output({ text })], since: [] }).title).toBe(title);
    // A run of an older Baton keeps its title.
    expect(pullRequestText({ ...facts, steps: [output({ text })] }).title).toBe("The sum");
  });

  it("accumulates: a repair adds to the text, and replaces only how it was checked", () => {
    const one = output({
      text: "### Title\nCount each item\n### Intent\nCount.\n### Decisions\n- Multiply.\n### Verification\nNot run.",
    });
    const two = output({
      text: "### Title\nRepair\n### Intent\nAn empty cart costs 0.\n### Decisions\n- Multiply.\n- Begin at 0.\n### Verification\n2 pass.",
    });
    const idle = output({ headSha: null, text: "### Intent\nNothing." });
    const { title, body } = pullRequestText({
      ...facts,
      steps: [one, two, idle],
      since: [
        { title: "Repair the checks (1 of 3)", output: two },
        { title: "Address the review", output: idle },
      ],
    });
    expect(title).toBe("Count each item");
    expect(body).toMatch(
      /### Intent\n\nCount\.\n\n### Since then\n\n- Repair the checks \(1 of 3\): An empty cart costs 0\.\n\n### Decisions\n\n- Multiply\.\n- Begin at 0\.\n\n/,
    );
    expect(body).toMatch(/### Verification\n\n2 pass\./);
    expect(body).not.toContain("Not run.");
    expect(body).not.toContain("Nothing.");
  });

  it("has discoveries and what is next only where there are some", () => {
    expect(pullRequestText(facts).body).toContain("### Discoveries\n\nThe tax is wrong, too.");
    expect(pullRequestText({ ...facts, steps: [output({ text: "Done." })] }).body).not.toMatch(
      /### (?:Discoveries|Next)/,
    );
  });
});
