import nock from "nock";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Repository } from "../../core/vocabulary.ts";
import type { CheckRunContent } from "../../ports/github.ts";
import { InstallationGithub } from "./installation.ts";
import { RateBudget } from "./rate-budget.ts";
import { Requester } from "./request.ts";

const host = "https://api.github.com";
const repository: Repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
const bot = { id: 77, login: "baton[bot]", type: "Bot" };
const appId = 12;
const sha = "a".repeat(40);

interface Posted {
  body?: string;
  content?: string;
  head?: string;
  base?: string;
  title?: string;
  name?: string;
  external_id?: string;
  status?: string;
  conclusion?: string;
  head_sha?: string;
  reviewers?: string[];
  sha?: string;
}

/** The part of GitHub that the writes need, behind nock. It keeps a write even when the answer is lost. */
function fakeRepository() {
  const state = {
    comments: [] as { id: number; body: string; user: object; html_url: string }[],
    pulls: [] as Record<string, unknown>[],
    checkRuns: [] as Record<string, unknown>[],
    reactions: new Set<string>(),
    reviewers: new Set<string>(),
    merges: 0,
    writes: [] as string[],
    lost: 0,
  };
  const at = "/repos/acme/shop";
  const pages = { per_page: "100", page: "1" };
  const scope = nock(host).persist();
  /** Does the work. Each answer that a test loses becomes a 502. */
  const answer =
    (what: string, status: number, work: (body: Posted, url: string) => object) =>
    async (request: Request): Promise<[number, object]> => {
      state.writes.push(what);
      const done = work((await request.json()) as Posted, request.url);
      if (state.lost === 0) return [status, done];
      state.lost -= 1;
      return [502, { message: "Bad Gateway" }];
    };
  scope
    .get(`${at}/issues/1/comments`)
    .query(pages)
    .reply(() => [200, state.comments]);
  scope.get(/\/issues\/comments\/\d+$/).reply(({ url }: Request) => {
    const found = state.comments.find(({ id }) => url.endsWith(`/${id}`));
    return found === undefined ? [404, { message: "Not Found" }] : [200, found];
  });
  scope.post(`${at}/issues/1/comments`).reply(
    answer("comment", 201, ({ body = "" }) => {
      const id = state.comments.length + 1;
      const made = { id, body, user: bot, html_url: `https://github.com/${id}` };
      state.comments.push(made);
      return made;
    }),
  );
  scope.patch(/\/issues\/comments\/\d+$/).reply(
    answer("edit", 200, ({ body = "" }, url) => {
      const found = state.comments.find(({ id }) => url.endsWith(`/${id}`)) as (typeof state.comments)[number];
      found.body = body;
      return found;
    }),
  );
  scope.post(`${at}/issues/comments/5/reactions`).reply(
    answer("reaction", 201, ({ content = "" }) => {
      state.reactions.add(content);
      return { id: 1, content };
    }),
  );
  scope
    .get(`${at}/pulls`)
    .query({ ...pages, head: "acme:work", state: "open" })
    .reply(() => [200, state.pulls]);
  scope.get(`${at}/pulls/2`).reply(() => [200, state.pulls[0] as object]);
  scope.post(`${at}/pulls`).reply(
    answer("pull request", 201, ({ head, base, title, body }) => {
      const made = {
        number: 2,
        title,
        body,
        state: "open",
        user: bot,
        head: { sha, ref: head, repo: { id: 9 } },
        base: { sha: "b".repeat(40), ref: base },
        html_url: "https://github.com/acme/shop/pull/2",
      };
      state.pulls.push(made);
      return made;
    }),
  );
  scope.patch(`${at}/pulls/2`).reply(answer("text", 200, (change) => Object.assign(state.pulls[0] as object, change)));
  scope.post(`${at}/pulls/2/requested_reviewers`).reply(
    answer("review request", 201, ({ reviewers = [] }) => {
      for (const login of reviewers) state.reviewers.add(login);
      return state.pulls[0] as object;
    }),
  );
  scope.put(`${at}/pulls/2/merge`).reply(
    answer("merge", 200, () => {
      state.merges += 1;
      Object.assign(state.pulls[0] as object, { merged: true, state: "closed", merge_commit_sha: "c".repeat(40) });
      return { sha: "c".repeat(40), merged: true };
    }),
  );
  scope
    .get(`${at}/commits/${sha}/check-runs`)
    .query({ ...pages, check_name: "Baton", filter: "all" })
    .reply(() => [200, { total_count: state.checkRuns.length, check_runs: state.checkRuns }]);
  scope.post(`${at}/check-runs`).reply(
    answer("check run", 201, (body) => {
      const made = { ...body, id: state.checkRuns.length + 1, app: { id: appId }, html_url: null };
      state.checkRuns.push(made);
      return made;
    }),
  );
  scope
    .patch(`${at}/check-runs/1`)
    .reply(answer("check run's change", 200, (change) => Object.assign(state.checkRuns[0] as object, change)));
  return state;
}

