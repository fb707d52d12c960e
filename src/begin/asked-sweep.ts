/**
 * A sweep that an operator asked for by the command line, in one of several repositories under one budget.
 *
 * AK1 Baton begins it once: the time of the request is its key.
 * AK2 It reports in the dashboard issue, as scheduled sweeps do.
 */
import { toBatonError } from "../core/errors.ts";
import type { Actor, Repository, RunId } from "../core/vocabulary.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { loadSettings } from "../runner/load-settings.ts";
import { readBook } from "../runner/schedule-book.ts";
import { changeSweepBook, readSweepBook } from "../runner/sweep-book.ts";
import { openDashboard } from "./open-dashboard.ts";
import { beginRule } from "./rule-run.ts";

/** The name that its runs have, next to the names of schedules. */
const askedName = "asked";

/** Returns a sentence about what it did. null: nobody asked for a sweep. */
export async function startAskedSweep(dependencies: Dependencies, repository: Repository): Promise<string | null> {
  const { store } = dependencies;
  const { asked } = await readSweepBook(store, repository.id);
  if (asked === null || asked.became !== undefined) return null;
  const begun = await begin(dependencies, repository, asked);
  await changeSweepBook(dependencies, repository.id, (book) =>
    book.asked?.at === asked.at ? { ...book, asked: { ...asked, ...begun } } : book,
  );
  return begun.became;
}

async function begin(
  dependencies: Dependencies,
  repository: Repository,
  { by, at, budgetUsd }: { by: Actor; at: number; budgetUsd: number },
): Promise<{ became: string; runId?: RunId }> {
  try {
    const github = await dependencies.github.installation(repository.installationId);
    const loaded = await loadSettings(github, repository, repository.defaultBranch);
    if (loaded.problems.length > 0) return { became: "refused: the configuration has errors" };
    if (!loaded.settings.dashboard) return { became: "refused: `dashboard: false` leaves it no thread" };
    const { dashboard } = await readBook(dependencies.store, repository.id);
    const runId = await beginRule({
      dependencies,
      // The job that Baton writes with a run wakes it, wherever it is driven.
      runner: { wake: async () => false },
      github,
      repository,
      loaded,
      rule: {
        process: "sweep",
        with: {},
        budgetUsd: Math.min(budgetUsd, loaded.settings.budget.maxUsd),
        harness: null,
        priority: "low",
      },
      thread: async () => openDashboard(dependencies, github, repository, dashboard),
      actor: by,
      commentId: null,
      operationKey: `sweep:${repository.id}:asked:${at}`,
      startedBy: { kind: "schedule", name: askedName, at, late: false, missed: 0 },
    });
    return { became: `started ${runId}`, runId };
  } catch (thrown) {
    const error = toBatonError(thrown);
    if (error.treatment === "retryable") throw error;
    return { became: `refused: ${error.message} (${error.code})` };
  }
}
