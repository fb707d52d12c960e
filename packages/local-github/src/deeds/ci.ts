/**
 * A CI that really runs. It clones the pushed commit and runs the repository's command as a child process. The exit
 * code is the conclusion, and the output is the log. It reports like GitHub Actions: app `github-actions`, job id =
 * check run id.
 *
 * I1 A job's children end with the job, with its time limit, or with the site.
 * I2 Actions with the token of a job start no CI, as on GitHub. Only a dispatch does.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { launcherBySize } from "../../../../src/adapters/child/launcher.ts";
import { signalGroup } from "../../../../src/adapters/child/process-table.ts";
import type { Doer } from "../access.ts";
import { git, gitEnvironment } from "../git.ts";
import { readCommit } from "../git-objects.ts";
import { actionsJobUrl } from "../resources/check.ts";
import { gitDirectory, type Site } from "../site.ts";
import {
  type CheckConclusion,
  type CheckRun,
  type CheckSuite,
  type CiSettings,
  fullName,
  type Repository,
  takeId,
} from "../state.ts";
import { createRun, holdSuite, newSuite, updateRun } from "./checks.ts";

export const actionsSlug = "github-actions";
const timeoutMsDefault = 10 * 60_000;
const logBytesMax = 4 * 1024 * 1024;

function actionsAppId(site: Site): number {
  for (const app of site.state.apps.values()) if (app.slug === actionsSlug) return app.id;
  throw new Error("The local GitHub lost its Actions App.");
}

interface Start {
  branch: string;
  sha: string;
  doer: Doer;
}

/** After a push. Returns at once. The job counts as in flight until it has reported. */
export function startCi(site: Site, repository: Repository, start: Start): void {
  if (start.doer.appId !== actionsAppId(site)) begin(site, repository, start);
}

/** By `workflow_dispatch`, from any caller (I2). */
export function dispatchCi(site: Site, repository: Repository, start: Start & { workflow: string }): void {
  if (repository.ci?.workflow === start.workflow) begin(site, repository, start);
}

function begin(site: Site, repository: Repository, start: Start): void {
  if (repository.ci !== null) site.inFlight(runCi(site, repository, { ...start, ci: repository.ci }));
}

async function runCi(site: Site, repository: Repository, given: Start & { ci: CiSettings }): Promise<void> {
  const { branch, sha, ci } = given;
  const commit = await readCommit(gitDirectory(site, repository.id), sha);
  if (/\[(?:skip ci|ci skip)\]/.test(commit.message)) return;
  const appId = actionsAppId(site);
  const suite = newSuite(site, repository, { appId, branch, sha, before: null });
  if (ci.needsApproval === true) {
    suite.workflowRunId = takeId(site.state);
    await holdSuite(site, repository, suite);
    return;
  }
  await runIn(site, repository, { suite, ci, sha });
}

/** A person presses "Approve and run". The waiting jobs at a commit start, in the existing suites. */
export function approveRuns(site: Site, repository: Repository, sha: string): void {
  const { ci } = repository;
  if (ci === null) return;
  for (const suite of repository.checkSuites.values())
    if (suite.headSha === sha && suite.conclusion === "action_required")
      site.inFlight(runIn(site, repository, { suite, ci, sha }));
}

/** One workflow run that waits. */
export function approveRun(site: Site, repository: Repository, suite: CheckSuite): void {
  const { ci } = repository;
  if (ci !== null) site.inFlight(runIn(site, repository, { suite, ci, sha: suite.headSha }));
}

async function runIn(
  site: Site,
  repository: Repository,
  { suite, ci, sha }: { suite: CheckSuite; ci: CiSettings; sha: string },
): Promise<void> {
  const jobs: Job[] = [];
  for (const { name, command } of jobsOf(ci))
    jobs.push(await queueJob(site, repository, { suite, ci: { ...ci, name, command }, sha, attempt: 1 }));
  await Promise.all(jobs.map((job) => runJob(site, repository, job)));
}

const jobsOf = (ci: CiSettings): Pick<CiSettings, "name" | "command">[] => [ci, ...(ci.more ?? [])];

function queued(site: Site, given: { ci: CiSettings; sha: string; attempt: number }) {
  return {
    attempt: given.attempt,
    name: given.ci.name,
    headSha: given.sha,
    externalId: crypto.randomUUID(),
    detailsUrl: null,
    status: "queued" as const,
    conclusion: null,
    // GitHub sets this time from the first moment on.
    startedAt: site.timestamp(),
    completedAt: null,
    output: { title: null, summary: null, text: null },
    annotations: [],
  };
}

/**
 * A person re-runs a job. The new job has an id of its own and joins the suite of the first job, which stays. The new
 * attempt also lists the other jobs, with the times of their only run.
 * Sources: https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run (`filter=all`: "all jobs
 * for a workflow run, including from old executions of the workflow run"),
 * https://github.com/PostHog/posthog/pull/65573 ("GitHub reports `run_attempt = N` for every job in a re-run attempt"),
 * and https://github.com/r-universe-org/help/issues/607 (by default, the jobs that were not retried are listed too)
 */
