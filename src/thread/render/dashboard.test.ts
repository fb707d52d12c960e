import { expect, it } from "vitest";
import type { Priority } from "../../core/priority.ts";
import { ticksIn } from "../dashboard-ticks.ts";
import { type Dashboard, type DashboardWork, renderDashboard } from "./dashboard.ts";

const at = Date.UTC(2026, 10, 30, 8);
const work = (number: number, needsPeople: boolean, over: Partial<NonNullable<DashboardWork["run"]>> = {}) => ({
  number,
  run: {
    runId: `run_${number}`,
    process: "issue-to-pr",
    by: "alice",
    priority: "normal" as Priority,
    deadline: null,
    needsPeople,
    now: [needsPeople ? "Review: #9 is green and needs a review by someone other than @alice." : "Implement the plan."],
    since: at,
    ...over,
  },
});
const finding = (index: number) => ({
  fingerprint: `f${index}`,
  rule: `rule-${index} ${"x".repeat(200)}`,
  place: `src/${"deep/".repeat(60)}file-${index}.ts:1`,
  message: "m".repeat(2_000),
  wanted: null,
});
const sweeps = (findings: number, notes = 0, detectors = 1) => ({
  detectors: Array.from({ length: detectors }, (_, index) => ({
    name: `d${index}`,
    rate: 0.5,
    reason: `d${index}: 4 of 10 proposals were merged. ${"r".repeat(300)}`,
  })),
  open: 1,
  openMax: 2,
  leftTodayUsd: 1.5,
  findings: Array.from({ length: findings }, (_, index) => finding(index)),
  more: 5_000,
  notes: Array.from({ length: notes }, () => "n".repeat(2_000)),
});
const schedule = (index: number) => ({
  name: `schedule-${index}`,
  process: "sweep",
  cron: "0 3 * * *",
  timeZone: "America/Argentina/Buenos_Aires",
  next: at,
  pausedBy: null,
  problem: "p".repeat(400),
  last: { at, runId: `run_${"0".repeat(26)}`, status: "completed", spentUsd: 1 },
});
const dashboard = (over: Partial<Dashboard> = {}): Dashboard => ({
  work: [],
  schedules: [schedule(0)],
  sweeps: sweeps(1),
  problem: null,
  notice: null,
  spentThisMonthUsd: 12.5,
  ...over,
});

it("has its six sections, in this order", () => {
  const text = renderDashboard(dashboard({ work: [work(4, true), work(5, false)] }));
  expect([...text.matchAll(/^## (.+)$/gm)].map(([, name]) => name)).toEqual([
    "Waiting for people",
    "Running",
    "Schedules",
    "Sweeps",
    "Findings",
    "Spent this month",
  ]);
  expect(text).toContain("Sweeps may still spend $1.50 today.");
  expect(text).toContain("4 of 10 proposals were merged");
  expect(text).toContain("Baton spent $12.50 in this repository this month.");
});

it("says who and what waits or runs, where, why, and how urgent it is; the most urgent first", () => {
  const text = renderDashboard(
    dashboard({
      work: [
        work(7, false, {
          priority: "low",
          process: "sweep",
          now: ["Fix: 1 agent works here at once (`BATON_AGENTS`)."],
        }),
        work(5, false, { priority: "critical", deadline: at + 3_600_000 }),
        work(4, true),
        { number: 6, run: null },
      ],
    }),
  );
  const lines = text.split("\n").filter((line) => line.startsWith("- #"));
  expect(lines).toEqual([
    expect.stringMatching(
      /^- #4 `issue-to-pr`, asked by @\u200b?alice at 2026-11-30 08:00 \(UTC\)\. Review: #9 is green and needs a review by someone other than @\u200b?alice\.$/,
    ),
    expect.stringMatching(/^- #5 .*priority critical, due 2026-11-30 09:00 \(UTC\)\. Implement the plan\.$/),
    expect.stringMatching(/^- #7 `sweep`.*priority low\. Fix: 1 agent works here at once \(`BATON_AGENTS`\)\.$/),
    "- #6: a run is active. Its status comment has the details.",
  ]);
});

it("without runs it says so", () => {
  const text = renderDashboard(dashboard());
  expect(text).toContain("## Waiting for people\n\nNothing waits for people.");
  expect(text).toContain("## Running\n\nNothing runs.");
});

it.each<[string, Partial<Dashboard>]>([
  ["thousands of findings", { sweeps: sweeps(5_000) }],
  ["findings, notes and detectors", { sweeps: sweeps(5_000, 500, 20) }],
  [
    "hundreds of runs",
    { work: Array.from({ length: 700 }, (_, index) => work(index + 1, index % 2 === 0, { now: ["w".repeat(3_000)] })) },
  ],
  ["fifty schedules", { schedules: Array.from({ length: 50 }, (_, index) => schedule(index)) }],
  [
    "all of them",
    {
      work: Array.from({ length: 700 }, (_, index) => work(index + 1, index % 2 === 0, { now: ["w".repeat(3_000)] })),
      sweeps: sweeps(5_000, 500, 20),
      schedules: Array.from({ length: 50 }, (_, index) => schedule(index)),
    },
  ],
])("%s stay below GitHub's limit, and the month's sum is still there", (_, over) => {
  const text = renderDashboard(dashboard(over));
  expect(text.length).toBeLessThanOrEqual(60_000);
  expect(text).toContain("## Spent this month");
  // No box is cut in two: each finding has both.
  const boxes = ticksIn(text, text.replaceAll("- [ ]", "- [x]")).filter(({ action }) => action !== "resume");
  expect(boxes.length % 2).toBe(0);
});

it("further runs and findings are counted", () => {
  const text = renderDashboard(
    dashboard({
      work: Array.from({ length: 23 }, (_, index) => work(index + 1, true)),
      sweeps: { ...sweeps(3), more: 1 },
    }),
  );
  expect(text).toContain("- 3 further runs are not shown.");
  expect(text).toContain("1 further finding is not shown.");
});
