/**
 * Work that comes back by the clock: missed deliveries, garbage, old rows.
 *
 * TT1 One replica at a time does a round about the database or GitHub. Baton renews its lease during the round. Afterwards
 *     the lease lasts until the next round is due.
 * TT2 Baton logs a round that fails and repeats it later. A failed round never ends the App.
 * TT3 The first round begins at the start, and finds events that the App missed while it was down.
 */
import { toBatonError } from "../core/errors.ts";
import type { Dependencies } from "../runner/dependencies.ts";
import { hold } from "../runner/under-lease.ts";

export interface Round {
  name: string;
  intervalMs: number;
  /** `each`: every replica works for its own machine. */
  by: "one" | "each";
  /**
   * Returns a record for the log. null: there was nothing to do. `stillOurs` throws BATON_LEASE_LOST if another replica
   * does the round now.
   */
  work(dependencies: Dependencies, stillOurs: () => Promise<void>): Promise<Record<string, unknown> | null>;
}

export class Timetable {
  readonly #dependencies: Dependencies;
  readonly #rounds: readonly Round[];
  readonly #stopped = new AbortController();
  #loops: Promise<void>[] = [];

  constructor(dependencies: Dependencies, rounds: readonly Round[]) {
    this.#dependencies = dependencies;
    this.#rounds = rounds;
  }

  start(): void {
    this.#loops = this.#rounds.map((round) => this.#repeat(round));
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all(this.#loops);
  }

  async #repeat(round: Round): Promise<void> {
    const { clock, log } = this.#dependencies;
    while (!this.#stopped.signal.aborted) {
      try {
        const did = await this.#do(round);
        if (did !== null) log.info("A round was done", { round: round.name, ...did });
      } catch (thrown) {
        log.error("A round failed", { round: round.name, error: toBatonError(thrown) });
      }
      await clock.sleepUntil(clock.now() + round.intervalMs, this.#stopped.signal).catch(() => {});
    }
  }

  async #do({ name, by, intervalMs, work }: Round): Promise<Record<string, unknown> | null> {
    const { store, clock, owner } = this.#dependencies;
    if (by === "each") return work(this.#dependencies, async () => {});
    // A little less than the interval, so that its own next round finds the lease free.
    const request = { name: `round:${name}`, owner, forMs: intervalMs * 0.9 };
    const lease = await store.acquireLease(request.name, owner, clock.now(), request.forMs);
    if (lease === null) return null;
    return hold({ store, clock }, request, lease, ({ demand }) => work(this.#dependencies, demand), false);
  }
}
