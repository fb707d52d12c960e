/**
 * `breakpoint`: a decision by people. Baton reads a review from GitHub. It counts only for the exact head, and while the
 * checks that a gate of the run found green are green.
 * People answer a plan with `/baton approve|reject` (`commands/approve.ts`), so here the plan only waits.
 */
import { z } from "zod";
import { breakpointInputSchema } from "../../core/effect.ts";
import { toBatonError } from "../../core/errors.ts";
import { type ShownChange, shownChange } from "../../core/shown-change.ts";
import { authorsOf, type RunState } from "../../core/state.ts";
import type { Json, Verdict } from "../../core/vocabulary.ts";
import { type CodeOwners, codeOwnersOf, codeOwnersPaths, codeOwnersSchema } from "../../policy/code-owners.ts";
import { mayMergeNow } from "../../policy/merge-refusal.ts";
import { type ReviewDecision, type ReviewFacts, reviewDecision } from "../../policy/review-decision.ts";
import type { Github, GithubUser, PullRequestFacts } from "../../ports/github.ts";
import { neutralise } from "../../text/neutralise.ts";
import { namedFiles, type ProtectedFile, protectedChange } from "../../thread/render/protected-change.ts";
import { repositoryAccess } from "../repository-access.ts";
import { baseOf, settingsOf } from "../settings-of.ts";
import { noLongerGreen, seenNoLongerGreen } from "./gate.ts";
import type { Observation, ObservePerformer, PerformContext } from "./performer.ts";

export const breakpointPerformer: ObservePerformer = {
  async observe(context) {
    const { github, state, effect } = context;
    const { kind, subject } = breakpointInputSchema.parse(effect.input);
    const { repository } = state.thread;
    if (subject.pullRequest === undefined || subject.sha === undefined) {
      const verdict: Verdict = {
        name: kind,
        status: "pending",
        reason: "It needs `/baton approve` or `/baton reject <reason>`.",
        evidence: [],
        children: [],
      };
      const facts = shownChange(effect) ?? (await showChange(context, subject));
      return { final: false, verdict, facts: facts as Json };
    }
    if (kind === "merge")
      return observeMerge(context, { ...subject, pullRequest: subject.pullRequest, sha: subject.sha });
    // In this order, so that a review is never judged by a head and a base from before it.
    const reviews = await github.reviews(repository, subject.pullRequest);
    const pull = await github.pullRequest(repository, subject.pullRequest);
    const judged: ReviewFacts = {
      reviews,
      subjectSha: subject.sha,
      headSha: pull.headSha,
      pullRequestState: pull.merged ? "merged" : pull.state,
      pullRequestAuthor: pull.author,
      lastPusher: await lastPusher(github, state, pull),
      requester: state.requestedBy,
      authors: authorsOf(state),
      base: { subject: subject.base ?? baseOf(state) ?? pull.baseRef, now: pull.baseRef },
      takenIds: takenReviews(state),
      beforeRunIds: reviewsBeforeRun(state),
      otherBaseIds: reviewsForOtherBases(state),
      settings: settingsOf(state).approvals,
    };
    const first = reviewDecision(judged);
    // Only a decision that may count is worth the call.
    const decision =
      first.outcome === "approved"
        ? reviewDecision({ ...judged, baseChangedAt: await github.baseChangedAt(pull) })
        : first;
    const facts = {
      headSha: pull.headSha,
      base: pull.baseRef,
      reviews: reviews.map(({ id, state: given, sha, author }) => ({ id, given, sha, author: author.login })),
      ...(await ownersToCall(context, pull)),
    } as Json;
    // The gate's verdict may be hours old by now.
    const checks =
      decision.outcome === "approved"
        ? await noLongerGreen(context, subject.sha)
        : decision.outcome === "pending"
          ? await seenNoLongerGreen(context, subject.sha)
          : null;
    if (checks !== null) return { final: false, verdict: withChecks(decision, checks), facts };
    if (decision.outcome === "pending") return { final: false, verdict: decision.verdict, facts };
    return {
      final: true,
      verdict: decision.verdict,
      facts,
      output: {
        decision: decision.outcome,
        by: decision.by as unknown as Json,
        feedback: decision.feedback,
        sha: pull.headSha,
        reviewId: decision.reviewId,
        ...(pull.baseRef === (subject.base ?? baseOf(state) ?? pull.baseRef) ? {} : { base: pull.baseRef }),
      },
    };
  },
};

