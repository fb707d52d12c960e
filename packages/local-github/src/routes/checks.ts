/** Check runs, suites, statuses, and the logs of Actions jobs. */
import { z } from "zod";
import { created, notFound, ok, Refusal } from "../answer.ts";
import { addStatus, createRun, newSuite, tellRun, tellSuite, updateRun } from "../deeds/checks.ts";
import { actionsSlug, rerunJob } from "../deeds/ci.ts";
import { readCommit } from "../git-objects.ts";
import { latestRuns, latestStatuses } from "../required-checks.ts";
import { checkAnnotation, checkRun, checkSuite, combinedStatus, status } from "../resources/check.ts";
import { repositoryPage, repositoryUrl } from "../resources/repository.ts";
import type { Schema } from "../resources/schema.ts";
import { bodyOf, listed, type RepositoryContext, repositoryRoute } from "../route.ts";
import { gitDirectory } from "../site.ts";
import { type Annotation, appOf, type CheckRun, type CheckSuite, checkConclusions } from "../state.ts";
import { shaOf } from "./code.ts";

/** GitHub counts bytes of UTF-8. */
const textBytesMax = 65_535;
const annotationsMax = 50;
const actionsMax = 3;

const boundedText = z
  .string()
  .refine((text) => Buffer.byteLength(text) <= textBytesMax, `exceeds a maximum bytesize of ${textBytesMax}`);

const annotation = z.object({
  path: z.string(),
  start_line: z.number().int(),
  end_line: z.number().int(),
  start_column: z.number().int().optional(),
  end_column: z.number().int().optional(),
  annotation_level: z.enum(["notice", "warning", "failure"]),
  message: z.string(),
  title: z.string().optional(),
  raw_details: z.string().optional(),
});

const output = z.object({
  title: z.string().optional(),
  summary: boundedText,
  text: boundedText.nullish(),
  annotations: z.array(annotation).max(annotationsMax).optional(),
});

const action = z.object({
  label: z.string().max(20),
  description: z.string().max(40),
  identifier: z.string().max(20),
});

const runFields = z.object({
  details_url: z.url().optional(),
  external_id: z.string().optional(),
  status: z.enum(["queued", "in_progress", "completed"]).optional(),
  started_at: z.iso.datetime({ offset: true }).optional(),
  conclusion: z.enum(checkConclusions).optional(),
  completed_at: z.iso.datetime({ offset: true }).optional(),
  actions: z.array(action).max(actionsMax).optional(),
});
const newRun = runFields.extend({
  name: z.string().min(1),
  head_sha: z.string(),
  output: output.extend({ title: z.string() }).optional(),
});
const runChange = runFields.extend({ name: z.string().min(1).optional(), output: output.optional() });

function callerApp(context: RepositoryContext): number {
  if (context.actor.kind === "installation") return context.actor.app.id;
  throw new Refusal(403, "You must authenticate via a GitHub App.");
}

/** A conclusion completes the run. A completed run needs a conclusion. */
function progress(
  context: RepositoryContext,
  given: z.infer<typeof runFields>,
  before: Pick<CheckRun, "status" | "conclusion" | "startedAt" | "completedAt">,
) {
  const state = given.conclusion !== undefined ? "completed" : (given.status ?? before.status);
  const conclusion = state === "completed" ? (given.conclusion ?? before.conclusion) : null;
  if (state === "completed" && conclusion === null) {
    throw new Refusal(422, "Invalid request.\n\nConclusion is required when status is completed.");
  }
  const now = context.site.timestamp();
  const seconds = (text: string | undefined): string | null =>
    text === undefined ? null : `${new Date(text).toISOString().slice(0, 19)}Z`;
  return {
    status: state,
    conclusion,
    startedAt: seconds(given.started_at) ?? before.startedAt ?? now,
    completedAt: state === "completed" ? (seconds(given.completed_at) ?? before.completedAt ?? now) : null,
  };
}

