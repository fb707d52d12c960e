import { expect, test } from "vitest";
import { createTestWorld, goodSum } from "./test-world.ts";

const web = { owner: "acme", repo: "web" };

async function worldWithPull(options: Parameters<typeof createTestWorld>[0] = {}) {
  const world = await createTestWorld(options);
  const { github } = world;
  const sha = await github.push({ repository: "acme/web", as: "bob", branch: "fix", files: goodSum, message: "Fix" });
  const { number } = await github.openPullRequest({ repository: "acme/web", as: "bob", title: "Fix", head: "fix" });
  await github.settle();
  world.received.length = 0;
  return { world, number, sha, place: { repository: "acme/web", number } };
}

test("files, commits and comparison come from git; a second pull request for a branch is refused", async () => {
  const { world, number, sha } = await worldWithPull();
  await using _ = world;
  const { octokit } = world;
  const files = await octokit.rest.pulls.listFiles({ ...web, pull_number: number });
  expect(files.data).toMatchObject([{ filename: "sum.js", status: "modified", additions: 1, deletions: 1 }]);
  expect(files.data[0]?.patch).toContain("+export const sum = (a, b) => a + b;");
  const commits = await octokit.rest.pulls.listCommits({ ...web, pull_number: number });
  expect(commits.data.map((one) => [one.sha, one.author?.login])).toEqual([[sha, "bob"]]);
  const compared = await octokit.rest.repos.compareCommitsWithBasehead({ ...web, basehead: "main...fix" });
  expect(compared.data).toMatchObject({ status: "ahead", ahead_by: 1, behind_by: 0 });
  await expect(octokit.rest.pulls.create({ ...web, title: "x", head: "fix", base: "main" })).rejects.toMatchObject({
    status: 422,
    message: expect.stringContaining("A pull request already exists for acme:fix."),
  });
  await expect(octokit.rest.pulls.create({ ...web, title: "x", head: "main", base: "main" })).rejects.toMatchObject({
    status: 422,
    message: expect.stringContaining("No commits between main and main"),
  });
  const found = await octokit.rest.pulls.list({ ...web, head: "acme:fix" });
  expect(found.data.map((one) => one.number)).toEqual([number]);
  expect((await octokit.rest.pulls.list({ ...web, head: "acme:other" })).data).toEqual([]);
});

test("a review names the commit it was given for; nobody approves their own; a dismissal is told", async () => {
  const { world, number, sha, place } = await worldWithPull();
  await using _ = world;
  const { github, octokit } = world;
  expect(() => github.review({ ...place, as: "bob", event: "APPROVE" })).toThrow("Unprocessable Entity");
  await octokit.rest.pulls.requestReviewers({ ...web, pull_number: number, reviewers: ["ada"] });
  await expect(
    octokit.rest.pulls.requestReviewers({ ...web, pull_number: number, reviewers: ["eve"] }),
  ).rejects.toMatchObject({ status: 422 });
  const { id } = github.review({ ...place, as: "ada", event: "APPROVE" });
  await github.push({ repository: "acme/web", as: "bob", branch: "fix", files: { more: "x" } });
  const reviews = await octokit.rest.pulls.listReviews({ ...web, pull_number: number });
  expect(reviews.data).toMatchObject([{ id, state: "APPROVED", commit_id: sha, user: { login: "ada" } }]);
  github.dismissReview({ ...place, as: "bob", reviewId: id });
  await github.settle();
  expect(world.events().filter((one) => one.startsWith("pull_request"))).toEqual([
    "pull_request.review_requested",
    "pull_request_review.submitted",
    "pull_request.synchronize",
    "pull_request_review.dismissed",
  ]);
  const told = world.received.find((one) => one.event === "pull_request_review");
  expect(told?.payload["review"]).toMatchObject({ state: "approved", commit_id: sha });
});

