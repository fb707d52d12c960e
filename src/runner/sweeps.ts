/** Sweeps for anyone with access to Baton's data: the command line. A running App carries out the requests. */
import { BatonError } from "../core/errors.ts";
import { type Actor, isActiveStatus } from "../core/vocabulary.ts";
import { worthwhileUsd } from "../money/budget.ts";
import { matchesAny } from "../policy/paths.ts";
import { type SweepStats, sweepStats } from "../sweep/stats.ts";
import type { Dependencies } from "./dependencies.ts";
import { knownRepositories } from "./schedule-book.ts";
import { type BookPlace, changeSweepBook, readSweepBook } from "./sweep-book.ts";

type RepositorySweepStats = SweepStats & { repository: string };

interface AskedSweep {
  repository: string;
  /** null: Baton did not ask, because a sweep already runs or waits to begin. */
  budgetUsd: number | null;
}

type SweepsPlace = BookPlace & { store: Pick<Dependencies["store"], "run"> };

export class Sweeps {
  readonly #place: SweepsPlace;
  readonly #store: SweepsPlace["store"];

  constructor(place: SweepsPlace) {
    this.#place = place;
    this.#store = place.store;
  }

  /** Asks the App for a sweep in each matching repository of an account. Each gets an equal share of the budget. */
  async run(given: {
    owner: string;
    repositories: readonly string[];
    budgetUsd: number;
    by: Actor;
  }): Promise<AskedSweep[]> {
    const { owner, repositories: globs, budgetUsd, by } = given;
    const known = (await knownRepositories(this.#store))?.repositories ?? [];
    const fit = known.filter((one) => one.owner.toLowerCase() === owner.toLowerCase() && matchesAny(one.name, globs));
    if (fit.length === 0)
      throw new BatonError(
        "BATON_INPUT_INVALID",
        `No repository of ${owner.slice(0, 60)} fits ${globs.join(", ").slice(0, 200)}. This App knows ${known.length}.`,
      );
    const shareUsd = Math.floor((budgetUsd / fit.length) * 100) / 100;
    if (shareUsd < worthwhileUsd)
      throw new BatonError(
        "BATON_INPUT_INVALID",
        `A budget of $${budgetUsd.toFixed(2)} leaves each of ${fit.length} repositories $${shareUsd.toFixed(2)}. Give more, or name fewer.`,
      );
    const asked: AskedSweep[] = [];
    const at = this.#place.clock.now();
    for (const { id, owner: account, name } of fit) {
      let isAsked = false;
      const before = (await readSweepBook(this.#store, id)).asked?.runId;
      // The App would refuse a second one in its place.
      const isAtWork = before !== undefined && isActiveStatus((await this.#store.run(before))?.status ?? "completed");
      await changeSweepBook(this.#place, id, (book) => {
        isAsked = !isAtWork && (book.asked === null || book.asked.became !== undefined);
        return isAsked ? { ...book, asked: { by, at, budgetUsd: shareUsd } } : book;
      });
      asked.push({ repository: `${account}/${name}`, budgetUsd: isAsked ? shareUsd : null });
    }
    return asked;
  }

  /** By repository and detector. `repository`: limits the result to one. */
  async stats(repository: string | null = null): Promise<RepositorySweepStats[]> {
    const known = (await knownRepositories(this.#store))?.repositories ?? [];
    const all: RepositorySweepStats[] = [];
    for (const { id, owner, name } of known) {
      const full = `${owner}/${name}`;
      if (repository !== null && full.toLowerCase() !== repository.toLowerCase()) continue;
      const { proposals, resumed } = await readSweepBook(this.#store, id);
      const stats = sweepStats(proposals, (detector) => resumed[detector]?.at ?? 0);
      all.push(...stats.map((one) => ({ repository: full, ...one })));
    }
    return all.toSorted((a, b) => (a.repository < b.repository ? -1 : a.repository > b.repository ? 1 : 0));
  }
}