/** An approval does not count while the checks are not green. A push or a run of the checks continues the run. */
function withChecks({ outcome, verdict }: ReviewDecision, checks: Verdict): Verdict {
  const reason =
    outcome === "approved"
      ? `${verdict.reason} Baton continues when its checks are green again: ${checks.reason}`
      : `${verdict.reason} Its checks changed after Baton read them: ${checks.reason}`;
  return { ...verdict, status: "pending", reason, children: [...verdict.children, { ...checks, name: "checks" }] };
}

const ownersSeen = z.object({ owners: codeOwnersSchema });

/** Without the permission to read them, nobody is called for it, and the review still counts. */
async function ownersToCall(context: PerformContext, pull: PullRequestFacts): Promise<{ owners?: CodeOwners }> {
  try {
    return await readOwners(context, pull);
  } catch (thrown) {
    if (toBatonError(thrown).treatment === "retryable") throw thrown;
    return {};
  }
}

/** Read once for each question, and only where the settings call nobody else. */
async function readOwners(
  { github, state, effect }: PerformContext,
  pull: PullRequestFacts,
): Promise<{ owners?: CodeOwners }> {
  const { reviewers, teams } = settingsOf(state).approvals;
  if (reviewers.length + teams.length > 0) return {};
  const known = ownersSeen.safeParse(effect.observed?.facts);
  if (known.success) return known.data;
  if (effect.observed !== null) return {};
  const { repository } = state.thread;
  for (const path of codeOwnersPaths) {
    const text = await github.file(repository, path, pull.baseRef);
    if (text === null) continue;
    return { owners: codeOwnersOf(text, await github.pullRequestFiles(repository, pull.number)) };
  }
  return {};
}

/**
 * A merge that GitHub refused. It is ready for another try when GitHub's state of the pull request changed to
 * mergeable.
 */
async function observeMerge(
  { github, state, effect }: PerformContext,
  subject: {
    pullRequest: number;
    sha: string;
    base?: string | undefined;
    text?: string | undefined;
    queued?: boolean | undefined;
  },
): Promise<Observation> {
  const read = () => github.pullRequest(state.thread.repository, subject.pullRequest);
  let pull = await read();
  const inQueue = subject.queued === true && (await github.isInMergeQueue(pull));
  // Read again: if it is neither in the queue nor merged, GitHub removed it from the queue.
  if (subject.queued === true && !inQueue) pull = await read();
  const base = subject.base ?? baseOf(state) ?? pull.baseRef;
  const facts = {
    headSha: pull.headSha,
    base: pull.baseRef,
    mergeable: pull.mergeableState,
    updatedAt: pull.updatedAt,
  };
  const verdict = (status: Verdict["status"], reason: string): Verdict => ({
    name: "merge",
    status,
    reason,
    evidence: [],
    children: [],
  });
  const end = (decision: "approved" | "rejected" | "voided", said: Verdict): Observation => ({
    final: true,
    verdict: said,
    facts,
    output: {
      decision,
      by: null,
      feedback: decision === "rejected" ? said.reason : "",
      sha: pull.headSha,
      reviewId: null,
      ...(pull.baseRef === base ? {} : { base: pull.baseRef }),
    },
  });
  if (pull.merged && pull.headSha === subject.sha && pull.baseRef === base)
    return end("approved", verdict("passed", `#${subject.pullRequest} is merged.`));
  if (pull.merged || pull.state === "closed")
    return end("rejected", verdict("failed", `#${subject.pullRequest} was closed, or merged at another commit.`));
  if (pull.headSha !== subject.sha || pull.baseRef !== base)
    return end("voided", verdict("failed", `#${subject.pullRequest} is no longer what was approved.`));
  if (subject.queued === true) {
    if (inQueue) return { final: false, verdict: verdict("pending", "It is in the merge queue."), facts };
    return end("rejected", verdict("failed", `GitHub took #${subject.pullRequest} out of the merge queue.`));
  }
  const first = (effect.observed?.facts ?? null) as { seen?: Json } | null;
  const seen = first?.seen ?? { mergeable: pull.mergeableState, updatedAt: pull.updatedAt };
  const changed =
    JSON.stringify(seen) !== JSON.stringify({ mergeable: pull.mergeableState, updatedAt: pull.updatedAt });
  if (changed && mayMergeNow(pull.mergeableState))
    return end("approved", verdict("passed", "Nothing hinders the merge any more, as far as GitHub says."));
  return {
    final: false,
    verdict: verdict("pending", subject.text ?? "GitHub does not merge it yet."),
    facts: { ...facts, seen },
  };
}

