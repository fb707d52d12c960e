/** Pull requests, reviews, merging. */
import { z } from "zod";
import { created, noContent, notFound, ok, Refusal } from "../answer.ts";
import { mergePull } from "../deeds/merge.ts";
import { demandOpenForBase, openPull, pullRange, removeReviewers, requestReviewers, retarget } from "../deeds/pulls.ts";
import { addReview, addReviewComment, dismissReview, editReview, isShown, submitReview } from "../deeds/reviews.ts";
import { editThread } from "../deeds/threads.ts";
import { git } from "../git.ts";
import { readCommits, readDifference } from "../git-objects.ts";
import { commitObject, diffEntry } from "../resources/commit.ts";
import { isPull, type PullThread, pullRequest, pullRequestSimple } from "../resources/pull-request.ts";
import { reviewComment, review as reviewObject } from "../resources/review.ts";
import { draftComments } from "../review-places.ts";
import { bodyOf, listed, pullOf, type RepositoryContext, repositoryRoute } from "../route.ts";
import type { Review, ReviewComment } from "../state.ts";

const read = "pull_requests:read";
const write = "pull_requests:write";

const newPull = z.object({
  title: z.string().min(1).optional(),
  head: z.string().min(1),
  base: z.string().min(1),
  body: z.string().nullish(),
  draft: z.boolean().optional(),
});

const pullChange = z.object({
  title: z.string().min(1).optional(),
  body: z.string().nullable().optional(),
  state: z.enum(["open", "closed"]).optional(),
  base: z.string().optional(),
});

const reviewEvent = z.enum(["APPROVE", "REQUEST_CHANGES", "COMMENT"]);
const newReview = z.object({
  commit_id: z.string().optional(),
  body: z.string().nullish(),
  event: reviewEvent.optional(),
  comments: z
    .array(
      z.object({
        path: z.string(),
        body: z.string(),
        line: z.number().optional(),
        position: z.number().optional(),
        side: z.enum(["LEFT", "RIGHT"]).optional(),
        start_line: z.number().optional(),
        start_side: z.enum(["LEFT", "RIGHT"]).optional(),
      }),
    )
    .optional(),
});

const mergeRequest = z.object({
  commit_title: z.string().optional(),
  commit_message: z.string().optional(),
  sha: z.string().optional(),
  merge_method: z.enum(["merge", "squash", "rebase"]).optional(),
});

const reviewerList = z.object({
  reviewers: z.array(z.string()).optional(),
  team_reviewers: z.array(z.string()).optional(),
});

const show = (context: RepositoryContext, thread: PullThread) => pullRequest(context.view, context.repository, thread);

function pullsOf(context: RepositoryContext): PullThread[] {
  const { query } = context.request;
  const state = query.get("state") ?? "open";
  const head = query.get("head");
  const base = query.get("base");
  const down = (query.get("direction") ?? (query.has("sort") ? "asc" : "desc")) === "desc";
  return (
    [...context.repository.threads.values()]
      .filter(isPull)
      .filter((one) => state === "all" || one.state === state)
      // GitHub ignores a head filter without an owner.
      .filter((one) => head === null || !head.includes(":") || sameHead(one, head))
      .filter((one) => base === null || one.pull.baseRef === base)
      .toSorted((a, b) => (down ? b.number - a.number : a.number - b.number))
  );
}

function sameHead(thread: PullThread, head: string): boolean {
  const colon = head.indexOf(":");
  const owner = head.slice(0, colon).toLowerCase();
  return thread.pull.headOwnerLogin.toLowerCase() === owner && thread.pull.headRef === head.slice(colon + 1);
}

function reviewOf(context: RepositoryContext, thread: PullThread): Review {
  const found = thread.pull.reviews.find((one) => one.id === Number(context.params["review"]));
  if (found === undefined || !isShown(found, context)) throw notFound();
  return found;
}

/** A pending comment exists only for its author. */
function commentsShown(context: RepositoryContext, { pull }: PullThread): ReviewComment[] {
  const hidden = new Set(pull.reviews.filter((one) => !isShown(one, context)).map(({ id }) => id));
  return pull.reviewComments.filter(({ reviewId }) => !hidden.has(reviewId));
}

const showReview = (context: RepositoryContext, thread: PullThread, one: Review) =>
  reviewObject(context.view, { repository: context.repository, thread }, one);

