import { describe, expect, it } from "vitest";
import type { Repository } from "../../core/vocabulary.ts";
import { createTokenGithub } from "./github-token.ts";

const repository: Repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 0 };
const sha = "a".repeat(40);
const actions = 15_368;

/** GitHub as a job of Actions sees it. Each name has one check run at a commit, all in one suite. */
function jobAt(
  names: string[],
  options: { ownCheckRun: number | number[] | null; own?: object | number; token?: string; push?: boolean },
) {
  const asked: string[] = [];
  const suite = {
    id: 5,
    head_sha: sha,
    status: "in_progress",
    conclusion: null,
    latest_check_runs_count: names.length,
  };
  const runs = names.map((name, index) => ({
    id: index + 1,
    name,
    head_sha: sha,
    status: name === "running" ? "in_progress" : "completed",
    conclusion: name === "running" ? null : "success",
    html_url: null,
    app: { id: actions },
    check_suite: { id: suite.id },
  }));
  const answers: Record<string, object | number> = {
    "/users/github-actions%5Bbot%5D": { id: 41_898_282, login: "github-actions[bot]", type: "Bot" },
    "/user": { id: 5, login: "alice", type: "User" },
    "/repos/acme/shop": options.push === undefined ? {} : { permissions: { push: options.push } },
    "/apps/github-actions": { id: actions },
    "/repos/acme/shop/check-runs/77": options.own ?? { name: "Run Baton" },
    "/repos/acme/shop/check-runs/78": { name: "Read the event" },
    [`/repos/acme/shop/commits/${sha}/check-runs`]: { total_count: runs.length, check_runs: runs },
    [`/repos/acme/shop/commits/${sha}/check-suites`]: {
      total_count: 1,
      check_suites: [{ ...suite, app: { id: actions, name: "GitHub Actions" } }],
    },
    [`/repos/acme/shop/commits/${sha}/statuses`]: [],
  };
  const github = createTokenGithub({
    token: options.token ?? "ghs_job",
    apiUrl: "https://api.github.com",
    webUrl: "https://github.com",
    clock: { now: () => 0, sleepUntil: () => Promise.resolve() },
    appSlug: null,
    ownChecks: ["Baton", "baton"],
    ownCheckRuns: options.ownCheckRun === null ? [] : [options.ownCheckRun].flat(),
    fetch: async (resource) => {
      const { pathname } = new URL(resource instanceof Request ? resource.url : resource);
      asked.push(pathname);
      const answer = answers[pathname] ?? 404;
      return typeof answer === "number" ? Response.json({ message: "no" }, { status: answer }) : Response.json(answer);
    },
  });
  const seen = async () => {
    const found = await github.installation(0);
    const checks = await found.checks(repository, sha);
    const suites = await found.checkSuites(repository, sha);
    return {
      checks: checks.map(({ name }) => name),
      suites: suites.map(({ status, checkRuns }) => [status, checkRuns]),
    };
  };
  const granted = async () => (await github.installation(0)).granted(repository, ["contents"]);
  return { seen, asked, granted };
}

describe("a job's own checks are no CI", () => {
  it.each<[string, string[], number | number[] | null, string[], unknown[][]]>([
    ["the job has no name of its own", ["baton"], null, [], []],
    ["the job is called otherwise than its id", ["Run Baton"], 77, [], []],
    ["its name next to the project's check", ["Run Baton", "test"], 77, ["test"], [["completed", 1]]],
    ["its name next to one that runs", ["Run Baton", "running"], 77, ["running"], [["in_progress", 1]]],
    ["the job's id still counts as its own", ["baton", "Baton", "test"], 77, ["test"], [["completed", 1]]],
    ["the job that read the event", ["Run Baton", "Read the event", "test"], [77, 78], ["test"], [["completed", 1]]],
    ["only the job that read the event", ["Read the event"], [77, 78], [], []],
    ["no own check at this commit", ["test"], 77, ["test"], [["in_progress", 1]]],
  ])("%s", async (_, names, ownCheckRun, checks, suites) => {
    expect(await jobAt(names, { ownCheckRun }).seen()).toEqual({ checks, suites });
  });

  it.each([403, 404])("where the check run cannot be read (%i), the job's id decides", async (own) => {
    const { checks } = await jobAt(["baton", "test"], { ownCheckRun: 77, own }).seen();
    expect(checks).toEqual(["test"]);
  });

  it("its name is asked for once a job", async () => {
    const { seen, asked } = jobAt(["Run Baton"], { ownCheckRun: 77 });
    await seen();
    await seen();
    expect(asked.filter((path) => path.endsWith("/check-runs/77"))).toHaveLength(1);
  });
});

it.each([
  ["a person who may not push", "ghp_alice", false, { contents: "read", pull_requests: "read" }],
  ["a person who may push", "ghp_alice", true, null],
  ["a person of whom GitHub does not tell", "ghp_alice", undefined, null],
  ["a job, whose token has no role", "ghs_job", false, null],
] as const)("what %s is granted", async (_, token, push, expected) => {
  const options = { ownCheckRun: null, token, ...(push === undefined ? {} : { push }) };
  expect(await jobAt([], options).granted()).toEqual(expected);
});
