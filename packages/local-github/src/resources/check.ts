/** Check runs, check suites and commit statuses. */
import type { CommitFacts } from "../git-objects.ts";
import { latestRuns } from "../required-checks.ts";
import { nodeId, type View } from "../site.ts";
import { appOf, type CheckRun, type CheckSuite, type CommitStatus, fullName, type Repository } from "../state.ts";
import { pullRequestsAt } from "./pull-request.ts";
import { minimalRepository, repositoryPage, repositoryUrl } from "./repository.ts";
import type { Schema } from "./schema.ts";
import { integration, userById } from "./user.ts";

export function checkRun(view: View, repository: Repository, run: CheckRun) {
  const url = `${repositoryUrl(view, repository)}/check-runs/${run.id}`;
  const page = `${repositoryPage(view, repository)}/runs/${run.id}`;
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId("CheckRun", run.id),
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: page,
    details_url: run.detailsUrl ?? page,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      ...run.output,
      annotations_count: run.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.suiteId },
    app: integration(view, run.appId),
    pull_requests: pullRequestsAt(view, repository, run.headSha),
  } satisfies Schema<"check-run">;
}

export function checkAnnotation(view: View, place: { repository: Repository; run: CheckRun }, index: number) {
  const one = place.run.annotations[index];
  if (one === undefined) throw new Error(`Check run ${place.run.id} has no annotation ${index}.`);
  return {
    path: one.path,
    start_line: one.start_line,
    end_line: one.end_line,
    start_column: one.start_column ?? null,
    end_column: one.end_column ?? null,
    annotation_level: one.annotation_level,
    title: one.title ?? null,
    message: one.message,
    raw_details: one.raw_details ?? null,
    blob_href: `${repositoryPage(view, place.repository)}/blob/${place.run.headSha}/${one.path}`,
  } satisfies Schema<"check-annotation">;
}

/** The form of `head_commit` in objects that only mention a commit. */
export function simpleCommit(commit: CommitFacts) {
  return {
    id: commit.sha,
    tree_id: commit.tree,
    message: commit.message,
    timestamp: commit.author.date,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
  } satisfies Schema<"simple-commit">;
}

/** The form that comes with its check runs. */
export function simpleCheckSuite(view: View, repository: Repository, suite: CheckSuite) {
  return {
    id: suite.id,
    node_id: nodeId("CheckSuite", suite.id),
    head_branch: suite.headBranch,
    head_sha: suite.headSha,
    status: suite.status,
    conclusion: suite.conclusion,
    url: `${repositoryUrl(view, repository)}/check-suites/${suite.id}`,
    before: suite.before,
    after: suite.headSha,
    pull_requests: pullRequestsAt(view, repository, suite.headSha),
    app: integration(view, suite.appId),
    created_at: suite.createdAt,
    updated_at: suite.updatedAt,
  };
}

export function checkSuite(view: View, place: { repository: Repository; commit: CommitFacts }, suite: CheckSuite) {
  const { repository } = place;
  const simple = simpleCheckSuite(view, repository, suite);
  return {
    ...simple,
    rerequestable: true,
    runs_rerequestable: appOf(view.state, suite.appId).slug !== "github-actions",
    latest_check_runs_count: latestRuns([...repository.checkRuns.values()].filter((run) => run.suiteId === suite.id))
      .length,
    check_runs_url: `${simple.url}/check-runs`,
    head_commit: simpleCommit(place.commit),
    repository: minimalRepository(view, repository),
  } satisfies Schema<"check-suite">;
}

function simpleStatus(view: View, repository: Repository, one: CommitStatus) {
  return {
    url: `${repositoryUrl(view, repository)}/statuses/${one.sha}`,
    avatar_url: `${view.origin}/avatars/u/${one.creatorId}`,
    id: one.id,
    node_id: nodeId("StatusContext", one.id),
    state: one.state,
    description: one.description,
    target_url: one.targetUrl,
    context: one.context,
    created_at: one.createdAt,
    updated_at: one.createdAt,
  };
}

export function status(view: View, repository: Repository, one: CommitStatus) {
  return {
    ...simpleStatus(view, repository, one),
    creator: userById(view, one.creatorId),
  } satisfies Schema<"status">;
}

export function combinedStatus(view: View, repository: Repository, given: { sha: string; latest: CommitStatus[] }) {
  const { sha, latest } = given;
  const failed = latest.some((one) => one.state === "failure" || one.state === "error");
  const passed = latest.length > 0 && latest.every((one) => one.state === "success");
  const url = `${repositoryUrl(view, repository)}/commits/${sha}`;
  return {
    state: failed ? "failure" : passed ? "success" : "pending",
    statuses: latest.map((one) => simpleStatus(view, repository, one)),
    sha,
    total_count: latest.length,
    repository: minimalRepository(view, repository),
    commit_url: url,
    url: `${url}/status`,
  } satisfies Schema<"combined-commit-status">;
}

export function actionsJobUrl(view: View, repository: Repository, ids: { runId: number; jobId: number }): string {
  return `${view.origin}/${fullName(view.state, repository)}/actions/runs/${ids.runId}/job/${ids.jobId}`;
}
