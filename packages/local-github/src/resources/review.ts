import { nodeId, type View } from "../site.ts";
import type { Repository, Review, ReviewComment } from "../state.ts";
import type { PullThread } from "./pull-request.ts";
import { repositoryUrl } from "./repository.ts";
import type { Schema } from "./schema.ts";
import { authorAssociation, reactionRollup, threadPage } from "./thread.ts";
import { userById } from "./user.ts";

export function review(view: View, place: { repository: Repository; thread: PullThread }, one: Review) {
  const { repository, thread } = place;
  const page = `${threadPage(view, repository, thread)}#pullrequestreview-${one.id}`;
  const pullUrl = `${repositoryUrl(view, repository)}/pulls/${thread.number}`;
  return {
    id: one.id,
    node_id: nodeId("PullRequestReview", one.id),
    user: userById(view, one.authorId),
    body: one.body,
    state: one.state as string,
    html_url: page,
    pull_request_url: pullUrl,
    author_association: authorAssociation(view, repository, one.authorId),
    _links: { html: { href: page }, pull_request: { href: pullUrl } },
    ...(one.submittedAt === null ? {} : { submitted_at: one.submittedAt }),
    commit_id: one.sha,
  } satisfies Schema<"pull-request-review">;
}

export function reviewComment(view: View, place: { repository: Repository; thread: PullThread }, one: ReviewComment) {
  const { repository, thread } = place;
  const url = `${repositoryUrl(view, repository)}/pulls/comments/${one.id}`;
  const page = `${threadPage(view, repository, thread)}#discussion_r${one.id}`;
  const pullUrl = `${repositoryUrl(view, repository)}/pulls/${thread.number}`;
  return {
    url,
    pull_request_review_id: one.reviewId,
    id: one.id,
    node_id: nodeId("PullRequestReviewComment", one.id),
    diff_hunk: one.diffHunk,
    path: one.path,
    position: one.line ?? 1,
    original_position: one.line ?? 1,
    commit_id: one.sha,
    original_commit_id: one.sha,
    user: userById(view, one.authorId),
    body: one.body,
    created_at: one.createdAt,
    updated_at: one.updatedAt,
    html_url: page,
    pull_request_url: pullUrl,
    author_association: authorAssociation(view, repository, one.authorId),
    _links: { self: { href: url }, html: { href: page }, pull_request: { href: pullUrl } },
    reactions: reactionRollup(url, one.reactions),
    start_line: one.startLine ?? null,
    original_start_line: one.startLine ?? null,
    start_side: one.startLine === undefined ? null : one.side,
    ...(one.line === null ? {} : { line: one.line, original_line: one.line }),
    ...(one.inReplyToId === null ? {} : { in_reply_to_id: one.inReplyToId }),
    side: one.side,
    subject_type: one.line === null ? ("file" as const) : ("line" as const),
  } satisfies Schema<"pull-request-review-comment">;
}
