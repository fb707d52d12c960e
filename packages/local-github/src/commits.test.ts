/** Commits of the API, and rules that require signatures. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Octokit } from "@octokit/rest";
import { expect, test } from "vitest";
import { createTestWorld, gitIn } from "./test-world.ts";

const place = { owner: "acme", repo: "web" };

test("GitHub signs what an App commits that names nobody, and only that; rules take it in a push", async () => {
  await using world = await createTestWorld();
  const { github, octokit } = world;
  const { data: ref } = await octokit.rest.git.getRef({ ...place, ref: "heads/main" });
  const { data: head } = await octokit.rest.git.getCommit({ ...place, commit_sha: ref.object.sha });
  const given = { ...place, message: "Again\n", tree: head.tree.sha, parents: [head.sha] };
  const { data: signed } = await octokit.rest.git.createCommit(given);
  expect(signed).toMatchObject({
    tree: { sha: head.tree.sha },
    author: { name: "baton[bot]" },
    committer: { name: "GitHub", email: "noreply@github.com" },
    verification: { verified: true, reason: "valid" },
  });
  const someone = { name: "M", email: "m@example.com" };
  const { data: named } = await octokit.rest.git.createCommit({ ...given, author: someone });
  const { data: ofPerson } = await world.as("bob").rest.git.createCommit(given);
  for (const { verification } of [named, ofPerson]) expect(verification).toMatchObject({ verified: false });
  expect(named.author).toMatchObject(someone);
  github.setRules({
    repository: "acme/web",
    ruleSets: [{ branches: "signed/*", rules: [{ type: "required_signatures" }] }],
  });
  const { data: read } = await octokit.rest.repos.getCommit({ ...place, ref: signed.sha });
  expect(read.commit.verification).toMatchObject({ verified: true, signature: signed.verification.signature });
  const work = await mkdtemp(join(tmpdir(), "local-github-"));
  try {
    const remote = github.url.replace("://", `://x:${await world.token()}@`);
    await gitIn(work, "clone", "-q", `${remote}/acme/web.git`, "web");
    const inClone = (...args: string[]) => gitIn(join(work, "web"), ...args);
    // Like GitHub, it serves a commit that no ref reaches.
    await inClone("fetch", "-q", "origin", signed.sha, named.sha);
    await inClone("push", "-q", "origin", `${signed.sha}:refs/heads/signed/one`);
    const refused = inClone("push", "-q", "origin", `${named.sha}:refs/heads/signed/two`);
    await expect(refused).rejects.toThrow(/GH013[\s\S]*Commits must have verified signatures/);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
});

test("a tree or a parent that is not there is refused", async () => {
  await using world = await createTestWorld();
  const { octokit } = world;
  const { data: ref } = await octokit.rest.git.getRef({ ...place, ref: "heads/main" });
  const { data: head } = await octokit.rest.git.getCommit({ ...place, commit_sha: ref.object.sha });
  const none = "0".repeat(39) + "1";
  const refused = (tree: string, parents: string[]) =>
    octokit.rest.git
      .createCommit({ ...place, message: "m", tree, parents })
      .catch((error: { status: number }) => error);
  expect(await refused(none, [head.sha])).toMatchObject({ status: 422, message: expect.stringContaining("Tree SHA") });
  expect(await refused(head.tree.sha, [none])).toMatchObject({
    status: 422,
    message: expect.stringContaining("Parent SHA"),
  });
});

test("an App without `workflows: write` brings no workflow file, by whichever way; with it each works", async () => {
  const grants = { contents: "write", pull_requests: "write", workflows: "write" } as const;
  await using world = await createTestWorld({ grants });
  const { github, octokit: withThem } = world;
  const narrow = await world.token({ permissions: { contents: "write", pull_requests: "write" } });
  const without = new Octokit({ baseUrl: github.apiUrl, auth: narrow });
  const ci = ".github/workflows/ci.yml";
  const words =
    /refusing to allow a GitHub App to create or update workflow `.github\/workflows\/ci.yml` without `workflows` permission/;
  const at = { repository: "acme/web", as: "bob" };
  const { data: root } = await without.rest.git.getRef({ ...place, ref: "heads/main" });
  const from = root.object.sha;
  const file = { ...place, path: ci, message: "CI", content: Buffer.from("# one\n").toString("base64") };
  await expect(without.rest.repos.createOrUpdateFileContents(file)).rejects.toMatchObject({
    status: 403,
    message: expect.stringContaining("Resource not accessible by integration"),
  });
  await withThem.rest.repos.createOrUpdateFileContents(file);
  // An older branch gets the file by an update.
  await github.push({ ...at, branch: "behind", from, files: { a: "a" }, message: "Add" });
  const behind = await github.openPullRequest({ ...at, title: "Behind", head: "behind" });
  const { data: pull } = await without.rest.pulls.get({ ...place, pull_number: behind.number });
  const query =
    "mutation($input: UpdatePullRequestBranchInput!) { updatePullRequestBranch(input: $input) { pullRequest { headRefOid } } }";
  const update = { query, variables: { input: { pullRequestId: pull.node_id } } };
  expect((await without.request("POST /graphql", update)).data).toMatchObject({
    data: { updatePullRequestBranch: null },
    errors: [{ message: expect.stringMatching(words) }],
  });
  // A person's branch changes it.
  await github.push({ ...at, branch: "change", files: { [ci]: "# other\n" }, message: "Change" });
  const change = await github.openPullRequest({ ...at, title: "Change", head: "change" });
  const merge = { ...place, pull_number: change.number };
  for (const merge_method of ["merge", "squash", "rebase"] as const)
    await expect(without.rest.pulls.merge({ ...merge, merge_method })).rejects.toMatchObject({
      status: 403,
      message: expect.stringMatching(words),
    });
  // A commit that no ref has, and one that a branch has.
  const { data: changed } = await without.rest.git.getRef({ ...place, ref: "heads/change" });
  const { data: head } = await without.rest.git.getCommit({ ...place, commit_sha: changed.object.sha });
  const given = { ...place, message: "Again\n", tree: head.tree.sha, parents: [from] };
  const { data: made } = await without.rest.git.createCommit(given);
  const ref = (name: string, sha: string) => ({ ...place, ref: `refs/heads/${name}`, sha });
  const refused = { status: 403, message: expect.stringContaining("Resource not accessible by integration") };
  await expect(without.rest.git.createRef(ref("new", made.sha))).rejects.toMatchObject(refused);
  await expect(
    without.rest.git.updateRef({ ...place, ref: "heads/change", sha: made.sha, force: true }),
  ).rejects.toMatchObject(refused);
  await without.rest.git.createRef(ref("same", head.sha));
  await withThem.rest.git.createRef(ref("new", made.sha));
  expect((await withThem.request("POST /graphql", update)).data).not.toHaveProperty("errors");
  expect((await withThem.rest.pulls.merge({ ...merge, merge_method: "squash" })).data.merged).toBe(true);
});
