import { expect, it } from "vitest";
import type { RunState } from "../core/state.ts";
import { health } from "./health.ts";

const now = 1_000_000_000;

/** The parts of a state that health reads. */
function state(effects: object[], change: object = {}): RunState {
  const of = effects.map((effect, at) => [
    `step-${at}`,
    {
      kind: "agent",
      input: { access: "write" },
      status: "succeeded",
      attempts: [],
      requestedAt: now,
      endedAt: now,
      ...effect,
    },
  ]);
  return {
    status: "running",
    outcome: null,
    createdAt: now,
    open: new Set(),
    money: { stop: null, budgetUsd: 5, spentUsd: 1 },
    effects: new Map(of as never),
    ...change,
  } as unknown as RunState;
}

const writer = { input: { access: "write" }, output: { headSha: null } };

it.each<[string, RunState, number, RegExp | null]>([
  ["nothing odd", state([]), 100, null],
  ["a writer without a commit", state([writer]), 90, /changed nothing/],
  ["a reader without one, as who plans", state([{ ...writer, input: { access: "read-only" } }]), 100, null],
  ["a failed attempt", state([{ attempts: [{ error: { code: "BATON_TIMEOUT" } }] }]), 92, /1 failed attempt/],
  ["a stop for money", state([], { money: { stop: {}, budgetUsd: 5, spentUsd: 5 } }), 60, /stopped by its budget/],
  ["a run that is done", state([writer], { status: "completed" }), 100, null],
  ["a run that failed", state([], { status: "failed" }), 0, /The run failed/],
])("%s", (_, run, score, reason) => {
  const { score: found, deductions } = health(run, now);
  expect(found).toBe(score);
  expect(deductions.map((one) => one.reason).join()).toMatch(reason ?? /^$/);
});

it("a step that waits for hours takes some away, and says how many", () => {
  const run = state([{ endedAt: null, status: "requested", requestedAt: now - 8 * 3_600_000 }], {
    open: new Set(["step-0"]),
  });
  expect(health(run, now)).toEqual({
    score: 90,
    deductions: [{ points: 10, reason: "the oldest open step is 8.0 h old" }],
  });
});
