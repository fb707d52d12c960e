import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outcomesOf, parsePlan, planFormat, renderPlan } from "./plan.ts";

const step = (id: string, change: object = {}) => ({ id, title: `Do ${id}`, effort: "small", risk: "low", ...change });
const plan = (...steps: object[]): string => `Words.\n\n\`\`\`json\n${JSON.stringify({ steps })}\n\`\`\`\n`;

describe("a structured plan", () => {
  it("keeps the words and puts the steps in an order in which they can be done", () => {
    const { text, steps, problems } = parsePlan(plan(step("b", { dependsOn: ["a"] }), step("a"), step("c")));
    expect([text, steps.map(({ id }) => id), problems]).toEqual(["Words.", ["a", "b", "c"], []]);
  });

  it("the example that agents are shown is a plan", () => {
    expect(parsePlan(planFormat()).steps).toMatchObject([{ id: "sum", effort: "small" }]);
  });

  it.each([
    ["no block", "Just words.", /names no steps/],
    ["no JSON", "```json\n{steps\n```", /steps|expected object/i],
    ["no step", plan(), /steps: /],
    ["an effort that is none", plan(step("a", { effort: "huge" })), /steps\.0\.effort/],
    ["a key too many", plan(step("a", { cost: 3 })), /steps\.0/],
    ["two of one name", plan(step("a"), step("a")), /two steps are called "a"/],
    [
      "after a step that is not there",
      plan(step("test"), step("b", { dependsOn: ["tset"] })),
      /no step \(was "test" meant/,
    ],
    ["a circle", plan(step("a", { dependsOn: ["b"] }), step("b", { dependsOn: ["a"] })), /circle/],
  ])("P1: %s is still a plan in words, and says why", (_, text, problem) => {
    const parsed = parsePlan(text);
    expect(parsed.steps).toEqual([]);
    expect(parsed.problems.join("\n")).toMatch(problem);
    expect(renderPlan(parsed)).toMatch(/no steps that could be read/);
  });

  it("W3.1: expected outcomes have ids that answers name, and stand in what is approved", () => {
    const parsed = parsePlan(plan(step("sum", { outcomes: ["Six | each", "Nothing for none"] }), step("b")));
    expect(outcomesOf(parsed)).toEqual([
      { id: "sum.1", statement: "Six | each" },
      { id: "sum.2", statement: "Nothing for none" },
    ]);
    expect(renderPlan(parsed)).toMatch(/Expected outcomes:\n- `sum\.1` Six \\\| each\n- `sum\.2` Nothing for none$/);
    const many = parsePlan(
      plan(...["a", "b", "c", "d", "e"].map((id) => step(id, { outcomes: Array(10).fill("It holds") }))),
    );
    expect(many.problems.join()).toMatch(/50 outcomes, at most 40/);
  });

  it("a title cannot break out of its cell, mention or close anything", () => {
    const shown = renderPlan(parsePlan(plan(step("a", { title: "x | y @bob closes #3 <!-- z" }))));
    expect(shown).toContain("x \\| y");
    expect(shown).not.toContain("@bob");
    expect(shown).not.toMatch(/closes #3/);
  });

  it("whatever is written, it never throws, and every step comes after what it depends on", () => {
    const ids = fc.constantFrom("a", "b", "c", "d");
    const anyStep = fc.record({ id: ids, dependsOn: fc.array(ids, { maxLength: 2 }) });
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 5 }), fc.string(), (steps, noise) => {
        const parsed = parsePlan(noise + plan(...steps.map(({ id, dependsOn }) => step(id, { dependsOn }))));
        parsed.steps.forEach(({ dependsOn }, index) => {
          const before = parsed.steps.slice(0, index).map(({ id }) => id);
          expect(dependsOn.every((id) => before.includes(id))).toBe(true);
        });
        expect(parsed.steps.length > 0 || parsed.problems.length > 0).toBe(true);
      }),
    );
  });
});
