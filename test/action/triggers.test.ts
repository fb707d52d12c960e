/**
 * Each event that starts the workflow, as the platform passes it on, and its result. All tests share one repository. First
 * nothing waits. Then strangers ask and pull requests change the configuration. At last runs go from event to event.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { workflowAlone } from "../../src/onboarding/template.ts";
import { comments, pulls } from "../scenarios/helpers.ts";
import { realPayload } from "./payloads.ts";
import { type FinishedJob, type Platform, startPlatform } from "./platform.ts";

const branch = "notes";
/** A person's pull request, and one from a fork. */
const numbers = { pull: 0, forked: 0 };
const shas = { pull: "", forked: "" };
let platform: Platform;
let carol = "";

beforeAll(async () => {
  platform = await startPlatform({ script: { ...sampleScript, implement: sampleScript.repair } });
  const { github } = platform;
  // Neither a starter of runs nor a pusher, so their approval counts.
  carol = github.createUser({ login: "carol" }).token;
  github.setPermission({ repository: repositoryName, login: "carol", permission: "write" });
  const files = { "notes.md": "Notes.\n" };
  shas.pull = await github.push({ repository: repositoryName, as: "bob", branch, files });
  numbers.pull = (
    await github.openPullRequest({ repository: repositoryName, as: "bob", title: "Notes", head: branch })
  ).number;
  const fork = await github.forkRepository({ repository: repositoryName, owner: "mallory" });
  const bad = { "baton.yaml": "version: 1\nmerge: auto\n" };
  shas.forked = await github.push({ repository: fork.fullName, as: "mallory", branch, files: bad });
  numbers.forked = (
    await github.openPullRequest({
      repository: repositoryName,
      as: "mallory",
      title: "Mine",
      head: `mallory:${branch}`,
    })
  ).number;
  await github.settle();
});
afterAll(() => platform.close());

const shop = () => {
  const found = [...platform.github.state.repositories.values()].find(({ name }) => name === "shop");
  if (found === undefined) throw new Error(`no ${repositoryName}`);
  return found;
};
const person = (login: string) => {
  const found = [...platform.github.state.accounts.values()].find((account) => account.login === login);
  if (found === undefined) throw new Error(`no ${login}`);
  return { id: found.id, login, type: "User" };
};
const said = (number: number): string[] =>
  comments(platform as never, number)
    .filter(({ login }) => login === "github-actions[bot]")
    .map(({ body }) => body);
const stateRefs = (): string[] => [...shop().refs.keys()].filter((ref) => ref.startsWith("refs/baton/"));

const sides = (number: number, sha: string, forked = false) => {
  const { id } = shop();
  return { number, head: { ref: branch, sha, repo: forked ? { id: id + 1 } : { id } }, base: { repo: { id } } };
};
const ofPull = (event: string, action: string, pull = sides(numbers.pull, shas.pull)): object =>
  realPayload(platform, event, action, { number: pull.number, pull_request: pull });
const ofCommit = (event: "check_suite" | "workflow_run", sha: string): object =>
  realPayload(platform, event, "completed", { [event]: { head_sha: sha } });
const ofText = (event: "issue_comment" | "issues", body: string, given: { as?: string; number?: number } = {}) => {
  const user = person(given.as ?? "alice");
  const number = given.number ?? platform.issue;
  if (event === "issue_comment")
    return realPayload(platform, event, "created", platform.comment(body, user.login, number));
  const { number: opened } = platform.github.openIssue({
    repository: repositoryName,
    as: user.login,
    title: "New",
    body,
  });
  return realPayload(platform, event, "opened", { issue: { number: opened, body, user }, sender: user });
};
/** Baton's own checks, at any commit. */
const ownChecks = (): string[] =>
  [...shop().checkRuns.values()].filter(({ name }) => name.startsWith("Baton")).map(({ name }) => name);
const wake = (event: string, change: object = {}): object => realPayload(platform, event, null, change);
const numberIn = (payload: object): number => (payload as { issue: { number: number } }).issue.number;

