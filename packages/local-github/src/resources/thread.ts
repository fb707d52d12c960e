/** Issues, and the issue side of pull requests, with their comments, labels and reactions. */
import { nodeId, type View } from "../site.ts";
import {
  accountOf,
  type Comment,
  type Label,
  ownerOf,
  type Reaction,
  type Repository,
  reactionContents,
  roleOf,
  type Thread,
} from "../state.ts";
import { repositoryPage, repositoryUrl } from "./repository.ts";
import type { Schema } from "./schema.ts";
import { simpleUser, userById, writtenBy } from "./user.ts";

export function authorAssociation(view: View, repository: Repository, userId: number): Schema<"author-association"> {
  if (repository.ownerId === userId) return "OWNER";
  if (ownerOf(view.state, repository).memberIds.includes(userId)) return "MEMBER";
  if (repository.roles.has(userId) && roleOf(view.state, repository, userId) !== "none") return "COLLABORATOR";
  const merged = [...repository.threads.values()].some((one) => one.authorId === userId && one.pull?.mergedAt);
  return merged ? "CONTRIBUTOR" : "NONE";
}

export function reactionRollup(url: string, reactions: Reaction[]) {
  const count = (content: string) => reactions.filter((one) => one.content === content).length;
  const counts = Object.fromEntries(reactionContents.map((content) => [content, count(content)]));
  return {
    url: `${url}/reactions`,
    total_count: reactions.length,
    ...(counts as Record<(typeof reactionContents)[number], number>),
  } satisfies Schema<"reaction-rollup">;
}

export function reaction(view: View, one: Reaction) {
  return {
    id: one.id,
    node_id: nodeId("Reaction", one.id),
    user: userById(view, one.userId),
    content: one.content,
    created_at: one.createdAt,
  } satisfies Schema<"reaction">;
}

export function label(view: View, repository: Repository, one: Label) {
  return {
    id: one.id,
    node_id: nodeId("Label", one.id),
    url: `${repositoryUrl(view, repository)}/labels/${encodeURIComponent(one.name)}`,
    name: one.name,
    color: one.color,
    default: false,
    description: one.description,
  } satisfies Schema<"label">;
}

export function labelsOf(view: View, repository: Repository, thread: Thread) {
  return thread.labelIds.flatMap((id) => {
    const found = repository.labels.get(id);
    return found === undefined ? [] : [label(view, repository, found)];
  });
}

export function threadPage(view: View, repository: Repository, thread: Thread): string {
  const kind = thread.pull === null ? "issues" : "pull";
  return `${repositoryPage(view, repository)}/${kind}/${thread.number}`;
}

export function issue(view: View, repository: Repository, thread: Thread) {
  const url = `${repositoryUrl(view, repository)}/issues/${thread.number}`;
  const page = threadPage(view, repository, thread);
  const comments = [...repository.comments.values()].filter((one) => one.threadNumber === thread.number).length;
  const assignees = thread.assigneeIds.map((id) => userById(view, id));
  const pullUrl = `${repositoryUrl(view, repository)}/pulls/${thread.number}`;
  return {
    url,
    repository_url: repositoryUrl(view, repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: page,
    id: thread.id,
    node_id: nodeId(thread.pull === null ? "Issue" : "PullRequest", thread.id),
    number: thread.number,
    title: thread.title,
    user: simpleUser(view, accountOf(view.state, thread.authorId)),
    labels: labelsOf(view, repository, thread),
    state: thread.state,
    locked: thread.locked,
    assignee: assignees[0] ?? null,
    assignees,
    milestone: null,
    comments,
    created_at: thread.createdAt,
    updated_at: thread.updatedAt,
    closed_at: thread.closedAt,
    closed_by: thread.closedById === null ? null : userById(view, thread.closedById),
    author_association: authorAssociation(view, repository, thread.authorId),
    active_lock_reason: null,
    body: thread.body,
    reactions: reactionRollup(url, thread.reactions),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: writtenBy(view, thread.appId),
    state_reason: thread.stateReason,
    ...(thread.pull === null
      ? {
          sub_issues_summary: { total: 0, completed: 0, percent_completed: 0 },
          issue_dependencies_summary: { blocked_by: 0, blocking: 0, total_blocked_by: 0, total_blocking: 0 },
        }
      : {
          draft: thread.pull.draft,
          pull_request: {
            url: pullUrl,
            html_url: page,
            diff_url: `${page}.diff`,
            patch_url: `${page}.patch`,
            merged_at: thread.pull.mergedAt,
          },
        }),
  } satisfies Schema<"issue">;
}

export function issueComment(view: View, repository: Repository, comment: Comment) {
  const url = `${repositoryUrl(view, repository)}/issues/comments/${comment.id}`;
  const thread = repository.threads.get(comment.threadNumber);
  const page = thread === undefined ? repositoryPage(view, repository) : threadPage(view, repository, thread);
  return {
    url,
    html_url: `${page}#issuecomment-${comment.id}`,
    issue_url: `${repositoryUrl(view, repository)}/issues/${comment.threadNumber}`,
    id: comment.id,
    node_id: nodeId("IssueComment", comment.id),
    user: userById(view, comment.authorId),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: authorAssociation(view, repository, comment.authorId),
    body: comment.body,
    reactions: reactionRollup(url, comment.reactions),
    performed_via_github_app: writtenBy(view, comment.appId),
  } satisfies Schema<"issue-comment">;
}