let github: InstallationGithub;
let state: ReturnType<typeof fakeRepository>;

beforeAll(() => nock.disableNetConnect());
afterAll(() => {
  nock.restore();
  nock.enableNetConnect();
});
beforeEach(() => {
  const clock = { now: () => 0, sleepUntil: () => Promise.resolve() };
  state = fakeRepository();
  github = new InstallationGithub({
    requester: new Requester({ baseUrl: host, authorise: async () => "token t", clock, budget: new RateBudget(clock) }),
    identity: async () => ({ appId, slug: "baton", bot: { id: bot.id, login: bot.login, kind: "bot" } }),
    webUrl: "https://github.com",
    repositoryToken: async () => "t",
    granted: async () => null,
  });
});
afterEach(() => nock.cleanAll());

const content: CheckRunContent = {
  name: "Baton",
  status: "completed",
  conclusion: "success",
  title: "Done",
  summary: "All three steps",
  text: "",
  annotations: Array.from({ length: 60 }, (_, line) => ({
    path: "a.js",
    line: line + 1,
    level: "notice" as const,
    message: "m",
    title: "t",
  })),
  detailsUrl: null,
};
const pull = { head: "work", base: "main", title: "Right total", body: "Closes #1", draft: false };

/** The write happens and its answer is lost. The caller then asks again, as the outbox does. */
async function twice<T>(write: () => Promise<T>): Promise<T> {
  state.lost = 1;
  await expect(write()).rejects.toMatchObject({ code: "BATON_GITHUB_UNAVAILABLE" });
  return write();
}

it("dismissed-objection-revives-approval: a review that is not submitted is not there, with all its comments", async () => {
  const at = "/repos/acme/shop";
  const review = (id: number, written: string) => ({
    id,
    user: bot,
    state: written,
    commit_id: sha,
    body: `No. ${id}`,
  });
  nock(host)
    .get(`${at}/pulls/2/reviews`)
    .query(true)
    .reply(200, [review(1, "APPROVED"), review(2, "PENDING"), review(3, "DISMISSED"), review(4, "PENDING")]);
  nock(host)
    .get(`${at}/pulls/2/comments`)
    .query(true)
    .reply(200, [
      { pull_request_review_id: 1, path: "a.js", line: 1, body: "shown" },
      { pull_request_review_id: 2, path: "a.js", line: 2, body: "not yet" },
    ]);
  const found = await github.reviews(repository, 2);
  expect(found.map(({ id, state: given, comments }) => [id, given, comments.map(({ body }) => body)])).toEqual([
    [1, "approved", ["shown"]],
    [3, "dismissed", []],
  ]);
});

describe("a write whose answer was lost, asked for again", () => {
  it("comment: one, and nothing is sent", async () => {
    const { id } = await twice(() => github.ensureComment(repository, 1, "run:1", "At work.", null));
    expect([id, state.comments.length, state.writes]).toEqual([1, 1, ["comment"]]);
  });

  it("comment's edit: the text is there, and nothing is sent", async () => {
    const { id } = await github.ensureComment(repository, 1, "run:1", "At work.", null);
    await twice(() => github.ensureComment(repository, 1, "run:1", "Done.", id));
    expect([state.comments[0]?.body.split("\n")[0], state.writes]).toEqual(["Done.", ["comment", "edit"]]);
  });

  it("reaction: one of its kind, by GitHub's own rule", async () => {
    await twice(() => github.ensureReaction(repository, { comment: 5 }, "eyes"));
    expect([...state.reactions]).toEqual(["eyes"]);
  });

  it("pull request: one, adopted", async () => {
    const { number } = await twice(() => github.ensurePullRequest(repository, pull));
    expect([number, state.pulls.length, state.writes]).toEqual([2, 1, ["pull request"]]);
  });

  it("pull request's text: as wanted, and nothing is sent", async () => {
    await github.ensurePullRequest(repository, pull);
    await twice(() => github.updatePullRequest(repository, 2, { title: "Better" }));
    expect([state.pulls[0]?.["title"], state.writes]).toEqual(["Better", ["pull request", "text"]]);
  });

  it("review request: each asked once", async () => {
    await github.ensurePullRequest(repository, pull);
    await twice(() => github.ensureReviewRequest(repository, 2, ["alice", "Baton[bot]"], []));
    expect([...state.reviewers]).toEqual(["alice"]);
  });

  it("check run: one, with as many annotations as GitHub takes at once", async () => {
    const { id } = await twice(() => github.ensureCheckRun(repository, sha, "run-1", content, null));
    expect([id, state.checkRuns.length, state.writes]).toEqual([1, 1, ["check run", "check run's change"]]);
    expect((state.checkRuns[0]?.["output"] as { annotations: unknown[] }).annotations).toHaveLength(50);
  });

  it("merge: it is looked whether it happened, before anybody hears of a fault", async () => {
    await github.ensurePullRequest(repository, pull);
    state.lost = 1;
    const merged = await github.ensureMerged(repository, 2, sha, "squash", null);
    expect(await github.ensureMerged(repository, 2, sha, "squash", null)).toEqual(merged);
    expect([merged.sha, state.merges]).toEqual(["c".repeat(40), 1]);
  });
});

