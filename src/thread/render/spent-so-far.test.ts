import { expect, it } from "vitest";
import type { RunState } from "../../core/state.ts";
import { budgetLine, costTable, selfReportingLine, stepsTable } from "./parts.ts";

const usage = (costUsd: number | null, input: number) => ({
  harness: "command",
  model: "m-1",
  costUsd,
  tokens: { input, output: 0, cacheRead: 0, cacheWrite: 0 },
});

/** A booked plan, and an implementation at work that has used this much so far. */
function atWork(costUsd: number | null): RunState {
  const effect = { kind: "agent", error: null, endedAt: null, progress: null };
  return {
    money: {
      budgetUsd: 5,
      spentUsd: 0.25,
      complete: true,
      tokens: { input: 1_000, output: 0, cacheRead: 0, cacheWrite: 0 },
    },
    effects: new Map([
      [
        "plan",
        {
          ...effect,
          title: "Plan the change",
          status: "succeeded",
          attempts: [{ attempt: 1, endedAt: 5, usage: [usage(0.25, 1_000)] }],
        },
      ],
      [
        "implement",
        {
          ...effect,
          title: "Implement the plan",
          status: "running",
          attempts: [{ attempt: 1, endedAt: null, usage: [usage(costUsd, 2_000)] }],
        },
      ],
    ] as never),
  } as unknown as RunState;
}

it("while an agent is at work, the sums are those of the rows", () => {
  expect(budgetLine(atWork(0.5))).toContain("$0.75 of $5.00 · 3.0k tokens");
  expect(costTable(atWork(0.5))).toMatch(/\*\*Total\*\* \| \| \| \| 3\.0k .*\*\*\$0\.75\*\*/);
});

it("a price that nobody knows makes the sum a lower bound at once", () => {
  expect(budgetLine(atWork(null))).toContain("≥ $0.25 of $5.00");
  expect(costTable(atWork(null))).toMatch(/Implement the plan .* unknown \|\n.*\*\*≥ \$0\.25\*\*/);
});

it.each([
  [{ default: "command" }, [], "`command` reports its own usage. Between two reports it can exceed the budget."],
  [{ default: "codex", fallback: ["command"] }, [], "`command` reports its own usage."],
  [{ default: "codex" }, ["command"], "`command` reports its own usage."],
  [{ default: "codex" }, ["codex", "claude-code"], null],
])("harnesses %j, at work %j: who reports by itself is named", (harness, agents, line) => {
  const effects = new Map(
    agents.map((name) => [name, { attempts: [{ agent: { harness: name, model: null } }] }]),
  ) as unknown as RunState["effects"];
  const shown = selfReportingLine({ settings: { harness }, effects } as unknown as RunState);
  if (line === null) expect(shown).toBe("");
  else expect(shown).toContain(line);
});

it("a review's decision is said in words", () => {
  const review = {
    kind: "breakpoint",
    title: "Review",
    status: "succeeded",
    error: null,
    attempts: [],
    output: { decision: "changes-requested", by: { login: "bob" } },
  };
  const state = { effects: new Map([["review", review]]) } as unknown as RunState;
  expect(stepsTable(state)).toMatch(/❌ no \| Review \| changes requested by @.*bob/);
});