const diffCharactersMax = 200_000;

/**
 * Git's record of each protected file, for the person who allows it. A commit does not change, so one read is enough.
 * If the question has no room for the whole record, the thread shows it before the question opens.
 */
async function showChange(
  { github, state, effect, dependencies: { workspaces, redact } }: PerformContext,
  { change, paths = [] }: { change?: { baseSha: string; sha: string } | undefined; paths?: string[] | undefined },
): Promise<ShownChange | null> {
  if (change === undefined) return null;
  const { repository, number } = state.thread;
  const access = await repositoryAccess(github, repository, "read");
  const baseSha = await workspaces.leftAt(access, change.baseSha, change.sha);
  const named = namedFiles(paths);
  const [before, after] = [
    await workspaces.pathStates(access, baseSha, named),
    await workspaces.pathStates(access, change.sha, named),
  ];
  const files: ProtectedFile[] = [];
  for (const [index, path] of named.entries()) {
    const { text, truncated } = await workspaces.diff(access, baseSha, change.sha, diffCharactersMax, [path]);
    const [one, other] = [before[index], after[index]];
    if (one !== undefined && other !== undefined)
      files.push({ before: one, after: other, diff: redact(text), truncated });
  }
  const { readable, parts, text } = protectedChange(files, change.sha, paths.length);
  const urls: string[] = [];
  for (const [index, part] of parts.entries()) {
    const marker = `${state.runId}/${effect.key}/part-${index + 1}`;
    urls.push((await github.ensureComment(repository, number, marker, neutralise(redact(part)), null)).url);
  }
  return { files: after.filter(({ path }) => readable.has(path)), text: redact(text(urls)) };
}

/** GitHub shows this repository's App nothing about a fork's branch. */
async function lastPusher(github: Github, { thread }: RunState, pull: PullRequestFacts): Promise<GithubUser | null> {
  if (pull.headRepositoryId !== thread.repository.id) return null;
  return github.pusher(thread.repository, pull.headRef, pull.headSha);
}

/** Reviews that existed when a base of this run changed. */
function reviewsForOtherBases(state: RunState): number[] {
  return [...state.effects.values()].flatMap((effect) =>
    effect.kind === "base" && effect.output !== undefined ? effect.output.reviewIds : [],
  );
}

const reviewsInput = z.object({ reviewIds: z.array(z.number().int()) });

/** Requests for changes that existed when the run began. */
function reviewsBeforeRun({ input }: RunState): number[] {
  const parsed = reviewsInput.safeParse(input);
  return parsed.success ? parsed.data.reviewIds : [];
}

/** Reviews that an earlier breakpoint of this run already used. */
function takenReviews(state: RunState): number[] {
  return [...state.effects.values()].flatMap((effect) => {
    const id = effect.kind === "breakpoint" ? effect.output?.reviewId : null;
    return id == null ? [] : [id];
  });
}
