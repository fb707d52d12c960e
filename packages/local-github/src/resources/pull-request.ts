import { requiredChecksMissing } from "../required-checks.ts";
import { mergeViolations } from "../rules.ts";
import { nodeId, type View } from "../site.ts";
import { findAccount, ownerOf, type PullRequest, type Repository, type Thread } from "../state.ts";
import { repositoryObject, repositoryUrl } from "./repository.ts";
import type { Schema } from "./schema.ts";
import { authorAssociation, labelsOf, threadPage } from "./thread.ts";
import { simpleUser, userById } from "./user.ts";

export interface PullThread extends Thread {
  pull: PullRequest;
}

export function isPull(thread: Thread | undefined): thread is PullThread {
  return thread !== undefined && thread.pull !== null;
}

/** A deleted fork leaves `repo: null`. GitHub sends it although its description calls the field required. */
function headOf(view: View, pull: PullRequest) {
  const repository = pull.headRepositoryId === null ? undefined : view.state.repositories.get(pull.headRepositoryId);
  const owner = findAccount(view.state, pull.headOwnerLogin);
  return {
    label: `${pull.headOwnerLogin}:${pull.headRef}`,
    ref: pull.headRef,
    sha: pull.headSha,
    user: (owner === undefined ? null : simpleUser(view, owner)) as ReturnType<typeof simpleUser>,
    repo: (repository === undefined ? null : repositoryObject(view, repository)) as ReturnType<typeof repositoryObject>,
  };
}

export function pullRequestSimple(view: View, repository: Repository, thread: PullThread) {
  const pull = thread.pull;
  const url = `${repositoryUrl(view, repository)}/pulls/${thread.number}`;
  const issueUrl = `${repositoryUrl(view, repository)}/issues/${thread.number}`;
  const statusesUrl = `${repositoryUrl(view, repository)}/statuses/${pull.headSha}`;
  const page = threadPage(view, repository, thread);
  const owner = ownerOf(view.state, repository);
  const assignees = thread.assigneeIds.map((id) => userById(view, id));
  return {
    url,
    id: pull.id,
    node_id: nodeId("PullRequest", pull.id),
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: issueUrl,
    number: thread.number,
    state: thread.state,
    locked: thread.locked,
    title: thread.title,
    user: userById(view, thread.authorId),
    body: thread.body,
    created_at: thread.createdAt,
    updated_at: thread.updatedAt,
    closed_at: thread.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeSha,
    assignee: assignees[0] ?? null,
    assignees,
    requested_reviewers: pull.requestedReviewerIds.map((id) => userById(view, id)),
    requested_teams: [] as Schema<"team">[],
    // The description of the list requires a text where labels may have none.
    labels: labelsOf(view, repository, thread).map((one) => ({ ...one, description: one.description ?? "" })),
    milestone: null,
    draft: pull.draft,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    review_comment_url: `${repositoryUrl(view, repository)}/pulls/comments{/number}`,
    comments_url: `${issueUrl}/comments`,
    statuses_url: statusesUrl,
    head: headOf(view, pull),
    base: {
      label: `${owner.login}:${pull.baseRef}`,
      ref: pull.baseRef,
      sha: pull.baseSha,
      user: simpleUser(view, owner),
      repo: repositoryObject(view, repository),
    },
    _links: {
      self: { href: url },
      html: { href: page },
      issue: { href: issueUrl },
      comments: { href: `${issueUrl}/comments` },
      review_comments: { href: `${url}/comments` },
      review_comment: { href: `${repositoryUrl(view, repository)}/pulls/comments{/number}` },
      commits: { href: `${url}/commits` },
      statuses: { href: statusesUrl },
    },
    author_association: authorAssociation(view, repository, thread.authorId),
    auto_merge: null,
    active_lock_reason: null,
  } satisfies Schema<"pull-request-simple">;
}

/** REST spells these in lower case. Source: https://docs.github.com/en/graphql/reference/enums#mergestatestatus */
function mergeState(repository: Repository, thread: PullThread): string {
  const { pull } = thread;
  if (pull.draft) return "draft";
  if (!pull.mergeable) return "dirty";
  const missing = requiredChecksMissing(repository, { branch: pull.baseRef, sha: pull.headSha });
  if (missing.length > 0 || mergeViolations(repository, thread).length > 0) return "blocked";
  return pull.behind && repository.strictBranches.has(pull.baseRef) ? "behind" : "clean";
}

export function pullRequest(view: View, repository: Repository, thread: PullThread) {
  const { pull } = thread;
  const open = thread.state === "open";
  const comments = [...repository.comments.values()].filter((one) => one.threadNumber === thread.number).length;
  return {
    ...pullRequestSimple(view, repository, thread),
    state: thread.state,
    user: userById(view, thread.authorId),
    merged: pull.mergedAt !== null,
    mergeable: open ? pull.mergeable : null,
    rebaseable: open ? pull.mergeable : null,
    mergeable_state: open ? mergeState(repository, thread) : "unknown",
    merged_by: pull.mergedById === null ? null : userById(view, pull.mergedById),
    comments,
    review_comments: pull.reviewComments.length,
    maintainer_can_modify: false,
    commits: pull.counts.commits,
    additions: pull.counts.additions,
    deletions: pull.counts.deletions,
    changed_files: pull.counts.files,
  } satisfies Schema<"pull-request">;
}

/** The short form inside check runs and suites: only pull requests of the same repository. */
export function pullRequestsAt(view: View, repository: Repository, sha: string) {
  const url = repositoryUrl(view, repository);
  const short = { id: repository.id, url, name: repository.name };
  return [...repository.threads.values()]
    .filter(isPull)
    .filter((one) => one.state === "open" && one.pull.headSha === sha && one.pull.headRepositoryId === repository.id)
    .map(
      (one) =>
        ({
          id: one.pull.id,
          number: one.number,
          url: `${url}/pulls/${one.number}`,
          head: { ref: one.pull.headRef, sha: one.pull.headSha, repo: short },
          base: { ref: one.pull.baseRef, sha: one.pull.baseSha, repo: short },
        }) satisfies Schema<"pull-request-minimal">,
    );
}
