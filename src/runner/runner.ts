/**
 * Which runs this process drives: leases, wake-ups, recovery, shutdown.
 *
 * Owns: leases and their renewal, the set of live drivers. Does not own: what happens inside a run (`run-driver.ts`).
 * N1 A run is driven only under its lease; an append by a former holder fails in the store (fencing epoch).
 * N2 A lease that is not renewed for 30 s is taken over; takeover replays the journal and goes on.
 * N3 After `stop` no child process, timer or lease of this process is left.
 * N5 A run whose journal holds what only a newer Baton knows is left to that one, and stops no other run.
 * N4 At every moment a run that is not left has a lease or a durable wake-up, so that no death and no fault strands it.
 */
import { hasCode, toBatonError } from "../core/errors.ts";
import type { StoredEvent } from "../core/event.ts";
import { limits } from "../core/limits.ts";
import type { RunState } from "../core/state.ts";
import { type RunId, runIdSchema } from "../core/vocabulary.ts";
import type { News } from "../ports/feed.ts";
import type { Job, Lease, RunRow } from "../ports/store.ts";
import type { Dependencies } from "./dependencies.ts";
import { claimPrefix } from "./remote/claims.ts";
import { type Decide, RunActor } from "./run-actor.ts";
import { RunDriver } from "./run-driver.ts";

interface Driven {
  lease: Lease;
  driver: RunDriver;
  done: Promise<void>;
}

/** Leases of runs: who holds one drives that run. */
export const leasePrefix = "run:";
/** Another replica may append a command to a run that we drive; without a feed its journal is looked at this often. */
const tailIntervalMs = 1_000;
const recoveryPageRows = 500;
const tryAgainMs = 5_000;
/** What no later try of the same Baton would mend. */
const hopeless = ["BATON_JOURNAL_BROKEN", "BATON_EVENT_INVALID", "BATON_NO_RUN"] as const;
const isHopeless = (thrown: unknown): boolean => hopeless.some((code) => hasCode(thrown, code));

export class Runner {
  readonly #dependencies: Dependencies;
  readonly #speaks: boolean;
  readonly #driven = new Map<RunId, Driven>();
  /** Runs being taken right now: two wake-ups must not race for one lease. */
  readonly #taking = new Map<RunId, Promise<RunDriver | null>>();
  readonly #stopped = new AbortController();
  readonly #loops: Promise<void>[] = [];
  #unwatch = (): void => {};

  /** `speaks`: somebody sends the outbox, so that a run waits for its first words before it spends. */
  constructor(dependencies: Dependencies, { speaks = false }: { speaks?: boolean } = {}) {
    this.#dependencies = dependencies;
    this.#speaks = speaks;
  }

  async start(): Promise<void> {
    const { queue, soleOwner, feed } = this.#dependencies;
    if (soleOwner) await this.#recover();
    await queue.work("run", limits.parallelEffectsPerRunMax, (job) => this.#handleJob(job));
    this.#loops.push(this.#every(limits.leaseRenewMs, () => this.#renewLeases()));
    this.#loops.push(this.#every(limits.leaseRenewMs, () => this.#takeOver()));
    if (soleOwner) return;
    if (feed !== undefined) this.#unwatch = feed.watch((news) => this.#heard(news));
    // FE4: a notification may be lost.
    this.#loops.push(this.#every(feed === undefined ? tailIntervalMs : limits.leaseRenewMs, () => this.#tail()));
  }

  /**
   * Nobody else can use this database, so what an earlier start had in hand is free at once: each run that was leased or
   * running gets a wake-up, however many they are; leases are freed only then (N4).
   */
  async #recover(): Promise<void> {
    const { store } = this.#dependencies;
    const wakeUp = (runId: RunId) => ({ queue: "run", data: { runId, facts: true }, singletonKey: runId });
    const left = await store.expiredLeases(Number.MAX_SAFE_INTEGER);
    // A leased run was being driven, whatever its row says: it may have waited until a moment before.
    await store.write({ jobs: left.filter(isOfRun).map((lease) => wakeUp(runOf(lease))) });
    // Claims of workers elsewhere outlive this process.
    for (const lease of left) if (!lease.name.startsWith(claimPrefix)) await store.releaseLease(lease);
    let page: RunRow[];
    let before: RunRow | undefined;
    do {
      page = await store.runs({ active: true, limit: recoveryPageRows, ...(before === undefined ? {} : { before }) });
      await store.write({ jobs: page.filter(({ status }) => status === "running").map(({ runId }) => wakeUp(runId)) });
      before = page.at(-1);
    } while (page.length === recoveryPageRows);
  }

