import { renderStatusComment } from "../thread/render/status-comment.ts";
import type { CommandHandler } from "./context.ts";
import { lastRunOf } from "./no-run.ts";

export const status: CommandHandler = async (context) => {
  const lastRun = lastRunOf(context);
  return renderStatusComment(lastRun, { now: context.dependencies.clock.now(), live: true });
};
