/** Reviews: given at a commit, counted by their readers, dismissed with a reason. */
import type { Doer } from "../access.ts";
import { Refusal } from "../answer.ts";
import { type PullThread, pullRequestSimple } from "../resources/pull-request.ts";
import { reviewComment, review as reviewObject } from "../resources/review.ts";
import type { Site } from "../site.ts";
import { type Repository, type Review, type ReviewComment, takeId } from "../state.ts";
import { checkBody } from "./threads.ts";

export type ReviewEvent = "APPROVE" | "REQUEST_CHANGES" | "COMMENT";
const stateOf = { APPROVE: "APPROVED", REQUEST_CHANGES: "CHANGES_REQUESTED", COMMENT: "COMMENTED" } as const;

/**
 * A pending review and its comments exist only for their author.
 * Sources:
 * https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/reviewing-changes-in-pull-requests/reviewing-proposed-changes-in-a-pull-request
 * ("pending and only visible to you") and https://docs.github.com/en/rest/pulls/reviews (`PENDING`)
 */
export function isShown(review: Review, { doer }: { doer: Doer }): boolean {
  return review.state !== "PENDING" || review.authorId === doer.accountId;
}

export interface DraftComment {
  path: string;
  line: number | null;
  startLine?: number;
  side?: "LEFT" | "RIGHT";
  body: string;
  diffHunk: string;
}

export interface ReviewOptions {
  thread: PullThread;
  /** Null leaves the review pending. Only its author sees it. */
  event: ReviewEvent | null;
  body: string;
  sha: string | null;
  comments: DraftComment[];
  doer: Doer;
}

export function addReview(site: Site, repository: Repository, options: ReviewOptions): Review {
  const { thread, doer } = options;
  checkBody("PullRequestReview", options.body);
  // Source: https://github.com/github/app/issues/3371 (422)
  if (thread.pull.reviews.some(({ state, authorId }) => state === "PENDING" && authorId === doer.accountId))
    throw new Refusal(422, "Unprocessable Entity", {
      errors: ["User can only have one pending review per pull request"],
    });
  const review: Review = {
    id: takeId(site.state),
    authorId: doer.accountId,
    state: "PENDING",
    body: options.body,
    sha: options.sha ?? thread.pull.headSha,
    submittedAt: null,
  };
  if (options.event !== null) checkSubmission(options, options.event);
  thread.pull.reviews.push(review);
  for (const comment of options.comments) {
    addReviewComment(site, repository, { thread, review, comment, doer, quiet: options.event === null });
  }
  if (options.event !== null) submitReview(site, repository, { ...options, review, event: options.event });
  return review;
}

function checkSubmission(options: ReviewOptions, event: ReviewEvent): void {
  const own = options.thread.authorId === options.doer.accountId;
  if (own && event === "APPROVE") {
    throw new Refusal(422, "Unprocessable Entity", { errors: ["Can not approve your own pull request"] });
  }
  if (own && event === "REQUEST_CHANGES") {
    throw new Refusal(422, "Unprocessable Entity", { errors: ["Can not request changes on your own pull request"] });
  }
  const silent = options.body === "" && options.comments.length === 0;
  if (silent && event !== "APPROVE") {
    throw new Refusal(422, "Unprocessable Entity", { errors: ["Body can not be blank"] });
  }
}

export function submitReview(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; review: Review; event: ReviewEvent; body: string; doer: Doer },
): void {
  const { thread, review, doer } = given;
  if (review.state !== "PENDING") throw new Refusal(422, "Can not submit a review that is not pending");
  checkSubmission({ ...given, comments: [], sha: null }, given.event);
  const now = site.timestamp();
  review.state = stateOf[given.event];
  review.body = given.body;
  review.submittedAt = now;
  thread.updatedAt = now;
  thread.pull.requestedReviewerIds = thread.pull.requestedReviewerIds.filter((id) => id !== doer.accountId);
  tellReview(site, repository, { thread, review, action: "submitted", doer });
}

/** The author and people with write access may edit a review, as with a comment. */
export function editReview(
  repository: Repository,
  { thread, review, body, doer }: { thread: PullThread; review: Review; body: string; doer: Doer },
): void {
  checkBody("PullRequestReview", body);
  if (review.authorId !== doer.accountId && repository.roles.get(doer.accountId) === undefined)
    throw new Refusal(403, "Must have write access to edit this review.");
  const isSilent = body === "" && !thread.pull.reviewComments.some(({ reviewId }) => reviewId === review.id);
  if (isSilent) throw new Refusal(422, "Unprocessable Entity", { errors: ["Body can not be blank"] });
  review.body = body;
}

export function dismissReview(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; review: Review; doer: Doer },
): void {
  const { review } = given;
  if (review.state !== "APPROVED" && review.state !== "CHANGES_REQUESTED") {
    throw new Refusal(422, "Can not dismiss a commented pull request review");
  }
  review.state = "DISMISSED";
  tellReview(site, repository, { ...given, action: "dismissed" });
}

function tellReview(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; review: Review; action: string; doer: Doer },
): void {
  const { thread, review } = given;
  const object = reviewObject(site, { repository, thread }, review);
  site.post({
    event: "pull_request_review",
    action: given.action,
    repository,
    senderId: given.doer.accountId,
    payload: {
      // The event uses lower case, the API upper case.
      review: {
        ...object,
        state: review.state.toLowerCase(),
        submitted_at: review.submittedAt,
        updated_at: site.timestamp(),
        body: review.body === "" ? null : review.body,
      },
      pull_request: pullRequestSimple(site, repository, thread),
    },
  });
}

export function addReviewComment(
  site: Site,
  repository: Repository,
  given: {
    thread: PullThread;
    review: Review;
    comment: DraftComment;
    doer: Doer;
    inReplyToId?: number;
    quiet?: boolean;
  },
): ReviewComment {
  const { thread, review, comment, doer } = given;
  checkBody("PullRequestReviewComment", comment.body);
  const now = site.timestamp();
  const made: ReviewComment = {
    id: takeId(site.state),
    reviewId: review.id,
    authorId: doer.accountId,
    path: comment.path,
    line: comment.line,
    ...(comment.startLine === undefined ? {} : { startLine: comment.startLine }),
    side: comment.side ?? "RIGHT",
    body: comment.body,
    sha: review.sha,
    diffHunk: comment.diffHunk,
    createdAt: now,
    updatedAt: now,
    inReplyToId: given.inReplyToId ?? null,
    reactions: [],
  };
  thread.pull.reviewComments.push(made);
  if (given.quiet !== true) {
    site.post({
      event: "pull_request_review_comment",
      action: "created",
      repository,
      senderId: doer.accountId,
      payload: {
        comment: reviewComment(site, { repository, thread }, made),
        pull_request: pullRequestSimple(site, repository, thread),
      },
    });
  }
  return made;
}
