/**
 * When something of a thread is due next. A job waits if that is soon, and does not leave if that is now.
 *
 * ND1 A job never waits for a check that a later one replaced, or for a check of a run that is over or being driven.
 *     Otherwise, in a busy hour, each job would stay for the checks of earlier jobs.
 * ND2 A job leaves a write that keeps failing to the next job. A runner costs money, and the outbox tries for a day.
 */
import type { JobRow, Tables } from "../adapters/memory/tables.ts";
import type { RunId } from "../core/vocabulary.ts";
import type { OutboxRow } from "../ports/store.ts";

type Rows = Pick<Tables, "jobs" | "runRows">;

/** Milliseconds since the epoch. null: nothing becomes due with time. `counts`: by the id of a job. */
export function nextDueAt(rows: Rows, counts: (id: string) => boolean = () => true): number | null {
  const times = [...rows.jobs.values()]
    .filter((job) => job.state !== "active" && counts(job.id) && !isPassedLook(job, rows))
    .map(({ startAt }) => startAt);
  return times.length === 0 ? null : Math.min(...times);
}

/** So many tries took about five minutes. */
const triesInJobMax = 10;

/** ND2: whether a job stays for this write. `soon`: the latest time for which it waits. */
export function keepsJob(
  { state, notBefore, error, tries }: Pick<OutboxRow, "state" | "notBefore" | "error" | "tries">,
  soon: number,
): boolean {
  return state === "pending" && (error === null || (tries < triesInJobMax && notBefore <= soon));
}

/** The run's row contains the time of its check. `leaveRun` gives the job of that check this name. */
function isPassedLook({ queue, key, data, startAt, state }: JobRow, { runRows }: Rows): boolean {
  const { runId } = data as { runId?: RunId };
  if (state !== "waiting" || queue !== "run" || runId === undefined || key !== `${runId}@${startAt}`) return false;
  return runRows.get(runId)?.wakeAt !== startAt;
}
