import { expect, it } from "vitest";
import type { JobRow } from "../adapters/memory/tables.ts";
import type { RunId } from "../core/vocabulary.ts";
import { keepsJob, nextDueAt } from "./next-due.ts";

const runId = "run_0123456789abcdef01234567" as RunId;
const job = (row: Partial<JobRow>): JobRow => ({
  id: "1",
  queue: "run",
  data: { runId, facts: true },
  tries: 1,
  key: null,
  startAt: 5_000,
  state: "waiting",
  ...row,
});
const look = `${runId}@5000`;

it.each<[string, JobRow[], number | null | undefined, number | null]>([
  ["nothing", [], 5_000, null],
  ["the earliest", [job({ startAt: 7_000 }), job({ id: "2" })], null, 5_000],
  ["what is in hand does not count", [job({ state: "active" })], null, null],
  ["the look that the run waits for", [job({ key: look })], 5_000, 5_000],
  ["ND1: a look that a later one took the place of", [job({ key: look })], 9_000, null],
  ["ND1: a look at a run that is over, or being driven", [job({ key: look })], null, null],
  ["ND1: a look at a run that is not there any more", [job({ key: look })], undefined, null],
  ["one that failed is tried again, whatever the row says", [job({ key: look, state: "retry" })], null, 5_000],
  ["another wake-up of the run", [job({ key: `${runId}:later` })], null, 5_000],
  ["a delivery", [job({ queue: "delivery", data: { hook: "1", guid: "g" } })], null, 5_000],
])("%s", (_, jobs, wakeAt, due) => {
  const runRows = new Map(wakeAt === undefined ? [] : [[runId, { wakeAt }]]);
  expect(nextDueAt({ jobs: new Map(jobs.map((row) => [row.id, row])), runRows: runRows as never })).toBe(due);
});

it.each<[string, Parameters<typeof keepsJob>[0], boolean]>([
  ["one that waits to be sent", { state: "pending", notBefore: 90_000, error: null, tries: 0 }, true],
  ["one that failed and comes back soon", { state: "pending", notBefore: 50_000, error: "502", tries: 9 }, true],
  ["one that failed and comes back later", { state: "pending", notBefore: 70_000, error: "502", tries: 2 }, false],
  ["ND2: one that keeps failing", { state: "pending", notBefore: 50_000, error: "502", tries: 10 }, false],
  ["one that GitHub refused", { state: "failed", notBefore: 0, error: "403", tries: 0 }, false],
])("a job stays for a write: %s", (_, row, stays) => {
  expect(keepsJob(row, 60_000)).toBe(stays);
});
