/**
 * What the reviews of a pull request come to, for one head commit.
 *
 * V4 An approval counts only for the commit that it was given for; a new push voids it.
 * V5 Of one person's reviews the last that approves or asks for changes counts; comments change nothing, dismissed ones are gone.
 * V6 Somebody's "request changes" outweighs another's approval, as on GitHub.
 */
import type { Settings } from "../config/schema.ts";
import type { Actor, Verdict } from "../core/vocabulary.ts";
import { mayApprove } from "./approval.ts";
import { atLeast } from "./permission.ts";

export interface ReviewFact {
  id: number;
  author: { id: number; login: string; kind: "user" | "bot" };
  permission: Actor["permission"];
  state: "approved" | "changes-requested" | "commented" | "dismissed" | "pending";
  sha: string;
  body: string;
  comments: { path: string; line: number | null; body: string }[];
  submittedAt: string;
}

export interface ReviewFacts {
  reviews: ReviewFact[];
  /** The commit that the run asks to be approved. */
  subjectSha: string;
  /** The pull request's head now. */
  headSha: string;
  pullRequestState: "open" | "closed" | "merged";
  requester: Pick<Actor, "id" | "login">;
  settings: Settings["approvals"];
  /** Reviews that an earlier breakpoint of this run has already taken. */
  takenIds: number[];
}

export interface ReviewDecision {
  outcome: "approved" | "changes-requested" | "rejected" | "voided" | "pending";
  by: Actor | null;
  feedback: string;
  reviewId: number | null;
  verdict: Verdict;
}

export function reviewDecision(facts: ReviewFacts): ReviewDecision {
  const short = facts.subjectSha.slice(0, 7);
  if (facts.pullRequestState === "closed") return decision("rejected", "failed", "The pull request was closed without merging.");
  if (facts.headSha !== facts.subjectSha) {
    return decision("voided", "failed", `The head moved from ${short} to ${facts.headSha.slice(0, 7)}, so approvals of ${short} no longer count.`);
  }
  const children: Verdict[] = [];
  let approval: ReviewFact | null = null;
  for (const review of lastOfEach(facts.reviews)) {
    const child = (status: Verdict["status"], reason: string): void => {
      children.push({ name: `@${review.author.login}`, status, reason, evidence: [{ label: "commit", value: review.sha }], children: [] });
    };
    if (review.state === "changes-requested") {
      if (facts.takenIds.includes(review.id)) {
        child("skipped", "Their request for changes was addressed; they have not reviewed again.");
      } else if (review.author.kind !== "user" || !atLeast(review.permission, facts.settings.permission)) {
        child("skipped", `Changes asked for without the permission ${facts.settings.permission} do not steer a run.`);
      } else {
        child("failed", "asks for changes");
        return decision("changes-requested", "failed", `@${review.author.login} asks for changes.`, review, children);
      }
      continue;
    }
    if (review.sha !== facts.subjectSha) {
      child("skipped", `approved ${review.sha.slice(0, 7)}, which is not the head ${short}`);
      continue;
    }
    const may = mayApprove({ approver: { ...review.author, permission: review.permission }, requester: facts.requester, settings: facts.settings });
    child(may.status === "passed" ? "passed" : "skipped", may.reason);
    if (may.status === "passed") approval ??= review;
  }
  if (approval === null) return decision("pending", "pending", `Waits for an approving review of ${short}.`, undefined, children);
  return decision("approved", "passed", `@${approval.author.login} approved ${short}.`, approval, children);
}

function lastOfEach(reviews: ReviewFact[]): ReviewFact[] {
  const last = new Map<number, ReviewFact>();
  const inOrder = [...reviews].sort((a, b) => a.submittedAt.localeCompare(b.submittedAt) || a.id - b.id);
  for (const review of inOrder) {
    if (review.state === "approved" || review.state === "changes-requested") last.set(review.author.id, review);
    else if (review.state === "dismissed" && last.get(review.author.id)?.id === review.id) last.delete(review.author.id);
  }
  return [...last.values()];
}

function decision(outcome: ReviewDecision["outcome"], status: Verdict["status"], reason: string, review?: ReviewFact, children: Verdict[] = []): ReviewDecision {
  const by: Actor | null = review === undefined ? null : { ...review.author, permission: review.permission };
  const comments = review?.comments.map(({ path, line, body }) => `${path}${line === null ? "" : `:${line}`}: ${body}`) ?? [];
  return {
    outcome,
    by,
    feedback: [review?.body ?? "", ...comments].filter((text) => text.trim() !== "").join("\n\n"),
    reviewId: review?.id ?? null,
    verdict: { name: "review", status, reason, evidence: [], children },
  };
}
