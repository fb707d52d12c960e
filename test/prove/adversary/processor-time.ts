/** How long a piece of work keeps this process busy. Other programs do not count, and an endless one is ended. */
import { runInNewContext } from "node:vm";

/**
 * Processor time in seconds; more than `secondsMax` is cut off some time after it. `cut`: what a cut counts as, on a machine that gave
 * the work less time than it took.
 */
export function processorSeconds(work: () => unknown, secondsMax: number, cut = 0): number {
  const before = process.cpuUsage();
  let least = 0;
  try {
    // Also ends a regular expression that backtracks.
    runInNewContext("work()", { work }, { timeout: Math.ceil(secondsMax * 5_000) });
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw thrown;
    least = cut;
  }
  return Math.max(least, process.cpuUsage(before).user / 1_000_000);
}
