/**
 * The contract of `ports/github.ts` as one suite. It runs over every available GitHub except the live one: the local GitHub
 * of this project and the package `emulate` by other authors. People set up the world through the API.
 *
 * Each case that a GitHub cannot support has a reason and must really fail there. So the list cannot become stale.
 */
import { Octokit } from "@octokit/rest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createGithubApp } from "../../src/adapters/github/github-app.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Repository } from "../../src/core/vocabulary.ts";
import type { CheckRunContent, Github, GithubApp } from "../../src/ports/github.ts";

/** A running GitHub with the repository acme/shop, the App, alice with write permission, and mallory without. */
export interface GithubUnderTest {
  apiUrl: string;
  appId: number;
  privateKey: string;
  installationId: number;
  tokens: Record<"alice" | "mallory", string>;
  close(): Promise<void>;
}

export interface GithubContractOptions {
  name: string;
  start: () => Promise<GithubUnderTest>;
  /** Names of cases that this GitHub cannot support, each with the reason. */
  missing: Partial<Record<CaseName, string>>;
}

interface World {
  app: GithubApp;
  github: Github;
  repository: Repository;
  alice: Octokit;
  mallory: Octokit;
  /** Carries out the next write, and loses its answer. */
  loseNextAnswer(): void;
  /** A new issue's number. */
  issue(): Promise<number>;
  /** A new branch with one more file: its name and head. */
  branch(files?: Record<string, string>): Promise<{ name: string; sha: string }>;
  pull(): Promise<{ number: number; sha: string; branch: string }>;
}

const place = { owner: "acme", repo: "shop" };
const content: CheckRunContent = {
  name: "Baton",
  status: "in_progress",
  conclusion: null,
  title: "At work",
  summary: "Step 1 of 3",
  text: "",
  annotations: [],
  detailsUrl: "https://baton.example/runs/1",
};
const done: CheckRunContent = { ...content, status: "completed", conclusion: "success", title: "Done" };

