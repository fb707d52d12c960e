/**
 * The durable work queue over pg-boss: jobs are put in within the store's own transaction and handed out with a heartbeat,
 * so that a dead worker's job comes back (S4).
 */
import type { Transaction } from "kysely";
import { type ConstructorOptions, fromKysely, PgBoss, type SendOptions } from "pg-boss";
import type { Json } from "../../core/vocabulary.ts";
import type { Job, NewJob, Queue } from "../../ports/store.ts";
import type { Log } from "../../ports/log.ts";
import type { Tables } from "./tables.ts";

/** `short`: at most one waiting job a key, any number running. `standard`: every job is kept. */
export const queues = { delivery: "standard", run: "short" } as const;

const heartbeatSeconds = 15;
const superviseIntervalSeconds = 10;

export interface PgBossQueueOptions {
  log: Log;
  backend: "postgres" | "pglite";
  /** PGlite through its adapter, or a server by its address. */
  connection: { db: NonNullable<ConstructorOptions["db"]> } | { connectionString: string; max: number };
}

export class PgBossQueue implements Queue {
  readonly #boss: PgBoss;
  readonly #log: Log;
  readonly #running = new Set<AbortController>();
  #stopped = false;

  private constructor(boss: PgBoss, log: Log) {
    this.#boss = boss;
    this.#log = log;
  }

  static async open({ log, backend, connection }: PgBossQueueOptions): Promise<PgBossQueue> {
    const boss = new PgBoss({
      ...connection,
      backend,
      useListenNotify: true,
      schedule: false,
      superviseIntervalSeconds,
      monitorIntervalSeconds: superviseIntervalSeconds,
      maintenanceIntervalSeconds: 600,
    });
    boss.on("error", (error) => log.warn("The queue reports an error", { error }));
    await boss.start();
    for (const [name, policy] of Object.entries(queues)) {
      const options = { policy, notify: true, retryLimit: 1_000, retryDelay: 1, retryBackoff: true, retryDelayMax: 60, heartbeatSeconds, expireInSeconds: 3_600, deleteAfterSeconds: 86_400 };
      if ((await boss.getQueue(name)) === null) await boss.createQueue(name, options);
      // Fills pg-boss's cache of the queue now: filled later, within a transaction of PGlite's only connection, it would wait for itself.
      await boss.findJobs(name, { key: "" });
    }
    return new PgBossQueue(boss, log);
  }

  async enqueue(transaction: Transaction<Tables>, job: NewJob): Promise<void> {
    const options: SendOptions = { db: fromKysely(transaction) };
    if (job.singletonKey !== undefined) options.singletonKey = job.singletonKey;
    if (job.startAt !== undefined) options.startAfter = new Date(job.startAt);
    await this.#boss.send(job.queue, job.data as object, options);
  }

  async work(queue: string, concurrency: number, handler: (job: Job, signal: AbortSignal) => Promise<void>): Promise<void> {
    await this.#boss.work(
      queue,
      { localConcurrency: concurrency, batchSize: 1, includeMetadata: true, pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 1 },
      async (jobs) => {
        for (const job of jobs) {
          if (this.#stopped) throw new Error("The worker stops; the job goes to another.");
          const controller = new AbortController();
          this.#running.add(controller);
          try {
            await handler({ id: job.id, queue, data: job.data as Json, tries: job.retryCount + 1 }, controller.signal);
          } catch (thrown) {
            this.#log.warn("A job failed and comes back", { queue, job: job.id, error: thrown });
            throw thrown;
          } finally {
            this.#running.delete(controller);
          }
        }
      },
    );
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    await this.#boss.stop({ graceful: true, timeout: Math.max(1_000, graceMs), close: true });
    for (const controller of this.#running) controller.abort();
  }
}
