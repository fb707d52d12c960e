/**
 * Chooses the runs that this process drives: leases, wake-ups, recovery, shutdown.
 *
 * Owns: leases and their renewal, the set of live drivers. Does not own: work inside a run (`run-driver.ts`).
 * N1 A run is driven only under its lease. An append by a former holder fails in the store (fencing epoch).
 * N2 Another replica takes over a lease that is not renewed for 30 s. It replays the journal and continues.
 * N3 After `stop` no child process, timer or lease of this process is left.
 * N5 If only a newer Baton knows a journal's events, this Baton leaves that run to it and stops no other run.
 * N4 At every moment, a run that waits for work has a lease or a durable wake-up. So no death and no fault strands it.
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

/** Leases of runs: the holder of a lease drives that run. */
export const leasePrefix = "run:";
/** Another replica may append a command to a run that we drive. Without a feed, Baton reads the journal this often. */
const tailIntervalMs = 1_000;
const recoveryPageRows = 500;
const tryAgainMs = 5_000;
/** Errors that no later try of the same Baton can fix. */
const hopeless = ["BATON_JOURNAL_BROKEN", "BATON_EVENT_INVALID", "BATON_NO_RUN"] as const;
const isHopeless = (thrown: unknown): boolean => hopeless.some((code) => hasCode(thrown, code));

export class Runner {
  readonly #dependencies: Dependencies;
  readonly #speaks: boolean;
  readonly #driven = new Map<RunId, Driven>();
  /** Runs with a lease request under way: two wake-ups must not race for one lease. */
  readonly #taking = new Map<RunId, Promise<RunDriver | null>>();
  readonly #stopped = new AbortController();
  readonly #loops: Promise<void>[] = [];
  #unwatch = (): void => {};

  /** `speaks`: somebody sends the outbox, so a run waits for its first words before it spends. */
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
   * Nobody else can use this database, so an earlier start's work is free at once. Each leased or running run gets a
   * wake-up, however many there are. Leases are freed only afterwards (N4).
   */
  async #recover(): Promise<void> {
    const { store } = this.#dependencies;
    const wakeUp = (runId: RunId) => ({ queue: "run", data: { runId, facts: true }, singletonKey: runId });
    const left = await store.expiredLeases(Number.MAX_SAFE_INTEGER);
    // A leased run was being driven, whatever its row says. It may have waited until a moment before.
    await store.write({ jobs: left.filter(isOfRun).map((lease) => wakeUp(runOf(lease))) });
    // Claims of remote workers outlive this process.
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

  /** Drives the run if nobody else does. Resolves when the drive is under way. false: another replica has the run. */
  async wake(runId: RunId, facts: boolean): Promise<boolean> {
    const driven = this.#driven.get(runId);
    if (driven?.driver.poke(facts) === true) return true;
    // The driver is leaving. Baton waits for its end and begins again, so that no wake-up is lost.
    await driven?.done;
    return (await this.#take(runId)) !== null;
  }

  /**
   * Appends a decision that somebody asked of a run: by the driver here, or directly if another replica drives it.
   * Returns the appended events and the state after them.
   */
  async change(runId: RunId, decide: Decide): Promise<{ stored: StoredEvent[]; state: RunState }> {
    for (;;) {
      const local = this.#driven.get(runId)?.driver ?? (await this.#take(runId));
      if (local === null) break;
      const stored = await local.change(decide);
      if (stored !== null) return { stored, state: local.actor.state };
      // The driver is leaving: the next driver makes the decision.
      await this.#driven.get(runId)?.done;
    }
    const visitor = await RunActor.load(this.#dependencies, runId, null);
    const stored = await visitor.change(decide);
    await this.#dependencies.store.write({
      jobs: [{ queue: "run", data: { runId, facts: true }, singletonKey: runId }],
    });
    return { stored, state: visitor.state };
  }

  /** The folded state of a run, live or from its journal. null: there is none. */
  async state(runId: RunId): Promise<RunState | null> {
    const driven = this.#driven.get(runId);
    if (driven !== undefined) return driven.driver.actor.state;
    if ((await this.#dependencies.store.run(runId)) === null) return null;
    return (await RunActor.load(this.#dependencies, runId, null)).state;
  }

  /** Resolves when this process no longer drives the run: it is over, or waits for others. */
  async left(runId: RunId): Promise<void> {
    await this.#taking.get(runId);
    await this.#driven.get(runId)?.done;
  }

  /** The number of runs that this process drives or is about to drive. */
  get driving(): number {
    return this.#driven.size + this.#taking.size;
  }

  /** Resolves when this process drives no run: for tests and the demo. */
  async idle(): Promise<void> {
    while (this.#driven.size > 0 || this.#taking.size > 0) {
      await Promise.all([...this.#taking.values(), ...[...this.#driven.values()].map(({ done }) => done)]);
    }
  }

  /**
   * Stops running work (children are killed within their grace) and frees every lease. The next start continues from
   * the journal.
   */
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
      // A failed release is only late: the lease ends by itself, and its next holder finds nothing to do.
      await store.releaseLease(lease).catch(() => {});
    } catch (thrown) {
      // Transient faults of the store end up here. A later wake-up tries again from the journal.
      log.error("A run could not be driven on", { runId, error: toBatonError(thrown) });
      await this.#giveBack(lease, runId, thrown);
    } finally {
      this.#driven.delete(runId);
    }
  }

  /**
   * N4: if a run could not be driven, its lease is freed only once a later wake-up is durable. Otherwise the lease's
   * end is the wake-up.
   */
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
    // Another replica drives the run and reads its journal. This later job passes on the facts, unless that replica has
    // left by then.
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
      // A run that cannot be driven holds up no other run.
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
    // Most news is about events that were appended here.
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
      // N5. A transient error stops no work: the next check tries again.
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
