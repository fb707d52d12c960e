import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../core/limits.ts";
import {
  answersFormat,
  type Outcome,
  outcomeCharactersMax,
  outcomesMax,
  outcomesVerdict,
  readAnswers,
  readableOutcomes,
  renderOutcomes,
  unanswered,
} from "./outcomes.ts";

const outcomes: Outcome[] = [
  { id: "sum.1", statement: "Two items at 3 cost 6" },
  { id: "sum.2", statement: "An empty cart costs nothing" },
];
const answered = (answers: unknown): string => `I looked.\n\n\`\`\`json\n${JSON.stringify({ answers })}\n\`\`\`\n`;
const yes = (id: string) => ({ id, met: true, evidence: "`npm test`: 2 passed" });

describe("answers", () => {
  it.each<[string, string, boolean[], RegExp | null]>([
    ["all answered", answered([yes("sum.2"), yes("sum.1")]), [true, true], null],
    ["one is no", answered([yes("sum.1"), { ...yes("sum.2"), met: false }]), [true, false], null],
    ["O1: one is missing", answered([yes("sum.1")]), [true, false], null],
    [
      "O1: one twice, also where both say yes",
      answered([yes("sum.1"), yes("sum.1"), yes("sum.2")]),
      [false, true],
      null,
    ],
    ["O1: without evidence", answered([yes("sum.1"), { ...yes("sum.2"), evidence: "  " }]), [true, false], null],
    [
      "an id that was not asked for",
      answered([yes("sum.1"), yes("sum.2"), yes("sum.3")]),
      [true, true],
      /"sum\.3" is none/,
    ],
    ["`met` as a word", answered([{ ...yes("sum.1"), met: "yes" }, yes("sum.2")]), [false, false], /answers\.0\.met/],
    ["a key too many", answered([{ ...yes("sum.1"), sure: true }]), [false, false], /answers\.0/],
    ["no JSON", "```json\n{answers: all}\n```", [false, false], /answers/],
    ["no block", "All of them hold.", [false, false], /no block/],
    ["a later block counts", `${answered([])}\n${answered([yes("sum.1"), yes("sum.2")])}`, [true, true], null],
  ])("%s", (_, text, met, problem) => {
    const read = readAnswers(text, outcomes);
    expect(read.answers.map((one) => one.met)).toEqual(met);
    expect(read.answers.map(({ id }) => id)).toEqual(["sum.1", "sum.2"]);
    if (problem === null) expect(read.problems).toEqual([]);
    else expect(read.problems.join("\n")).toMatch(problem);
  });

  it("whatever an agent writes, each outcome has one answer, and only a strict yes with evidence is met", () => {
    const answer = fc.record(
      { id: fc.constantFrom("sum.1", "sum.2", "x"), met: fc.oneof(fc.boolean(), fc.string()), evidence: fc.string() },
      { requiredKeys: ["id"] },
    );
    fc.assert(
      fc.property(fc.array(answer), fc.string(), (given, before) => {
        const { answers } = readAnswers(`${before}\n${answered(given)}`, outcomes);
        expect(answers).toHaveLength(outcomes.length);
        for (const { id, met } of answers) {
          const own = given.filter((one) => one.id === id);
          if (met) expect(own).toEqual([expect.objectContaining({ met: true, evidence: expect.stringMatching(/\S/) })]);
        }
      }),
    );
  });

  it("what an agent is shown as the form is read as an answer", () => {
    expect(readAnswers(answersFormat(outcomes), outcomes).answers[0]?.met).toBe(true);
    expect(answersFormat([])).toBe("");
  });

  it("O2: shown as the word of who gave it, and what mentions or links in it does nothing", () => {
    const { answers } = readAnswers(
      answered([
        { id: "sum.1", met: true, evidence: "@everyone | see\nhere" },
        { ...yes("sum.2"), met: false },
      ]),
      outcomes,
    );
    const shown = renderOutcomes(answers, "codex");
    expect(shown).toMatch(/✅ \| `sum\.1`.*@\u200beveryone \\\| see here/);
    expect(shown).toContain("| ❌ | `sum.2` |");
    expect(shown).toContain("Answered by codex: its word");
    expect(renderOutcomes(unanswered(outcomes), null)).toContain("answered by nobody yet");
    expect(readableOutcomes(`Before\n\n${shown}`)).toMatch(
      /^Before\n\n\| State \| Name \| Outcome \| Evidence \|\n.*\n\| (?:✅ met|❌ not met|❔ not shown) \| `/,
    );
    expect(readableOutcomes("| ✅ | `x` | of somebody else |")).toBe("| ✅ | `x` | of somebody else |");
    expect(renderOutcomes([], null)).toBe("");
  });

  it.each([
    [answered([yes("sum.1"), yes("sum.2")]), outcomes, "passed", /All 2/],
    [answered([yes("sum.1")]), outcomes, "failed", /1 of 2 .*sum\.2/],
    ["", outcomes, "failed", /no block/],
    ["", [], "skipped", /nothing to answer/],
  ] as const)("as a verdict: %#", (text, expected, status, reason) => {
    const verdict = outcomesVerdict(readAnswers(text, expected), "codex");
    expect(verdict).toMatchObject({ status, reason: expect.stringMatching(reason) });
    expect(verdict.children).toHaveLength(expected.length);
  });

  it("as many as may be expected fit into the prompt", () => {
    expect(outcomesMax * (outcomeCharactersMax + 48)).toBeLessThanOrEqual(limits.promptPlanCharactersMax);
  });
});