const cases = {
  "the App knows itself": async ({ app }) => {
    expect(await app.identity()).toMatchObject({ slug: "baton", bot: { login: "baton[bot]", kind: "bot" } });
  },
  "the App's bot has an id": async ({ app }) => {
    expect((await app.identity()).bot.id).toBeGreaterThan(0);
  },
  "the App reads its delivery log": async ({ app }) => {
    expect(await app.deliveries(null)).toEqual({ deliveries: [], nextCursor: null });
  },
  "an unknown installation is not found": async ({ app, repository }) => {
    const other = await app.installation(999_999);
    await expect(other.issue(repository, 1)).rejects.toMatchObject({ code: "BATON_GITHUB_NOT_FOUND" });
  },
  "a repository by its id": async ({ github, repository }) => {
    expect(await github.repository(repository.id)).toMatchObject({
      owner: "acme",
      name: "shop",
      defaultBranch: "main",
    });
  },
  "an issue as it is": async ({ github, repository, issue }) => {
    const number = await issue();
    expect(await github.issue(repository, number)).toMatchObject({
      number,
      title: "The total is wrong",
      body: "It ignores the count.",
      state: "open",
      author: { login: "alice", kind: "user" },
      isPullRequest: false,
    });
  },
  "an issue that is not there is not found": async ({ github, repository }) => {
    await expect(github.issue(repository, 999_999)).rejects.toMatchObject({ code: "BATON_GITHUB_NOT_FOUND" });
  },
  "permissions: one who may write, one who may only read": async ({ github, repository }) => {
    expect(["write", "maintain", "admin"]).toContain(await github.permission(repository, "alice"));
    expect(["read", "none"]).toContain(await github.permission(repository, "mallory"));
    expect(await github.permission(repository, "nobody-of-that-name")).toBe("none");
  },
  "a person by login: the account that has it now, with its permission": async ({ github, repository }) => {
    const alice = await github.person(repository, "alice");
    expect(alice).toMatchObject({
      login: "alice",
      kind: "user",
      permission: expect.stringMatching(/write|maintain|admin/),
    });
    expect(alice?.id).toBeGreaterThan(0);
    expect(await github.person(repository, "nobody-of-that-name")).toBeNull();
  },
  "collaborators with their permissions": async ({ github, repository }) => {
    const found = await github.collaborators(repository);
    expect(found.find(({ login }) => login === "alice")?.permission).toMatch(/write|maintain|admin/);
    expect(found.map(({ login }) => login)).not.toContain("mallory");
  },
  "a comment is written once, edited in place, and found again by its marker": async ({
    github,
    repository,
    issue,
  }) => {
    const number = await issue();
    const first = await github.ensureComment(repository, number, "run:1", "At work.", null);
    expect(await github.ensureComment(repository, number, "run:1", "At work.", null)).toEqual(first);
    expect(await github.ensureComment(repository, number, "run:1", "Done.", null)).toEqual(first);
    expect(await github.ensureComment(repository, number, "run:1", "Done, really.", first.id)).toEqual(first);
    const other = await github.ensureComment(repository, number, "run:2", "Another.", null);
    const all = await github.comments(repository, number);
    expect(all.map(({ id, author }) => [id, author.login, author.kind])).toEqual([
      [first.id, "baton[bot]", "bot"],
      [other.id, "baton[bot]", "bot"],
    ]);
    expect(all[0]?.body).toMatch(/^Done, really\./);
  },
  "a comment whose answer was lost is not written again": async ({ github, repository, issue, loseNextAnswer }) => {
    const number = await issue();
    loseNextAnswer();
    await expect(github.ensureComment(repository, number, "run:1", "At work.", null)).rejects.toMatchObject({
      code: "BATON_GITHUB_UNAVAILABLE",
    });
    const { id } = await github.ensureComment(repository, number, "run:1", "At work.", null);
    expect((await github.comments(repository, number)).map((one) => one.id)).toEqual([id]);
  },
  "another's comment with our marker is not ours": async ({ github, repository, issue, mallory }) => {
    const number = await issue();
    const body = "Mine.\n\n<!-- baton:op=run:1 -->";
    const theirs = await mallory.rest.issues.createComment({ ...place, issue_number: number, body });
    const { id } = await github.ensureComment(repository, number, "run:1", "Ours.", null);
    expect(id).not.toBe(theirs.data.id);
    expect((await github.comments(repository, number))[0]?.body).toBe(body);
  },
  "a comment that was deleted is written anew": async ({ github, repository, issue, alice }) => {
    const number = await issue();
    const { id } = await github.ensureComment(repository, number, "run:1", "At work.", null);
    await alice.rest.issues.deleteComment({ ...place, comment_id: id });
    const again = await github.ensureComment(repository, number, "run:1", "At work.", id);
    expect((await github.comments(repository, number)).map((one) => one.id)).toEqual([again.id]);
  },
  "what people wrote anywhere since: comments with their thread, and texts of issues": async ({
    github,
    repository,
    issue,
    alice,
    pull,
  }) => {
    const number = await issue();
    const { number: proposed } = await pull();
    const { data } = await alice.rest.issues.createComment({ ...place, issue_number: number, body: "/baton run" });
    const other = await alice.rest.issues.createComment({ ...place, issue_number: proposed, body: "Nice" });
    const since = new Date(Date.parse(data.created_at) - 60_000).toISOString();
    const { written, until } = await github.written(repository, since);
    expect(until).toBe(null);
    const { created_at: createdAt, node_id: nodeId } = data;
    const author = expect.objectContaining({ login: "alice", kind: "user" });
    expect(written).toContainEqual({ number, commentId: data.id, body: "/baton run", author, createdAt, nodeId });
    expect(written).toContainEqual(expect.objectContaining({ number: proposed, commentId: other.data.id }));
    expect(written).toContainEqual(expect.objectContaining({ number, commentId: null, author }));
    // The text of a pull request is not an issue's text.
    expect(written).not.toContainEqual(expect.objectContaining({ number: proposed, commentId: null }));
    const later = new Date(Date.now() + 3_600_000).toISOString();
    expect(await github.written(repository, later)).toEqual({ written: [], until: null });
  },
  "a reaction is given once": async ({ github, repository, issue, alice }) => {
    const number = await issue();
    const { data } = await alice.rest.issues.createComment({ ...place, issue_number: number, body: "/baton run" });
    await github.ensureReaction(repository, { comment: data.id }, "eyes");
    await github.ensureReaction(repository, { comment: data.id }, "eyes");
    const reactions = await alice.rest.reactions.listForIssueComment({ ...place, comment_id: data.id });
    expect(reactions.data.map((one) => one.content)).toEqual(["eyes"]);
  },
  "a file at a ref, and null where there is none": async ({ github, repository, branch }) => {
    const { name, sha } = await branch({ "docs/a b.md": "Words, ünïcode.\n" });
    expect(await github.file(repository, "docs/a b.md", name)).toBe("Words, ünïcode.\n");
    expect(await github.file(repository, "docs/a b.md", sha)).toBe("Words, ünïcode.\n");
    expect(await github.file(repository, "docs/a b.md", "main")).toBeNull();
    expect(await github.file(repository, "docs", name)).toBeNull();
  },
  "the head of a branch, and null where there is none": async ({ github, repository, branch }) => {
    const { name, sha } = await branch();
    expect(await github.branchSha(repository, name)).toBe(sha);
    expect(await github.branchSha(repository, `${name}-of-nobody`)).toBeNull();
  },
  "who pushed a head": async ({ github, repository, branch }) => {
    const { name, sha } = await branch();
    expect(await github.pusher(repository, name, sha)).toMatchObject({ login: "alice" });
  },
  "a branch that requires nothing": async ({ github, repository }) => {
    expect(await github.requiredChecks(repository, "main")).toEqual([]);
  },
  "a pull request is opened once, also when the answer was lost": async ({
    github,
    repository,
    branch,
    loseNextAnswer,
  }) => {
    const { name, sha } = await branch();
    const options = { head: name, base: "main", title: "Right total", body: "Closes #1", draft: false };
    loseNextAnswer();
    await expect(github.ensurePullRequest(repository, options)).rejects.toMatchObject({
      code: "BATON_GITHUB_UNAVAILABLE",
    });
    const first = await github.ensurePullRequest(repository, options);
    expect(await github.ensurePullRequest(repository, options)).toMatchObject({ number: first.number });
    expect(first).toMatchObject({
      headSha: sha,
      headRef: name,
      baseRef: "main",
      state: "open",
      merged: false,
      draft: false,
    });
    expect(first.headRepositoryId).toBe(repository.id);
    expect(await github.pullRequestsForBranch(repository, name)).toHaveLength(1);
  },
  "a pull request's text is changed, and only when it differs": async ({ github, repository, pull }) => {
    const { number } = await pull();
    await github.updatePullRequest(repository, number, { title: "Better", body: "Words" });
    await github.updatePullRequest(repository, number, { title: "Better" });
    expect(await github.pullRequest(repository, number)).toMatchObject({ title: "Better", body: "Words" });
  },
  "a pull request is an issue too": async ({ github, repository, pull }) => {
    const { number } = await pull();
    expect(await github.issue(repository, number)).toMatchObject({ number, isPullRequest: true });
  },
  "the files of a pull request": async ({ github, repository, branch }) => {
    const { name } = await branch({ "src/total.js": "export {};\n" });
    const { number } = await github.ensurePullRequest(repository, {
      head: name,
      base: "main",
      title: "t",
      body: "",
      draft: false,
    });
    expect(await github.pullRequestFiles(repository, number)).toEqual(["src/total.js"]);
  },
  "a pull request's head follows its branch": async ({ github, repository, pull, alice }) => {
    const { number, branch, sha } = await pull();
    await alice.rest.repos.createOrUpdateFileContents({
      ...place,
      path: `more-${number}.md`,
      branch,
      message: "More",
      content: Buffer.from("more").toString("base64"),
    });
    const { headSha } = await github.pullRequest(repository, number);
    expect(headSha).not.toBe(sha);
    expect(headSha).toBe(await github.branchSha(repository, branch));
  },
  "reviews with the commit they were given for, and the reviewer's permission": async ({
    github,
    repository,
    pull,
    alice,
  }) => {
    const { number, sha } = await pull();
    await alice.rest.pulls.createReview({
      ...place,
      pull_number: number,
      event: "APPROVE",
      body: "Good.",
      commit_id: sha,
    });
    expect(await github.reviews(repository, number)).toMatchObject([
      {
        author: { login: "alice", kind: "user" },
        state: "approved",
        sha,
        body: "Good.",
        permission: expect.stringMatching(/write|maintain|admin/),
      },
    ]);
  },
  "a review is asked for, again without harm, and never of the author": async ({ github, repository, pull, alice }) => {
    const { number } = await pull();
    await github.ensureReviewRequest(repository, number, ["alice", "baton[bot]"], []);
    await github.ensureReviewRequest(repository, number, ["alice"], []);
    const { data } = await alice.rest.pulls.get({ ...place, pull_number: number });
    expect(data.requested_reviewers?.map(({ login }) => login)).toEqual(["alice"]);
  },
  "a check run is made once and then changed, also when the answer was lost": async ({
    github,
    repository,
    branch,
    alice,
    loseNextAnswer,
  }) => {
    const { sha } = await branch();
    loseNextAnswer();
    await expect(github.ensureCheckRun(repository, sha, "run-1", content, null)).rejects.toMatchObject({
      code: "BATON_GITHUB_UNAVAILABLE",
    });
    const { id } = await github.ensureCheckRun(repository, sha, "run-1", content, null);
    expect((await github.ensureCheckRun(repository, sha, "run-1", done, null)).id).toBe(id);
    expect((await github.ensureCheckRun(repository, sha, "run-1", done, id)).id).toBe(id);
    const { data } = await alice.rest.checks.listForRef({ ...place, ref: sha });
    expect(data.check_runs.map((run) => [run.id, run.name, run.status, run.conclusion])).toEqual([
      [id, "Baton", "completed", "success"],
    ]);
  },
  "a check run by its known id": async ({ github, repository, branch, alice }) => {
    const { sha } = await branch();
    const { id } = await github.ensureCheckRun(repository, sha, "run-1", content, null);
    await github.ensureCheckRun(repository, sha, "run-1", done, id);
    const { data } = await alice.rest.checks.get({ ...place, check_run_id: id });
    expect([data.status, data.conclusion, data.head_sha, data.output.title]).toEqual([
      "completed",
      "success",
      sha,
      "Done",
    ]);
  },
  "the checks and statuses of a commit, each by who reported it": async ({
    app,
    github,
    repository,
    branch,
    alice,
  }) => {
    const { sha } = await branch();
    await github.ensureCheckRun(repository, sha, "run-1", done, null);
    await alice.rest.repos.createCommitStatus({ ...place, sha, state: "pending", context: "ci/old" });
    await alice.rest.repos.createCommitStatus({
      ...place,
      sha,
      state: "failure",
      context: "ci/old",
      description: "no",
    });
    const { appId } = await app.identity();
    const found = await github.checks(repository, sha);
    expect(found.map((one) => [one.source, one.name, one.appId, one.status, one.conclusion]).toSorted()).toEqual([
      ["check-run", "Baton", appId, "completed", "success"],
      ["status", "ci/old", null, "completed", "failure"],
    ]);
  },
  "a check that failed before and was run again: both tries": async ({ github, repository, branch, alice }) => {
    const { sha } = await branch();
    await github.ensureCheckRun(repository, sha, "run-1", { ...done, conclusion: "failure" }, null);
    await github.ensureCheckRun(repository, sha, "run-2", done, null);
    for (const state of ["pending", "failure", "failure", "pending", "success"] as const)
      await alice.rest.repos.createCommitStatus({ ...place, sha, state, context: "ci/old" });
    const found = await github.checks(repository, sha);
    expect(found.toSorted((a, b) => a.id - b.id).map((one) => [one.source, one.conclusion])).toEqual([
      ["check-run", "failure"],
      ["check-run", "success"],
      ["status", "failure"],
      ["status", "success"],
    ]);
    expect(new Set(found.filter(({ source }) => source === "check-run").map(({ suiteId }) => suiteId)).size).toBe(1);
  },
  "a merge at the approved head happens once, also when the answer was lost": async ({
    github,
    repository,
    pull,
    loseNextAnswer,
  }) => {
    const { number, sha } = await pull();
    loseNextAnswer();
    // The merge checks for itself after a lost answer.
    const merged = await github.ensureMerged(repository, number, sha, "squash", null);
    expect(await github.ensureMerged(repository, number, sha, "squash", null)).toEqual(merged);
    expect(await github.pullRequest(repository, number)).toMatchObject({
      merged: true,
      state: "closed",
      mergeSha: merged.sha,
    });
    expect(await github.branchSha(repository, "main")).toBe(merged.sha);
  },
  "a merge at another head than the approved one is refused": async ({ github, repository, pull }) => {
    const { number } = await pull();
    await expect(github.ensureMerged(repository, number, "1".repeat(40), "merge", null)).rejects.toMatchObject({
      code: "BATON_GITHUB_CONFLICT",
    });
    expect(await github.pullRequest(repository, number)).toMatchObject({ merged: false });
  },
  "a merge of what somebody merged at another head is refused": async ({ github, repository, pull, alice }) => {
    const { number } = await pull();
    await alice.rest.pulls.merge({ ...place, pull_number: number, merge_method: "merge" });
    await expect(github.ensureMerged(repository, number, "1".repeat(40), "merge", null)).rejects.toMatchObject({
      code: "BATON_GITHUB_CONFLICT",
    });
  },
  "git's token is another one for reading than for writing": async ({ github, repository }) => {
    const read = await github.gitAccess(repository, "read");
    const write = await github.gitAccess(repository, "write");
    expect(new URL(read.url).pathname).toBe("/acme/shop.git");
    expect(read.token).not.toBe(write.token);
  },
} satisfies Record<string, (world: World) => Promise<void>>;

