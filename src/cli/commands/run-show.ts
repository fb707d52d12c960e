import { systemClock } from "../../adapters/system/clock.ts";
import type { RunSummary } from "../../library.ts";
import { count, duration, totalTokens, usd } from "../../text/format.ts";
import { progressText } from "../../thread/render/progress.ts";
import { type CliCommand, gitOption, group, jsonOption } from "../context.ts";
import { readRuns } from "../data.ts";
import { table, threadOf } from "../text.ts";

export const runShow: CliCommand = (program, context) => {
  group(program, "run", "The runs that this Baton keeps.")
    .command("show <run>")
    .description("Show one run: steps, cost, what it waits for, its verdict.")
    .option(...gitOption)
    .option(...jsonOption)
    .action(async (runId: string, { git, json }: { git?: string; json?: true }) => {
      const run = await readRuns(context, git, (runs) => runs.read(runId));
      context.print(json === true ? JSON.stringify(run, null, 2) : text(run, systemClock.now()));
    });
};

function text(run: RunSummary, now: number): string {
  const { money } = run;
  return [
    `${run.runId}: ${run.process.name} on ${threadOf(run)}, asked for by @${run.requestedBy.login}`,
    `${run.status}, ${usd(money.spentUsd)} of ${usd(money.budgetUsd)}${money.complete ? "" : " (a price is not known)"}, ${count(totalTokens(money.tokens))} tokens`,
    ...(run.verdict === null ? [progressText(run.progress, now)] : []),
    ...run.waitsFor.map(({ sentence }) => `waits: ${sentence}`),
    ...(run.verdict === null ? [] : [`${run.verdict.status}: ${run.verdict.reason}`]),
    "",
    table([
      ["STEP", "STATUS", "TRIES", "TOOK", "COST", "VERDICT"],
      ...run.steps.map((step) => [
        step.key,
        step.status,
        `${step.attempts}`,
        step.endedAt === null ? "" : duration(step.endedAt - step.requestedAt),
        step.costUsd === 0 ? "" : usd(step.costUsd),
        step.error !== null
          ? `${step.error.code}: ${step.error.message}`
          : step.verdict === null
            ? ""
            : `${step.verdict.status}: ${step.verdict.reason}`,
      ]),
    ]),
  ].join("\n");
}
