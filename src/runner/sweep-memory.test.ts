import { expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { parseConfig } from "../config/parse.ts";
import { BatonError } from "../core/errors.ts";
import type { RunState } from "../core/state.ts";
import type { RunId } from "../core/vocabulary.ts";
import type { PullRequestFacts } from "../ports/github.ts";
import type { SweepFacts, SweepResult } from "../sweep/facts.ts";
import { afterSweep } from "../sweep/states.ts";
import { changeSweepBook, noteProposal, readSweepBook, withTicks } from "./sweep-book.ts";
import { openFindings, rememberSweep, sweepFacts, sweepLeftUsd } from "./sweep-memory.ts";

const clock = new ManualClock();
const finding = (name: string) => ({
  fingerprint: name,
  detector: "sarif",
  rule: "r",
  message: name,
  severity: "warning" as const,
  path: "a.js",
  line: 1,
});

function scene(config = "") {
  const { store } = openMemory({ clock, log: silentLog });
  const github = new SmallGithub("", () => clock.now());
  const parsed = parseConfig(config);
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
  const facts = () => sweepFacts({ store, github, clock }, repository, parsed.settings);
  const pulls = new Map<number, "open" | "merged" | "closed" | "gone">();
  github.pullRequest = async (_, number) => {
    const is = pulls.get(number) ?? "gone";
    if (is === "gone") throw new BatonError("BATON_GITHUB_NOT_FOUND", "404");
    return { merged: is === "merged", state: is === "open" ? "open" : "closed" } as PullRequestFacts;
  };
  const ended = (input: SweepFacts, sweep: Partial<SweepResult>) =>
    rememberSweep({ store, clock }, {
      input: { sweep: input },
      createdAt: clock.now(),
      thread: { repository },
      outcome: {
        at: clock.now(),
        output: { sweep: { found: [], ran: ["sarif"], chosen: [], pullRequest: null, ...sweep } },
      },
    } as unknown as RunState);
  return { facts, ended, pulls, store };
}

it("`openPullRequests` and `findings` reach the sweep", async () => {
  const { facts } = scene(
    "sweep:\n  openPullRequests: 7\n  findings: 3\n  changedLines: 40\n  detectors:\n    - { use: sarif, command: x, report: r.sarif }\n",
  );
  expect(await facts()).toEqual({
    known: [],
    ends: {},
    openPullRequests: 0,
    decided: [],
    wanted: [],
    reuses: true,
    changedLinesMax: 40,
    leftUsd: null,
    detectors: [
      {
        use: "sarif",
        command: "x",
        report: "r.sarif",
        rules: [],
        ask: null,
        paths: [],
        maxUsd: 0.1,
        reuse: true,
        reuseMs: 86_400_000,
      },
    ],
    openPullRequestsMax: 7,
    findingsMax: 3,
  });
});

it.each([
  ["merged", "accepted", ["merged"], 0],
  ["closed", "rejected", ["closed"], 0],
  ["gone", "rejected", ["closed"], 0],
  ["open", "proposed", [], 1],
] as const)("a proposal that is %s: its finding is %s", async (is, state, ends, open) => {
  const { facts, ended, pulls } = scene();
  await ended(await facts(), { found: [finding("a"), finding("b")], chosen: ["a"], pullRequest: 9 });
  pulls.set(9, is);
  const next = await facts();
  expect(next.known.map((one) => `${one.fingerprint} ${one.state}`).sort()).toEqual([`a ${state}`, "b new"]);
  expect(next.ends["sarif"] ?? []).toEqual(ends);
  expect(next.openPullRequests).toBe(open);
});

it("the end of a sweep, written again, changes nothing; one without a sweep writes nothing", async () => {
  const { facts, ended } = scene();
  const before = await facts();
  const result = { found: [finding("a")], chosen: ["a"], pullRequest: 9 };
  await ended(before, result);
  const once = await facts();
  await ended(before, result);
  expect(await facts()).toEqual(once);
});

it("two sweeps that began at once lose nothing of each other", async () => {
  const { facts, ended, pulls } = scene();
  const before = await facts();
  await ended(before, { found: [finding("a"), finding("b")], chosen: ["a"], pullRequest: 9 });
  await ended(before, { found: [finding("c"), finding("b")], chosen: ["c"], pullRequest: 10 });
  pulls.set(9, "open").set(10, "open");
  const { known, openPullRequests } = await facts();
  expect(known.map((one) => `${one.fingerprint} ${one.state}`).sort()).toEqual(["a proposed", "b new", "c proposed"]);
  expect(openPullRequests).toBe(2);
});

it.each([
  ["nothing was spent", "dayUsd: 2", [], 2],
  ["what other processes spent is theirs", "dayUsd: 2", [["explore", 0, 1.5]], 2],
  ["what sweeps spent today", "dayUsd: 2", [["sweep", 0, 1.5]], 0.5],
  ["what they spent yesterday counts for the month alone", "dayUsd: 2\n  monthUsd: 3", [["sweep", 30, 2.5]], 0.5],
  ["more than there was", "monthUsd: 1", [["sweep", 0, 2.5]], 0],
] as const)("`dayUsd` and `monthUsd` of sweeps: %s", async (_, keys, spent, left) => {
  const { store } = openMemory({ clock, log: silentLog });
  clock.advance(Math.max(0, Date.parse("2026-03-20T12:00:00Z") - clock.now()));
  const parsed = parseConfig(`sweep:\n  ${keys}\n`);
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
  for (const [at, [process, hoursAgo, usd]] of spent.entries()) {
    const runId = `run_${at}` as RunId;
    const time = clock.now() - hoursAgo * 3_600_000;
    const row = { runId, key: "k", attempt: 1, repositoryId: repository.id, threadKey: "t", harness: "h", model: "m" };
    const tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
    await store.write({
      run: {
        runId,
        threadKey: "t",
        process,
        status: "completed",
        position: 1,
        createdAt: time,
        updatedAt: time,
        wakeAt: null,
        watches: [],
      },
      ledger: [
        { ...row, ...tokens, kind: "reserve", usd: 9, at: time },
        { ...row, ...tokens, kind: "settle", usd, at: time },
      ],
    } as never);
  }
  expect(await sweepLeftUsd({ store, clock }, repository.id, parsed.settings)).toBeCloseTo(left);
});

/** A sweep that has opened a pull request, and has not ended or ended without a result. */
function proposing(pullRequest: number, detector = "sarif", fingerprints = ["a"]): RunState {
  const fixes = { detector, fingerprints };
  return {
    runId: `run_${pullRequest}`,
    process: { name: "sweep" },
    thread: { repository },
    money: { spentUsd: 1 },
    effects: new Map<string, object>([
      ["implement", { kind: "agent", input: { fixes } }],
      [
        "pull-request",
        {
          kind: "publish",
          input: { publish: { operation: "pull-request" } },
          output: { number: pullRequest },
          endedAt: clock.now(),
        },
      ],
    ]),
  } as unknown as RunState;
}

it.each([
  ["open", "proposed", 1],
  ["closed", "rejected", 0],
] as const)(
  "the finding of a proposal that is %s is not proposed again, though no sweep remembers it",
  async (is, state, open) => {
    const { facts, ended, pulls, store } = scene();
    await noteProposal({ store, clock }, proposing(9));
    pulls.set(9, is);
    const given = await facts();
    expect(given).toMatchObject({
      known: [],
      openPullRequests: open,
      decided: [{ fingerprint: "a", state, pullRequest: 9 }],
    });
    const known = afterSweep(given.known, [finding("a"), finding("b")], {
      detectors: ["sarif"],
      now: 1,
      decided: given.decided,
    });
    expect(known.map((one) => [one.fingerprint, one.state])).toEqual([
      ["a", state],
      ["b", "new"],
    ]);
    // The next sweep remembers it.
    await ended(given, { found: [finding("a"), finding("b")] });
    expect((await facts()).decided).toEqual([]);
    expect((await openFindings(store, repository.id)).map(({ fingerprint }) => fingerprint)).toEqual(["b"]);
  },
);

it.each(["sarif", "agent", "alerts", "flaky"])(
  "a proposal of `%s` is in the book with its findings",
  async (detector) => {
    const { store } = scene();
    await noteProposal({ store, clock }, proposing(4, detector, ["x", "y"]));
    expect((await readSweepBook(store, repository.id)).proposals).toMatchObject([
      { detector, fingerprints: ["x", "y"], pullRequest: 4, end: null },
    ]);
  },
);

it("a tick is used up by the proposal that it led to", async () => {
  const { facts, store } = scene();
  const ticks = ["a", "z"].map((id) => ({ action: "propose" as const, id }));
  await changeSweepBook({ store, clock }, repository.id, (book) => withTicks(book, ticks, "@alice", 1));
  await noteProposal({ store, clock }, proposing(9));
  expect((await facts()).wanted).toEqual(["z"]);
});
