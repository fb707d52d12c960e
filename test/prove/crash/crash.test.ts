/** The suites `crash` and `replicas` with a small seed. Also shows that their checks can fail. */
import { describe, expect, it } from "vitest";
import type { RunEvent, StoredEvent } from "../../../src/core/event.ts";
import type { LedgerRow } from "../../../src/ports/store.ts";
import { postgresUrl } from "../../fakes/postgres.ts";
import { type Facts, judge, type RunFacts, type ThreadFacts } from "./oracle.ts";
import { strikesOf } from "./plan.ts";
import { killAll, replicas } from "./suites.ts";

const said: string[] = [];
const options = { seed: 20_261_130, say: (line: string) => void said.push(line) };

describe("three kills with four runs at once", () => {
  it("lose nothing and double nothing, and no agent outlives its Baton", { timeout: 480_000 }, async () => {
    said.length = 0;
    const { result } = await killAll(options, { kills: 3 });
    expect(result, said.join("\n")).toMatchObject({
      kills: 3,
      lost: 0,
      doubled: 0,
      survivors: 0,
    });
    expect(result["runs"]).toBeGreaterThanOrEqual(4);
  });

  it("find an outbox that posts without looking for its marker", { timeout: 480_000 }, async () => {
    said.length = 0;
    const world = { kills: 2, aims: ["a comment done"], sabotage: "blind-outbox" } as const;
    const { held, result } = await killAll(options, world);
    expect(held).toBe(false);
    expect(result["doubled"], said.join("\n")).toBeGreaterThan(0);
  });

  it("find a journal that loses its last append", { timeout: 480_000 }, async () => {
    said.length = 0;
    const { held } = await killAll(options, { kills: 4, sabotage: "lost-append" });
    expect(held).toBe(false);
    expect(said.join("\n")).toMatch(/LOST .* was acknowledged and is gone/);
  });
});

it.skipIf(postgresUrl !== undefined)("`replicas` without a server says what is missing and does not hold", async () => {
  said.length = 0;
  expect(await replicas.prove({ ...options, flags: { blows: 1 } })).toMatchObject({ held: false });
  expect(said.join("\n")).toContain("BATON_TEST_DATABASE_URL is not set");
});

describe("the plan", () => {
  it("is the same by the same seed, another by another", () => {
    expect(strikesOf(1, 50)).toEqual(strikesOf(1, 50));
    expect(strikesOf(1, 50)).not.toEqual(strikesOf(2, 50));
  });

  it("aims at each kind of work, at least half of the time at what is under way", () => {
    const strikes = strikesOf(1, 200);
    const busy = strikes.filter(({ aim }) => aim !== "anything");
    expect(busy.length).toBeGreaterThanOrEqual(100);
    expect(new Set(busy.map(({ aim }) => aim)).size).toBe(5);
  });

  it("pauses only where that is asked for, and hits each replica", () => {
    expect(strikesOf(1, 50).every(({ pauseMs, replica }) => pauseMs === null && replica === 0)).toBe(true);
    const two = strikesOf(1, 50, { replicas: 2, pauseMsMax: 5_000 });
    expect(two.some(({ pauseMs }) => pauseMs !== null)).toBe(true);
    expect(new Set(two.map(({ replica }) => replica))).toEqual(new Set([0, 1]));
  });
});

