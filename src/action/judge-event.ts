/**
 * The first of two jobs: reads the event with a token that writes nothing and without a key, and says whether the second one
 * is to start.
 *
 * JE1 A command starts it only when its author may run or steer, or may give just this command. Others read why in the
 *     job's summary, and the thread stays silent.
 * JE2 What this job says permits nothing: the second one asks GitHub again.
 */
import { type CommentEvent, hear, judgeCommand } from "../intake/handle-comment.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { grammars } from "../thread/grammar/index.ts";

export interface CommentJudgement {
  start: boolean;
  /** For people. */
  reason: string;
}

export async function judgeComment(
  dependencies: Pick<Dependencies, "github" | "owners">,
  event: CommentEvent,
): Promise<CommentJudgement> {
  const heard = await hear(dependencies, event);
  if (typeof heard === "string") return { start: false, reason: sentence(heard) };
  const { parsed, actor, trusted } = heard;
  const grammar = parsed.kind === "command" ? grammars.find(({ name }) => name === parsed.name) : undefined;
  // A slip of somebody who may run is answered in the thread.
  if (trusted || parsed.kind !== "command" || grammar === undefined)
    return { start: trusted, reason: `@${actor.login} gives a command.` };
  const { verdict } = await judgeCommand(heard, event, parsed, grammar);
  if (verdict.status === "passed") return { start: true, reason: verdict.reason };
  return { start: false, reason: `Nothing was started. ${verdict.reason}` };
}

function sentence(note: string): string {
  return `${note.charAt(0).toUpperCase()}${note.slice(1)}.`;
}