const reviewRoutes = [
  repositoryRoute("GET /pulls/:number/reviews", read, (context) => {
    const thread = pullOf(context);
    const visible = thread.pull.reviews.filter((one) => isShown(one, context));
    return listed(context, visible, (one) => showReview(context, thread, one));
  }),
  repositoryRoute("GET /pulls/:number/reviews/:review", read, (context) => {
    const thread = pullOf(context);
    return ok(showReview(context, thread, reviewOf(context, thread)));
  }),
  // Source: https://docs.github.com/en/rest/pulls/reviews#create-a-review-for-a-pull-request
  repositoryRoute(
    "POST /pulls/:number/reviews",
    write,
    async (context) => {
      const thread = pullOf(context);
      const given = bodyOf(context, newReview);
      const range = await pullRange(context.site, context.repository, thread.pull);
      const comments = await draftComments(range, given.commit_id ?? range.to, given.comments ?? []);
      const one = addReview(context.site, context.repository, {
        thread,
        event: given.event ?? null,
        body: given.body ?? "",
        sha: given.commit_id ?? null,
        comments,
        doer: context.doer,
      });
      return ok(showReview(context, thread, one));
    },
    "read",
  ),
  // Source: https://docs.github.com/en/rest/pulls/reviews#update-a-review-for-a-pull-request
  repositoryRoute(
    "PUT /pulls/:number/reviews/:review",
    write,
    (context) => {
      const thread = pullOf(context);
      const review = reviewOf(context, thread);
      const { body } = bodyOf(context, z.object({ body: z.string() }));
      editReview(context.repository, { thread, review, body, doer: context.doer });
      return ok(showReview(context, thread, review));
    },
    "read",
  ),
  // Source: https://docs.github.com/en/rest/pulls/reviews#delete-a-pending-review-for-a-pull-request
  repositoryRoute(
    "DELETE /pulls/:number/reviews/:review",
    write,
    (context) => {
      const thread = pullOf(context);
      const review = reviewOf(context, thread);
      if (review.state !== "PENDING") throw new Refusal(422, "Can not delete a non-pending pull request review");
      const { pull } = thread;
      pull.reviews = pull.reviews.filter((one) => one !== review);
      pull.reviewComments = pull.reviewComments.filter(({ reviewId }) => reviewId !== review.id);
      return ok(showReview(context, thread, review));
    },
    "read",
  ),
  // Source: https://docs.github.com/en/rest/pulls/reviews#submit-a-review-for-a-pull-request
  repositoryRoute(
    "POST /pulls/:number/reviews/:review/events",
    write,
    (context) => {
      const thread = pullOf(context);
      const review = reviewOf(context, thread);
      const given = bodyOf(context, z.object({ event: reviewEvent, body: z.string().optional() }));
      const body = given.body ?? review.body;
      submitReview(context.site, context.repository, { thread, review, event: given.event, body, doer: context.doer });
      return ok(showReview(context, thread, review));
    },
    "read",
  ),
  // Source: https://docs.github.com/en/rest/pulls/reviews#dismiss-a-review-for-a-pull-request
  repositoryRoute("PUT /pulls/:number/reviews/:review/dismissals", write, (context) => {
    const thread = pullOf(context);
    const review = reviewOf(context, thread);
    bodyOf(context, z.object({ message: z.string().min(1) }));
    dismissReview(context.site, context.repository, { thread, review, doer: context.doer });
    return ok(showReview(context, thread, review));
  }),
  repositoryRoute("GET /pulls/:number/reviews/:review/comments", read, (context) => {
    const thread = pullOf(context);
    const review = reviewOf(context, thread);
    const some = thread.pull.reviewComments.filter((one) => one.reviewId === review.id);
    return listed(context, some, (one) => {
      // Only this list lacks line numbers, as on GitHub.
      const object = reviewComment(context.view, { repository: context.repository, thread }, one);
      return object;
    });
  }),
  repositoryRoute("GET /pulls/:number/comments", read, (context) => {
    const thread = pullOf(context);
    const place = { repository: context.repository, thread };
    return listed(context, commentsShown(context, thread), (one) => reviewComment(context.view, place, one));
  }),
  // Source: https://docs.github.com/en/rest/pulls/comments#create-a-reply-for-a-review-comment
  repositoryRoute(
    "POST /pulls/:number/comments/:id/replies",
    write,
    (context) => {
      const thread = pullOf(context);
      const { body } = bodyOf(context, z.object({ body: z.string().min(1) }));
      const to = commentsShown(context, thread).find((one) => one.id === Number(context.params["id"]));
      if (to === undefined) throw notFound();
      const { site, repository, doer } = context;
      const sha = to.sha;
      const review = addReview(site, repository, { thread, event: null, body: "", sha, comments: [], doer });
      const comment = { path: to.path, line: to.line, body, diffHunk: to.diffHunk };
      review.state = "COMMENTED";
      review.submittedAt = site.timestamp();
      const made = addReviewComment(site, repository, { thread, review, comment, doer, inReplyToId: to.id });
      return created(reviewComment(context.view, { repository, thread }, made));
    },
    "read",
  ),
];

