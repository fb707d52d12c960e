/**
 * GitHub's answers as the facts that Baton reads (github.G3). This file alone gives absent, deleted or unknown values
 * their meaning.
 */
import type { Permission } from "../../core/vocabulary.ts";
import type {
  CheckFacts,
  CheckSuiteFacts,
  CommentFacts,
  GithubUser,
  IssueFacts,
  PullRequestFacts,
  ReviewFacts,
  WrittenFacts,
} from "../../ports/github.ts";
import type { Annotation } from "../../text/failure-text.ts";
import type * as wire from "./wire-types.ts";

const reviewStates: Record<string, ReviewFacts["state"]> = {
  APPROVED: "approved",
  CHANGES_REQUESTED: "changes-requested",
  COMMENTED: "commented",
  DISMISSED: "dismissed",
};

export function userOf(user: wire.User | null | undefined): GithubUser {
  // GitHub replaces a deleted account with `ghost`, which has no permission anywhere.
  return user === null || user === undefined
    ? { id: 10_137, login: "ghost", kind: "user" }
    : { id: user.id, login: user.login, kind: user.type === "User" ? "user" : "bot" };
}

export function pullOf(found: wire.PullRequest): PullRequestFacts {
  return {
    number: found.number,
    title: found.title,
    body: found.body ?? "",
    state: found.state === "closed" ? "closed" : "open",
    merged: found.merged ?? found.merged_at != null,
    mergeSha: found.merge_commit_sha ?? null,
    draft: found.draft ?? false,
    author: userOf(found.user),
    headSha: found.head.sha,
    headRef: found.head.ref,
    headRepositoryId: found.head.repo?.id ?? null,
    baseRef: found.base.ref,
    baseSha: found.base.sha,
    mergeable: found.mergeable ?? null,
    mergeableState: found.mergeable_state ?? "unknown",
    updatedAt: found.updated_at,
    locked: found.locked ?? false,
    nodeId: found.node_id,
    url: found.html_url,
  };
}

/**
 * Workflow runs whose check runs share a name within a suite. Only their jobs show which one is a re-run of which.
 * Source: https://docs.github.com/en/rest/checks/runs (`details_url` of GitHub Actions names run and job), and the
 * answer quoted in https://github.com/BerriAI/litellm/pull/40015
 */
export function sharedNames(runs: readonly wire.CheckRun[]): Set<number> {
  const seen = new Set<string>();
  const shared = new Set<number>();
  for (const run of runs) {
    const key = `${run.app?.id ?? ""}/${run.check_suite?.id ?? ""}/${run.name}`;
    const workflowRun = workflowRunOf(run);
    if (seen.has(key) && workflowRun !== null) shared.add(workflowRun);
    seen.add(key);
  }
  return shared;
}

/** Null: its check belongs to no workflow run. */
export function workflowRunOf(run: wire.CheckRun): number | null {
  const [, id] = /\/actions\/runs\/(\d+)\/job/.exec(`${run.details_url ?? ""} ${run.html_url ?? ""}`) ?? [];
  return id === undefined ? null : Number(id);
}

export function checkOf(run: wire.CheckRun, attempt?: number | null): CheckFacts {
  return {
    name: run.name,
    source: "check-run",
    appId: run.app?.id ?? null,
    suiteId: run.check_suite?.id ?? null,
    sha: run.head_sha,
    status: run.status === "completed" ? "completed" : run.status === "in_progress" ? "in_progress" : "queued",
    conclusion: (run.conclusion as CheckFacts["conclusion"]) ?? null,
    id: run.id,
    url: run.html_url,
    startedAt: run.started_at,
    completedAt: run.completed_at,
    ...(attempt === undefined ? {} : { attempt }),
    summary: [run.output?.title, run.output?.summary, run.output?.text].filter(Boolean).join("\n\n"),
  };
}