async function create(context: RepositoryContext) {
  const appId = callerApp(context);
  const given = bodyOf(context, newRun);
  const headSha = await shaOf(context, given.head_sha);
  const nothing = { status: "queued" as const, conclusion: null, startedAt: null, completedAt: null };
  const run = await createRun(context.site, context.repository, {
    appId,
    fields: {
      name: given.name,
      headSha,
      externalId: given.external_id ?? "",
      detailsUrl: given.details_url ?? null,
      output: {
        title: given.output?.title ?? null,
        summary: given.output?.summary ?? null,
        text: given.output?.text ?? null,
      },
      annotations: given.output?.annotations ?? [],
      ...progress(context, given, nothing),
    },
  });
  return created(checkRun(context.view, context.repository, run));
}

async function update(context: RepositoryContext) {
  const run = runOf(context);
  if (run.appId !== callerApp(context))
    throw new Refusal(
      403,
      "Invalid app_id `check_run` - check run can only be modified by the GitHub App that created it.",
    );
  const given = bodyOf(context, runChange);
  const text = given.output;
  // Each update adds annotations, but replaces texts.
  const annotations: Annotation[] = [...run.annotations, ...(text?.annotations ?? [])];
  await updateRun(context.site, context.repository, {
    run,
    change: {
      ...progress(context, given, run),
      annotations,
      ...(given.name === undefined ? {} : { name: given.name }),
      ...(given.external_id === undefined ? {} : { externalId: given.external_id }),
      ...(given.details_url === undefined ? {} : { detailsUrl: given.details_url }),
      ...(text === undefined
        ? {}
        : { output: { title: text.title ?? run.output.title, summary: text.summary, text: text.text ?? null } }),
    },
  });
  return ok(checkRun(context.view, context.repository, run));
}

function runOf(context: RepositoryContext): CheckRun {
  const run = context.repository.checkRuns.get(Number(context.params["id"]));
  if (run === undefined) throw notFound();
  return run;
}

function suiteOf(context: RepositoryContext): CheckSuite {
  const suite = context.repository.checkSuites.get(Number(context.params["id"]));
  if (suite === undefined) throw notFound();
  return suite;
}

function filtered(context: RepositoryContext, runs: CheckRun[]) {
  const { query } = context.request;
  const name = query.get("check_name");
  const wanted = query.get("status");
  const appId = query.get("app_id");
  const chosen = query.get("filter") === "all" ? runs : latestRuns(runs);
  const some = chosen
    .filter((run) => name === null || run.name === name)
    .filter((run) => wanted === null || run.status === wanted)
    .filter((run) => appId === null || String(run.appId) === appId)
    .toSorted((a, b) => b.id - a.id);
  return listed(context, some, (run) => checkRun(context.view, context.repository, run), "check_runs");
}

async function showSuite(context: RepositoryContext, suite: CheckSuite) {
  const commit = await readCommit(gitDirectory(context.site, context.repository.id), suite.headSha);
  return checkSuite(context.view, { repository: context.repository, commit }, suite);
}

async function rerequest(context: RepositoryContext) {
  const run = runOf(context);
  const { site, repository } = context;
  if (appOf(site.state, run.appId).slug === actionsSlug && repository.ci !== null) rerunJob(site, repository, run);
  else await tellRun(site, repository, { run, action: "rerequested", senderId: context.doer.accountId });
  return created({});
}

const statusBody = z.object({
  state: z.enum(["error", "failure", "pending", "success"]),
  context: z.string().optional(),
  description: z.string().max(140).nullish(),
  target_url: z.string().nullish(),
});

async function listStatuses(context: RepositoryContext) {
  const sha = await shaOf(context, context.params["ref"] ?? "");
  const some = context.repository.statuses.filter((one) => one.sha === sha).toReversed();
  return listed(context, some, (one) => status(context.view, context.repository, one));
}

/**
 * A job's `id` is the id of its check run (`check_run_url`). Source:
 * https://docs.github.com/en/rest/actions/workflow-jobs
 */