export function rerunJob(site: Site, repository: Repository, run: CheckRun): void {
  const { ci } = repository;
  const suite = repository.checkSuites.get(run.suiteId);
  if (ci === null || suite === undefined) throw new Error(`Check run ${run.id} is not a job of the CI.`);
  const jobs = [...repository.checkRuns.values()].filter(({ suiteId }) => suiteId === suite.id);
  const last = Math.max(...jobs.map(({ attempt }) => attempt ?? 1));
  // Source: https://github.com/runs-on/runs-on/issues/263
  if (run.attempt !== last) throw new Error("Only jobs from the current attempt can be re-run");
  for (const job of jobs) if (job.id !== run.id && job.attempt === last) job.attempt = last + 1;
  const command = jobsOf(ci).find(({ name }) => name === run.name)?.command ?? ci.command;
  const given = { suite, ci: { ...ci, name: run.name, command }, sha: run.headSha, attempt: last + 1 };
  site.inFlight(queueJob(site, repository, given).then((job) => runJob(site, repository, job)));
}

interface Job {
  run: CheckRun;
  suite: CheckSuite;
  ci: CiSettings;
}

async function queueJob(
  site: Site,
  repository: Repository,
  given: { suite: CheckSuite; ci: CiSettings; sha: string; attempt: number },
): Promise<Job> {
  const { suite, ci } = given;
  const run = await createRun(site, repository, {
    appId: suite.appId,
    suiteId: suite.id,
    fields: queued(site, given),
  });
  return { run, suite, ci };
}

async function runJob(site: Site, repository: Repository, { run, suite, ci }: Job): Promise<void> {
  suite.workflowRunId ??= takeId(site.state);
  const detailsUrl = actionsJobUrl(site, repository, { runId: suite.workflowRunId, jobId: run.id });
  await updateRun(site, repository, {
    run,
    change: { status: "in_progress", startedAt: site.timestamp(), detailsUrl, conclusion: null, completedAt: null },
  });
  const work = await mkdtemp(`${site.directory}/job-`);
  try {
    await git(work, ["clone", "-q", "--no-checkout", gitDirectory(site, repository.id), "source"]);
    await git(`${work}/source`, ["-c", "core.hooksPath=/dev/null", "checkout", "-q", "--detach", run.headSha]);
    const ended = await runCommand(site, {
      ci,
      directory: `${work}/source`,
      environment: jobEnvironment(site, repository, run),
    });
    if (site.closing.aborted) return;
    repository.jobLogs.set(run.id, ended.log);
    await updateRun(site, repository, { run, change: report(site, ended) });
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 3 });
  }
}

function jobEnvironment(site: Site, repository: Repository, run: CheckRun): Record<string, string> {
  return {
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_REPOSITORY: fullName(site.state, repository),
    GITHUB_SHA: run.headSha,
    GITHUB_SERVER_URL: site.origin,
    GITHUB_API_URL: site.apiUrl,
  };
}

interface Ended {
  conclusion: CheckConclusion;
  sentence: string;
  summary: string;
  log: string;
}

function report(site: Site, ended: Ended): Partial<CheckRun> {
  const failed = ended.conclusion !== "success";
  return {
    status: "completed",
    conclusion: ended.conclusion,
    completedAt: site.timestamp(),
    output: { title: ended.sentence, summary: ended.summary, text: null },
    annotations: failed
      ? [
          {
            path: ".github",
            start_line: 1,
            end_line: 1,
            annotation_level: "failure",
            message: ended.sentence,
          },
        ]
      : [],
  };
}

async function runCommand(
  site: Site,
  given: { ci: CiSettings; directory: string; environment: Record<string, string> },
): Promise<Ended> {
  const { ci } = given;
  const [file = ""] = ci.command;
  const startedMs = performance.now();
  const lines: string[] = [];
  let bytes = 0;
  const write = (text: string): void => {
    if (bytes > logBytesMax) return;
    bytes += Buffer.byteLength(text);
    const stamp = site.now().toISOString();
    for (const line of text.replace(/\n$/, "").split("\n")) lines.push(`${stamp.slice(0, -1)}0000Z ${line}`);
  };
  write(`##[group]Run ${ci.command.join(" ")}\n##[endgroup]`);
  const starter = await launcherBySize();
  const child = await starter.start({
    command: ci.command,
    cwd: given.directory,
    env: { ...gitEnvironment, HOME: given.directory, ...given.environment, ...ci.env },
    input: null,
  });
  const end = (): void => {
    // Its own group, so this ends all of it.
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
  };
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, ci.timeoutMs ?? timeoutMsDefault);
  site.closing.addEventListener("abort", end);
  const outputs = [child.stdout, child.stderr].flatMap((stream) => stream ?? []);
  const closed = outputs.map((stream) => new Promise((resolve) => stream.once("close", resolve)));
  for (const stream of outputs) stream.setEncoding("utf8").on("data", write).resume();
  // It was closed while the program was starting.
  if (site.closing.aborted) end();
  const ended = await child.exited;
  await Promise.all(closed);
  if (ended.missing) write(`${file} is not there, or cannot be started.`);
  const code = ended.missing ? 127 : ended.exitCode;
  clearTimeout(timer);
  site.closing.removeEventListener("abort", end);
  end();
  const sentence = timedOut
    ? `The job has exceeded its time limit of ${(ci.timeoutMs ?? timeoutMsDefault) / 1000} s.`
    : `Process completed with exit code ${code ?? 137}.`;
  write(code === 0 ? sentence : `##[error]${sentence}`);
  const conclusion = timedOut ? "timed_out" : code === 0 ? "success" : "failure";
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const summary = `\`${ci.command.join(" ")}\` ended after ${seconds} s. ${sentence}`;
  return { conclusion, sentence, summary, log: `${lines.join("\n")}\n` };
}
