/**
 * The result of a pull request's reviews, for one head commit.
 *
 * V4 An approval counts only for its own commit: a new push voids it. A new base voids it, too: the approval was for
 *    another branch, with its rules. The time shows a base that was changed and changed back between two checks. Within
 *    one second the change counts as the later event.
 * V5 For each person, the last review that approves, asks for changes or was dismissed counts. Comments change nothing.
 *    A dismissed review is not an approval, and it revives no earlier one of its author. A review that is not submitted
 *    does not exist: it neither counts nor replaces an earlier one.
 * V6 A person's "request changes" outweighs another's approval and outlives a push, as on GitHub, until it is
 *    addressed. One from before the run starts no round. Nobody else's approval passes it: its author must review
 *    again, or the review must be dismissed.
 */
import type { Settings } from "../config/schema.ts";
import type { Actor, Evidence, Verdict } from "../core/vocabulary.ts";
import { mayApprove } from "./approval.ts";
import type { ApproverFacts } from "./facts.ts";
import { atLeast } from "./permission.ts";
import { partIn } from "./rules/not-own-work.ts";

export interface ReviewFact {
  id: number;
  author: { id: number; login: string; kind: "user" | "bot" };
  permission: Actor["permission"];
  /** `pending`: not submitted. */
  state: "approved" | "changes-requested" | "commented" | "dismissed" | "pending";
  sha: string;
  body: string;
  comments: { path: string; line: number | null; body: string }[];
  submittedAt: string;
}

export interface ReviewFacts {
  reviews: ReviewFact[];
  /** The commit that the run wants approved. */
  subjectSha: string;
  /** The pull request's current head. */
  headSha: string;
  pullRequestState: "open" | "closed" | "merged";
  pullRequestAuthor?: ApproverFacts["pullRequestAuthor"];
  /** The person who pushed the head, if known. */
  lastPusher?: ApproverFacts["lastPusher"];
  requester: Pick<Actor, "id" | "login">;
  authors?: ApproverFacts["authors"];
  settings: Settings["approvals"];
  /** The base branch of the requested approval, and the current base branch. */
  base?: { subject: string; now: string };
  /** Reviews that an earlier breakpoint of this run has already used. */
  takenIds: number[];
  /** Requests for changes from before the run: they are its task, so they start no new round, and still object. */
  beforeRunIds?: number[];
  /** Reviews for another base. */
  otherBaseIds?: number[];
  /** When the base last changed. null or absent: never, or Baton did not ask. */
  baseChangedAt?: string | null;
}

export interface ReviewDecision {
  outcome: "approved" | "changes-requested" | "rejected" | "voided" | "pending";
  by: Actor | null;
  feedback: string;
  reviewId: number | null;
  verdict: Verdict;
}

/** The people who may approve, by name or by permission. The rules exclude people's own work. */
function byWhom({ settings, requester }: ReviewFacts): string {
  if (settings.people.length > 0) return ` by ${settings.people.map((login) => `@${login}`).join(" or ")}`;
  const other = settings.self === "deny" ? ` other than @${requester.login}` : "";
  return ` by someone${other} (${settings.permission} access)`;
}

export function reviewDecision(facts: ReviewFacts): ReviewDecision {
  const { subjectSha, headSha, settings } = facts;
  const short = shortOf(subjectSha);
  if (facts.pullRequestState === "closed") return decision("rejected", "The pull request was closed without merging.");
  if (headSha !== subjectSha) {
    return decision(
      "voided",
      `The head moved from ${short} to ${shortOf(headSha)}, so approvals of ${short} no longer count.`,
    );
  }
  if (facts.base !== undefined && facts.base.now !== facts.base.subject) {
    const { now, subject } = facts.base;
    if (facts.pullRequestState === "merged")
      return decision("rejected", `The pull request was merged into \`${now}\`, not into \`${subject}\`.`);
    return decision(
      "voided",
      `The base is now \`${now}\`, not \`${subject}\`, so checks and approvals of ${short} no longer count.`,
    );
  }
  const last = lastOfEach(facts.reviews);
  const judged = last.map((review) => ({ review, verdict: judgeReview(review, facts) }));
  const children = judged.map(({ verdict }) => verdict);
  const objection = judged.find(({ verdict }) => verdict.status === "failed");
  if (objection !== undefined) {
    return decision("changes-requested", `@${objection.review.author.login} asks for changes.`, {
      review: objection.review,
      children,
    });
  }
  const approvals = judged.filter(({ verdict }) => verdict.status === "passed");
  const latest = approvals.at(-1);
  const standing = judged.find(({ verdict }) => verdict.status === "pending");
  if (latest !== undefined && approvals.length >= settings.count && standing === undefined) {
    const who = approvals.map(({ review }) => `@${review.author.login}`).join(", ");
    // approval.V1: the sentence that people read says so, not only the child.
    const own = approvals
      .filter(({ review }) => partIn(approverFacts(review, facts)) !== null)
      .map(({ verdict }) => ` ${verdict.reason}`);
    return decision("approved", `${who} approved ${short}.${own.join("")}`, { review: latest.review, children });
  }
  if (facts.pullRequestState === "merged") {
    return decision(
      "rejected",
      `The pull request was merged without the approval of ${short} that the run waited for, so the run ends without one.`,
      { children },
    );
  }
  if (standing !== undefined) {
    const { login } = standing.review.author;
    return decision("pending", `@${login} requested changes before the run and must review ${short} again.`, {
      children,
    });
  }
  const needed =
    settings.count === 1
      ? "an approving review"
      : `${settings.count} approving reviews (\`approvals.count\`; ${approvals.length} so far)`;
  const pending = decision("pending", `${short} needs ${needed}${byWhom(facts)}.`, { children });
  pending.verdict.evidence.push({
    label: neededLabel,
    value: `${settings.count === 1 ? "a review" : `${settings.count} reviews (${approvals.length} so far)`}${byWhom(facts)}`,
  });
  return pending;
}

