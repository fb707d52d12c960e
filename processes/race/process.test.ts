/** The race as stories. Each story also runs with a crash before every answer. */
import { describe, expect, it } from "vitest";
import type { Json } from "../../src/core/vocabulary.ts";
import { alice, bob, RunWorld } from "../../test/fakes/run-world.ts";
import type { RaceInput } from "./input.ts";
import { race } from "./process.ts";

const sha = (digit: string): string => digit.repeat(40);
const base = sha("a");
const heads: Record<string, string> = { claude: sha("1"), codex: sha("2"), pi: sha("3"), repaired: sha("9") };

const input = (change: Partial<RaceInput["race"]> = {}, settings: Partial<RaceInput["settings"]> = {}): RaceInput => ({
  thread: {
    number: 12,
    kind: "issue",
    title: "The total",
    body: "",
    author: "alice",
    authorPermission: "write",
    comments: [],
  },
  instructions: "",
  repository: { owner: "acme", name: "shop" },
  baseBranch: "main",
  baseSha: base,
  branch: "baton/issue-12",
  branchSha: null,
  projectInstructions: "",
  choice: {},
  settings: {
    planBreakpoint: "auto",
    reviewBreakpoint: "ask",
    protectedPaths: [".github/**"],
    protectedPathsBreakpoint: "deny",
    repairAttempts: 1,
    reviewRounds: 1,
    checksTimeoutMs: 60_000,
    merge: "manual",
    mergeMethod: "squash",
    reviewers: [],
    teams: [],
    ...settings,
  },
  pullRequest: null,
  race: {
    contestants: ["claude", "codex"].map((slug) => ({ slug, harness: slug, branch: `baton/issue-12-${slug}` })),
    shareUsd: 1.6,
    checks: "push",
    ...change,
  },
});

type Answer = Json | { fails: string; message?: string };
const agent = (headSha: string | null, change: { lines?: number; costUsd?: number; path?: string } = {}): Json => ({
  harness: "h",
  model: "m",
  text: "Did it.",
  sessionId: "s",
  baseSha: base,
  headSha,
  commits: 1,
  files: headSha === null ? [] : [{ path: change.path ?? "cart.js", added: change.lines ?? 4, removed: 0 }],
  rescued: false,
  turns: 1,
  costUsd: change.costUsd ?? 0.5,
  transcriptId: null,
  promptId: null,
});
const written = (number: number | null = null): Json => ({ number, url: null, sha: null });
const checks = (failed: number): Json => ({
  name: "checks",
  status: failed === 0 ? "passed" : "failed",
  reason: failed === 0 ? "all green" : `${failed} failed`,
  evidence: [],
  children: Array.from({ length: failed }, (_, index) => ({
    name: `t${index}`,
    status: "failed",
    reason: "",
    evidence: [],
    children: [],
  })),
});
const approved = (headSha: string): Json => ({
  decision: "approved",
  by: bob as unknown as Json,
  feedback: "",
  sha: headSha,
  reviewId: null,
});

