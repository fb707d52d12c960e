import { renderStatusComment } from "../thread/render/status-comment.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { lastRunOf } from "./no-run.ts";

export const status = defineCommand({
  name: "status",
  usage: "status",
  summary: "Show where the run stands.",
  needs: "read",
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const lastRun = lastRunOf(context);
  return renderStatusComment(lastRun, { now: context.dependencies.clock.now(), live: true });
}
