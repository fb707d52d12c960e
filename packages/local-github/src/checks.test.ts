import { expect, test } from "vitest";
import { createTestWorld } from "./test-world.ts";

const web = { owner: "acme", repo: "web" };

async function worldWithHead(options: Parameters<typeof createTestWorld>[0] = {}) {
  const world = await createTestWorld(options);
  const sha = await world.github.push({ repository: "acme/web", as: "bob", branch: "x", files: { x: "x" } });
  await world.github.settle();
  world.received.length = 0;
  return { world, sha };
}

test("check runs: App only, own only, texts by bytes, fifty annotations, conclusion wanted", async () => {
  const { world, sha } = await worldWithHead();
  await using _ = world;
  const { octokit } = world;
  const base = { ...web, name: "Baton", head_sha: sha };
  const note = { path: "x", start_line: 1, end_line: 1, annotation_level: "notice" as const, message: "m" };
  const output = { title: "t", summary: "s" };
  const refusals: [string, () => Promise<unknown>, number][] = [
    ["a person", () => world.as("ada").rest.checks.create(base), 403],
    ["no such commit", () => octokit.rest.checks.create({ ...base, head_sha: "0".repeat(40) }), 422],
    ["completed without conclusion", () => octokit.rest.checks.create({ ...base, status: "completed" }), 422],
    [
      "summary of 65,536 bytes",
      () => octokit.rest.checks.create({ ...base, output: { title: "t", summary: "é".repeat(32_768) } }),
      422,
    ],
    [
      "51 annotations",
      () => octokit.rest.checks.create({ ...base, output: { ...output, annotations: Array(51).fill(note) } }),
      422,
    ],
  ];
  for (const [name, refused, status] of refusals) {
    const seen = await refused().then(
      () => 200,
      (error: { status: number }) => error.status,
    );
    expect([name, seen]).toEqual([name, status]);
  }
  const made = await octokit.rest.checks.create({ ...base, output: { ...output, annotations: Array(50).fill(note) } });
  expect(made.data).toMatchObject({ status: "queued", conclusion: null, app: { slug: "baton" } });
  const run = { ...web, check_run_id: made.data.id };
  const done = await octokit.rest.checks.update({
    ...run,
    conclusion: "success",
    output: { ...output, annotations: [note] },
  });
  expect(done.data).toMatchObject({ status: "completed", conclusion: "success", output: { annotations_count: 51 } });
  await world.github.settle();
  expect(world.events()).toEqual(["check_run.created", "check_run.completed", "check_suite.completed"]);
});

test("latest or all runs of a name, by App; suites are opened by a push and know their state", async () => {
  const { world, sha } = await worldWithHead();
  await using _ = world;
  const { octokit } = world;
  const suites = await octokit.rest.checks.listSuitesForRef({ ...web, ref: "x" });
  expect(suites.data.check_suites).toMatchObject([{ status: "queued", conclusion: null, latest_check_runs_count: 0 }]);
  await octokit.rest.checks.create({ ...web, name: "a", head_sha: sha, conclusion: "failure" });
  const second = await octokit.rest.checks.create({ ...web, name: "a", head_sha: sha, conclusion: "success" });
  const latest = await octokit.rest.checks.listForRef({ ...web, ref: sha });
  expect(latest.data.check_runs.map((one) => one.id)).toEqual([second.data.id]);
  const all = await octokit.rest.checks.listForRef({ ...web, ref: sha, filter: "all" });
  expect(all.data.total_count).toBe(2);
  const other = await octokit.rest.checks.listForRef({ ...web, ref: sha, app_id: 1 });
  expect(other.data.total_count).toBe(0);
});

test("statuses: the newest of a context counts, and red wins", async () => {
  const { world, sha } = await worldWithHead();
  await using _ = world;
  const { octokit } = world;
  const combined = async () => (await octokit.rest.repos.getCombinedStatusForRef({ ...web, ref: "x" })).data;
  expect(await combined()).toMatchObject({ state: "pending", total_count: 0 });
  await octokit.rest.repos.createCommitStatus({ ...web, sha, state: "failure", context: "lint" });
  await octokit.rest.repos.createCommitStatus({ ...web, sha, state: "success", context: "build" });
  expect(await combined()).toMatchObject({ state: "failure", total_count: 2 });
  await octokit.rest.repos.createCommitStatus({ ...web, sha, state: "success", context: "lint" });
  expect(await combined()).toMatchObject({ state: "success", total_count: 2 });
});

test("I1: a job that does not end is ended, with its children, and says that time ran out", async () => {
  const { world } = await worldWithHead();
  await using _ = world;
  const { github, octokit } = world;
  const script =
    "require('node:child_process').spawn('sleep', ['100'], { stdio: 'inherit' }); setInterval(() => {}, 1000)";
  const command = [process.execPath, "-e", script];
  github.setCi({ repository: "acme/web", ci: { name: "slow", command, timeoutMs: 300 } });
  const sha = await github.push({ repository: "acme/web", as: "bob", branch: "x", files: { y: "y" } });
  await github.settle();
  const checks = await octokit.rest.checks.listForRef({ ...web, ref: sha });
  expect(checks.data.check_runs).toMatchObject([
    { name: "slow", conclusion: "timed_out", output: { title: "The job has exceeded its time limit of 0.3 s." } },
  ]);
});

