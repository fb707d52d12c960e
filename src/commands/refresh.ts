import type { RunState } from "../core/state.ts";
import { openChildren } from "../runner/perform/child.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { activeRunOf } from "./no-run.ts";

export const refresh = defineCommand({
  name: "refresh",
  usage: "refresh",
  summary: "Read this thread's state from GitHub again.",
  needs: "read",
  handle,
});

/** Reads the facts again that the run and its child runs wait for; what was missed is then known. */
async function handle(context: CommandContext): Promise<Reply> {
  await look(context, activeRunOf(context));
  return null;
}

async function look(context: CommandContext, run: RunState): Promise<void> {
  for (const child of await openChildren(context.dependencies, run)) await look(context, child);
  await context.runner.wake(run.runId, true);
}
