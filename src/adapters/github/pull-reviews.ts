/**
 * Baton's own reviews of a pull request.
 *
 * OW1 A review is looked for by its marker before it is posted. A submitted review cannot be deleted, so a second one would
 *     stay.
 * OW2 Only Baton's own reviews and comments count. Anyone can write a marker.
 */
import { BatonError, hasCode, toBatonError } from "../../core/errors.ts";
import type { Repository } from "../../core/vocabulary.ts";
import type { GithubUser, NewReview, PostedReview } from "../../ports/github.ts";
import { parseMarker, withMarker } from "../../text/marker.ts";
import { userOf } from "./facts.ts";
import type { GraphqlClient } from "./graphql.ts";
import type { Requester } from "./request.ts";
import type * as wire from "./wire-types.ts";

interface Place {
  requester: Requester;
  graphql: GraphqlClient;
  repository: Pick<Repository, "owner" | "name">;
  number: number;
  isOurs(author: GithubUser): boolean;
}

const reviewsRoute = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews";
const reviewRoute = `${reviewsRoute}/{review_id}`;
const commentsRoute = "/repos/{owner}/{repo}/pulls/{pull_number}/comments";
const events = { comment: "COMMENT", "request-changes": "REQUEST_CHANGES" } as const;

/**
 * GitHub accepts all comments of a review or none, and does not say which one it refuses.
 * Source: https://docs.github.com/en/rest/pulls/reviews#create-a-review-for-a-pull-request (422) and
 * https://github.com/github/github-mcp-server/issues/1214
 */
const refusedLine =
  /could not be resolved|must be part of the (?:diff|same hunk)|must precede the end line|diff hunk can't be blank|is not part of the pull request/i;

export async function ensureReview(place: Place, marker: string, review: NewReview): Promise<PostedReview> {
  const posted = await ownReview(place, marker);
  if (posted !== null) return posted;
  const post = (body: string, comments: NewReview["comments"]): Promise<wire.Review> =>
    place.requester.write<wire.Review>(`POST ${reviewsRoute}`, {
      ...at(place),
      commit_id: review.sha,
      event: events[review.event],
      body: withMarker(body, marker),
      comments: comments.map(({ path, side, line, startLine, body: text }) => ({
        path,
        side,
        line,
        ...(startLine === null ? {} : { start_line: startLine, start_side: side }),
        body: text,
      })),
    });
  try {
    return postedOf(await post(review.body, review.comments), true);
  } catch (thrown) {
    const isAboutLines = hasCode(thrown, "BATON_GITHUB_CONFLICT") && refusedLine.test(toBatonError(thrown).message);
    if (!isAboutLines || review.comments.length === 0) throw thrown;
    return postedOf(await post(review.bodyWithFindings, []), false);
  }
}

/** False: GitHub no longer has this review, or it is not Baton's. */
export async function editReview(place: Place, id: number, marker: string, body: string): Promise<boolean> {
  const found = await place.requester.find<wire.Review>(reviewRoute, { ...at(place), review_id: id });
  if (found === null || found.user === null || !place.isOurs(userOf(found.user))) return false;
  const text = withMarker(body, marker);
  if ((found.body ?? "").trimEnd() === text.trimEnd()) return true;
  // Source: https://docs.github.com/en/rest/pulls/reviews#update-a-review-for-a-pull-request
  await place.requester.write(`PUT ${reviewRoute}`, { ...at(place), review_id: id, body: text }, "edit");
  return true;
}

/** Folds the review's text, and withdraws its request for changes. */
export async function retireReview(
  place: Place,
  id: number,
  { fold, withdraw }: { fold: boolean; withdraw: string | null },
): Promise<void> {
  const found = await place.requester.find<wire.Review>(reviewRoute, { ...at(place), review_id: id });
  if (found === null || found.user === null || !place.isOurs(userOf(found.user))) return;
  if (withdraw !== null && found.state === "CHANGES_REQUESTED")
    // Source: https://docs.github.com/en/rest/pulls/reviews#dismiss-a-review-for-a-pull-request
    await place.requester
      .write(`PUT ${reviewRoute}/dismissals`, { ...at(place), review_id: id, message: withdraw, event: "DISMISS" })
      .catch(unlessDenied);
  if (fold) await place.graphql.minimize(found.node_id, "outdated").catch(unlessDenied);
}

/** Threads that are gone, or that Baton may not resolve, stay as they are. */
export async function resolveThread(graphql: GraphqlClient, id: string): Promise<void> {
  await graphql.resolveThread(id).catch(unlessDenied);
}

/** Baton's answer in a thread at a line. The thread's first comment may be deleted meanwhile: null. */
export async function ensureReply(
  place: Place,
  to: number,
  marker: string,
  body: string,
): Promise<{ id: number; url: string } | null> {
  const all = await place.requester.list<wire.ReviewComment>(commentsRoute, at(place));
  const own = all.find(
    ({ user, body: text }) => user !== null && place.isOurs(userOf(user)) && parseMarker(text) === marker,
  );
  if (own !== undefined) return { id: own.id, url: own.html_url };
  // A reply goes to the thread's first comment: https://docs.github.com/en/rest/pulls/comments#create-a-reply-for-a-review-comment
  const asked = all.find(({ id }) => id === to);
  if (asked === undefined) return null;
  const made = await place.requester
    .write<wire.ReviewComment>(`POST ${commentsRoute}/{comment_id}/replies`, {
      ...at(place),
      comment_id: asked.in_reply_to_id ?? asked.id,
      body: withMarker(body, marker),
    })
    .catch((thrown: unknown) => {
      if (hasCode(thrown, "BATON_GITHUB_NOT_FOUND")) return null;
      throw thrown;
    });
  return made === null ? null : { id: made.id, url: made.html_url };
}

async function ownReview(place: Place, marker: string): Promise<PostedReview | null> {
  const all = await place.requester.list<wire.Review>(reviewsRoute, at(place));
  const own = all.find(
    ({ user, body, state }) =>
      user !== null && state !== "PENDING" && place.isOurs(userOf(user)) && parseMarker(body ?? "") === marker,
  );
  return own === undefined ? null : postedOf(own, true);
}

function postedOf({ id, html_url: url }: wire.Review, onLines: boolean): PostedReview {
  return { id, url, onLines };
}

function at({ repository, number }: Place): { owner: string; repo: string; pull_number: number } {
  return { owner: repository.owner, repo: repository.name, pull_number: number };
}

function unlessDenied(thrown: unknown): void {
  const known = ["BATON_GITHUB_DENIED", "BATON_GITHUB_NOT_FOUND", "BATON_GITHUB_CONFLICT"] as const;
  if (!(thrown instanceof BatonError) || !known.some((code) => code === thrown.code)) throw thrown;
}