test("re-running the CI's check run runs it again; re-running the App's own asks the App", async () => {
  const { world, sha } = await worldWithHead({ ci: true });
  await using _ = world;
  const { octokit, github } = world;
  const ci = (await octokit.rest.checks.listForRef({ ...web, ref: sha })).data.check_runs[0];
  await octokit.rest.checks.rerequestRun({ ...web, check_run_id: Number(ci?.id) });
  await github.settle();
  const again = (await octokit.rest.checks.listForRef({ ...web, ref: sha })).data.check_runs;
  expect(again).toMatchObject([{ conclusion: "failure", check_suite: { id: ci?.check_suite?.id } }]);
  expect(again[0]?.id).not.toBe(ci?.id);
  expect(again[0]?.details_url).not.toBe(ci?.details_url);
  const all = (await octokit.rest.checks.listForRef({ ...web, ref: sha, filter: "all" })).data.check_runs;
  expect(all.map(({ id }) => id)).toEqual([again[0]?.id, ci?.id]);
  const own = await octokit.rest.checks.create({ ...web, name: "Baton", head_sha: sha, conclusion: "failure" });
  await github.settle();
  world.received.length = 0;
  await github.requestCheck({ repository: "acme/web", as: "ada", checkRunId: own.data.id });
  await github.requestCheck({ repository: "acme/web", as: "ada", checkRunId: own.data.id, action: "fix" });
  await github.settle();
  expect(world.events()).toEqual(["check_run.rerequested", "check_run.requested_action"]);
});

test("green-hides-red-of-same-name: jobs of one workflow run that share a name are all listed, with their attempts", async () => {
  const { world } = await worldWithHead();
  await using _ = world;
  const { github, octokit } = world;
  const end = (code: number) => [process.execPath, "-e", `process.exit(${code})`];
  const more = [{ name: "test", command: end(0) }];
  github.setCi({ repository: "acme/web", ci: { name: "test", command: end(1), more } });
  const sha = await github.push({ repository: "acme/web", as: "bob", branch: "x", files: { y: "y" } });
  await github.settle();
  const runs = async (filter: "latest" | "all") =>
    (await octokit.rest.checks.listForRef({ ...web, ref: sha, filter })).data.check_runs.toSorted(
      (a, b) => a.id - b.id,
    );
  const first = await runs("latest");
  expect(first.map(({ name, conclusion }) => [name, conclusion])).toEqual([
    ["test", "failure"],
    ["test", "success"],
  ]);
  expect(new Set(first.map(({ check_suite }) => check_suite?.id)).size).toBe(1);
  const runId = Number(/runs\/(\d+)\/job/.exec(first[0]?.details_url ?? "")?.[1]);
  const jobs = async (filter: "latest" | "all") =>
    (await octokit.rest.actions.listJobsForWorkflowRun({ ...web, run_id: runId, filter })).data.jobs.map(
      ({ id, run_attempt }) => [id, run_attempt],
    );
  const [red, green] = first.map(({ id }) => id) as [number, number];
  expect(await jobs("all")).toEqual([
    [red, 1],
    [green, 1],
  ]);
  github.rerunJob({ repository: "acme/web", checkRunId: red });
  await github.settle();
  const again = (await runs("latest")).map(({ id }) => id);
  expect(again).toEqual([green, expect.any(Number)]);
  expect((await runs("all")).map(({ id }) => id)).toEqual([red, ...again]);
  expect(await jobs("latest")).toEqual(again.map((id) => [id, 2]));
  expect(await jobs("all")).toEqual([[red, 1], ...again.map((id) => [id, 2])]);
  await expect(octokit.rest.actions.listJobsForWorkflowRun({ ...web, run_id: 1 })).rejects.toMatchObject({
    status: 404,
  });
});

test("files: text, raw in all its spellings, directories, 404, and a write with the SHA of what was read", async () => {
  const { world } = await worldWithHead();
  await using _ = world;
  const { octokit, github } = world;
  const at = { ...web, path: "docs/readme.md" };
  const file = (await octokit.rest.repos.getContent(at)).data;
  if (Array.isArray(file) || file.type !== "file") throw new Error("not a file");
  expect(Buffer.from(file.content, "base64").toString()).toBe("# Sample\n");
  const authorization = `token ${await world.token()}`;
  for (const accept of [
    "application/vnd.github.raw",
    "application/vnd.github.raw+json",
    "application/vnd.github.v3.raw",
  ]) {
    const url = `${github.apiUrl}/repos/acme/web/contents/docs%2Freadme.md`;
    const raw = await fetch(url, { headers: { authorization, accept } });
    expect([accept, await raw.text()]).toEqual([accept, "# Sample\n"]);
  }
  const root = (await octokit.rest.repos.getContent({ ...web, path: "" })).data;
  expect(Array.isArray(root) && root.map((one) => `${one.type} ${one.path}`)).toContain("dir docs");
  await expect(octokit.rest.repos.getContent({ ...web, path: "nowhere" })).rejects.toMatchObject({ status: 404 });
  const write = { ...at, message: "m", content: Buffer.from("new").toString("base64") };
  await expect(octokit.rest.repos.createOrUpdateFileContents({ ...write, sha: "0".repeat(40) })).rejects.toMatchObject({
    status: 409,
  });
  await octokit.rest.repos.createOrUpdateFileContents({ ...write, sha: file.sha });
  await github.settle();
  expect(world.events()).toContain("push");
});
