import { createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTestWorld, gitIn, goodSum, webhookSecret } from "./test-world.ts";

const web = { owner: "acme", repo: "web" };

test("a thread, a branch pushed with git, a pull request, a red CI, a green CI, a merge that closes the issue", async () => {
  await using world = await createTestWorld({ ci: true });
  await using work = await temporaryDirectory();
  const { github, octokit } = world;
  github.openIssue({ repository: "acme/web", as: "ada", title: "sum subtracts", body: "It must add." });
  github.comment({ repository: "acme/web", number: 1, as: "ada", body: "/baton run" });
  await github.settle();
  expect(world.events()).toEqual(["issues.opened", "issue_comment.created"]);
  for (const one of world.received) {
    const signature = createHmac("sha256", webhookSecret).update(one.body).digest("hex");
    expect(one.headers["x-hub-signature-256"]).toBe(`sha256=${signature}`);
    expect(one.payload["installation"]).toMatchObject({ id: world.installationId });
    expect(one.payload["sender"]).toMatchObject({ login: "ada", type: "User" });
  }
  world.received.length = 0;

  const token = await world.token();
  const remote = `${github.url.replace("http://", `http://x-access-token:${token}@`)}/acme/web.git`;
  await gitIn(work.path, "clone", "-q", remote, "web");
  const clone = join(work.path, "web");
  await gitIn(clone, "checkout", "-q", "-b", "baton/issue-1");
  await writeFile(join(clone, "note.md"), "thinking\n");
  await gitIn(clone, "add", ".");
  await gitIn(clone, "commit", "-q", "-m", "Note");
  await gitIn(clone, "push", "-q", "origin", "HEAD");
  const opened = await octokit.rest.pulls.create({
    ...web,
    title: "Add",
    head: "baton/issue-1",
    base: "main",
    body: "Fixes #1",
  });
  expect(opened.data.user.login).toBe("baton[bot]");
  await github.settle();
  const red = await octokit.rest.checks.listForRef({ ...web, ref: opened.data.head.sha });
  expect(red.data.check_runs).toMatchObject([
    { name: "test", status: "completed", conclusion: "failure", app: { slug: "github-actions" } },
  ]);
  const job = red.data.check_runs[0];
  expect(job?.details_url).toMatch(new RegExp(`/acme/web/actions/runs/\\d+/job/${job?.id}$`));
  const log = await octokit.rest.actions.downloadJobLogsForWorkflowRun({ ...web, job_id: Number(job?.id) });
  expect(String(log.data)).toContain("AssertionError [ERR_ASSERTION]: -1 == 3");

  world.received.length = 0;
  await writeFile(join(clone, "sum.js"), goodSum["sum.js"]);
  await gitIn(clone, "commit", "-q", "-a", "-m", "Add");
  await gitIn(clone, "push", "-q", "origin", "HEAD");
  const sha = await gitIn(clone, "rev-parse", "HEAD");
  await github.settle();
  const followed = await octokit.rest.pulls.get({ ...web, pull_number: 2 });
  expect(followed.data).toMatchObject({ head: { sha }, mergeable: true, changed_files: 2, additions: 2, deletions: 1 });
  expect(world.events()).toEqual([
    "push",
    "check_suite.requested",
    "pull_request.synchronize",
    "check_run.created",
    "check_run.completed",
    "check_suite.completed",
  ]);
  const green = await octokit.rest.checks.listForRef({ ...web, ref: sha });
  expect(green.data.check_runs.map((one) => one.conclusion)).toEqual(["success"]);

  world.received.length = 0;
  await expect(octokit.rest.pulls.merge({ ...web, pull_number: 2, sha: opened.data.head.sha })).rejects.toMatchObject({
    status: 409,
  });
  const merged = await octokit.rest.pulls.merge({ ...web, pull_number: 2, sha, merge_method: "squash" });
  await github.settle();
  const closed = await octokit.rest.pulls.get({ ...web, pull_number: 2 });
  expect(closed.data).toMatchObject({ merged: true, state: "closed", merge_commit_sha: merged.data.sha });
  const issue = await octokit.rest.issues.get({ ...web, issue_number: 1 });
  expect(issue.data.state).toBe("closed");
  const main = await octokit.rest.git.getRef({ ...web, ref: "heads/main" });
  expect(main.data.object.sha).toBe(merged.data.sha);
  expect(world.events().slice(0, 3)).toEqual(["pull_request.closed", "issues.closed", "push"]);
  expect(new Set(github.deliveries.map((one) => one.guid)).size).toBe(github.deliveries.length);
});

async function temporaryDirectory() {
  const path = await mkdtemp(join(tmpdir(), "local-github-test-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
