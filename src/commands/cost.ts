import { budgetLine, costTable } from "../thread/render/parts.ts";
import type { CommandHandler } from "./context.ts";
import { lastRunOf } from "./no-run.ts";

export const cost: CommandHandler = async (context) => {
  const lastRun = lastRunOf(context);
  return `${budgetLine(lastRun)}\n\n${costTable(lastRun)}`;
};
