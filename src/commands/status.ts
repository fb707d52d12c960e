import { progressOf } from "../core/progress.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import { headline } from "../thread/render/headline.ts";
import { budgetLine } from "../thread/render/parts.ts";
import { progressText } from "../thread/render/progress.ts";
import { renderStatusComment } from "../thread/render/status-comment.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { lastRunOf } from "./no-run.ts";
import { twoLines } from "./two-lines.ts";

export const status = defineCommand({
  name: "status",
  usage: "status",
  summary: "Show where the run stands.",
  needs: "read",
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const lastRun = lastRunOf(context);
  const now = context.dependencies.clock.now();
  const { icon, sentence } = headline(lastRun);
  const far = progressText(progressOf(lastRun), now).replaceAll("\n", ". ");
  return twoLines(context, lastRun, {
    news: `${icon} ${sentence}`,
    detail: lastRun.outcome === null ? `${neutraliseLine(far)}.` : `${budgetLine(lastRun)}.`,
    part: "Status comment",
    whole: renderStatusComment(lastRun, { now, live: true }),
  });
}