  async #tryToWake(runId: RunId): Promise<void> {
    await this.wake(runId, true).catch((thrown: unknown) =>
      this.#dependencies.log.error("A run could not be taken up again", { runId, error: toBatonError(thrown) }),
    );
  }

  /** Drives the run if nobody else does. Resolves once it is under way (or another replica has it: false). */
  async wake(runId: RunId, facts: boolean): Promise<boolean> {
    const driven = this.#driven.get(runId);
    if (driven?.driver.poke(facts) === true) return true;
    // It is just leaving: let it, then begin again, so that no wake-up falls between.
    await driven?.done;
    return (await this.#take(runId)) !== null;
  }

  /**
   * Decides something that somebody asked of a run and appends it, here or, while another replica drives the run, beside it.
   * Returns the appended events and the state after them.
   */
  async change(runId: RunId, decide: Decide): Promise<{ stored: StoredEvent[]; state: RunState }> {
    for (;;) {
      const local = this.#driven.get(runId)?.driver ?? (await this.#take(runId));
      if (local === null) break;
      const stored = await local.change(decide);
      if (stored !== null) return { stored, state: local.actor.state };
      // It is just leaving: the next driver takes the decision.
      await this.#driven.get(runId)?.done;
    }
    const visitor = await RunActor.load(this.#dependencies, runId, null);
    const stored = await visitor.change(decide);
    await this.#dependencies.store.write({
      jobs: [{ queue: "run", data: { runId, facts: true }, singletonKey: runId }],
    });
    return { stored, state: visitor.state };
  }

  /** The folded state of a run, live or from its journal; null when there is none. */
  async state(runId: RunId): Promise<RunState | null> {
    const driven = this.#driven.get(runId);
    if (driven !== undefined) return driven.driver.actor.state;
    if ((await this.#dependencies.store.run(runId)) === null) return null;
    return (await RunActor.load(this.#dependencies, runId, null)).state;
  }

  /** Resolves when the run is not driven here any more: it is over, or waits for others. */
  async left(runId: RunId): Promise<void> {
    await this.#taking.get(runId);
    await this.#driven.get(runId)?.done;
  }

  /** How many runs are being driven or taken here. */
  get driving(): number {
    return this.#driven.size + this.#taking.size;
  }

  /** Resolves when no run is being driven here: for tests and the demo. */
  async idle(): Promise<void> {
    while (this.#driven.size > 0 || this.#taking.size > 0) {
      await Promise.all([...this.#taking.values(), ...[...this.#driven.values()].map(({ done }) => done)]);
    }
  }

  /** Stops what runs (children are killed within their grace), frees every lease. The next start goes on from the journal. */
  async stop(): Promise<void> {
    this.#unwatch();
    this.#stopped.abort();
    await Promise.allSettled(this.#taking.values());
    for (const { driver } of this.#driven.values()) driver.stop("left");
    await Promise.all([...this.#driven.values()].map(({ done }) => done));
    await Promise.all(this.#loops);
  }

  #take(runId: RunId): Promise<RunDriver | null> {
    const under = this.#taking.get(runId);
    if (under !== undefined) return under;
    const taking = this.#takeNow(runId).finally(() => this.#taking.delete(runId));
    this.#taking.set(runId, taking);
    return taking;
  }

  async #takeNow(runId: RunId): Promise<RunDriver | null> {
    const { store, clock, owner, log } = this.#dependencies;
    if (this.#stopped.signal.aborted) return null;
    const lease = await store.acquireLease(leasePrefix + runId, owner, clock.now(), limits.leaseMs);
    if (lease === null) return null;
    let actor: RunActor;
    try {
      actor = await RunActor.load(this.#dependencies, runId, lease);
    } catch (thrown) {
      await this.#giveBack(lease, runId, thrown);
      throw thrown;
    }
    const driver = new RunDriver(
      this.#dependencies,
      actor,
      {
        wake: (child) => {
          this.wake(child, true).catch((thrown: unknown) =>
            log.error("A child run could not be driven", { runId: child, error: toBatonError(thrown) }),
          );
        },
        change: async (child, decide) => {
          await this.change(child, decide);
        },
        left: (child) => this.left(child),
      },
      this.#speaks,
    );
    const done = this.#drive(driver, lease, runId);
    this.#driven.set(runId, { lease, driver, done });
    return driver;
  }

  async #drive(driver: RunDriver, lease: Lease, runId: RunId): Promise<void> {
    const { store, log } = this.#dependencies;
    try {
      await driver.drive();
      // A release that fails is only late: the lease ends by itself, and whoever takes it finds nothing to do.
      await store.releaseLease(lease).catch(() => {});
    } catch (thrown) {
      // Transient faults of the store end up here: a later wake-up tries again from the journal.
      log.error("A run could not be driven on", { runId, error: toBatonError(thrown) });
      await this.#giveBack(lease, runId, thrown);
    } finally {
      this.#driven.delete(runId);
    }
  }

  /** N4: the lease of a run that could not be driven is freed only once a later wake-up is durable; else its end is the wake-up. */
  async #giveBack(lease: Lease, runId: RunId, thrown: unknown): Promise<void> {
    const { store, clock, log } = this.#dependencies;
    if (hasCode(thrown, "BATON_LEASE_LOST")) return;
    try {
      if (!isHopeless(thrown)) {
        const startAt = clock.now() + tryAgainMs;
        const job = { queue: "run", data: { runId, facts: true }, startAt, singletonKey: `${runId}:again` };
        await store.write({ jobs: [job] });
      }
      await store.releaseLease(lease);
    } catch (fault) {
      log.error("The database does not answer; the lease's end will wake the run", {
        runId,
        error: toBatonError(fault),
      });
    }
  }

  async #handleJob(job: Job): Promise<void> {
    const { runId, facts } = job.data as { runId: string; facts?: boolean };
    const id = runIdSchema.parse(runId);
    try {
      if (await this.wake(id, facts === true)) return;
    } catch (thrown) {
      if (!isHopeless(thrown)) throw thrown;
      this.#dependencies.log.error("A run cannot be driven", { runId, error: toBatonError(thrown) });
      return;
    }
    if (this.#stopped.signal.aborted) return;
    // Another replica drives it and looks at its journal; facts it learns of by this later job, or it has left by then.
    const { store, clock } = this.#dependencies;
    await store.write({
      jobs: [{ queue: "run", data: job.data, startAt: clock.now() + 3_000, singletonKey: `${runId}:later` }],
    });
  }

  async #renewLeases(): Promise<void> {
    const { store, clock, log } = this.#dependencies;
    for (const [runId, driven] of this.#driven) {
      const renewed = await store.renewLease(driven.lease, clock.now(), limits.leaseMs);
      if (renewed !== null) driven.lease = renewed;
      else if (this.#driven.get(runId) === driven) {
        log.warn("Another process took a run over", { runId });
        driven.driver.stop("lost");
      }
    }
  }

  async #takeOver(): Promise<void> {
    const { store, clock } = this.#dependencies;
    for (const lease of await store.expiredLeases(clock.now())) {
      // One that cannot be driven holds no other up.
      if (isOfRun(lease)) await this.#tryToWake(runOf(lease));
    }
  }

  #heard(news: News): void {
    if (news.kind === "outbox") return;
    if (news.kind === "anything") {
      this.#tail().catch((thrown: unknown) =>
        this.#dependencies.log.error("A round of the runner failed", { error: toBatonError(thrown) }),
      );
      return;
    }
    const driver = this.#driven.get(news.runId)?.driver;
    // Most news is of what was appended here.
    if (driver !== undefined && news.event > driver.actor.state.position) void this.#catchUp(driver);
  }

  async #tail(): Promise<void> {
    const { store } = this.#dependencies;
    for (const { driver } of this.#driven.values())
      if ((await store.position(driver.actor.state.runId)) > driver.actor.state.position) await this.#catchUp(driver);
  }

  async #catchUp(driver: RunDriver): Promise<void> {
    try {
      if (await driver.actor.catchUp()) driver.poke(true);
    } catch (thrown) {
      // N5. What may pass by itself stops no work: the next look tries again.
      if (hasCode(thrown, "BATON_EVENT_NEWER")) driver.fail(thrown);
      else this.#dependencies.log.error("A round of the runner failed", { error: toBatonError(thrown) });
    }
  }

  async #every(intervalMs: number, body: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#dependencies;
    while (!this.#stopped.signal.aborted) {
      try {
        await clock.sleepUntil(clock.now() + intervalMs, this.#stopped.signal);
      } catch {
        return;
      }
      await body().catch((thrown: unknown) =>
        log.error("A round of the runner failed", { error: toBatonError(thrown) }),
      );
    }
  }
}

function isOfRun({ name }: Lease): boolean {
  return name.startsWith(leasePrefix);
}

function runOf({ name }: Lease): RunId {
  return runIdSchema.parse(name.slice(leasePrefix.length));
}
