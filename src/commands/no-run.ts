/** What people are told who steer or ask about a run where there is none: why, and where it may be. */
import { BatonError } from "../core/errors.ts";
import type { RunState } from "../core/state.ts";
import type { CommandContext } from "./command.ts";

export function activeRunOf(context: CommandContext): RunState {
  if (context.run !== null) return context.run;
  const over = context.lastRun === null ? "" : " The last one is over.";
  throw new BatonError("BATON_NO_RUN", `No run is active in this thread.${over}${elsewhere(context)}`);
}

export function lastRunOf(context: CommandContext): RunState {
  if (context.lastRun !== null) return context.lastRun;
  throw new BatonError("BATON_NO_RUN", `Nothing ran in this thread yet.${elsewhere(context)}`);
}

function elsewhere({ workOf }: CommandContext): string {
  return workOf === null
    ? ""
    : ` This pull request is the work on #${workOf}: its run is steered and asked about there.`;
}
