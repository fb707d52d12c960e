/**
 * The cost of a job for the repository, counted where it arrives: at GitHub's edge and in its git.
 *
 * A step is an effect of the process whose journal grew in the job. A job without one counts as one step. All pushes below
 * `refs/baton` count, including failed ones and those that keep an agent's work. All calls count, including those that
 * GitHub answers with "unchanged".
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { pulls } from "../scenarios/helpers.ts";
import { type Platform, startPlatform } from "./platform.ts";

// Each job is a process that starts a dozen git processes, which takes long on a busy machine.

const pushesAStepMax = 3;
const callsAStepMax = 40;

/** On a slow machine, no job may wait for checks that the test reports later. */
const config = "version: 1\nharness: { default: command }\ngates: { appearSeconds: 3600 }\n";

let platform: Platform;
afterEach(() => platform.close());

interface Row {
  job: string;
  verdict: string;
  steps: number;
  pushes: number;
  calls: number;
  reads: number;
  unchanged: number;
  writes: number;
}
const table: Row[] = [];

/** The repository's git notes each push below `refs/baton`. */
function watchPushes(): () => number {
  const path = join(platform.directory, "pushes");
  writeFileSync(path, "");
  const hooks = join(platform.github.gitDirectory(repositoryName), "hooks");
  mkdirSync(hooks, { recursive: true });
  const script = `#!/bin/sh\nif grep -q refs/baton/; then echo push >> "${path}"; fi\n`;
  writeFileSync(join(hooks, "pre-receive"), script, { mode: 0o755 });
  return () => readFileSync(path, "utf8").split("\n").length - 1;
}

async function costOf(job: string, pushes: () => number, event: string, payload: object): Promise<Row> {
  const { log } = platform.github;
  const [callsBefore, pushesBefore] = [log.length, pushes()];
  const done = await platform.run(event, payload);
  const calls = log.slice(callsBefore).filter(({ path }) => !path.includes(".git/"));
  const count = (is: (entry: (typeof calls)[number]) => boolean): number => calls.filter(is).length;
  const row: Row = {
    job,
    verdict: done.outputs["verdict"] ?? "",
    steps: Number(/This job: (\d+) steps?,/.exec(done.summary)?.[1]),
    pushes: pushes() - pushesBefore,
    calls: calls.length,
    reads: count(({ method }) => method === "GET"),
    unchanged: count(({ status }) => status === 304),
    writes: count(({ method }) => method !== "GET"),
  };
  table.push(row);
  expect(done.errors).toBe("");
  // The job's own report equals the arrived calls.
  expect(done.summary).toMatch(
    new RegExp(`This job: ${row.steps} steps?, ${row.pushes} state push(?:es)?, ${row.calls} API calls?`),
  );
  expect(row.pushes, job).toBeLessThanOrEqual(pushesAStepMax * Math.max(1, row.steps));
  expect(row.calls, job).toBeLessThanOrEqual(callsAStepMax * Math.max(1, row.steps));
  await platform.settle();
  return row;
}

const head = (): string => pulls(platform as never)[0]?.pull.headSha ?? "";
const ciEnded = (id: number): object => ({
  action: "completed",
  workflow_run: { id, head_sha: head() },
  ...platform.about(),
});
const reviewed = (): object => {
  const { repository } = platform.about() as { repository: { id: number } };
  const repo = { id: repository.id };
  const pull_request = { number: 2, head: { sha: head(), repo }, base: { repo } };
  return { action: "submitted", review: { id: 1 }, pull_request, repository };
};

it("over red checks and their repair to the review: each job keeps to its budget", async () => {
  // The test plays CI, so each end of CI is an event and a job of its own.
  platform = await startPlatform({ ci: false, config });
  const { github } = platform;
  const pushes = watchPushes();
  const status = (state: "failure" | "success") =>
    github.setStatus({ repository: repositoryName, sha: head(), as: "alice", context: "ci", state });

  expect(await costOf("comment: run", pushes, "issue_comment", platform.comment("/baton run"))).toMatchObject({
    verdict: "waiting",
  });
  const first = head();
  await status("failure");
  expect(await costOf("CI is red: repair", pushes, "workflow_run", ciEnded(1))).toMatchObject({ verdict: "waiting" });
  expect(head()).not.toBe(first);
  await status("success");
  expect(await costOf("CI is green", pushes, "workflow_run", ciEnded(2))).toMatchObject({ verdict: "waiting" });
  expect(await costOf("another fact", pushes, "workflow_run", ciEnded(3))).toMatchObject({ verdict: "waiting" });
  await costOf("comment: status", pushes, "issue_comment", platform.comment("/baton status"));
  github.review({ repository: repositoryName, number: 2, as: "bob", event: "APPROVE" });
  expect(await costOf("review: approved", pushes, "pull_request_review", reviewed())).toMatchObject({
    verdict: "passed",
  });
  await costOf("comment: why", pushes, "issue_comment", platform.comment("/baton why"));
  expect(await costOf("schedule, nothing due", pushes, "schedule", platform.about())).toMatchObject({
    pushes: 0,
    // The new comments and issues, the workflow's start time while there is no cursor, and the configuration.
    reads: 5,
    writes: 0,
  });
});

it("a run that is cancelled while it waits, and a refusal: each job keeps to its budget", async () => {
  platform = await startPlatform({ ci: false, config });
  const pushes = watchPushes();
  await costOf("comment: run", pushes, "issue_comment", platform.comment("/baton run"));
  expect(await costOf("comment: cancel", pushes, "issue_comment", platform.comment("/baton cancel"))).toMatchObject({
    verdict: "cancelled",
  });
  expect(await costOf("refusal", pushes, "issue_comment", platform.comment("/baton run", "mallory"))).toMatchObject({
    verdict: "refused",
  });
  // For `bench/README.md`.
  if (process.env["BATON_TEST_SHOW"] !== undefined) process.stdout.write(`${JSON.stringify(table, null, 1)}\n`);
});