const figures = (job: FinishedJob): { pushes: number; calls: number } => {
  const [, pushes, calls] = /(\d+) state push(?:es)?, (\d+) API calls?/.exec(job.summary) ?? [];
  return { pushes: Number(pushes), calls: Number(calls) };
};
/** Conditions that every job must meet, whatever it found. */
const honest = (job: FinishedJob): FinishedJob => {
  const verdict = job.outputs["verdict"] ?? "";
  expect(job.errors).toBe("");
  expect(Object.keys(job.outputs).sort()).toEqual(["cache-key", "cost-usd", "pull-request", "run-id", "verdict"]);
  const green = ["passed", "waiting", "nothing", "elsewhere", "handed-over"].includes(verdict);
  expect({ verdict, exitCode: job.exitCode }).toEqual({ verdict, exitCode: green ? 0 : 1 });
  expect({ verdict, annotated: job.log.includes("::error ") }).toEqual({ verdict, annotated: !green });
  expect(job.summary.split("\n")[0]).toContain(verdict);
  expect(job.log).not.toContain(platform.token);
  return job;
};
const job = async (event: string, payload: object): Promise<FinishedJob> => honest(await platform.run(event, payload));

const workflowRules = { "issues.opened": 1, "pull_request.opened": 1, "pull_request_review.submitted": 1 };

/** The events to which the file for people subscribes. */
const subscribed = Object.entries(
  (parse(workflowAlone().text) as { on: Record<string, { types?: string[] }> }).on,
).flatMap(([event, options]) => (options?.types ?? [null]).map((action) => [event, action] as const));

// These processes share no state.
describe.concurrent("while nothing waits, each event ends at once", () => {
  const payloads: Record<string, (action: string) => object> = {
    issues: () => ofText("issues", "The total is wrong.\n\n> /baton run\n"),
    issue_comment: () => ofText("issue_comment", "I like `/baton run`."),
    pull_request: (action) => ofPull("pull_request", action),
    pull_request_review: (action) => ofPull("pull_request_review", action),
    pull_request_review_comment: (action) => ofPull("pull_request_review_comment", action),
    check_suite: () => ofCommit("check_suite", shas.pull),
    workflow_run: () => ofCommit("workflow_run", shas.pull),
    schedule: () => wake("schedule"),
    workflow_dispatch: () => wake("workflow_dispatch", { inputs: { thread: "" } }),
    repository_dispatch: (action) => realPayload(platform, "repository_dispatch", action, { client_payload: {} }),
  };

  it.each(subscribed)("%s %s", async (event, action) => {
    const payload = payloads[event]?.(action ?? "");
    if (payload === undefined) throw new Error(`What does ${event} lead to?`);
    const done = await job(event, payload);
    expect(done.outputs).toEqual({
      verdict: "nothing",
      "run-id": "",
      "pull-request": "",
      "cost-usd": "0",
      "cache-key": "",
    });
    const { pushes, calls } = figures(done);
    expect(pushes).toBe(0);
    // For a pull request, the job asks whether its files include the configuration. A job that checks everything asks for
    // new comments and issues, and for schedules. It asks for nothing else.
    const looksAtAll = ["schedule", "workflow_dispatch", "repository_dispatch"].includes(event);
    const mayChangeConfig = event === "pull_request" && action !== "closed";
    // Whether it has rules: both places of the configuration.
    const mayHaveRule =
      looksAtAll || `${event}.${action}` in workflowRules || (event === "issues" && action === "edited");
    expect(calls).toBeLessThanOrEqual((looksAtAll ? 3 : mayChangeConfig ? 1 : 0) + (mayHaveRule ? 2 : 0));
    expect(stateRefs()).toEqual([]);
    expect(ownChecks()).toEqual([]);
  });

  it.each([
    ["issues", "edited"],
    ["issue_comment", "edited"],
    ["pull_request", "labeled"],
    ["workflow_run", "requested"],
  ])("%s %s, to which nobody subscribes, neither", async (event, action) => {
    const user = person("alice");
    const change = {
      issue: { number: platform.issue, body: "/baton run", user },
      comment: { id: 1, body: "/baton run", user },
    };
    const payload = event.startsWith("issue") ? realPayload(platform, event, action, change) : ofPull(event, action);
    const done = await job(event, payload);
    expect(done.outputs["verdict"]).toBe("nothing");
    expect(stateRefs()).toEqual([]);
    expect(ownChecks()).toEqual([]);
  });
});

