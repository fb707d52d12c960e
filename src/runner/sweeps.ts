/** What came of sweeps, for who may read Baton's data: the command line. */
import { type SweepStats, sweepStats } from "../sweep/stats.ts";
import type { Dependencies } from "./dependencies.ts";
import { knownRepositories } from "./schedule-book.ts";
import { readSweepBook } from "./sweep-book.ts";

export type RepositorySweepStats = SweepStats & { repository: string };

export class Sweeps {
  readonly #store: Pick<Dependencies["store"], "value">;

  constructor(store: Pick<Dependencies["store"], "value">) {
    this.#store = store;
  }

  /** By repository and detector; `repository`: of one. */
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
