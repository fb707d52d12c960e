import { BatonError } from "../core/errors.ts";
import { budgetLine, costTable } from "../thread/render/parts.ts";
import type { CommandHandler } from "./context.ts";

export const cost: CommandHandler = async ({ lastRun }) => {
  if (lastRun === null) throw new BatonError("BATON_NO_RUN", "Nothing ran in this thread yet.");
  return `${budgetLine(lastRun)}\n\n${costTable(lastRun)}`;
};
