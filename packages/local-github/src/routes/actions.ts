/** Workflows that a person or an App starts. They are reported to the code that plays the runners. */
import { z } from "zod";
import { created, noContent, ok, Refusal } from "../answer.ts";
import { approveRun, dispatchCi } from "../deeds/ci.ts";
import { commitSha, git } from "../git.ts";
import { readCommit } from "../git-objects.ts";
import { simpleCommit } from "../resources/check.ts";
import { isPull } from "../resources/pull-request.ts";
import { minimalRepository, repositoryPage, repositoryUrl } from "../resources/repository.ts";
import { bodyOf, page, type RepositoryContext, repositoryRoute } from "../route.ts";
import { gitDirectory, nodeId } from "../site.ts";
import { accountOf, branchRef, fullName, takeId } from "../state.ts";

/** GitHub accepts at most 25 inputs. */
const inputsMax = 25;

const dispatch = z.object({
  ref: z.string(),
  inputs: z.record(z.string(), z.string()).optional(),
  return_run_details: z.boolean().optional(),
});

/** The name of a workflow file on the default branch. */
async function existingWorkflow({ site, repository, params }: RepositoryContext): Promise<string> {
  const file = params["workflow"] ?? "";
  const head = repository.refs.get(branchRef(repository.defaultBranch));
  const path = `${head}:.github/workflows/${file}`;
  if ((await git(gitDirectory(site, repository.id), ["show", path]).catch(() => null)) === null)
    throw new Refusal(404, "Not Found");
  return file;
}

interface RunFacts {
  id: number;
  sha: string;
  status: string;
  conclusion: string | null;
  at: string;
}

async function workflowRun({ site, repository }: RepositoryContext, { id, sha, status, conclusion, at }: RunFacts) {
  const commit = await readCommit(gitDirectory(site, repository.id), sha);
  const url = `${repositoryUrl(site, repository)}/actions/runs/${id}`;
  const minimal = minimalRepository(site, repository);
  return {
    id,
    node_id: nodeId("WorkflowRun", id),
    name: "Baton",
    path: ".github/workflows/baton.yml",
    display_title: "Baton",
    run_number: 1,
    run_attempt: 1,
    event: "issue_comment",
    status,
    conclusion,
    workflow_id: 1,
    head_branch: repository.defaultBranch,
    head_sha: sha,
    head_commit: simpleCommit(commit),
    head_repository: minimal,
    repository: minimal,
    pull_requests: [],
    created_at: at,
    updated_at: at,
    run_started_at: at,
    url,
    html_url: `${repositoryPage(site, repository)}/actions/runs/${id}`,
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    check_suite_url: `${repositoryUrl(site, repository)}/check-suites/1`,
    workflow_url: `${repositoryUrl(site, repository)}/actions/workflows/1`,
  };
}

