/** Commits of the API, and rules that want them signed. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
    // Like GitHub, it gives a commit that no ref reaches.
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
