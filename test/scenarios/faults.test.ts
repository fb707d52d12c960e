/**
 * The main job with failing networks, busy servers and strict limits: lost answers, refusals, stale reads, lost and repeated
 * webhooks. Each job ends as it should, reports the end in the thread once, and leaves nothing twice.
 * One world for all: each row of a table has its own issue, from the command to the merge.
 */
import { writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { planOf, sampleFiles, sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { pollDeliveries } from "../../src/app/poll-deliveries.ts";
import {
  comments,
  ends,
  type ObservedWorld,
  observedWorld,
  pulls,
  reaches,
  repositoryOf,
  runState,
  say,
} from "./helpers.ts";

const config = "version: 1\nharness: { default: command }\nmerge: auto\napprovals: { reviewers: [bob] }\n";
const rightCart = sampleScript.repair[0]?.files["cart.js"] as string;
const usage = { input: 100, output: 10, costUsd: 0.01 };

let world: ObservedWorld;
beforeAll(async () => {
  world = await observedWorld({ config, files: { ...sampleFiles, "cart.js": rightCart } });
});
/** Baton allows itself 60 content writes a minute, and would wait for its turn. A new start counts from zero. */
const writesBeforeRestart = 25;
let writesSeen = 0;
beforeEach(async () => {
  const writesNow = world.github.log.filter(({ method, actor }) => method !== "GET" && actor === "installation").length;
  if (writesNow < writesSeen + writesBeforeRestart) return;
  await world.restart();
  writesSeen = writesNow;
});
afterEach(() => world.github.faults.clear());
afterAll(() => world.close());

/** A new issue, with an agent that solves it. `red`: only after a repair. */
function newIssue({ red = false } = {}): number {
  const { number } = world.github.openIssue({ repository: repositoryName, as: "alice", title: "Note it", body: "" });
  const note = { files: { [`note-${number}.txt`]: "noted\n" }, text: "Noted.", usage };
  const plan = { text: planOf("Note it."), usage };
  const broken = { ...note, files: { ...note.files, "cart.js": "broken(\n" } };
  const repair = { files: { "cart.js": rightCart }, text: "Repaired.", usage };
  writeFileSync(world.scriptPath, JSON.stringify({ plan: [plan], implement: [red ? broken : note], repair: [repair] }));
  return number;
}

function pullOf(issue: number) {
  const found = pulls(world).find(({ body }) => (body ?? "").includes(`Closes #${issue}\n`));
  if (found === undefined) throw new Error(`no pull request for #${issue}`);
  return found;
}

const approve = (issue: number) =>
  world.github.review({ repository: repositoryName, number: pullOf(issue).number, as: "bob", event: "APPROVE" });

/** From the command to the merge, with Bob's review when Baton asks for it. */
async function wholeJob(issue: number): Promise<void> {
  say(world, "/baton run", "alice", issue);
  await reaches(world, "review", issue);
  approve(issue);
  await ends(world, issue);
  // The last edits follow at the limited rate for GitHub. The test itself reports any mistake after that.
  await world.until("the last words", async () => (await mistakes(issue)).length === 0).catch(() => {});
}

/** Objects that must exist exactly once, but do not. Empty: all is well. */
async function mistakes(issue: number): Promise<string[]> {
  const found: string[] = [];
  const want = (what: string, there: number, wanted: number): void => {
    if (there !== wanted) found.push(`${there} ${what} instead of ${wanted}`);
  };
  const told = comments(world, issue).filter(({ login }) => login === "baton[bot]");
  const heads = told.map(({ body }) => body);
  want("status comments", heads.filter((body) => body.includes("baton:op=status:")).length, 1);
  want(
    "status comments that say so",
    heads.filter((body) => /^✅ \*\*Done in #\d+\.\*\*[\s\S]*baton:op=status:/.test(body)).length,
    1,
  );
  want("final comments", heads.filter((body) => body.includes("baton:op=final:")).length, 1);
  const asked = told.filter(({ body }) => body.includes("baton:op=question:"));
  want("questions", new Set(asked.map(({ body }) => body.match(/baton:op=question:\S+/)?.[0])).size, asked.length);
  want("comments beside questions", told.length - asked.length, 2);
  const mine = pulls(world).filter(({ body }) => (body ?? "").includes(`Closes #${issue}\n`));
  want("pull requests", mine.length, 1);
  want("merged pull requests", mine.filter(({ pull }) => pull.mergedAt !== null).length, 1);
  const runId = (await runState(world, issue))?.runId;
  const checks = [...repositoryOf(world).checkRuns.values()].filter(({ externalId }) => externalId === runId);
  want("check runs a head", checks.length, new Set(checks.map(({ headSha }) => headSha)).size);
  want("open check runs", checks.filter(({ status }) => status !== "completed").length, 0);
  for (const { reactions } of repositoryOf(world).comments.values())
    want("reactions", reactions.length, new Set(reactions.map(({ content }) => content)).size);
  return found;
}

/** Every write of the job, as GitHub sees it. `red`: only a repair leads to it. `again`: the number of refusals. */
const writes = [
  { name: "reaction", method: "POST", path: /\/comments\/\d+\/reactions$/, again: 3 },
  { name: "new comment", method: "POST", path: /\/issues\/\d+\/comments$/, again: 3 },
  { name: "edited comment", method: "PATCH", path: /\/issues\/comments\/\d+$/, again: 3 },
  { name: "new check run", method: "POST", path: /\/check-runs$/, again: 3 },
  { name: "updated check run", method: "PATCH", path: /\/check-runs\/\d+$/, again: 3 },
  { name: "push", method: "POST", path: /\/git-receive-pack$/ },
  { name: "pull request", method: "POST", path: /\/pulls$/, again: 3 },
  { name: "text of the pull request", method: "PATCH", path: /\/pulls\/\d+$/, red: true },
  { name: "review request", method: "POST", path: /\/requested_reviewers$/ },
  { name: "merge", method: "PUT", path: /\/merge$/ },
];

describe("GitHub does what it was asked and the answer is lost", () => {
  it.each(writes)("$name", async ({ method, path, red = false }) => {
    const issue = newIssue({ red });
    world.github.faults.add({ kind: "commit-then-drop", match: { method, path } });
    await wholeJob(issue);
    expect(world.github.faults.left).toBe(0);
    expect(await mistakes(issue)).toEqual([]);
  });
});

describe("every write of the job is refused, lost or late at first", () => {
  it.each([
    ["503, three times where it is not an effect that waits longer each time", { kind: "status", status: 503 }],
    ["a secondary limit with retry-after", { kind: "secondary-limit", retryAfterSeconds: 1 }],
    ["429 with retry-after", { kind: "status", status: 429, retryAfterSeconds: 1 }],
    ["a connection that breaks before anything is done", { kind: "drop" }],
    ["an answer after a second", { kind: "latency", delayMs: 1_000 }],
  ] as const)("%s", async (_, fault) => {
    const issue = newIssue({ red: true });
    for (const { method, path, again = 1 } of writes)
      world.github.faults.add({ ...fault, times: fault.kind === "status" ? again : 1, match: { method, path } });
    await wholeJob(issue);
    expect(world.github.faults.left).toBe(0);
    expect(await mistakes(issue)).toEqual([]);
  });
});

describe("reads", () => {
  it("that fail four times are repeated, and the run goes on", async () => {
    const issue = newIssue();
    for (const path of [/\/permission$/, /\/issues\/\d+$/, /\/check-runs$/, /\/reviews$/, /\/pulls\/\d+$/])
      world.github.faults.add({ kind: "status", status: 502, times: 4, match: { method: "GET", path } });
    await wholeJob(issue);
    expect(world.github.faults.left).toBe(0);
    expect(await mistakes(issue)).toEqual([]);
  });

  it("of a moment ago pass no gate and make no second pull request", async () => {
    const issue = newIssue();
    say(world, "/baton run", "alice", issue);
    await reaches(world, "push", issue);
    // From here on, GitHub shows a past without the pull request, its checks and its review, twice each.
    for (const path of [/\/pulls$/, /\/check-runs$/, /\/reviews$/])
      world.github.faults.add({ kind: "stale-read", times: 2, match: { method: "GET", path } });
    await reaches(world, "review", issue);
    approve(issue);
    // The past may hide the review, too. Then somebody asks for the facts again.
    await world.until("the run to end", async () => {
      const state = await runState(world, issue);
      if (state !== null && state.outcome !== null) return true;
      await refresh(issue);
      return false;
    });
    expect((await runState(world, issue))?.outcome).toMatchObject({ verdict: { status: "passed" }, error: null });
    expect(pulls(world).filter(({ body }) => (body ?? "").includes(`Closes #${issue}\n`))).toHaveLength(1);
  });
});

/** Asks for the facts again, and waits for the answer. */
async function refresh(issue: number): Promise<null> {
  const id = say(world, "/baton refresh", "alice", issue);
  await world.until("the refresh", () =>
    repositoryOf(world)
      .comments.get(id)
      ?.reactions.some(({ content }) => content === "+1" || content === "confused"),
  );
  return null;
}

describe("webhooks", () => {
  it("all lost: the command is found in the delivery log, what follows by `/baton refresh`", async () => {
    const { faults } = world.github;
    const { dependencies } = world.baton;
    const issue = newIssue();
    faults.addWebhook({ kind: "drop", times: 1_000 });
    say(world, "/baton run", "alice", issue);
    await world.github.settle();
    expect(await runState(world, issue)).toBeNull();
    faults.clear();
    // One minute later, because younger deliveries may still be on their way.
    const clock = { now: () => dependencies.clock.now() + 60_000, sleepUntil: dependencies.clock.sleepUntil };
    await pollDeliveries({ ...dependencies, clock });
    for (const event of ["check_run", "check_suite", "pull_request", "pull_request_review", "status"])
      faults.addWebhook({ kind: "drop", times: 1_000, match: { event } });
    await world.until("the checks", async () => {
      await world.github.settle();
      return (await runState(world, issue))?.effects.has("checks" as never) === true;
    });
    await refresh(issue);
    await reaches(world, "review", issue);
    approve(issue);
    await world.github.settle();
    expect((await runState(world, issue))?.outcome).toBeNull();
    await refresh(issue);
    expect((await ends(world, issue)).outcome?.verdict.status).toBe("passed");
  });

  it("each twice, in disorder and late: one run, one of everything", async () => {
    const issue = newIssue();
    const runs = (await world.baton.dependencies.store.runs({})).length;
    world.github.faults.addWebhook({ kind: "duplicate", times: 1_000 });
    world.github.faults.addWebhook({ kind: "reorder", times: 1_000, hold: 3, seed: 7 });
    // Deliveries that the disorder holds back go out late, not never.
    const release = setInterval(() => void world.github.settle(), 500);
    try {
      await wholeJob(issue);
    } finally {
      clearInterval(release);
    }
    expect(await mistakes(issue)).toEqual([]);
    expect(await world.baton.dependencies.store.runs({})).toHaveLength(runs + 1);
  });
});
