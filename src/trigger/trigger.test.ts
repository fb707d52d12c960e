/** The meaning of events for rules, and the bounds that end a chain of them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../core/limits.ts";
import { toTriggerEvent } from "./event.ts";
import { isOpenTo, judgeEvent, judgeStart, type PastStart, type TriggerRule } from "./judge.ts";

const alice = { id: 1, login: "alice", type: "User" };
const bot = { id: 9, login: "helper[bot]", type: "Bot" };
const base = {
  installation: { id: 3 },
  repository: { id: 7, name: "shop", default_branch: "main", owner: { login: "acme" } },
  sender: alice,
};
const issue = {
  number: 5,
  title: "It breaks",
  user: alice,
  labels: [{ name: "bug" }],
  updated_at: "2026-01-01T00:00:00Z",
};
const pull = { ...issue, base: { ref: "main" }, head: { sha: "a", ref: "fix" } };
const workflow = {
  id: 1,
  name: "CI",
  path: ".github/workflows/ci.yml",
  event: "push",
  head_branch: "main",
  head_sha: "c0ffee",
  conclusion: "failure",
  head_repository: { id: 7 },
};
const check = { name: "test", head_sha: "c0ffee", conclusion: "failure", check_suite: { head_branch: "main" } };
const read = (event: string, payload: object) => toTriggerEvent(event, { ...base, ...payload }, "guid-1");

describe("events", () => {
  it.each([
    ["issues", { action: "opened", issue }, "issues.opened", "5"],
    [
      "issues",
      { action: "labeled", issue, label: { name: "baton" } },
      "issues.labeled",
      "5:baton:2026-01-01T00:00:00Z",
    ],
    ["issues", { action: "assigned", issue, assignee: alice }, "issues.assigned", "5:alice:2026-01-01T00:00:00Z"],
    ["pull_request", { action: "opened", pull_request: pull }, "pull_request.opened", "5"],
    ["push", { ref: "refs/heads/main", after: "abc", commits: [] }, "push", "abc"],
    ["workflow_run", { action: "completed", workflow_run: workflow }, "workflow_run.failed", "c0ffee:CI"],
    ["check_run", { action: "completed", check_run: check }, "check_run.failed", "c0ffee:test"],
    [
      "release",
      { action: "published", release: { id: 4, tag_name: "v1", name: null, prerelease: false } },
      "release.published",
      "4",
    ],
    ["repository_dispatch", { action: "nightly", client_payload: { a: 1 } }, "repository_dispatch", "guid-1"],
  ])("%s %j", (event, payload, on, key) => expect(read(event, payload)).toMatchObject({ on, key }));

  it.each([
    ["an issue that was moved here", "issues", { action: "opened", issue: { ...issue, user: bot } }],
    ["an edited issue", "issues", { action: "edited", issue }],
    ["a push to another branch", "push", { ref: "refs/heads/x", after: "abc" }],
    ["a branch that is gone", "push", { ref: "refs/heads/main", after: "0", deleted: true }],
    [
      "a workflow that is green",
      "workflow_run",
      { action: "completed", workflow_run: { ...workflow, conclusion: "success" } },
    ],
    [
      "a workflow of a fork",
      "workflow_run",
      { action: "completed", workflow_run: { ...workflow, head_repository: { id: 8 } } },
    ],
    [
      "a workflow of a branch",
      "workflow_run",
      { action: "completed", workflow_run: { ...workflow, head_branch: "x" } },
    ],
    [
      "a workflow of a pull request",
      "workflow_run",
      { action: "completed", workflow_run: { ...workflow, event: "pull_request_target" } },
    ],
    [
      "a check of a branch",
      "check_run",
      { action: "completed", check_run: { ...check, check_suite: { head_branch: "x" } } },
    ],
    ["a draft release", "release", { action: "created", release: {} }],
    ["another event", "star", { action: "created" }],
    ["nothing that is right", "issues", { action: "opened", issue: { number: "5" } }],
  ])("%s means nothing", (_, event, payload) => expect(read(event, payload)).toBeNull());

  it("the files of a push are those of all its commits, each once", () => {
    const commits = [
      { added: ["a"], modified: ["b"] },
      { removed: ["a"], modified: ["c"] },
    ];
    expect(read("push", { ref: "refs/heads/main", after: "x", commits })?.paths).toEqual(["a", "b", "c"]);
  });

  it("a push without files, as a job is told of it, names the commits between which they changed", () => {
    const commits = [{ id: "x" }];
    expect(read("push", { ref: "refs/heads/main", before: "w", after: "x", commits })).toMatchObject({
      paths: null,
      between: { before: "w", after: "x" },
    });
    const fresh = { ref: "refs/heads/main", before: "0".repeat(40), after: "x", commits };
    expect(read("push", fresh)).toMatchObject({ paths: null, between: null });
  });

  it("a review and a workflow that somebody starts by hand", () => {
    const pull = { ...issue, base: { ref: "main" }, head: { sha: "c0ffee", ref: "topic" } };
    const review = { id: 8, state: "CHANGES_REQUESTED" };
    expect(read("pull_request_review", { action: "submitted", pull_request: pull, review })).toMatchObject({
      on: "pull_request_review.submitted",
      thread: { number: issue.number, kind: "pull-request" },
      facts: { state: "changes_requested", branch: "topic", sha: "c0ffee" },
      key: "8",
    });
    const inputs = { part: "docs" };
    const started = { ref: "refs/heads/main", workflow: ".github/workflows/x.yml", inputs };
    expect(read("workflow_dispatch", started)).toMatchObject({
      on: "workflow_dispatch",
      thread: null,
      facts: { workflow: ".github/workflows/x.yml", branch: "main", inputs },
    });
  });

  it("no payload makes it throw", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("issues", "push", "workflow_run", "check_run", "release"),
        fc.anything(),
        (event, one) => {
          toTriggerEvent(event, one, "g");
          toTriggerEvent(event, { ...base, action: "completed", ...(one as object) }, "g");
        },
      ),
    );
  });
});

const rule = (over: Partial<TriggerRule> = {}): TriggerRule => ({
  name: "labeled",
  on: "issues.labeled",
  if: null,
  paths: [],
  changed: [],
  maxPerHour: 10,
  ...over,
});
const labeled = (name: string, sender: typeof alice = alice) => {
  const event = read("issues", { action: "labeled", issue, label: { name }, sender });
  if (event === null) throw new Error("no event");
  return event;
};

describe("conditions", () => {
  it.each([
    ["event.label == 'baton'", "baton", true, /holds/],
    ["${{ event.label == 'baton' }}", "baton", true, /holds/],
    ["event.label == 'baton'", "bug", false, /is false/],
    ["contains(event.labels, 'bug') && actor.login == 'alice'", "x", true, /holds/],
    ["actor.kind == 'bot'", "x", false, /is false/],
    ["event.nothing", "x", false, /is false/],
    ["fromJSON(event.title)", "x", false, /cannot be evaluated, so it counts as false/],
    ["event.label ==", "x", false, /cannot be read/],
    ["secrets.KEY", "x", false, /cannot be read: There is no `secrets` here/],
  ])("%s", (condition, label, holds, reason) => {
    expect(judgeEvent(rule({ if: condition }), labeled(label))).toMatchObject({
      holds,
      reason: expect.stringMatching(reason),
    });
  });

  it("paths of a push are globs of changed files; for other events they name what the run is about", () => {
    const pushed = read("push", { ref: "refs/heads/main", after: "x", commits: [{ modified: ["docs/a.md"] }] });
    const of = (paths: string[], changed: string[] = []) =>
      pushed !== null && judgeEvent(rule({ on: "push", paths, changed }), pushed).holds;
    expect([of(["docs/**"]), of(["src/**"]), of([])]).toEqual([true, false, true]);
    // `changed` alone decides the start: the run may be about other files.
    expect([of(["src/**"], ["docs"]), of(["docs"], ["src"]), of([], ["docs"])]).toEqual([true, false, true]);
    expect(judgeEvent(rule({ paths: ["packages/api"] }), labeled("x")).holds).toBe(true);
    const unknown = pushed === null ? null : { ...pushed, paths: null };
    expect(unknown !== null && judgeEvent(rule({ on: "push", paths: ["**"] }), unknown).holds).toBe(false);
  });
});

it.each([
  ["a contributor", { contributors: true, bots: [] }, "User", "CONTRIBUTOR", true],
  ["a member", { contributors: true, bots: [] }, "User", "MEMBER", true],
  ["somebody's first contribution", { contributors: true, bots: [] }, "User", "FIRST_TIME_CONTRIBUTOR", false],
  ["somebody new to GitHub", { contributors: true, bots: [] }, "User", "FIRST_TIMER", false],
  ["a stranger", { contributors: true, bots: [] }, "User", "NONE", false],
  ["nobody, where the rule is not open", { contributors: false, bots: [] }, "User", "OWNER", false],
  ["a bot by id", { contributors: false, bots: [9] }, "Bot", "NONE", true],
  ["a bot that contributed", { contributors: true, bots: [8] }, "Bot", "CONTRIBUTOR", false],
])("`openTo`: %s", (_, openTo, type, association, expected) => {
  const issue = {
    number: 5,
    title: "x",
    user: { id: 9, login: "x", type },
    labels: [],
    author_association: association,
  };
  const event = toTriggerEvent("issues", { ...base, sender: issue.user, action: "opened", issue }, "g");
  expect(event).not.toBeNull();
  if (event !== null) expect(isOpenTo({ openTo }, event)).toBe(expected);
  // Another person's thread says nothing about the sender.
  const other = { ...issue, user: { id: 10, login: "y", type: "User" } };
  const labeled = toTriggerEvent(
    "issues",
    { ...base, sender: issue.user, action: "labeled", issue: other, label: { name: "l" } },
    "g",
  );
  expect(labeled?.association).toBeUndefined();
});

describe("what an event may start", () => {
  const past = (over: Partial<PastStart>): PastStart => ({
    rule: "labeled",
    runId: "run_1",
    at: 1_000,
    thread: 5,
    actor: "alice",
    depth: 0,
    parent: null,
    ...over,
  });
  const ask = (name: string, byBot: boolean, list: PastStart[], thread: number | null = 5, related: number[] = []) =>
    judgeStart({
      rule: { name, maxPerHour: 10 },
      event: { thread, actor: byBot ? "helper[bot]" : "alice", byBot },
      related,
      past: list,
      now: 2_000,
      money: { wantUsd: 2, chainUsd: 5 },
    });

  it("two bots that answer each other: the second turn is refused, with the chain", () => {
    const first = past({ rule: "ping", runId: "run_1" });
    const answer = ask("pong", true, [first]);
    expect(answer).toEqual({ start: true, depth: 1, parent: "run_1", budgetUsd: 2 });
    const second = past({ rule: "pong", runId: "run_2", at: 1_500, depth: 1, parent: "run_1", actor: "helper[bot]" });
    expect(ask("ping", true, [first, second])).toEqual({
      start: false,
      why: "loop",
      reason:
        "The chain comes back to a rule that it has: `ping` (run_1, by @alice) → `pong` (run_2, by @helper[bot]) → `ping` (by @helper[bot]).",
    });
  });

  it.each([
    [
      "a person begins a new chain",
      ask("ping", false, [past({ rule: "ping" })]),
      { start: true, depth: 0, parent: null },
    ],
    ["a bot alone begins one", ask("ping", true, []), { start: true, depth: 0, parent: null }],
    [
      "another thread is another chain",
      ask("ping", true, [past({ rule: "ping", thread: 6 })]),
      { start: true, depth: 0 },
    ],
    [
      "unless they belong together",
      ask("ping", true, [past({ rule: "ping", thread: 6 })], 5, [6]),
      { start: false, why: "loop" },
    ],
    [
      "without a thread any may be the cause",
      ask("ping", true, [past({ rule: "ping", thread: 6 })], null),
      { why: "loop" },
    ],
    [
      "a circle through a dispatch, back into another thread",
      ask(
        "labeled",
        true,
        [past({ rule: "dispatched", runId: "run_2", at: 1_500, thread: null, depth: 1, parent: "run_1" }), past({})],
        9,
      ),
      { start: false, why: "loop" },
    ],
    [
      "a person's dispatch is no cause of a bot's label elsewhere",
      ask("labeled", true, [past({ rule: "dispatched", thread: null }), past({ runId: "run_2" })], 9),
      { start: true, depth: 0, parent: null },
    ],
    ["the last of a chain gets the rest", ask("new", true, [past({ rule: "x", budgetUsd: 3.5 })]), { budgetUsd: 1.5 }],
    [
      "a chain that has its money",
      ask("new", true, [
        past({ rule: "y", runId: "run_2", at: 1_500, depth: 1, parent: "run_1", budgetUsd: 3 }),
        past({ rule: "x", budgetUsd: 2 }),
      ]),
      { start: false, why: "money" },
    ],
    [
      "the money of the other branches counts, too",
      ask("new", true, [
        past({ rule: "here", runId: "run_4", at: 1_700, depth: 1, parent: "run_1", budgetUsd: 1 }),
        past({ rule: "below", runId: "run_3", at: 1_600, depth: 2, parent: "run_2", thread: 8, budgetUsd: 1.5 }),
        past({ rule: "beside", runId: "run_2", at: 1_500, depth: 1, parent: "run_1", thread: 7, budgetUsd: 1 }),
        past({ rule: "first", thread: 6, budgetUsd: 1 }),
        past({ rule: "other", runId: "run_5", thread: 9, budgetUsd: 5 }),
      ]),
      { start: true, budgetUsd: 0.5 },
    ],
    ["another chain's money is its own", ask("new", true, [past({ thread: 6, budgetUsd: 5 })]), { budgetUsd: 2 }],
    ["a person has the whole budget", ask("new", false, [past({ budgetUsd: 5 })]), { start: true, budgetUsd: 2 }],
    ["too deep", ask("new", true, [past({ rule: "x", depth: 3 })]), { start: false, why: "depth" }],
    ["too often", ask("labeled", false, Array(10).fill(past({})) as PastStart[]), { start: false, why: "rate" }],
  ])("%s", (_, answer, expected) => expect(answer).toMatchObject(expected));

  it("a storm of a thousand events starts a bounded number of runs, whoever sends them and however", () => {
    const event = fc.record({
      name: fc.constantFrom("a", "b", "c", "d", "e"),
      byBot: fc.boolean(),
      thread: fc.option(fc.integer({ min: 1, max: 40 })),
    });
    fc.assert(
      fc.property(fc.array(event, { minLength: 900, maxLength: 1_000 }), (events) => {
        const started: PastStart[] = [];
        for (const [index, { name, byBot, thread }] of events.entries()) {
          const answer = judgeStart({
            rule: { name, maxPerHour: 10 },
            event: { thread, actor: "x", byBot },
            related: [],
            past: started,
            now: 1_000 + index,
            money: { wantUsd: 2, chainUsd: 5 },
          });
          if (answer.start)
            started.push(past({ rule: name, runId: `run_${index}`, at: 1_000 + index, thread, ...answer }));
        }
        return started.length <= limits.triggerStartsPerHourMax;
      }),
      { numRuns: 10 },
    );
  });
});