export type CaseName = keyof typeof cases;

export function githubContract({ name, start, missing }: GithubContractOptions): void {
  describe(`GitHub contract on ${name}`, () => {
    let world: World;
    let running: GithubUnderTest;
    beforeAll(async () => {
      running = await start();
      world = await createWorld(running);
    });
    afterAll(() => running.close());

    const all = Object.entries(cases) as [CaseName, (given: World) => Promise<void>][];
    it.each(all.filter(([what]) => missing[what] === undefined))("%s", (_what, run) => run(world));
    it.fails.each(
      all.flatMap(([what, run]) => (missing[what] === undefined ? [] : [[what, missing[what], run] as const])),
    )("%s: cannot be carried (%s)", (_what, _reason, run) => run(world));
  });
}

function urlOf(input: string | URL | Request): string {
  return input instanceof Request ? input.url : input instanceof URL ? input.href : input;
}

async function createWorld(running: GithubUnderTest): Promise<World> {
  let losing = false;
  const app = createGithubApp({
    appId: running.appId,
    privateKey: running.privateKey,
    baseUrl: running.apiUrl,
    clock: systemClock,
    async fetch(input, init) {
      const answer = await fetch(input, init);
      const method = init?.method ?? "GET";
      if (!losing || method === "GET" || urlOf(input).endsWith("/access_tokens")) return answer;
      losing = false;
      await answer.arrayBuffer();
      throw new TypeError("fetch failed: the answer was lost");
    },
  });
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const person = (login: "alice" | "mallory") =>
    new Octokit({ baseUrl: running.apiUrl, auth: running.tokens[login], log });
  const alice = person("alice");
  const github = await app.installation(running.installationId);
  const { data } = await alice.rest.repos.get(place);
  const repository: Repository = {
    id: data.id,
    owner: "acme",
    name: "shop",
    defaultBranch: "main",
    installationId: running.installationId,
  };
  let count = 0;
  const branch: World["branch"] = async (files) => {
    count += 1;
    const name = `work/${count}`;
    const main = await alice.rest.git.getRef({ ...place, ref: "heads/main" });
    await alice.rest.git.createRef({ ...place, ref: `refs/heads/${name}`, sha: main.data.object.sha });
    let sha = "";
    for (const [path, text] of Object.entries(files ?? { [`note-${count}.md`]: `Note ${count}\n` })) {
      const written = await alice.rest.repos.createOrUpdateFileContents({
        ...place,
        path,
        branch: name,
        message: `Write ${path}`,
        content: Buffer.from(text).toString("base64"),
      });
      sha = written.data.commit.sha ?? "";
    }
    return { name, sha };
  };
  return {
    app,
    github,
    repository,
    alice,
    mallory: person("mallory"),
    loseNextAnswer() {
      losing = true;
    },
    async issue() {
      const made = await alice.rest.issues.create({
        ...place,
        title: "The total is wrong",
        body: "It ignores the count.",
      });
      return made.data.number;
    },
    branch,
    async pull() {
      const { name, sha } = await branch();
      const made = await github.ensurePullRequest(repository, {
        head: name,
        base: "main",
        title: name,
        body: "",
        draft: false,
      });
      return { number: made.number, sha, branch: name };
    },
  };
}
