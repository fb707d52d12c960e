/**
 * The end of a process of tests is the end of all that its tests started, also of one that timed out.
 *
 * Set up for all test files by `vitest.config.ts`. Vitest ends its processes by SIGTERM.
 */
import { processTable, signalProcess } from "../src/adapters/child/process-table.ts";

const shared = globalThis as { leavesNothing?: true };
if (shared.leavesNothing === undefined) {
  shared.leavesNothing = true;
  process.once("SIGTERM", () => {
    const table = processTable();
    const left = new Set([process.pid]);
    // A set hands out what is added meanwhile, too.
    for (const parent of left) for (const row of table.values()) if (row.parent === parent) left.add(row.pid);
    left.delete(process.pid);
    for (const pid of left) signalProcess(pid, "SIGKILL");
    // As the signal does without this.
    process.kill(process.pid, "SIGTERM");
  });
}
