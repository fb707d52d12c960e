/** Appends what a person decided about the active run, once for each asking comment. */
import { openQuestions } from "../core/decide.ts";
import type { RunEvent } from "../core/event.ts";
import type { RunState } from "../core/state.ts";
import { openChildren } from "../runner/perform/child.ts";
import type { CommandContext } from "./command.ts";
import { namesQuestion } from "./named-question.ts";
import { activeRunOf } from "./no-run.ts";
import { type Posts, postedQuestions } from "./posted-questions.ts";

export async function steer(context: CommandContext, decide: (state: RunState) => RunEvent[]): Promise<RunState> {
  return append(context, activeRunOf(context), decide);
}

/** As `steer`, for the run that asks: the thread's, or one of its child runs, whose questions people see there. */
export async function steerAsking(
  context: CommandContext,
  kind: "breakpoint" | "ask",
  decide: (state: RunState, posts: Posts) => RunEvent[],
): Promise<RunState> {
  const run = activeRunOf(context);
  // A question that is named is answered where it is asked; other text goes to whoever asks.
  const { text } = context.command;
  const named = await whoAsks(context, run, (now) => namesQuestion(now, kind, text));
  const asks = (now: RunState): boolean => openQuestions(now).some((open) => open.kind === kind);
  const asking = named ?? (await whoAsks(context, run, asks)) ?? run;
  // A question that is asked meanwhile was posted after the command was written.
  const posts = await postedQuestions(context, asking, kind);
  const state = await append(context, asking, (now) => decide(now, posts));
  // `/baton why` is asked of the thread's run.
  if (asking.runId !== run.runId) await append(context, run, () => []);
  return state;
}

async function append(
  { runner, operationKey, command, actor, verdict }: CommandContext,
  { runId }: RunState,
  decide: (state: RunState) => RunEvent[],
): Promise<RunState> {
  const { state } = await runner.change(runId, (now) => {
    if (now.handled.has(operationKey)) return [];
    return [{ type: "policy.decided", action: command.name, actor, verdict, operationKey }, ...decide(now)];
  });
  return state;
}

/** The run itself first, then its children in the order in which they were asked for. null: nobody. */
async function whoAsks(
  context: CommandContext,
  state: RunState,
  asks: (state: RunState) => boolean,
): Promise<RunState | null> {
  // Asked twice, done once: the first time it may have answered the only question.
  if (asks(state) || state.handled.has(context.operationKey)) return state;
  for (const child of await openChildren(context.dependencies, state)) {
    const found = await whoAsks(context, child, asks);
    if (found !== null) return found;
  }
  return null;
}
