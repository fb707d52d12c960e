/**
 * The schedule's work in addition to due runs: it compacts threads whose runs ended long ago, and later removes them.
 *
 * AR1 One atomic push for each thread, by compare-and-swap. After a kill at any point, that push is done or not begun,
 *     and the next schedule finds the rest. A thread with a driver, or with an event in its inbox, is left alone.
 */
import type { EndedRow } from "../adapters/git-state/files.ts";
import { keptPrefix, runOfKept } from "../adapters/git-state/kept-refs.ts";
import type { GitDatabase } from "../adapters/git-state/open.ts";
import type { Settings } from "../config/schema.ts";
import { toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Log } from "../ports/log.ts";

const dayMs = 24 * 3_600_000;
/** The most threads for one schedule. The next schedule handles the rest. */
const threadsMax = 20;

export interface Tidying {
  shared: GitDatabase;
  open(home: string): Promise<GitDatabase>;
  /** Settings of the default branch, read only if something may be due. */
  settings(): Promise<Settings>;
  now: number;
  log: Log;
  stop: AbortSignal;
}

export interface Tidied {
  compacted: number;
  forgotten: number;
  statePushes: number;
}

/** Whether `tidy` would find anything. Reads only. */
export async function isUntidy(tidying: Tidying): Promise<boolean> {
  const { namespace, state } = tidying.shared;
  const kept = await tidying.shared.removals(keptPrefix(namespace));
  const active = new Set<string>([...state.snapshot.index.values()].flatMap(({ runId }) => runId ?? []));
  if (kept.some(({ ref }) => !active.has(runOfKept(namespace, ref) ?? ""))) return true;
  return (await dueHomes(tidying)).homes.length > 0;
}

export async function tidy(tidying: Tidying): Promise<Tidied> {
  const { shared, open, now, log, stop } = tidying;
  const tidied: Tidied = { compacted: 0, forgotten: 0, statePushes: await removeKept(shared, log) };
  const { homes: due, compactBefore, forgetBefore } = await dueHomes(tidying);
  for (const home of due.slice(0, threadsMax)) {
    if (stop.aborted) break;
    try {
      const database = await open(home);
      const deliveriesBefore = now - limits.deliveryRetentionMs;
      const done = await database.state.retain({ now, compactBefore, forgetBefore, deliveriesBefore });
      tidied.compacted += done?.compacted.length ?? 0;
      tidied.forgotten += done?.forgotten.length ?? 0;
      tidied.statePushes += database.pushes();
    } catch (thrown) {
      log.warn("A thread's state could not be compacted; the next schedule tries again", {
        home,
        error: toBatonError(thrown),
      });
    }
  }
  return tidied;
}

/** Threads that may be compacted or removed by now. */
async function dueHomes({ shared, settings, now }: Pick<Tidying, "shared" | "settings" | "now">): Promise<{
  homes: string[];
  compactBefore: number;
  forgetBefore: number;
}> {
  const { ended, index } = shared.state.snapshot;
  const candidates = new Map<string, EndedRow | null>(
    [...ended].filter(([, row]) => isDue(row, now - dayMs, now - dayMs)),
  );
  // This job has no data of a thread that an earlier version left, so Baton checks that thread.
  for (const home of await shared.homes())
    if (!ended.has(home) && ![...index.values()].some((row) => row.home === home)) candidates.set(home, null);
  if (candidates.size === 0) return { homes: [], compactBefore: 0, forgetBefore: 0 };
  const { compactDays, days } = (await settings()).retention;
  const [compactBefore, forgetBefore] = [now - Math.min(compactDays, days) * dayMs, now - days * dayMs];
  const due = [...candidates].filter(([, row]) => row === null || isDue(row, compactBefore, forgetBefore));
  return { homes: due.map(([home]) => home), compactBefore, forgetBefore };
}

/** Commits kept for finished runs whose own job died before it removed them. Returns the number of pushes. */
async function removeKept(shared: GitDatabase, log: Log): Promise<number> {
  const { namespace, state } = shared;
  const kept = await shared.removals(keptPrefix(namespace));
  if (kept.length === 0) return 0;
  // A run is in the index before anything is kept for it, so the index is read after the refs.
  await state.refresh();
  const active = new Set<string>([...state.snapshot.index.values()].flatMap(({ runId }) => runId ?? []));
  const over = kept.filter(({ ref }) => !active.has(runOfKept(namespace, ref) ?? ""));
  if (over.length === 0) return 0;
  if (!(await shared.remove(over))) log.debug("Kept commits could not be removed; the next schedule tries again");
  return 1;
}

function isDue({ wholeSince, idleSince }: EndedRow, compactBefore: number, forgetBefore: number): boolean {
  return (wholeSince !== null && wholeSince < compactBefore) || (idleSince !== null && idleSince < forgetBefore);
}
