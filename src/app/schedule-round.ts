/**
 * The clock of schedules in App mode: checks each repository for due schedules, and starts them.
 *
 * SR1 One replica at a time does it (TT1). A replica that lost its lease stops before the next repository. The key of each
 *     start is known, so a second replica starts nothing again.
 * SR2 A repository that Baton cannot serve does not hold up another.
 */
import { startAskedSweep } from "../begin/asked-sweep.ts";
import { hasDue, startDue } from "../begin/start-due.ts";
import { toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Repository } from "../core/vocabulary.ts";
import { isServed } from "../policy/served-owners.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { knownRepositories, rememberRepositories } from "../runner/schedule-book.ts";

export async function runSchedules(
  dependencies: Dependencies,
  stillOurs: () => Promise<void>,
): Promise<Record<string, unknown> | null> {
  const { log, owners } = dependencies;
  const did: Record<string, unknown> = {};
  for (const repository of await repositoriesOf(dependencies)) {
    if (!isServed(owners, repository.owner)) continue;
    await stillOurs();
    try {
      const swept = await startAskedSweep(dependencies, repository);
      if (swept !== null) did[`${repository.owner}/${repository.name} sweep`] = swept;
      if (!(await hasDue(dependencies, repository.id, limits.scheduleLateMs))) continue;
      // The job that Baton writes with a run wakes it, wherever it is driven.
      const runner = { wake: async () => false };
      const done = await startDue(dependencies, repository, { runner, lateAfterMs: limits.scheduleLateMs });
      if (done !== null) did[`${repository.owner}/${repository.name}`] = done;
    } catch (thrown) {
      log.warn("Schedules of a repository could not be looked at; the next round tries it", {
        repository: `${repository.owner}/${repository.name}`,
        error: toBatonError(thrown),
      });
    }
  }
  return Object.keys(did).length === 0 ? null : did;
}

/** All repositories that the App reaches. Baton asks GitHub from time to time, and learns of a repository at once by a push. */
async function repositoriesOf({
  store,
  clock,
  github,
}: Pick<Dependencies, "store" | "clock" | "github">): Promise<Repository[]> {
  const now = clock.now();
  const known = await knownRepositories(store);
  if (known !== null && now - known.readAt < limits.scheduleRulesMs) return known.repositories;
  const repositories = await github.repositories();
  return rememberRepositories({ store, clock }, { readAt: now, repositories }, known?.repositories);
}