export const actionRoutes = [
  // Runs of the CI, dispatched runs, and runs that the code in the runners' role reported. Any other run is unknown, like a
  // deleted one.
  // Source: https://docs.github.com/en/rest/actions/workflow-runs#get-a-workflow-run
  repositoryRoute("GET /actions/runs/:id", "actions:read", async (context) => {
    const { site, repository, params } = context;
    const id = Number(params["id"]);
    const suite = [...repository.checkSuites.values()].find(({ workflowRunId }) => workflowRunId === id);
    if (suite !== undefined) {
      const { headSha: sha, status, conclusion, createdAt } = suite;
      return ok(await workflowRun(context, { id, sha, status, conclusion, at: createdAt }));
    }
    const run = site.state.workflowRuns.get(id);
    const head = repository.refs.get(branchRef(repository.defaultBranch));
    if (run === undefined || head === undefined) throw new Refusal(404, "Not Found");
    const conclusion = run.status === "completed" ? "success" : null;
    return ok(await workflowRun(context, { id, sha: head, status: run.status, conclusion, at: run.at }));
  }),
  // Only runs of the repository's CI, by the commit and the state that Baton asks for.
  // Source: https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
  repositoryRoute("GET /actions/runs", "actions:read", async (context) => {
    const { query } = context.request;
    const isAsked = (name: string, ...values: (string | null)[]): boolean =>
      !query.has(name) || values.includes(query.get(name));
    const suites = [...context.repository.checkSuites.values()].filter(
      ({ workflowRunId, headSha, conclusion, status }) =>
        workflowRunId !== undefined && isAsked("head_sha", headSha) && isAsked("status", conclusion, status),
    );
    const { items, headers } = page(context, suites);
    const runs = [];
    for (const { workflowRunId: id = 0, headSha: sha, status, conclusion, createdAt: at } of items)
      runs.push(await workflowRun(context, { id, sha, status, conclusion, at }));
    return { status: 200, headers, body: { total_count: suites.length, workflow_runs: runs } };
  }),
  // Source: https://docs.github.com/en/rest/actions/workflow-runs#approve-a-workflow-run-for-a-fork-pull-request and
  // https://github.com/kubernetes-sigs/prow/pull/798 (403 for a pull request of the same repository)
  repositoryRoute("POST /actions/runs/:id/approve", "actions:write", ({ site, repository, params }) => {
    const suite = [...repository.checkSuites.values()].find(
      ({ workflowRunId }) => workflowRunId === Number(params["id"]),
    );
    if (suite === undefined) throw new Refusal(404, "Not Found");
    const isFork = [...repository.threads.values()]
      .filter(isPull)
      .some(({ pull }) => pull.headSha === suite.headSha && pull.headRepositoryId !== repository.id);
    if (!isFork) throw new Refusal(403, "This run is not from a fork pull request");
    if (suite.conclusion !== "action_required") throw new Refusal(403, "This run is not waiting for approval");
    approveRun(site, repository, suite);
    return created({});
  }),
  // Its file identifies a workflow. The workflow is as old as its repository.
  repositoryRoute("GET /actions/workflows/:workflow", "actions:read", async ({ site, repository, params }) => {
    const file = params["workflow"] ?? "";
    const path = `.github/workflows/${file}`;
    const head = repository.refs.get(branchRef(repository.defaultBranch));
    const text = await git(gitDirectory(site, repository.id), ["show", `${head}:${path}`]).catch(() => null);
    if (text === null) throw new Refusal(404, "Not Found");
    const page = repositoryPage(site, repository);
    return ok({
      id: 1,
      node_id: nodeId("Workflow", 1),
      name: file,
      path,
      state: repository.disabledWorkflows.has(file) ? "disabled_manually" : "active",
      created_at: repository.createdAt,
      updated_at: repository.createdAt,
      url: `${repositoryUrl(site, repository)}/actions/workflows/1`,
      html_url: `${page}/blob/${repository.defaultBranch}/${path}`,
      badge_url: `${page}/workflows/${file}/badge.svg`,
    });
  }),
  // Source: https://docs.github.com/en/rest/actions/workflows#enable-a-workflow
  repositoryRoute("PUT /actions/workflows/:workflow/enable", "actions:write", async (context) => {
    context.repository.disabledWorkflows.delete(await existingWorkflow(context));
    return noContent;
  }),
  // Source: https://docs.github.com/en/rest/actions/workflows#disable-a-workflow
  repositoryRoute("PUT /actions/workflows/:workflow/disable", "actions:write", async (context) => {
    context.repository.disabledWorkflows.add(await existingWorkflow(context));
    return noContent;
  }),
  // Source: https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
  repositoryRoute("POST /actions/workflows/:workflow/dispatches", "actions:write", async (context) => {
    const { ref, inputs = {}, return_run_details: isTold = false } = bodyOf(context, dispatch);
    if (Object.keys(inputs).length > inputsMax) throw new Refusal(422, `There are more than ${inputsMax} inputs`);
    const { site, repository, doer } = context;
    const directory = gitDirectory(site, repository.id);
    const head = repository.refs.get(branchRef(ref));
    const sha = head === undefined ? null : await commitSha(directory, head);
    if (sha === null) throw new Refusal(422, `No ref found for: ${ref}`);
    const workflow = context.params["workflow"] ?? "";
    const text = await git(directory, ["show", `${sha}:.github/workflows/${workflow}`]).catch(() => null);
    if (text === null) throw new Refusal(404, "Not Found");
    // Source: https://github.com/benc-uk/workflow-dispatch/issues/72 (the words)
    if (repository.disabledWorkflows.has(workflow))
      throw new Refusal(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow");
    if (!text.includes("workflow_dispatch"))
      throw new Refusal(422, "Workflow does not have 'workflow_dispatch' trigger");
    dispatchCi(site, repository, { workflow, branch: branchRef(ref).slice("refs/heads/".length), sha, doer });
    const runId = takeId(site.state);
    site.state.workflowRuns.set(runId, { status: "in_progress", at: site.timestamp() });
    site.onDispatch({
      runId,
      repository: fullName(site.state, repository),
      workflow,
      ref: branchRef(ref),
      inputs,
      login: accountOf(site.state, doer.accountId).login,
    });
    if (!isTold) return noContent;
    return ok({
      workflow_run_id: runId,
      run_url: `${repositoryUrl(site, repository)}/actions/runs/${runId}`,
      html_url: `${repositoryPage(site, repository)}/actions/runs/${runId}`,
    });
  }),
];