export const pullRoutes = [
  ...reviewRoutes,
  repositoryRoute("GET /pulls", read, (context) =>
    listed(context, pullsOf(context), (one) => pullRequestSimple(context.view, context.repository, one)),
  ),
  // Source: https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request
  repositoryRoute(
    "POST /pulls",
    write,
    async (context) => {
      const given = bodyOf(context, newPull);
      if (given.title === undefined)
        throw new Refusal(422, "Validation Failed", { errors: [{ field: "title", code: "missing_field" }] });
      const thread = await openPull(context.site, context.repository, {
        title: given.title,
        body: given.body ?? null,
        head: given.head,
        base: given.base,
        draft: given.draft ?? false,
        doer: context.doer,
      });
      return created(show(context, thread));
    },
    "read",
  ),
  repositoryRoute("GET /pulls/:number", read, async (context) => {
    const thread = pullOf(context);
    const accept = context.request.headers["accept"] ?? "";
    if (!/\.(?:diff|patch)\b/.test(accept)) return ok(show(context, thread));
    const { directory, from, to } = await pullRange(context.site, context.repository, thread.pull);
    const text = await git(directory, ["diff", "-M", "--no-color", from, to]);
    return { status: 200, raw: { bytes: Buffer.from(text), type: "application/vnd.github.diff; charset=utf-8" } };
  }),
  // Source: https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request
  repositoryRoute(
    "PATCH /pulls/:number",
    write,
    async (context) => {
      const thread = pullOf(context);
      const given = bodyOf(context, pullChange);
      if (given.base !== undefined) demandOpenForBase(thread);
      if (given.state === "open" && thread.pull.mergedAt !== null) throw new Refusal(422, "Validation Failed");
      const change = { title: given.title, body: given.body, state: given.state };
      editThread(context.site, context.repository, { thread, change, doer: context.doer });
      if (given.base !== undefined)
        await retarget(context.site, context.repository, { thread, base: given.base, doer: context.doer });
      return ok(show(context, thread));
    },
    "read",
  ),
  repositoryRoute("GET /pulls/:number/files", read, async (context) => {
    const thread = pullOf(context);
    const { directory, from, to } = await pullRange(context.site, context.repository, thread.pull);
    const place = { repository: context.repository, sha: to };
    return listed(context, await readDifference(directory, from, to), (one) => diffEntry(context.view, place, one));
  }),
  repositoryRoute("GET /pulls/:number/commits", read, async (context) => {
    const thread = pullOf(context);
    const { directory, from, to } = await pullRange(context.site, context.repository, thread.pull);
    const commits = (await readCommits(directory, [`${from}..${to}`])).toReversed();
    return listed(context, commits, (one) => commitObject(context.view, context.repository, one));
  }),
  repositoryRoute("GET /pulls/:number/merge", read, (context) => {
    if (pullOf(context).pull.mergedAt === null) throw notFound();
    return noContent;
  }),
  // Source: https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request
  repositoryRoute("PUT /pulls/:number/merge", "contents:write", async (context) => {
    const given = bodyOf(context, mergeRequest);
    const sha = await mergePull(context.site, context.repository, {
      thread: pullOf(context),
      method: given.merge_method ?? "merge",
      sha: given.sha ?? null,
      title: given.commit_title ?? null,
      message: given.commit_message ?? null,
      doer: context.doer,
    });
    return ok({ sha, merged: true, message: "Pull Request successfully merged" });
  }),
  repositoryRoute("GET /pulls/:number/requested_reviewers", read, (context) => {
    const object = show(context, pullOf(context));
    return ok({ users: object.requested_reviewers, teams: object.requested_teams });
  }),
  // Source: https://docs.github.com/en/rest/reference/pulls#request-reviewers-for-a-pull-request
  repositoryRoute("POST /pulls/:number/requested_reviewers", write, (context) => {
    const thread = pullOf(context);
    const given = bodyOf(context, reviewerList);
    const logins = given.reviewers ?? [];
    const teams = given.team_reviewers ?? [];
    requestReviewers(context.site, context.repository, { thread, logins, teams, doer: context.doer });
    return created(pullRequestSimple(context.view, context.repository, thread));
  }),
  // Source: https://docs.github.com/en/rest/pulls/review-requests#remove-requested-reviewers-from-a-pull-request
  repositoryRoute("DELETE /pulls/:number/requested_reviewers", write, (context) => {
    const thread = pullOf(context);
    const logins = bodyOf(context, reviewerList).reviewers ?? [];
    removeReviewers(context.site, context.repository, { thread, logins, doer: context.doer });
    return ok(pullRequestSimple(context.view, context.repository, thread));
  }),
  repositoryRoute("GET /commits/:ref/pulls", read, (context) => {
    const some = [...context.repository.threads.values()]
      .filter(isPull)
      .filter((one) => one.pull.headSha === context.params["ref"] || one.pull.mergeSha === context.params["ref"]);
    return listed(context, some, (one) => pullRequestSimple(context.view, context.repository, one));
  }),
];
