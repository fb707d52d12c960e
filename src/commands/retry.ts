import { beginRun, type RaceChoice } from "../begin/begin-run.ts";
import { refuseErased } from "../core/decide.ts";
import type { CommandHandler } from "./context.ts";
import { lastRunOf } from "./no-run.ts";

/** Begins the last run of the thread anew, with what was asked then; pushed work is gone on with. */
export const retry: CommandHandler = async (context) => {
  const { command } = context;
  const lastRun = lastRunOf(context);
  refuseErased(lastRun);
  const { choice, race, inputs } = lastRun.input as {
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
    // It was asked when the thread's first run began.
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
};
