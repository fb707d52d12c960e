import { beginRun, type RaceChoice } from "../begin/begin-run.ts";
import { refuseErased } from "../core/decide.ts";
import { usdSchema } from "../thread/grammar.ts";
import { type CommandContext, defineCommand, type Reply } from "./command.ts";
import { lastRunOf } from "./no-run.ts";

export const retry = defineCommand({
  name: "retry",
  usage: "retry [--budget USD]",
  summary: "Start the last run again. Baton continues from the pushed work.",
  needs: "run",
  options: { budget: { value: "USD", summary: "Most that the new run may spend.", schema: usdSchema } },
  worksOnHead: true,
  needsRun: false,
  handle,
});

/** Begins the last run of the thread again, with its original request. The new run continues from pushed work. */
async function handle(context: CommandContext): Promise<Reply> {
  const { command } = context;
  const lastRun = lastRunOf(context);
  refuseErased(lastRun);
  const { choice, race, inputs, paths } = lastRun.input as {
    paths?: string[];
    choice?: { harness?: string; model?: string };
    race?: RaceChoice;
    inputs?: Record<string, unknown>;
  };
  await beginRun(context, {
    process: lastRun.process.name,
    harness: choice?.harness ?? null,
    model: choice?.model ?? null,
    budgetUsd: (command.options["budget"] as number | undefined) ?? null,
    instructions: lastRun.trigger.text,
    ...(inputs === undefined ? {} : { inputs }),
    retryOf: lastRun.runId,
    ...(lastRun.startedBy === null ? {} : { startedBy: lastRun.startedBy }),
    priority: lastRun.priority,
    ...(paths === undefined ? {} : { paths }),
    // Baton asked this when the thread's first run began.
    without: ["rules", "checks", "approver"],
    ...(race === undefined
      ? {}
      : {
          race: {
            contestants: race.contestants.map(({ slug, harness, model }) => ({
              slug,
              harness,
              ...(model === undefined ? {} : { model }),
            })),
          },
        }),
  });
  return null;
}