describe("a fork", () => {
  it.concurrent.each(subscribed.filter(([event]) => event.startsWith("pull_request")))(
    "its %s %s is left alone: the job has neither secrets nor a token that may write",
    async (event, action) => {
      const done = await job(event, ofPull(event, action ?? "", sides(numbers.forked, shas.forked, true)));
      expect(done.outputs["verdict"]).toBe("nothing");
      expect(done.log).toContain("fork");
      expect(figures(done)).toEqual({ pushes: 0, calls: 0 });
    },
  );

  it("who may give commands cannot set an agent to its head either", async () => {
    const done = await job("issue_comment", ofText("issue_comment", "/baton run", { number: numbers.forked }));
    expect(done).toMatchObject({ exitCode: 1, outputs: { verdict: "refused", "run-id": "" } });
    expect(said(numbers.forked).filter((body) => body.includes("🚫"))).toHaveLength(1);
    expect(said(numbers.forked).join("\n")).toMatch(/fork/);
    expect(ownChecks()).toEqual([]);
  });

  it("the end of its CI changes nothing", async () => {
    const done = await job("workflow_run", ofCommit("workflow_run", shas.forked));
    expect(done.outputs["verdict"]).toBe("nothing");
  });
});

describe("a stranger", () => {
  it.each(["issue_comment", "issues"] as const)(
    "is refused by %s, once, however often the job is started",
    async (event) => {
      const payload = ofText(event, "Please!\n\n/baton run", { as: "mallory" });
      const number = numberIn(payload);
      const refusals = (): string[] => said(number).filter((body) => body.includes("🚫"));
      const done = await job(event, payload);
      expect(done).toMatchObject({ exitCode: 1, outputs: { verdict: "refused", "run-id": "", "cost-usd": "0" } });
      expect(refusals()).toHaveLength(1);
      expect(refusals()[0]).toContain("mallory");
      await job(event, payload);
      expect(refusals()).toHaveLength(1);
      expect(ownChecks()).toEqual([]);
    },
  );

  it.each(["/baton rnu please", "/baton run --speed fast", "/baton 🎉"])(
    "who misspells a command turns no job red: %s",
    async (text) => {
      const done = await job("issue_comment", ofText("issue_comment", text, { as: "mallory" }));
      expect(done).toMatchObject({ exitCode: 0, outputs: { verdict: "nothing", "run-id": "" } });
    },
  );

  it("who moves another's issue here gives no command with its text", async () => {
    const payload = { ...ofText("issues", "/baton run"), sender: person("mallory") };
    // Its move is a change, so the schedule ignores it, too.
    const moved = shop().threads.get(numberIn(payload));
    if (moved !== undefined) moved.createdAt = "2026-01-01T00:00:00Z";
    expect((await job("issues", payload)).outputs["verdict"]).toBe("nothing");
    expect(said(numberIn(payload))).toEqual([]);
  });
});

describe("a pull request that changes baton.yaml", () => {
  const checks = () =>
    [...shop().checkRuns.values()].filter(
      ({ name, headSha }) => name === "Baton configuration" && headSha === shas.pull,
    );
  const change = async (text: string): Promise<void> => {
    shas.pull = await platform.github.push({
      repository: repositoryName,
      as: "bob",
      branch,
      files: { "baton.yaml": text },
    });
  };

  it("opened with problems: a check run with an annotation at each line, and a red job", async () => {
    await change("version: 1\nharness: { default: command }\nbudget:\n  runUsd: much\n");
    const done = await job("pull_request", ofPull("pull_request", "opened"));
    expect(done).toMatchObject({ exitCode: 1, outputs: { verdict: "refused" } });
    expect(checks()).toMatchObject([
      { conclusion: "failure", annotations: [{ path: "baton.yaml", start_line: 4, annotation_level: "failure" }] },
    ]);
  });

  it("moved on without problems: what would change, in a green job", async () => {
    await change("version: 1\nharness: { default: command }\nbudget: { runUsd: 4 }\n");
    const done = await job("pull_request", ofPull("pull_request", "synchronize"));
    expect(done).toMatchObject({ exitCode: 0, outputs: { verdict: "nothing" } });
    expect(done.log).toContain("configuration");
    expect(checks()).toMatchObject([{ conclusion: "success", annotations: [] }]);
    expect(checks()[0]?.output.summary).toContain("budget.runUsd");
    // The same event again changes nothing.
    await job("pull_request", ofPull("pull_request", "reopened"));
    expect(checks()).toHaveLength(1);
  });
});