export function annotationOf(found: wire.CheckAnnotation): Annotation {
  const level = found.annotation_level;
  return {
    path: found.path,
    line: found.start_line,
    level: level === "failure" || level === "warning" ? level : "notice",
    title: found.title ?? "",
    message: found.message ?? "",
  };
}

const statusConclusions: Record<string, CheckFacts["conclusion"]> = {
  success: "success",
  failure: "failure",
  error: "failure",
};

export function statusOf(status: wire.Status, sha: string): CheckFacts {
  const conclusion = statusConclusions[status.state] ?? null;
  return {
    name: status.context,
    source: "status",
    appId: null,
    sha,
    status: conclusion === null ? "in_progress" : "completed",
    conclusion,
    id: status.id,
    url: status.target_url ?? null,
    startedAt: status.created_at,
    completedAt: conclusion === null ? null : status.updated_at,
    summary: status.description ?? "",
  };
}

/**
 * GitHub lists newest first. A context that ends red and later green was run again, so each end stays a fact. The same
 * end reported twice in a row counts once.
 */
export function triesOf(statuses: wire.Status[]): wire.Status[] {
  const after = new Map<string, wire.Status>();
  return statuses.filter((status) => {
    const next = after.get(status.context);
    after.set(status.context, status);
    return next === undefined || (statusConclusions[status.state] !== undefined && next.state !== status.state);
  });
}

export function issueOf(found: wire.Issue): IssueFacts {
  return {
    number: found.number,
    title: found.title,
    body: found.body ?? "",
    state: found.state === "closed" ? "closed" : "open",
    author: userOf(found.user),
    isPullRequest: found.pull_request !== undefined,
    labels: found.labels.map((label) => (typeof label === "string" ? label : (label.name ?? ""))),
    url: found.html_url,
  };
}

export function commentOf(comment: wire.Comment): CommentFacts {
  return {
    id: comment.id,
    body: comment.body ?? "",
    author: userOf(comment.user),
    appId: comment.performed_via_github_app?.id ?? null,
    createdAt: comment.created_at,
    updatedAt: comment.updated_at,
    url: comment.html_url,
    nodeId: comment.node_id,
  };
}

/** Null: the comment belongs to no thread. */
export function writtenComment(comment: wire.ThreadComment): WrittenFacts | null {
  const { id, body, author, createdAt, nodeId } = commentOf(comment);
  const number = Number(comment.issue_url.split("/").at(-1));
  return Number.isInteger(number) ? { number, commentId: id, body, author, createdAt, nodeId } : null;
}

/** Null: a pull request. Its text does not count as the text of an issue. */
export function writtenIssue(issue: wire.NewIssue): WrittenFacts | null {
  const { number, body, author, isPullRequest } = issueOf(issue);
  if (isPullRequest) return null;
  return { number, commentId: null, body, author, createdAt: issue.created_at, nodeId: issue.node_id };
}

/** `comments` are those of the whole pull request. */
export function reviewOf(
  review: wire.Review,
  permission: Permission,
  comments: readonly wire.ReviewComment[],
): ReviewFacts {
  return {
    id: review.id,
    author: userOf(review.user),
    permission,
    state: reviewStates[review.state] ?? "commented",
    sha: review.commit_id ?? "",
    body: review.body ?? "",
    comments: comments
      .filter(({ pull_request_review_id }) => pull_request_review_id === review.id)
      .map(({ path, line, body }) => ({ path, line: line ?? null, body })),
    submittedAt: review.submitted_at ?? "",
  };
}

export function suiteOf({
  app,
  head_sha,
  status,
  conclusion,
  latest_check_runs_count,
}: wire.CheckSuite): CheckSuiteFacts {
  return {
    appId: app?.id ?? null,
    appName: app?.name ?? "an App",
    sha: head_sha,
    status: status === "completed" || status === "in_progress" ? status : "queued",
    conclusion: conclusion ?? null,
    checkRuns: latest_check_runs_count,
  };
}