it("commits-carry-whatever-the-agent-says: a merge is told what its commit says, where Baton has words for it", async () => {
  const sent: unknown[] = [];
  nock(host)
    .persist()
    .get("/repos/acme/shop/pulls/7")
    .reply(200, {
      number: 7,
      title: "x",
      state: "open",
      merged: false,
      user: bot,
      head: { sha, ref: "f", repo: { id: 9 } },
      base: { sha, ref: "main" },
    });
  nock(host)
    .persist()
    .put("/repos/acme/shop/pulls/7/merge")
    .reply(async (request: Request) => {
      sent.push(await request.json());
      return [200, { sha: "c".repeat(40), merged: true }];
    });
  await github.ensureMerged(repository, 7, sha, "squash", { title: "Sum (#7)", message: "Baton-Run: run_1" });
  await github.ensureMerged(repository, 7, sha, "rebase", null);
  expect(sent).toEqual([
    { sha, merge_method: "squash", commit_title: "Sum (#7)", commit_message: "Baton-Run: run_1" },
    { sha, merge_method: "rebase" },
  ]);
});

describe("what is adopted", () => {
  const marked = "Mine.\n\n<!-- baton:op=run:1 -->";

  it.each([
    ["a person's comment with our marker", { id: 5, login: "mallory", type: "User" }],
    ["another bot's", { id: 78, login: "other[bot]", type: "Bot" }],
    ["a deleted account's", null],
  ])("not %s", async (_name, user) => {
    state.comments.push({ id: 1, body: marked, user: user as object, html_url: "https://github.com/1" });
    expect((await github.ensureComment(repository, 1, "run:1", "Ours.", null)).id).toBe(2);
    expect(state.comments[0]?.body).toBe(marked);
  });

  it("not another App's check run of the same name and id", async () => {
    state.checkRuns.push({ id: 8, name: "Baton", external_id: "run-1", app: { id: 99 }, html_url: null });
    expect((await github.ensureCheckRun(repository, sha, "run-1", content, null)).id).toBe(2);
  });

  it("not a fork's pull request of the same branch name", async () => {
    await github.ensurePullRequest(repository, pull);
    (state.pulls[0]?.["head"] as { repo: { id: number } }).repo = { id: 1_000 };
    await github.ensurePullRequest(repository, pull);
    expect(state.writes).toEqual(["pull request", "pull request"]);
  });
});

it("more tries of a check than can be read hide none of the newest", async () => {
  const run = (id: number) => ({
    id,
    name: "test",
    head_sha: sha,
    status: "completed",
    conclusion: "success",
    app: null,
  });
  const asked: string[] = [];
  nock(host)
    .persist()
    .get(`/repos/acme/shop/commits/${sha}/check-runs`)
    .query(({ filter }) => filter === "all" || filter === "latest")
    .reply(({ url }: Request) => {
      const filter = new URL(url).searchParams.get("filter") ?? "";
      asked.push(filter);
      const runs = filter === "all" ? Array.from({ length: 100 }, (_, id) => run(id)) : [run(5_000)];
      return [200, { total_count: runs.length, check_runs: runs }];
    });
  nock(host).get(`/repos/acme/shop/commits/${sha}/statuses`).query(true).reply(200, []);
  expect((await github.checks(repository, sha)).map(({ id }) => id)).toEqual([5_000]);
  expect(asked.at(-1)).toBe("latest");
});

