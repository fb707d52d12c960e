/**
 * `breakpoint`: what people decide. A review is read from GitHub and counts only for the exact head;
 * a plan is answered by `/baton approve|reject` (`commands/approve.ts`), so here it only waits.
 */
import { breakpointInputSchema } from "../../core/effect.ts";
import type { RunState } from "../../core/state.ts";
import type { Json, Verdict } from "../../core/vocabulary.ts";
import { reviewDecision } from "../../policy/review-decision.ts";
import type { Github, GithubUser, PullRequestFacts } from "../../ports/github.ts";
import { settingsOf } from "../settings-of.ts";
import type { ObservePerformer } from "./performer.ts";

export const breakpointPerformer: ObservePerformer = {
  async observe({ github, state, effect }) {
    const { kind, subject } = breakpointInputSchema.parse(effect.input);
    const { repository } = state.thread;
    if (subject.pullRequest === undefined || subject.sha === undefined) {
      const verdict: Verdict = {
        name: kind,
        status: "pending",
        reason: "Waits for `/baton approve` or `/baton reject <reason>`.",
        evidence: [],
        children: [],
      };
      return { final: false, verdict, facts: null };
    }
    const pull = await github.pullRequest(repository, subject.pullRequest);
    const reviews = await github.reviews(repository, subject.pullRequest);
    const decision = reviewDecision({
      reviews,
      subjectSha: subject.sha,
      headSha: pull.headSha,
      pullRequestState: pull.merged ? "merged" : pull.state,
      pullRequestAuthor: pull.author,
      lastPusher: await lastPusher(github, state, pull),
      requester: state.requestedBy,
      takenIds: takenReviews(state),
      settings: settingsOf(state).approvals,
    });
    const facts = {
      headSha: pull.headSha,
      reviews: reviews.map(({ id, state: given, sha, author }) => ({ id, given, sha, author: author.login })),
    } as Json;
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
      },
    };
  },
};

/** Of a fork's branch GitHub tells this repository's App nothing. */
async function lastPusher(github: Github, { thread }: RunState, pull: PullRequestFacts): Promise<GithubUser | null> {
  if (pull.headRepositoryId !== thread.repository.id) return null;
  return github.pusher(thread.repository, pull.headRef, pull.headSha);
}

/** Reviews that an earlier breakpoint of this run has acted on. */
function takenReviews(state: RunState): number[] {
  const taken: number[] = [];
  for (const { kind, output } of state.effects.values()) {
    const id = kind === "breakpoint" ? (output as { reviewId?: number | null } | undefined)?.reviewId : null;
    if (typeof id === "number") taken.push(id);
  }
  return taken;
}
