import type { RunState } from "../core/state.ts";
import { openChildren } from "../runner/perform/child.ts";
import type { CommandContext, CommandHandler } from "./context.ts";
import { activeRunOf } from "./no-run.ts";

/** Reads the facts again that the run and its child runs wait for; what was missed is then known. */
export const refresh: CommandHandler = async (context) => {
  await look(context, activeRunOf(context));
  return null;
};

async function look(context: CommandContext, run: RunState): Promise<void> {
  for (const child of await openChildren(context.dependencies, run)) await look(context, child);
  await context.runner.wake(run.runId, true);
}
