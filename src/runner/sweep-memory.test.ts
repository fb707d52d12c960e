import { expect, it } from "vitest";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { parseConfig } from "../config/parse.ts";
import { BatonError } from "../core/errors.ts";
import type { RunState } from "../core/state.ts";
import type { PullRequestFacts } from "../ports/github.ts";
import type { SweepFacts, SweepResult } from "../sweep/facts.ts";
import { rememberSweep, sweepFacts } from "./sweep-memory.ts";

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
  return { facts, ended, pulls };
}

it("`openPullRequests` and `findings` reach the sweep", async () => {
  const { facts } = scene(
    "sweep:\n  openPullRequests: 7\n  findings: 3\n  detectors:\n    - { use: sarif, command: x, report: r.sarif }\n",
  );
  expect(await facts()).toEqual({
    known: [],
    ends: {},
    openPullRequests: 0,
    wanted: [],
    detectors: [{ use: "sarif", command: "x", report: "r.sarif" }],
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
