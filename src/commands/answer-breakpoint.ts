/** What `approve`, `reject` and `answer` share: find the open question, check who answers, append the answer. */
import { answer, openQuestions } from "../core/decide.ts";
import type { BreakpointOutput } from "../core/effect.ts";
import { BatonError } from "../core/errors.ts";
import { shownChange } from "../core/shown-change.ts";
import { authorsOf, type EffectState, type RunState } from "../core/state.ts";
import type { Json } from "../core/vocabulary.ts";
import { mayApprove } from "../policy/approval.ts";
import { questionName, waitingFor } from "../summary/waiting.ts";
import { codeSpan } from "../text/neutralise.ts";
import { type CommandContext, type Reply } from "./command.ts";
import { isAnswered, namedBy, splitFirst } from "./named-question.ts";
import { isUnderPost, type Posts } from "./posted-questions.ts";
import { steerAsking } from "./steer.ts";

export async function answerBreakpoint(
  context: CommandContext,
  decision: "approved" | "rejected" | "changes-requested",
): Promise<Reply> {
  const { actor, settings, place } = context;
  await steerAsking(context, "breakpoint", (state, posts) => {
    const { effect, text } = question(state, "breakpoint", context, posts);
    if (decision === "approved") demandShown(effect);
    const may = mayApprove({
      approver: actor,
      requester: state.requestedBy,
      authors: authorsOf(state),
      pullRequestAuthor: context.pullRequest?.author ?? null,
      settings: settings.approvals,
    });
    // Anybody who may steer can stop work by rejecting; only an approval needs another person.
    if (decision === "approved" && may.status !== "passed") throw new BatonError("BATON_POLICY_DENIED", may.reason);
    const output: BreakpointOutput = {
      decision,
      by: actor,
      feedback: withPlace(text, place),
      sha: null,
      reviewId: null,
    };
    return answer(state, effect.key, output as unknown as Json);
  });
  return null;
}

/** An approval counts only for content that Baton has shown. @internal for tests */
export function demandShown(effect: EffectState): void {
  const { change, paths = [] } = effect.kind === "breakpoint" ? effect.input.subject : {};
  if (change === undefined) return;
  const shown = shownChange(effect);
  if (shown === null)
    throw new BatonError(
      "BATON_NOT_ASKED",
      "Baton has not shown the change of the protected files yet. Read it when its comment is there, then approve it.",
    );
  const hidden = paths.filter((path) => !shown.files.some((file) => file.path === path));
  if (hidden.length > 0)
    throw new BatonError(
      "BATON_POLICY_DENIED",
      `The thread does not show the whole change of ${hidden.length} protected file${hidden.length === 1 ? "" : "s"}, so nobody can allow it here: ${hidden
        .slice(0, 5)
        .map(codeSpan)
        .join(", ")}. Reject it with a reason, or make this change yourself.`,
    );
}

/** Words, with the line of the change that they were written at. */
export function withPlace(text: string, place: string): string {
  return [text, place].filter((part) => part !== "").join("\n\n");
}

/** What somebody has to do for the run to go on; nothing where it is at work by itself. */
export function whatItNeeds(state: RunState): string {
  const wait = waitingFor(state).find(({ kind }) => kind === "people" || kind === "money");
  return wait === undefined ? "" : ` The run is waiting for something else. ${wait.title}: ${wait.sentence}`;
}

export interface Asked {
  effect: EffectState;
  /** What follows the name of the question. */
  text: string;
}

/**
 * The open question that a command answers: the one that it names, or the only one.
 *
 * Q1 It was posted before the command was written: an answer counts for what its author could see.
 * Q2 Of several none is guessed.
 * Q3 An answer is for one content: a request is journaled once and never changed, the protected files that a question shows
 *    are those of its first look, and its comment is never edited. An answer therefore needs no digest beside the key.
 */
export function question(
  state: RunState,
  kind: "breakpoint" | "ask",
  context: Pick<CommandContext, "command" | "writtenAt" | "commentId">,
  posts: Posts,
): Asked {
  const { command } = context;
  const open = openQuestions(state).filter((effect) => isAnswered(effect, kind));
  if (open.length === 0) throw notAsked(state, kind, command.name);
  const written = command.text.trim();
  const [first, rest] = splitFirst(written);
  const named = namedBy(first, open);
  if (named === "several")
    throw new BatonError(
      "BATON_COMMAND_INVALID",
      `Several questions are named \`${first.replaceAll("`", "'")}\`. ${choose(open, command.name)}`,
    );
  if (named !== null && (kind === "breakpoint" || rest !== "" || open.length > 1))
    return { effect: inTime(named, posts, context), text: rest };
  const [only, ...others] = open;
  if (only !== undefined && others.length === 0) return { effect: inTime(only, posts, context), text: written };
  const early = open.filter((effect) => isUnderPost(posts.get(effect.key), context));
  if (early.length === 0 && only !== undefined) return { effect: inTime(only, posts, context), text: written };
  throw new BatonError(
    "BATON_COMMAND_INVALID",
    `The run has ${open.length} open questions. ${choose(open, command.name)}`,
  );
}

function choose(open: readonly EffectState[], command: string): string {
  const names = open.map(questionName);
  const list = open.map((effect, index) => {
    const isOne = names.indexOf(names[index] as string) === names.lastIndexOf(names[index] as string);
    return `\`/baton ${command} ${isOne ? names[index] : effect.key} …\` (${effect.title})`;
  });
  return `Name one of them: ${list.join(", ")}.`;
}

function notAsked(state: RunState, kind: "breakpoint" | "ask", asked: string): BatonError {
  const review = openQuestions(state).find((open) => open.kind === kind);
  if (review?.kind !== "breakpoint")
    return new BatonError("BATON_NOT_ASKED", `Nothing to ${asked} right now.${whatItNeeds(state)}`);
  return new BatonError(
    "BATON_NOT_ASKED",
    `#${review.input.subject.pullRequest} needs a review on GitHub, because a review approves one exact commit. Use *Review changes* there.`,
  );
}

/** Q1 */
function inTime(
  effect: EffectState,
  posts: Posts,
  context: Pick<CommandContext, "writtenAt" | "commentId">,
): EffectState {
  const post = posts.get(effect.key);
  if (isUnderPost(post, context)) return effect;
  const name = `\`${questionName(effect)}\``;
  throw new BatonError(
    "BATON_NOT_ASKED",
    post === undefined
      ? `Baton has not posted the question ${name} yet: ${effect.title}. Answer it when its comment is there.`
      : `${name} was asked after you wrote: ${effect.title}. Read the question, then answer it again.`,
  );
}