function showJob(context: RepositoryContext, run: CheckRun) {
  const suite = context.repository.checkSuites.get(run.suiteId);
  const workflowRunId = suite?.workflowRunId ?? 0;
  const url = `${repositoryUrl(context.view, context.repository)}/actions`;
  return {
    id: run.id,
    run_id: workflowRunId,
    run_url: `${url}/runs/${workflowRunId}`,
    run_attempt: run.attempt ?? 1,
    node_id: checkRun(context.view, context.repository, run).node_id,
    head_sha: run.headSha,
    head_branch: suite?.headBranch ?? null,
    url: `${url}/jobs/${run.id}`,
    html_url: run.detailsUrl,
    status: run.status,
    conclusion: run.conclusion,
    created_at: run.startedAt ?? context.site.timestamp(),
    started_at: run.startedAt ?? context.site.timestamp(),
    completed_at: run.completedAt,
    name: run.name,
    workflow_name: run.name,
    check_run_url: `${repositoryUrl(context.view, context.repository)}/check-runs/${run.id}`,
    labels: ["ubuntu-latest"],
    runner_id: null,
    runner_name: null,
    runner_group_id: null,
    runner_group_name: null,
    steps: [],
  } satisfies Schema<"job">;
}

const jobRoutes = [
  // Source: https://docs.github.com/en/rest/actions/workflow-jobs#get-a-job-for-a-workflow-run
  repositoryRoute("GET /actions/jobs/:id", "actions:read", (context) => ok(showJob(context, actionsRun(context)))),
  // Source: https://docs.github.com/en/rest/actions/workflow-jobs#list-jobs-for-a-workflow-run
  repositoryRoute("GET /actions/runs/:id/jobs", "actions:read", (context) => {
    const { repository } = context;
    const id = Number(context.params["id"]);
    const suites = [...repository.checkSuites.values()].filter(({ workflowRunId }) => workflowRunId === id);
    if (suites.length === 0 && !context.view.state.workflowRuns.has(id)) throw notFound();
    const all = [...repository.checkRuns.values()].filter((run) => suites.some((suite) => suite.id === run.suiteId));
    const last = Math.max(...all.map(({ attempt }) => attempt ?? 1));
    const wanted =
      context.request.query.get("filter") === "all" ? all : all.filter(({ attempt }) => (attempt ?? 1) === last);
    return listed(context, wanted, (run) => showJob(context, run), "jobs");
  }),
  // Source: https://docs.github.com/en/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run
  repositoryRoute("GET /actions/jobs/:id/logs", "actions:read", (context) => {
    const run = actionsRun(context);
    if (!context.repository.jobLogs.has(run.id)) throw notFound();
    // GitHub redirects to a storage address that needs no token.
    const location = `${repositoryPage(context.view, context.repository)}/_logs/${run.id}.txt`;
    return { status: 302, headers: { location } };
  }),
];

function actionsRun(context: RepositoryContext): CheckRun {
  const run = runOf(context);
  if (appOf(context.view.state, run.appId).slug !== actionsSlug) throw notFound();
  return run;
}