const neededLabel = "needed";

/** The missing reviews, as part of a sentence, with the people who can give them. null: the verdict does not say. */
export function neededReviews(verdict: Pick<Verdict, "evidence"> | null): string | null {
  return verdict?.evidence.find(({ label }) => label === neededLabel)?.value ?? null;
}

/**
 * `passed` counts as an approval, `failed` as an objection, `pending` as an objection from before the run. `skipped`
 * does not count, with the reason.
 */
function judgeReview(review: ReviewFact, facts: ReviewFacts): Verdict {
  const { subjectSha, settings } = facts;
  const evidence: Evidence[] = [
    { label: "review", value: `${review.id}` },
    { label: "commit", value: review.sha },
  ];
  const answer = (status: Verdict["status"], reason: string): Verdict => ({
    name: `@${review.author.login}`,
    status,
    reason,
    evidence,
    children: [],
  });
  if (review.state === "dismissed")
    return answer("skipped", "Their last review was dismissed; they have not reviewed again.");
  if (review.state === "changes-requested") {
    if (facts.takenIds.includes(review.id))
      return answer("skipped", "Their request for changes was addressed; they have not reviewed again.");
    if (review.author.kind !== "user") return answer("skipped", "A bot's request for changes does not steer a run.");
    if (!atLeast(review.permission, settings.permission)) {
      return answer(
        "skipped",
        `Changes asked for without the permission ${settings.permission} (\`approvals.permission\`) do not steer a run.`,
      );
    }
    if (facts.beforeRunIds?.includes(review.id) === true)
      return answer("pending", "asked for changes before the run; they have not reviewed again");
    return answer("failed", "asks for changes");
  }
  if (review.sha !== subjectSha)
    return answer("skipped", `approved ${shortOf(review.sha)}, which is not the head ${shortOf(subjectSha)}`);
  const changedAt = facts.baseChangedAt ?? null;
  if (facts.otherBaseIds?.includes(review.id) === true || (changedAt !== null && review.submittedAt <= changedAt))
    return answer("skipped", "approved it for another base; they have not reviewed again");
  const may = mayApprove(approverFacts(review, facts));
  return { ...answer(may.status === "passed" ? "passed" : "skipped", may.reason), children: may.children };
}

function approverFacts(
  { author, permission }: ReviewFact,
  { requester, authors = [], pullRequestAuthor = null, lastPusher = null, settings }: ReviewFacts,
): ApproverFacts {
  return { approver: { ...author, permission }, requester, authors, pullRequestAuthor, lastPusher, settings };
}

const opinions: ReadonlySet<ReviewFact["state"]> = new Set(["approved", "changes-requested", "dismissed"]);

function lastOfEach(reviews: ReviewFact[]): ReviewFact[] {
  const last = new Map<number, ReviewFact>();
  const inOrder = [...reviews].sort((a, b) => compare(a.submittedAt, b.submittedAt) || a.id - b.id);
  for (const review of inOrder) {
    if (!opinions.has(review.state)) continue;
    // Removed first, so that the order of the list is the order of the last reviews.
    last.delete(review.author.id);
    last.set(review.author.id, review);
  }
  return [...last.values()];
}

const statusOf = {
  approved: "passed",
  "changes-requested": "failed",
  rejected: "failed",
  voided: "failed",
  pending: "pending",
} as const;

function decision(
  outcome: ReviewDecision["outcome"],
  reason: string,
  { review, children = [] }: { review?: ReviewFact; children?: Verdict[] } = {},
): ReviewDecision {
  const comments =
    review?.comments.map(({ path, line, body }) => `${path}${line === null ? "" : `:${line}`}: ${body}`) ?? [];
  return {
    outcome,
    by: review === undefined ? null : { ...review.author, permission: review.permission },
    feedback: [review?.body ?? "", ...comments].filter((text) => text.trim() !== "").join("\n\n"),
    reviewId: review?.id ?? null,
    verdict: { name: "review", status: statusOf[outcome], reason, evidence: [], children },
  };
}

/** GitHub's times are ISO 8601 in UTC to the second, so their text sorts by time. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function shortOf(sha: string): string {
  return sha.slice(0, 7);
}
