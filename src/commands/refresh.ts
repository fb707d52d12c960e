import { BatonError } from "../core/errors.ts";
import type { CommandHandler } from "./context.ts";

/** Reads the facts again that the run waits for; what was missed is then known. */
export const refresh: CommandHandler = async ({ run, runner }) => {
  if (run === null) throw new BatonError("BATON_NO_RUN", "No run is active in this thread.");
  await runner.wake(run.runId, true);
  return null;
};