describe("log-tail-without-the-failure: what a repair reads of a failed check", () => {
  const check = { id: 5, source: "check-run" as const, summary: "2 tests failed" };
  const annotation = {
    path: "src/sum.ts",
    start_line: 9,
    annotation_level: "failure",
    title: null,
    message: "expected 5 to be 8",
  };
  const answers = (annotations: [number, object], log: [number, object | string]) => {
    nock(host)
      .get("/repos/acme/shop/check-runs/5/annotations")
      .query({ per_page: "100" })
      .reply(annotations[0], annotations[1]);
    nock(host).get("/repos/acme/shop/actions/jobs/5/logs").reply(log[0], log[1]);
  };

  it.each<[string, [number, object], [number, object | string], string]>([
    ["both", [200, [annotation]], [200, "the log"], "src/sum.ts:9: expected 5 to be 8\n\nthe log"],
    [
      "a log that may not be read",
      [200, [annotation]],
      [403, { message: "Must have admin rights to Repository." }],
      "src/sum.ts:9: expected 5 to be 8\n\n2 tests failed",
    ],
    [
      "a log that expired",
      [200, [annotation]],
      [410, { message: "Gone" }],
      "src/sum.ts:9: expected 5 to be 8\n\n2 tests failed",
    ],
    [
      "another App's check",
      [200, [annotation]],
      [404, { message: "Not Found" }],
      "src/sum.ts:9: expected 5 to be 8\n\n2 tests failed",
    ],
    [
      "annotations that may not be read",
      [403, { message: "Resource not accessible by integration" }],
      [200, "the log"],
      "the log",
    ],
  ])("%s", async (_, annotations, log, text) => {
    answers(annotations, log);
    expect(await github.checkLog(repository, check, 2_000)).toBe(text);
  });

  it("a status has only its words", async () => {
    expect(await github.checkLog(repository, { ...check, source: "status" }, 2_000)).toBe("2 tests failed");
  });
});

describe("green-hides-red-of-same-name: attempts of jobs that share a name", () => {
  const job = (id: number, name: string, runId: number) => ({
    id,
    name,
    head_sha: sha,
    status: "completed",
    conclusion: "success",
    app: { id: 15_368 },
    check_suite: { id: 70 + runId },
    details_url: `https://github.com/acme/shop/actions/runs/${runId}/job/${id}`,
    html_url: null,
  });
  const answered = (...runs: object[]) => {
    nock(host)
      .get(`/repos/acme/shop/commits/${sha}/check-runs`)
      .query(true)
      .reply(200, { total_count: runs.length, check_runs: runs });
    nock(host).get(`/repos/acme/shop/commits/${sha}/statuses`).query(true).reply(200, []);
  };
  const attempts = async () => (await github.checks(repository, sha)).map(({ id, attempt }) => [id, attempt]);

  it("are read of the workflow runs that have such jobs, and of no other", async () => {
    answered(job(1, "test", 5), job(2, "test", 5), job(3, "test", 6), job(4, "lint", 6));
    const jobs = [1, 2].map((id) => ({ id, run_attempt: id }));
    const asked = nock(host)
      .get("/repos/acme/shop/actions/runs/5/jobs")
      .query(({ filter }) => filter === "all")
      // A job that a new attempt only lists again belongs to that attempt.
      .reply(200, { total_count: 3, jobs: [...jobs, { id: 1, run_attempt: 2 }] });
    expect(await attempts()).toEqual([
      [1, 2],
      [2, 2],
      [3, undefined],
      [4, undefined],
    ]);
    expect(asked.isDone()).toBe(true);
  });

  it("are unknown of a job that GitHub does not list", async () => {
    answered(job(1, "test", 5), job(2, "test", 5));
    const jobs = [{ id: 1, run_attempt: 1 }];
    nock(host).get("/repos/acme/shop/actions/runs/5/jobs").query(true).reply(200, { total_count: 1, jobs });
    expect(await attempts()).toEqual([
      [1, 1],
      [2, null],
    ]);
  });

  it.each([403, 404])("are unknown where GitHub answers %s", async (status) => {
    answered(job(1, "test", 5), job(2, "test", 5));
    nock(host).get("/repos/acme/shop/actions/runs/5/jobs").query(true).reply(status, { message: "no" });
    expect(await attempts()).toEqual([
      [1, null],
      [2, null],
    ]);
  });
});