describe("the oracle", () => {
  const runId = "run_00000000000000000000000001";
  const stored = (position: number, event: object): StoredEvent => ({
    stream: runId,
    position,
    at: 0,
    schemaVersion: 1,
    event: event as RunEvent,
    previousHash: `${position - 1}`,
    hash: `${position}`,
  });
  const started = stored(1, { type: "effect.started", key: "plan", attempt: 1, worker: "w", reservedUsd: 1 });
  const succeeded = stored(2, { type: "effect.succeeded", key: "plan", attempt: 1, output: null, usage: [] });
  const failed = stored(2, {
    type: "effect.attempt-failed",
    key: "plan",
    attempt: 1,
    error: { code: "BATON_ATTEMPT_LOST", message: "" },
  });
  const row = (change: Partial<LedgerRow> = {}): LedgerRow =>
    ({ runId, key: "plan", attempt: 1, kind: "settle", model: "m", usd: 0.5, ...change }) as LedgerRow;
  const thread: ThreadFacts = {
    issue: 1,
    comments: [
      { operation: "status:1", body: "s" },
      { operation: "final:1", body: "f" },
      { operation: "reply:7", body: "r" },
    ],
    wanted: ["reply:7"],
    pulls: [{ number: 2, isMerged: true, headSha: "a", commits: 1 }],
    mustMerge: true,
    checks: [{ conclusion: "success" }],
  };
  const run: RunFacts = {
    issue: 1,
    runId,
    events: [started, succeeded],
    broken: null,
    acknowledged: [{ position: 1, hash: "1" }],
    ledger: [row()],
    reservedUsd: 0,
    spentUsd: 0.5,
    outcome: "passed",
    reason: "",
    headSha: "a",
  };
  const asked = { runId, key: "plan", attempt: 1, usd: 0.5 };
  const facts: Facts = { threads: [thread], runs: [run], answered: [asked], unsent: [] };
  const [pull] = thread.pulls as [ThreadFacts["pulls"][number]];

  it("finds nothing where everything is there once", () => {
    expect(judge(facts)).toEqual({ lost: [], doubled: [], uncounted: [], uncountedUsd: 0 });
  });

  const withThread = (change: Partial<ThreadFacts>): Facts => ({ ...facts, threads: [{ ...thread, ...change }] });
  const withRun = (change: Partial<RunFacts>): Facts => ({ ...facts, runs: [{ ...run, ...change }] });

  it.each<[string, Facts, RegExp]>([
    ["a run that was never begun", { ...facts, runs: [] }, /#1 has no run/],
    ["a run that did not end", withRun({ outcome: null }), /ended as nothing/],
    ["a run that failed", withRun({ outcome: "failed", reason: "why" }), /ended as failed: why/],
    ["a journal that cannot be read", withRun({ events: null, broken: "cut off" }), /cannot be read: cut off/],
    ["an acknowledged event", withRun({ acknowledged: [{ position: 3, hash: "3" }] }), /event 3 was acknowledged/],
    ["one that another took the place of", withRun({ acknowledged: [{ position: 2, hash: "x" }] }), /event 2 was/],
    ["the last words", withThread({ comments: thread.comments.slice(0, 1) }), /no final comment/],
    ["the status", withThread({ comments: thread.comments.slice(1) }), /no status comment/],
    ["an answer to a command", withThread({ wanted: ["reply:7", "reply:8"] }), /no comment of reply:8/],
    ["a pull request", withThread({ pulls: [] }), /no pull request/],
    ["a merge", withThread({ pulls: [{ ...pull, isMerged: false }] }), /#2 is not merged/],
    ["commits", withThread({ pulls: [{ ...pull, commits: 0 }] }), /has no commit/],
    ["the agent's commit", withThread({ pulls: [{ ...pull, headSha: "b" }] }), /commit a is not the head/],
    ["the check run", withThread({ checks: [] }), /no successful check run/],
    ["a write in the outbox", { ...facts, unsent: ["final:1"] }, /write final:1 was never sent/],
    ["a reservation that stays", withRun({ reservedUsd: 0.1 }), /0\.100000 USD stay reserved/],
    ["a ledger that is not the journal's", withRun({ spentUsd: 0.4 }), /journal and ledger differ/],
  ])("lost: %s", (_, given, text) => {
    expect(judge(given).lost.join("\n")).toMatch(text);
  });

  it.each<[string, Facts, RegExp]>([
    ["runs", { ...facts, runs: [run, run] }, /#1 has 2 runs/],
    ["comments of one operation", withThread({ comments: [...thread.comments, ...thread.comments] }), /2 comments of/],
    [
      "comments without a marker that are equal",
      withThread({ comments: [...thread.comments, { operation: null, body: "x" }, { operation: null, body: "x" }] }),
      /2 comments of x/,
    ],
    [
      "status comments",
      withThread({ comments: [...thread.comments, { operation: "status:2", body: "s" }] }),
      /2 status comments/,
    ],
    ["pull requests", withThread({ pulls: [pull, { ...pull, number: 3 }] }), /2 pull requests/],
    ["commits", withThread({ pulls: [{ ...pull, commits: 2 }] }), /#2 has 2 commits/],
    ["check runs", withThread({ checks: [...thread.checks, ...thread.checks] }), /2 check runs/],
    ["an effect's success", withRun({ events: [started, succeeded, succeeded] }), /plan succeeded 2 times/],
    ["a charge", withRun({ ledger: [row(), row({ usd: 0 })] }), /plan\/1 m is charged 2 times/],
    ["money for a request", withRun({ ledger: [row({ usd: 1 })], spentUsd: 1 }), /charged 1\.000000 USD for 0\.500000/],
    [
      "more than was set aside, after a death",
      withRun({ events: [started, failed], ledger: [row({ usd: 1.6 })], spentUsd: 1.6 }),
      /charged 1\.600000 USD for 0\.500000/,
    ],
  ])("doubled: %s", (_, given, text) => {
    expect(judge(given).doubled.join("\n")).toMatch(text);
  });

  it("uncounted: a request that was answered and is not in the ledger, by attempt", () => {
    const more = [asked, { ...asked, attempt: 2, usd: 0.25 }];
    expect(judge({ ...facts, answered: more })).toMatchObject({
      uncounted: [expect.stringContaining("0.250000 USD of plan/2")],
      uncountedUsd: 0.25,
    });
  });

  it("an attempt that died may be charged what was set aside for it", () => {
    const given = withRun({ events: [started, failed], ledger: [row({ usd: 1.2 }), row({ usd: 0.2 })], spentUsd: 1.4 });
    expect(judge(given)).toMatchObject({ lost: [], doubled: [], uncounted: [] });
  });
});