/** Answers that every story may need. A story's own answers take precedence. */
const usual: [RegExp, (key: string) => Answer][] = [
  [/^plan$/, () => agent(null)],
  [/implement$/, (key) => agent(heads[key.split("/")[1] ?? ""] ?? sha("4"))],
  [/^race\/.*push$|^push/, () => written()],
  [/draft$/, () => written(7)],
  [/^pull-request$/, () => written(5)],
  [/checks/, () => checks(0)],
  [/^verdict$|^refresh|^prune\//, () => written(1)],
  [/^repair$/, () => agent(heads["repaired"] ?? null)],
];

interface Story {
  name: string;
  input?: RaceInput;
  answers: Record<string, Answer>;
  status: "passed" | "failed";
  reason: RegExp;
  /** Pushed branches with their commits, and deleted branches. */
  pushed: [branch: string, head: string][];
  deleted: string[];
  table: RegExp;
}

const both: Story["pushed"] = [
  ["baton/issue-12-claude", "claude"],
  ["baton/issue-12-codex", "codex"],
];
const stories: Story[] = [
  {
    name: "one green, one red: the green one becomes the pull request",
    answers: { "race/claude/checks": checks(1), review: approved(sha("2")) },
    status: "passed",
    reason: /approved by @bob/,
    pushed: [...both, ["baton/issue-12", "codex"]],
    deleted: ["baton/issue-12-claude", "baton/issue-12-codex"],
    table: /\*\*1\*\* \| codex .*its checks are green/,
  },
  {
    name: "both green: the smaller change wins, whatever it cost",
    answers: { "race/claude/implement": agent(sha("1"), { lines: 9, costUsd: 0.1 }), review: approved(sha("2")) },
    status: "passed",
    reason: /approved/,
    pushed: [...both, ["baton/issue-12", "codex"]],
    deleted: ["baton/issue-12-claude", "baton/issue-12-codex"],
    table: /codex .*its change is smaller \(4 lines against 9\)/,
  },
  {
    name: "all red: the best of them is repaired",
    answers: {
      "race/claude/checks": checks(2),
      "race/codex/checks": checks(1),
      checks: checks(1),
      "checks#2": checks(0),
      review: approved(sha("9")),
    },
    status: "passed",
    reason: /approved/,
    pushed: [...both, ["baton/issue-12", "codex"], ["baton/issue-12", "repaired"]],
    deleted: ["baton/issue-12-claude", "baton/issue-12-codex"],
    table: /No contestant is green\. codex is the best/,
  },
  {
    name: "all red, and no repair helps: an honest end",
    input: input({}, { repairAttempts: 0 }),
    answers: { "race/claude/checks": checks(1), "race/codex/checks": checks(1), checks: checks(1) },
    status: "failed",
    reason: /Still red after 0 repairs/,
    pushed: [...both, ["baton/issue-12", "claude"]],
    deleted: ["baton/issue-12-claude", "baton/issue-12-codex"],
    table: /they are equal, and it was named first; all are red/,
  },
  {
    name: "a contestant that crashes is out, the other goes on",
    answers: {
      "race/claude/implement": { fails: "BATON_HARNESS_CRASHED", message: "It fell." },
      review: approved(sha("2")),
    },
    status: "passed",
    reason: /approved/,
    pushed: [
      ["baton/issue-12-codex", "codex"],
      ["baton/issue-12", "codex"],
    ],
    deleted: ["baton/issue-12-codex"],
    table: /\| out \| claude \| .*BATON_HARNESS_CRASHED: It fell\./,
  },
  {
    name: "one that spends its share stops, the other goes on",
    answers: {
      "race/codex/implement": { fails: "BATON_SHARE_EXCEEDED", message: "It used 1.70 USD." },
      review: approved(sha("1")),
    },
    status: "passed",
    reason: /approved/,
    pushed: [
      ["baton/issue-12-claude", "claude"],
      ["baton/issue-12", "claude"],
    ],
    deleted: ["baton/issue-12-claude"],
    table: /\| out \| codex \| .*BATON_SHARE_EXCEEDED/,
  },
  {
    name: "nobody finishes: told, nothing pushed",
    answers: {
      "race/claude/implement": agent(null),
      "race/codex/implement": agent(sha("2"), { path: ".github/workflows/ci.yml" }),
    },
    status: "failed",
    reason: /^Nobody finished: claude: changed nothing; codex: changed protected paths, and nobody allowed it/,
    pushed: [],
    deleted: [],
    table: /❌ Nobody finished/,
  },
  {
    name: "drafts where CI runs on pull requests; GitHub may have none",
    input: input({ checks: "pull-request" }),
    answers: {
      "race/claude/draft": { fails: "BATON_GITHUB_CONFLICT" },
      "race/claude/checks": checks(1),
      review: approved(sha("2")),
    },
    status: "passed",
    reason: /approved/,
    pushed: [...both, ["baton/issue-12", "codex"]],
    deleted: ["baton/issue-12-claude", "baton/issue-12-codex"],
    table: /codex \(#7\)/,
  },
  {
    name: "a branch that cannot be deleted hinders nothing",
    answers: {
      "race/claude/checks": checks(1),
      "prune/delete": { fails: "BATON_GIT_FAILED" },
      review: approved(sha("2")),
    },
    status: "passed",
    reason: /approved/,
    pushed: [...both, ["baton/issue-12", "codex"]],
    deleted: ["baton/issue-12-claude", "baton/issue-12-codex"],
    table: /codex/,
  },
];

const answerFor = (story: Pick<Story, "answers">, key: string): Answer => {
  const own = story.answers[key];
  if (own !== undefined) return own;
  const found = usual.find(([pattern]) => pattern.test(key));
  if (found === undefined) throw new Error(`No answer for ${key}`);
  return found[1](key);
};

async function answer(world: RunWorld, key: string, given: Answer): Promise<void> {
  if (typeof given === "object" && given !== null && "fails" in given) {
    const error = {
      code: given["fails"] as never,
      message: typeof given["message"] === "string" ? given["message"] : "no",
    };
    await world.append([{ type: "effect.failed", key: key as never, attempt: 1, error, usage: [] }]);
  } else await world.succeed(key, given as Json);
}

type Publish = { operation: string; branch: string; sha: string; expectedSha: string | null; body: string };
const published = (world: RunWorld, operation: string): Publish[] =>
  [...world.state.effects.values()]
    .map((effect) => (effect.input as { publish?: Publish }).publish)
    .filter((publish): publish is Publish => publish?.operation === operation);

describe.each(["without a crash", "with a crash before every answer", "the last asked is the first to end"])(
  "%s",
  (how) => {
    it.each(stories)("$name", async (story) => {
      const world = await RunWorld.start(race, story.input ?? input());
      while (world.open().length > 0) {
        if (how === "with a crash before every answer") await world.crash();
        const key = (how.startsWith("the last") ? world.open().at(-1) : world.open()[0]) as string;
        await answer(world, key, answerFor(story, key));
      }
      const { state } = world;
      expect(state.outcome?.verdict).toMatchObject({
        status: story.status,
        reason: expect.stringMatching(story.reason),
      });
      const order = (a: string[], b: string[]): number => String(a).localeCompare(String(b));
      expect(
        published(world, "push")
          .map(({ branch, sha: head }) => [branch, head])
          .toSorted(order),
      ).toEqual(story.pushed.map(([branch, head]) => [branch, heads[head] as string]).toSorted(order));
      expect(
        published(world, "delete-branch")
          .map(({ branch }) => branch)
          .toSorted(),
      ).toEqual(story.deleted);
      expect(published(world, "comment")[0]?.body).toMatch(story.table);
      // The run's verdict contains the race's verdict.
      expect(JSON.stringify(state.outcome?.verdict)).toContain('"name":"race"');
    });
  },
);

it("each contestant gets its share, its harness alone, and works from the same base; the winner's harness goes on", async () => {
  const own = input({
    contestants: [
      { slug: "claude-opus", harness: "claude", model: "opus", branch: "b-1" },
      { slug: "codex", harness: "codex", branch: "b-2" },
    ],
  });
  const world = await RunWorld.start(race, own);
  await answer(world, "plan", agent(null));
  expect(world.open()).toEqual(["race/claude-opus/implement", "race/codex/implement"]);
  const asked = (key: string): unknown => world.state.effects.get(key as never)?.input;
  expect(asked("race/claude-opus/implement")).toMatchObject({
    harness: "claude",
    model: "opus",
    shareUsd: 1.6,
    onlyHarness: true,
    baseSha: base,
  });
  expect(asked("race/codex/implement")).toMatchObject({ harness: "codex", baseSha: base });
  expect(asked("race/codex/implement")).not.toHaveProperty("model");
  await answer(world, "race/codex/implement", agent(null));
  for (const key of [
    "race/claude-opus/implement",
    "race/claude-opus/push",
    "race/claude-opus/checks",
    "verdict",
    "push",
    "pull-request",
    "prune/delete",
  ])
    await answer(world, key, answerFor({ answers: { "race/claude-opus/implement": agent(sha("1")) } }, key));
  await answer(world, "checks", checks(1));
  expect(asked("repair")).toMatchObject({ harness: "claude", model: "opus", resumeSessionId: "s", baseSha: sha("1") });
  expect(asked("repair")).not.toHaveProperty("shareUsd");
});

it.each([1, 2, 3, 4, 5, 6])(
  "a cancel after %i answers takes every pushed branch away, also one whose push was on its way",
  async (answers) => {
    const world = await RunWorld.start(race, input());
    await answer(world, "plan", agent(null));
    for (let count = 0; count < answers; count += 1) {
      const key = world.open()[0] as string;
      await answer(world, key, answerFor({ answers: {} }, key));
    }
    const pushed = published(world, "push").map(({ branch, sha: head }) => [branch, head]);
    await world.append([{ type: "run.cancel-requested", by: alice, reason: "enough" }]);
    for (let rounds = 0; world.open().length > 0 && rounds < 9; rounds += 1) {
      expect(world.open()[0]).toMatch(/^prune\/delete/);
      await world.crash();
      await answer(world, world.open()[0] as string, written());
    }
    expect(world.state.status).toBe("cancelled");
    expect(published(world, "delete-branch").map(({ branch, expectedSha }) => [branch, expectedSha])).toEqual(pushed);
  },
);
