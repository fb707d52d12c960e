/**
 * Finds processes of an attempt that an earlier life of Baton started: by their marker, with all descendants (Linux).
 */
import { setTimeout as delay } from "node:timers/promises";
import { hasVariable, type ProcessRow, processIds, processTable, signalProcess } from "./process-table.ts";

/** As in `family.ts`. */
const killPatienceMs = 5_000;
const lookAgainMs = 20;

export const markerVariable = "BATON_ATTEMPT";

export async function findByMarker(marker: string): Promise<number[]> {
  return processIds().filter((pid) => pid !== process.pid && hasVariable(pid, `${markerVariable}=${marker}`));
}

/** Returns their number when they are gone. */
export async function killSurvivors(marker: string): Promise<number> {
  const killed = new Map<number, number>();
  const until = performance.now() + killPatienceMs;
  for (;;) {
    const left = await survivors(marker, killed);
    for (const { pid, startTicks } of left) if (signalProcess(pid, "SIGKILL")) killed.set(pid, startTicks);
    if (left.length === 0 || performance.now() > until) return killed.size;
    await delay(lookAgainMs);
  }
}

/** A process that is ending no longer has an environment, but still exists. */
async function survivors(marker: string, killed: ReadonlyMap<number, number>): Promise<ProcessRow[]> {
  const table = processTable();
  const children = Map.groupBy(table.values(), ({ parent }) => parent);
  const found = new Set<ProcessRow>();
  const queue = (await findByMarker(marker)).flatMap((pid) => table.get(pid) ?? []);
  queue.push(...[...table.values()].filter(({ pid, startTicks }) => killed.get(pid) === startTicks));
  for (let row = queue.pop(); row !== undefined; row = queue.pop()) {
    if (found.has(row) || row.pid === process.pid) continue;
    found.add(row);
    queue.push(...(children.get(row.pid) ?? []));
  }
  return [...found].filter(({ ended }) => !ended);
}
