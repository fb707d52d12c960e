/**
 * The start of a review of a pull request: the repository's settings, and Baton's earlier words here.
 *
 * Owns: reading it from journals and threads. Does not own: what is posted (`review/choose.ts`).
 * RF1 The journal says what Baton posted. GitHub only says what became of it: a thread that people resolved, rejected or
 *     deleted closes its finding for good.
 * RF2 A thumbs-down closes a finding if the person may write to the repository, or wrote the pull request.
 */
import { fold } from "../core/fold.ts";
import { atLeast } from "../policy/permission.ts";
import type { OwnThreadFacts, PullRequestFacts } from "../ports/github.ts";
import { readValue } from "../ports/values.ts";
import { type EarlierFinding, type Reviewed, type ReviewFacts, reviewedSchema } from "../review/facts.ts";
import { findingMarker } from "../review/render.ts";
import { threadKeyOf } from "../runner/ledger-rows.ts";
import { parseMarker } from "../text/marker.ts";
import type { BeginContext } from "./context.ts";
import { reviewOverrides } from "./review-override.ts";

/** Newest first. A review that failed or was cancelled remembers nothing. */
const runsMax = 20;

type Context = Pick<BeginContext, "github" | "repository" | "settings" | "dependencies" | "issue">;

export async function reviewFacts(
  context: Context,
  pullRequest: PullRequestFacts,
  /** Words after the command: they ask for a look at the whole change. */
  instructions: string,
): Promise<ReviewFacts> {
  const { github, repository, settings } = context;
  const { review, gates } = settings;
  const before = await reviewedBefore(context);
  const threads = before === null ? [] : await github.ownThreads(pullRequest);
  const threadKey = threadKeyOf({ thread: { repository, number: context.issue.number, kind: "pull-request" } });
  const decided = await readValue(context.dependencies.store, reviewOverrides.at(threadKey));
  const isContained =
    before !== null &&
    before.complete &&
    instructions.trim() === "" &&
    (before.sha === pullRequest.headSha ||
      // After a force push the pull request lost the last head, so the agent reads everything again.
      (await github.isAhead(repository, { before: before.sha, after: pullRequest.headSha })));
  return {
    since: isContained ? before.sha : null,
    reviewId: before?.reviewId ?? null,
    earlier: before === null ? [] : await withStates(context, pullRequest, before, threads),
    outside: isContained ? before.outside : [],
    event: review.event,
    comments: review.comments,
    nits: review.nits,
    secondLookUsd: review.secondLook ? review.secondLookUsd : null,
    instructions: review.instructions,
    gate: gates.review,
    override: decided?.sha === pullRequest.headSha ? { by: decided.by, reason: decided.reason } : null,
  };
}

/** null: Baton has not reviewed this pull request. */
export async function reviewedBefore({
  dependencies,
  repository,
  issue,
}: Pick<Context, "dependencies" | "repository" | "issue">): Promise<Reviewed | null> {
  const threadKey = threadKeyOf({ thread: { repository, number: issue.number, kind: "pull-request" } });
  for (const { runId } of await dependencies.store.runs({ threadKey, limit: runsMax })) {
    const { process, outcome } = fold(await dependencies.store.read(runId));
    if (process.name !== "review") continue;
    const output = outcome?.output;
    const kept = typeof output === "object" && output !== null && !Array.isArray(output) ? output["reviewed"] : null;
    const reviewed = reviewedSchema.safeParse(kept);
    if (reviewed.success) return reviewed.data;
  }
  return null;
}

async function withStates(
  { github, repository }: Context,
  pullRequest: PullRequestFacts,
  before: Reviewed,
  threads: readonly OwnThreadFacts[],
): Promise<EarlierFinding[]> {
  const byFingerprint = new Map(threads.map((thread) => [parseMarker(thread.body, findingMarker), thread]));
  const decides = new Map<string, boolean>();
  const mayReject = async (login: string): Promise<boolean> => {
    const known = decides.get(login);
    if (known !== undefined) return known;
    const may = login === pullRequest.author.login || atLeast(await github.permission(repository, login), "write");
    decides.set(login, may);
    return may;
  };
  const found: EarlierFinding[] = [];
  for (const one of before.findings) {
    const thread = byFingerprint.get(one.fingerprint) ?? null;
    let isClosed = thread === null || thread.isResolved;
    for (const login of thread?.dislikedBy ?? []) isClosed ||= await mayReject(login);
    found.push({ ...one, threadId: thread?.id ?? null, state: isClosed ? "closed" : "open" });
  }
  return found;
}
