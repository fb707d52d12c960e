/**
 * When a test process ends, everything that its tests started ends too, even after a timeout.
 *
 * `vitest.config.ts` sets it up for all test files. Vitest ends its processes by SIGTERM.
 */
import { flushCompileCache } from "node:module";
import { processTable, signalProcess } from "../src/adapters/child/process-table.ts";

const shared = globalThis as { leavesNothing?: true };
if (shared.leavesNothing === undefined) {
  shared.leavesNothing = true;
  process.once("SIGTERM", () => {
    const table = processTable();
    const left = new Set([process.pid]);
    // Iterating a set also visits later additions.
    for (const parent of left) for (const row of table.values()) if (row.parent === parent) left.add(row.pid);
    left.delete(process.pid);
    for (const pid of left) signalProcess(pid, "SIGKILL");
    // The next process of tests reads what this one compiled. Node writes it only at an exit, never at a signal.
    flushCompileCache();
    // As the signal would without this handler.
    process.kill(process.pid, "SIGTERM");
  });
}