describe("a run goes from event to event", () => {
  const begun = { runId: "", number: 0, pull: 0 };
  const head = () => {
    const found = pulls(platform as never).find(({ number }) => number === begun.pull);
    if (found === undefined) throw new Error("There is not a pull request.");
    return found.pull;
  };
  const own = () => sides(begun.pull, head().headSha);
  const advanced = async (event: string, payload: object, verdict = "waiting"): Promise<FinishedJob> => {
    const done = await job(event, payload);
    expect(done.outputs).toMatchObject({ verdict, "run-id": begun.runId, "pull-request": `${begun.pull}` });
    expect(Number(done.outputs["cost-usd"])).toBeGreaterThan(0);
    await platform.settle();
    return done;
  };
  /** No CI starts by itself, so the run still waits for it when the job ends. */
  const begin = async (event: "issues" | "issue_comment"): Promise<void> => {
    const payload = ofText(event, "The total is wrong.\n\n/baton run");
    const done = honest(await platform.run(event, payload, { "INPUT_DISPATCH-WORKFLOWS": "" }));
    expect(done.outputs["verdict"]).toBe("waiting");
    begun.number = numberIn(payload);
    begun.runId = done.outputs["run-id"] ?? "";
    begun.pull = Number(done.outputs["pull-request"]);
    expect(begun.runId).toMatch(/^run_/);
    expect(begun.pull).toBeGreaterThan(0);
    expect(done.summary).toContain("**Waiting: Checks on");
    await platform.settle();
  };

  it("issues opened: begins by the text of a new issue, and is answered there", async () => {
    await begin("issues");
    expect(said(begun.number).filter((body) => body.includes("status:"))).toHaveLength(1);
    const thread = shop().threads.get(begun.number);
    expect(thread?.reactions.map(({ content }) => content).sort()).toEqual(["eyes", "rocket"]);
  });

  it("check_suite completed: its checks are seen, a person is waited for", async () => {
    const dispatches = `${platform.github.apiUrl}/repos/${repositoryName}/actions/workflows/ci.yml/dispatches`;
    const body = JSON.stringify({ ref: head().headRef });
    const started = await fetch(dispatches, { method: "POST", headers: { authorization: `token ${carol}` }, body });
    expect(started.status).toBe(204);
    await platform.settle();
    const done = await advanced("check_suite", ofCommit("check_suite", head().headSha));
    expect(done.summary).toMatch(/needs a(?:n approving)? review/i);
  });

  it.each(["schedule", "workflow_dispatch", "repository_dispatch"])(
    "%s: nobody has anything to do meanwhile",
    async (event) => {
      const done = await job(event, wake(event, { inputs: {}, client_payload: {} }));
      expect(done.outputs["verdict"]).toBe("nothing");
    },
  );

  it.each(["workflow_run", "pull_request_review"] as const)(
    "%s of another pull request, which no run waits for: no check there, and none here",
    async (event) => {
      const before = ownChecks();
      const payload =
        event === "workflow_run"
          ? ofCommit(event, shas.pull)
          : ofPull(event, "submitted", sides(numbers.pull, shas.pull));
      expect((await job(event, payload)).outputs["verdict"]).toBe("nothing");
      expect(ownChecks()).toEqual(before);
    },
  );

  it("workflow_dispatch with a thread: it is looked at", async () => {
    await advanced("workflow_dispatch", wake("workflow_dispatch", { inputs: { thread: `${begun.number}` } }));
  });

  it("repository_dispatch with a thread, too", async () => {
    await advanced("repository_dispatch", wake("repository_dispatch", { client_payload: { thread: begun.number } }));
  });

  it("pull_request synchronize: a person's commit needs its own checks", async () => {
    const files = { "more.md": "More.\n" };
    await platform.github.push({ repository: repositoryName, as: "bob", branch: head().headRef, files });
    await advanced("pull_request", ofPull("pull_request", "synchronize", own()));
    const done = await advanced("workflow_run", ofCommit("workflow_run", head().headSha));
    expect(done.summary).toMatch(/needs a(?:n approving)? review/i);
  });

  it("pull_request_review submitted: approved, so it has passed", async () => {
    platform.github.review({ repository: repositoryName, number: begun.pull, as: "carol", event: "APPROVE" });
    const done = await advanced("pull_request_review", ofPull("pull_request_review", "submitted", own()), "passed");
    expect(done.log).toContain("::notice title=Baton: passed::");
  });

  it("pull_request_review dismissed, after its end: nothing", async () => {
    const done = await job("pull_request_review", ofPull("pull_request_review", "dismissed", own()));
    expect(done.outputs["verdict"]).toBe("nothing");
  });

  it("issue_comment created: another one begins, and its cancellation is no success", async () => {
    await begin("issue_comment");
    const done = await advanced("issue_comment", ofText("issue_comment", "/baton cancel"), "cancelled");
    expect(done.log).toContain("::error title=Baton: cancelled::");
  });
});