export const checkRoutes = [
  ...jobRoutes,
  // Source: https://docs.github.com/en/rest/checks/runs#create-a-check-run
  repositoryRoute("POST /check-runs", "checks:write", create),
  // Source: https://docs.github.com/en/rest/checks/runs#get-a-check-run
  repositoryRoute("GET /check-runs/:id", "checks:read", (context) =>
    ok(checkRun(context.view, context.repository, runOf(context))),
  ),
  // Source: https://docs.github.com/en/rest/checks/runs#update-a-check-run
  repositoryRoute("PATCH /check-runs/:id", "checks:write", update),
  // Source: https://docs.github.com/en/rest/checks/runs#list-check-run-annotations
  repositoryRoute("GET /check-runs/:id/annotations", "checks:read", (context) => {
    const run = runOf(context);
    const indexes = run.annotations.map((_, index) => index);
    return listed(context, indexes, (index) =>
      checkAnnotation(context.view, { repository: context.repository, run }, index),
    );
  }),
  // Source: https://docs.github.com/en/rest/checks/runs#rerequest-a-check-run
  repositoryRoute("POST /check-runs/:id/rerequest", "checks:write", rerequest),
  // Source: https://docs.github.com/en/rest/checks/suites#create-a-check-suite
  repositoryRoute("POST /check-suites", "checks:write", async (context) => {
    const given = bodyOf(context, z.object({ head_sha: z.string() }));
    const appId = callerApp(context);
    const sha = await shaOf(context, given.head_sha);
    const known = [...context.repository.checkSuites.values()].find(
      (one) => one.appId === appId && one.headSha === sha,
    );
    const suite = known ?? newSuite(context.site, context.repository, { appId, sha, branch: null, before: null });
    return { status: known === undefined ? 201 : 200, body: await showSuite(context, suite) };
  }),
  // Source: https://docs.github.com/en/rest/checks/suites#get-a-check-suite
  repositoryRoute("GET /check-suites/:id", "checks:read", async (context) =>
    ok(await showSuite(context, suiteOf(context))),
  ),
  // Source: https://docs.github.com/en/rest/checks/runs#list-check-runs-in-a-check-suite
  repositoryRoute("GET /check-suites/:id/check-runs", "checks:read", (context) => {
    const suite = suiteOf(context);
    return filtered(
      context,
      [...context.repository.checkRuns.values()].filter((run) => run.suiteId === suite.id),
    );
  }),
  // Source: https://docs.github.com/en/rest/checks/suites#rerequest-a-check-suite
  repositoryRoute("POST /check-suites/:id/rerequest", "checks:write", async (context) => {
    const suite = suiteOf(context);
    const { site, repository, doer } = context;
    await tellSuite(site, repository, { suite, action: "rerequested", senderId: doer.accountId });
    return created({});
  }),
  // Source: https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference
  repositoryRoute("GET /commits/*ref/check-runs", "checks:read", async (context) => {
    const sha = await shaOf(context, context.params["ref"] ?? "");
    return filtered(
      context,
      [...context.repository.checkRuns.values()].filter((run) => run.headSha === sha),
    );
  }),
  // Source: https://docs.github.com/en/rest/checks/suites#list-check-suites-for-a-git-reference
  repositoryRoute("GET /commits/*ref/check-suites", "checks:read", async (context) => {
    const sha = await shaOf(context, context.params["ref"] ?? "");
    const appId = context.request.query.get("app_id");
    const some = [...context.repository.checkSuites.values()]
      .filter((one) => one.headSha === sha)
      .filter((one) => appId === null || String(one.appId) === appId);
    const shown = new Map<number, unknown>();
    for (const one of some) shown.set(one.id, await showSuite(context, one));
    return listed(context, some, (one) => shown.get(one.id), "check_suites");
  }),
  // Source: https://docs.github.com/en/rest/commits/statuses#create-a-commit-status
  repositoryRoute("POST /statuses/:sha", "statuses:write", async (context) => {
    const given = bodyOf(context, statusBody);
    const one = await addStatus(context.site, context.repository, {
      sha: await shaOf(context, context.params["sha"] ?? ""),
      state: given.state,
      context: given.context ?? "default",
      description: given.description ?? null,
      targetUrl: given.target_url ?? null,
      doer: context.doer,
    });
    return created(status(context.view, context.repository, one));
  }),
  // Source: https://docs.github.com/en/rest/commits/statuses#get-the-combined-status-for-a-specific-reference
  repositoryRoute("GET /commits/*ref/status", "statuses:read", async (context) => {
    const sha = await shaOf(context, context.params["ref"] ?? "");
    const latest = latestStatuses(context.repository, sha);
    return ok(combinedStatus(context.view, context.repository, { sha, latest }));
  }),
  // Source: https://docs.github.com/en/rest/commits/statuses#list-commit-statuses-for-a-reference
  repositoryRoute("GET /commits/*ref/statuses", "statuses:read", listStatuses),
  // An older address of the same list. Source: https://docs.github.com/en/rest/commits/statuses#list-commit-statuses-for-a-reference
  repositoryRoute("GET /statuses/*ref", "statuses:read", listStatuses),
];
