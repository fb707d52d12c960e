import { budgetLine, costTable } from "../thread/render/parts.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { lastRunOf } from "./no-run.ts";

export const cost = defineCommand({
  name: "cost",
  usage: "cost",
  summary: "Show what the run has cost, by step, attempt and model.",
  needs: "read",
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const lastRun = lastRunOf(context);
  return `${budgetLine(lastRun)}\n\n${costTable(lastRun)}`;
}
