import type { RunState } from "../core/state.ts";
import { usd } from "../text/format.ts";
import { neutraliseLine } from "../text/neutralise.ts";
import { budgetLine, costTable } from "../thread/render/parts.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { lastRunOf } from "./no-run.ts";
import { twoLines } from "./two-lines.ts";

export const cost = defineCommand({
  name: "cost",
  usage: "cost",
  summary: "Show what the run has cost, by step, attempt and model.",
  needs: "read",
  handle,
});

async function handle(context: CommandContext): Promise<Reply> {
  const lastRun = lastRunOf(context);
  return twoLines(context, lastRun, {
    news: `**${budgetLine(lastRun)}**`,
    detail: dearest(lastRun),
    part: "Cost by step",
    whole: costTable(lastRun),
  });
}

/** The step with the highest known cost. Empty: nothing has a cost. */
function dearest({ effects }: RunState): string {
  const costs = [...effects.values()].map(({ title, attempts }) => ({
    title,
    costUsd: attempts.flatMap(({ usage }) => usage).reduce((sum, used) => sum + (used.costUsd ?? 0), 0),
  }));
  const most = costs.toSorted((one, other) => other.costUsd - one.costUsd)[0];
  return most === undefined || most.costUsd === 0
    ? ""
    : `Largest part: ${neutraliseLine(most.title)}, ${usd(most.costUsd)}.`;
}
