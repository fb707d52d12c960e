/**
 * The active runs of a repository, for the dashboard issue.
 *
 * DW1 Baton reads a bounded number of journals for it.
 * DW2 A run that another Baton wrote, or that cannot be read, hides no other.
 */
import { hasCode } from "../core/errors.ts";
import { fold } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { RunRow } from "../ports/store.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { waitingFor } from "../summary/waiting.ts";
import type { DashboardWork } from "../thread/render/dashboard.ts";

/** DW1: more than the dashboard shows, because child runs are left out. */
const journalsMax = 60;
const rowsMax = 500;

type Place = Pick<Dependencies, "store" | "activeElsewhere">;

/** Changes when a run begins, ends, waits or continues. */
export async function workSignature({ store, activeElsewhere }: Place, repositoryId: number): Promise<string> {
  const rows = await activeRows(store, repositoryId);
  const others = (await activeElsewhere?.()) ?? [];
  return [...rows.map(({ runId, status }) => `${runId} ${status}`), ...others.map((number) => `#${number}`)]
    .toSorted()
    .join(",");
}

export async function dashboardWork(
  { store, activeElsewhere }: Place,
  { id }: Pick<Repository, "id">,
): Promise<DashboardWork[]> {
  const work: DashboardWork[] = [];
  for (const [at, row] of (await activeRows(store, id)).entries()) {
    const state = at < journalsMax ? await stateOf(store, row) : null;
    if (state !== null && state.parent !== null) continue;
    work.push({ number: Number(row.threadKey.split("#")[1]), run: state === null ? null : workOf(state) });
  }
  const known = new Set(work.map(({ number }) => number));
  const others = (await activeElsewhere?.()) ?? [];
  return [...work, ...others.filter((number) => !known.has(number)).map((number) => ({ number, run: null }))];
}

function activeRows(store: Place["store"], repositoryId: number): Promise<RunRow[]> {
  return store.runs({ active: true, repositoryId, limit: rowsMax });
}

/** DW2 */
async function stateOf(store: Place["store"], { runId }: RunRow): Promise<RunState | null> {
  try {
    return fold(await store.read(runId));
  } catch (thrown) {
    if (hasCode(thrown, "BATON_EVENT_NEWER") || hasCode(thrown, "BATON_JOURNAL_BROKEN")) return null;
    throw thrown;
  }
}

function workOf(state: RunState): NonNullable<DashboardWork["run"]> {
  const waits = waitingFor(state);
  const ofPeople = waits.filter(({ kind, key }) => kind === "people" || (kind === "money" && !waitsForDay(state, key)));
  const shown = ofPeople.length > 0 ? ofPeople : waits;
  const { runId, process, requestedBy, priority, deadline, createdAt } = state;
  return {
    runId,
    process: process.name,
    by: requestedBy.login,
    priority,
    deadline,
    needsPeople: ofPeople.length > 0,
    now: shown.slice(0, 3).map(({ title, sentence, kind }) => {
      // An agent's note changes all the time. The status comment has it.
      const says = kind === "worker" ? "" : sentence;
      return says === "" ? `${title}.` : `${title}: ${says}`;
    }),
    since: createdAt,
  };
}

/** The step continues by itself when the next day has money. */
function waitsForDay({ effects }: RunState, key: string): boolean {
  const effect = [...effects.values()].find((one) => one.key === key);
  return effect?.status === "stopped" && effect.retryAt !== null;
}
