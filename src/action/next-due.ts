/**
 * When something of a thread is due next: what a job waits for if it is soon, and does not leave behind if it is now.
 *
 * ND1 A look that a later one took the place of, and one at a run that is over or being driven, is nothing to wait for:
 *     in a busy hour each job would else stay for those of the jobs before it.
 */
import type { JobRow, Tables } from "../adapters/memory/tables.ts";
import type { RunId } from "../core/vocabulary.ts";

type Rows = Pick<Tables, "jobs" | "runRows">;

/** Milliseconds since the epoch; null: nothing, whatever time passes. */
export function nextDueAt(rows: Rows): number | null {
  const times = [...rows.jobs.values()]
    .filter((job) => job.state !== "active" && !isPassedLook(job, rows))
    .map(({ startAt }) => startAt);
  return times.length === 0 ? null : Math.min(...times);
}

/** The run's row says when it is looked at; the job of that look is named so by `leaveRun`. */
function isPassedLook({ queue, key, data, startAt, state }: JobRow, { runRows }: Rows): boolean {
  const { runId } = data as { runId?: RunId };
  if (state !== "waiting" || queue !== "run" || runId === undefined || key !== `${runId}@${startAt}`) return false;
  return runRows.get(runId)?.wakeAt !== startAt;
}
