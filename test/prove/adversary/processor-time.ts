/** How long a piece of work keeps this process busy. Other programs do not count, and an endless one is ended. */
import { runInNewContext } from "node:vm";

/** Processor time in seconds; more than `secondsMax` is cut off some time after it. */
export function processorSeconds(work: () => unknown, secondsMax: number): number {
  const before = process.cpuUsage();
  try {
    // Also ends a regular expression that backtracks.
    runInNewContext("work()", { work }, { timeout: Math.ceil(secondsMax * 5_000) });
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw thrown;
  }
  return process.cpuUsage(before).user / 1_000_000;
}