test("a merge waits for the required checks, wants the true head, refuses conflicts, and knows three methods", async () => {
  const { world, number, sha, place } = await worldWithPull();
  await using _ = world;
  const { github, octokit } = world;
  const merge = { ...web, pull_number: number };
  github.setRequiredChecks({ repository: "acme/web", branch: "main", checks: ["Baton"] });
  const rules = await octokit.rest.repos.getBranchRules({ ...web, branch: "main" });
  expect(rules.data).toMatchObject([
    { type: "required_status_checks", parameters: { required_status_checks: [{ context: "Baton" }] } },
  ]);
  await expect(octokit.rest.pulls.merge({ ...merge, sha })).rejects.toMatchObject({ status: 405 });
  await octokit.rest.checks.create({ ...web, name: "Baton", head_sha: sha, conclusion: "success" });
  await expect(octokit.rest.pulls.merge({ ...merge, sha: "0".repeat(40) })).rejects.toMatchObject({ status: 409 });
  await github.push({ repository: "acme/web", as: "ada", branch: "main", files: { "sum.js": "conflict\n" } });
  expect((await octokit.rest.pulls.get(merge)).data).toMatchObject({ mergeable: false, mergeable_state: "dirty" });
  await expect(octokit.rest.pulls.merge({ ...merge, sha })).rejects.toMatchObject({ status: 405 });
  github.closeIssue({ ...place, as: "bob" });
  github.setRequiredChecks({ repository: "acme/web", branch: "main", checks: [] });

  for (const [method, parents, subject] of [
    ["merge", 2, /^Merge pull request #\d+ from acme\/m0/],
    ["squash", 1, /^One \(#\d+\)\n\n\* Add m1/],
    ["rebase", 1, /^Add m2/],
  ] as const) {
    const index = ["merge", "squash", "rebase"].indexOf(method);
    const branch = `m${index}`;
    const message = `Add ${branch}`;
    // A branch older than the last merge, so that each method has work to do.
    const root = (await octokit.rest.repos.listCommits({ ...web, per_page: 100 })).data.at(-1)?.sha ?? "";
    await github.push({ repository: "acme/web", as: "bob", branch, from: root, files: { [branch]: "x" }, message });
    const opened = await github.openPullRequest({ repository: "acme/web", as: "bob", title: "One", head: branch });
    const merged = await octokit.rest.pulls.merge({ ...web, pull_number: opened.number, merge_method: method });
    const commit = await octokit.rest.git.getCommit({ ...web, commit_sha: merged.data.sha });
    expect([method, commit.data.parents.length]).toEqual([method, parents]);
    expect(commit.data.message).toMatch(subject);
    const tip = await octokit.rest.git.getRef({ ...web, ref: "heads/main" });
    expect(tip.data.object.sha).toBe(merged.data.sha);
    await expect(octokit.rest.pulls.merge({ ...web, pull_number: opened.number })).rejects.toMatchObject({
      status: 405,
    });
  }
});

test("a fork's pull request follows the fork, runs the base's CI, and outlives the fork", async () => {
  await using world = await createTestWorld({ ci: true });
  const { github, octokit } = world;
  await github.forkRepository({ repository: "acme/web", owner: "eve" });
  await github.push({ repository: "eve/web", as: "eve", branch: "patch", files: goodSum });
  const { number } = await github.openPullRequest({
    repository: "acme/web",
    as: "eve",
    title: "Patch",
    head: "eve:patch",
  });
  const sha = await github.push({ repository: "eve/web", as: "eve", branch: "patch", files: { "e.txt": "e" } });
  await github.settle();
  const pull = await octokit.rest.pulls.get({ ...web, pull_number: number });
  expect(pull.data).toMatchObject({ head: { sha, repo: { full_name: "eve/web", fork: true } }, changed_files: 2 });
  const checks = await octokit.rest.checks.listForRef({ ...web, ref: sha });
  expect(checks.data.check_runs).toMatchObject([{ conclusion: "success", pull_requests: [] }]);
  github.deleteRepository({ repository: "eve/web" });
  const left = await octokit.rest.pulls.get({ ...web, pull_number: number });
  expect(left.data.head).toMatchObject({ sha, repo: null, label: "eve:patch" });
});

test("a comment on a pull request says so, and a comment that is too long is refused", async () => {
  const { world, number, place } = await worldWithPull();
  await using _ = world;
  world.github.comment({ ...place, as: "ada", body: "/baton status" });
  await world.github.settle();
  const [told] = world.received;
  expect(told?.payload["issue"]).toMatchObject({ number, pull_request: { merged_at: null } });
  await expect(
    world.octokit.rest.issues.createComment({ ...web, issue_number: number, body: "x".repeat(65_537) }),
  ).rejects.toMatchObject({ status: 422 });
});

test("dismissed-objection-revives-approval: a pending review, and its comments, are there for its author alone", async () => {
  const { world, number } = await worldWithPull();
  await using _ = world;
  const { octokit } = world;
  const pull = { ...web, pull_number: number };
  const ada = world.as("ada").rest.pulls;
  const comments = [{ path: "sum.js", line: 1, body: "secret" }];
  const { id } = (await ada.createReview({ ...pull, body: "draft", comments })).data;
  await expect(ada.createReview({ ...pull, event: "APPROVE" })).rejects.toMatchObject({ status: 422 });
  const inReview = { ...pull, review_id: id };
  const bob = world.as("bob").rest.pulls;
  for (const { rest } of [octokit, world.as("bob")]) {
    expect((await rest.pulls.listReviews(pull)).data).toEqual([]);
    expect((await rest.pulls.listReviewComments(pull)).data).toEqual([]);
    await expect(rest.pulls.getReview(inReview)).rejects.toMatchObject({ status: 404 });
    await expect(rest.pulls.listCommentsForReview(inReview)).rejects.toMatchObject({ status: 404 });
  }
  await expect(bob.submitReview({ ...inReview, event: "APPROVE" })).rejects.toMatchObject({ status: 404 });
  await expect(octokit.rest.pulls.dismissReview({ ...inReview, message: "x" })).rejects.toMatchObject({ status: 404 });
  expect((await ada.getReview(inReview)).data).toMatchObject({ state: "PENDING", body: "draft" });
  const [comment] = (await ada.listCommentsForReview(inReview)).data;
  const at = { ...web, comment_id: Number(comment?.id) };
  await expect(bob.createReplyForReviewComment({ ...at, pull_number: number, body: "what?" })).rejects.toMatchObject({
    status: 404,
  });
  await expect(
    octokit.rest.reactions.createForPullRequestReviewComment({ ...at, content: "eyes" }),
  ).rejects.toMatchObject({ status: 404 });
  await ada.submitReview({ ...inReview, event: "COMMENT" });
  expect((await octokit.rest.pulls.listReviews(pull)).data).toMatchObject([{ id, state: "COMMENTED" }]);
  expect((await octokit.rest.pulls.listReviewComments(pull)).data).toMatchObject([{ body: "secret" }]);
});

test("the base of a closed pull request stays, also where the same request reopens it", async () => {
  const { world, number } = await worldWithPull();
  await using _ = world;
  const { rest } = world.as("ada");
  const pull = { ...web, pull_number: number };
  await rest.pulls.update({ ...pull, state: "closed" });
  for (const change of [{ base: "main" }, { base: "main", state: "open" as const }])
    await expect(rest.pulls.update({ ...pull, ...change })).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining("Cannot change the base branch of a closed pull request."),
    });
  expect((await rest.pulls.get(pull)).data.state).toBe("closed");
});

test("nobody reacts in a locked thread", async () => {
  const { world, number, place } = await worldWithPull();
  await using _ = world;
  world.github.lock({ ...place, as: "ada" });
  for (const { rest } of [world.octokit, world.as("ada")])
    await expect(
      rest.reactions.createForIssue({ ...web, issue_number: number, content: "eyes" }),
    ).rejects.toMatchObject({ status: 403 });
});

test("comments of a review: all or none, and only on lines of the diff, on their side and within one hunk", async () => {
  const { world, number } = await worldWithPull();
  await using _ = world;
  const { github, octokit } = world;
  const filler = Array.from({ length: 20 }, (_, index) => `export const a${index} = ${index};\n`).join("");
  const files = { "sum.js": `export const sum = (a, b) => a + b;\n${filler}`, "new.js": "one\ntwo\n" };
  const first = await github.push({ repository: "acme/web", as: "bob", branch: "fix", files });
  const sha = await github.push({ repository: "acme/web", as: "bob", branch: "fix", files: { "b.js": "x\n" } });
  type Comment = { path: string; line?: number; side?: "LEFT" | "RIGHT"; start_line?: number };
  const post = (comments: Comment[], more: object = {}) =>
    octokit.rest.pulls.createReview({
      ...web,
      pull_number: number,
      event: "COMMENT",
      body: "Words.",
      commit_id: sha,
      comments: comments.map((one) => ({ body: "x", ...one })),
      ...more,
    });
  const refused = (comments: Comment[], words: string, more: object = {}) =>
    expect(post(comments, more)).rejects.toMatchObject({ status: 422, message: expect.stringContaining(words) });
  const good = { path: "new.js", line: 2 };
  await refused([good, { path: "sum.js", line: 99 }], "Line could not be resolved");
  await refused([{ path: "gone.js", line: 1 }], "Path could not be resolved");
  await refused([{ path: "new.js", line: 1, side: "LEFT" }], "Line could not be resolved");
  await refused([{ path: "new.js", line: 1, start_line: 2 }], "Start line must precede");
  await refused(
    [
      { path: "a", line: 1 },
      { path: "b.js", line: 9 },
    ],
    "Path could not be resolved and Line could not",
  );
  await refused([good], "end_commit_oid is not part of the pull request", { commit_id: "1".repeat(40) });
  expect((await octokit.rest.pulls.listReviews({ ...web, pull_number: number })).data).toEqual([]);
  // An earlier commit of the pull request is fine.
  const { data: review } = await post(
    [
      { ...good, start_line: 1 },
      { path: "sum.js", line: 1, side: "LEFT" },
    ],
    {
      commit_id: first,
    },
  );
  expect((await octokit.rest.pulls.listReviewComments({ ...web, pull_number: number })).data).toMatchObject([
    { path: "new.js", line: 2, start_line: 1, side: "RIGHT" },
    { path: "sum.js", line: 1, start_line: null, side: "LEFT" },
  ]);
  const edit = (body: string) =>
    octokit.rest.pulls.updateReview({ ...web, pull_number: number, review_id: review.id, body });
  expect((await edit("Other words.")).data).toMatchObject({ body: "Other words.", state: "COMMENTED" });
  await expect(
    world.as("ada").rest.pulls.updateReview({ ...web, pull_number: number, review_id: 1, body: "x" }),
  ).rejects.toMatchObject({ status: 404 });
  await expect(
    octokit.rest.pulls.deletePendingReview({ ...web, pull_number: number, review_id: review.id }),
  ).rejects.toMatchObject({ status: 422 });
});
