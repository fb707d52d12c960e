/** What `approve`, `reject` and `answer` share: find the open question, check who answers, append the answer. */
import { answer, openQuestions } from "../core/decide.ts";
import type { BreakpointOutput } from "../core/effect.ts";
import { BatonError } from "../core/errors.ts";
import { shownChange } from "../core/shown-change.ts";
import type { EffectState, RunState } from "../core/state.ts";
import type { Json } from "../core/vocabulary.ts";
import { waitingFor } from "../core/waiting.ts";
import { mayApprove } from "../policy/approval.ts";
import type { CommandContext, Reply } from "./context.ts";
import { steerAsking } from "./steer.ts";

export async function answerBreakpoint(
  context: CommandContext,
  decision: "approved" | "rejected" | "changes-requested",
): Promise<Reply> {
  const { actor, command, settings } = context;
  await steerAsking(context, "breakpoint", (state) => {
    const effect = question(state, "breakpoint", command.name);
    const { kind, subject } = effect.input as { kind: string; subject: { pullRequest?: number; change?: unknown } };
    if (kind === "review") {
      throw new BatonError(
        "BATON_NOT_ASKED",
        `The run waits for a review of #${subject.pullRequest}, which binds the approval to its exact commit. Use GitHub's *Review changes* there.`,
      );
    }
    if (decision === "approved" && subject.change !== undefined && shownChange(effect) === null) {
      throw new BatonError(
        "BATON_NOT_ASKED",
        "Baton has not shown the change of the protected files yet. Read it in the status comment, then approve it.",
      );
    }
    const may = mayApprove({
      approver: actor,
      requester: state.requestedBy,
      pullRequestAuthor: context.pullRequest?.author ?? null,
      settings: settings.approvals,
    });
    // Anybody who may steer can stop work by rejecting; only an approval needs another person.
    if (decision === "approved" && may.status !== "passed") throw new BatonError("BATON_POLICY_DENIED", may.reason);
    const output: BreakpointOutput = { decision, by: actor, feedback: command.text, sha: null, reviewId: null };
    return answer(state, effect.key, output as unknown as Json);
  });
  return null;
}

/** What somebody has to do for the run to go on; nothing where it is at work by itself. */
export function whatItNeeds(state: RunState): string {
  const wait = waitingFor(state).find(({ kind }) => kind === "people" || kind === "money");
  return wait === undefined ? "" : ` It waits for something else (${wait.title}): ${wait.sentence}`;
}

export function question(state: RunState, kind: "breakpoint" | "ask", asked: string): EffectState {
  const effect = openQuestions(state).find((open) => open.kind === kind);
  if (effect === undefined)
    throw new BatonError(
      "BATON_NOT_ASKED",
      `The run asks nothing that \`/baton ${asked}\` could answer right now.${whatItNeeds(state)}`,
    );
  return effect;
}
