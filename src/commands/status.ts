import { BatonError } from "../core/errors.ts";
import { renderView } from "../runner/render-view.ts";
import { renderStatusComment } from "../thread/render/status-comment.ts";
import type { CommandHandler } from "./context.ts";

export const status: CommandHandler = async ({ dependencies, lastRun }) => {
  if (lastRun === null) throw new BatonError("BATON_NO_RUN", "Nothing ran in this thread yet.");
  return renderStatusComment(lastRun, { ...renderView(dependencies, lastRun), live: true });
};
