/** Appends what a person decided about the active run, once for each asking comment. */
import { BatonError } from "../core/errors.ts";
import type { RunEvent } from "../core/event.ts";
import type { RunState } from "../core/state.ts";
import type { CommandContext } from "./context.ts";

export async function steer(context: CommandContext, decide: (state: RunState) => RunEvent[]): Promise<RunState> {
  const { run, runner, operationKey, command, actor, verdict } = context;
  if (run === null) throw new BatonError("BATON_NO_RUN", "No run is active in this thread.");
  const { state } = await runner.change(run.runId, (now) => {
    if (now.handled.has(operationKey)) return [];
    return [{ type: "policy.decided", action: command.name, actor, verdict, operationKey }, ...decide(now)];
  });
  return state;
}
