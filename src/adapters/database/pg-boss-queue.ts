/**
 * The durable work queue over pg-boss: jobs are put in within the store's own transaction and handed out with a heartbeat,
 * so that a dead worker's job comes back (S4).
 *
 * Q1 At most one job a key waits; a running one does not count, so that a wake-up during work is another job.
 * Q2 A job that finds its key waiting locks that job until the commit: no worker takes it before the state that it announces is there.
 * Q3 Nothing here asks pg-boss for a statement outside of the given transaction: on PGlite's only connection it would wait for itself.
 */
import { randomUUID } from "node:crypto";
import { sql, type Transaction } from "kysely";
import { type Db, fromKysely, PgBoss, type SendOptions } from "pg-boss";
import { BatonError } from "../../core/errors.ts";
import type { Json } from "../../core/vocabulary.ts";
import type { Log } from "../../ports/log.ts";
import type { Job, NewJob, Queue } from "../../ports/store.ts";
import type { Tables } from "./tables.ts";

export const queueNames: readonly string[] = ["delivery", "run", "outbox"];

/** A worker that is silent for the first is dead; the second is how often one looks. Together they stay below 45 s. */
const heartbeatSeconds = 15;
const superviseIntervalSeconds = 10;
/** Jobs of a time to come, and those whose notification was lost, are found by looking this often. */
const pollingIntervalSeconds = 1;
const enqueueAttemptsMax = 5;

/** pg-boss's name for "one waiting job a key, any number running" (Q1). */
const policy = "short";
const queueOptions = {
  notify: true,
  // Never given up: a job is an event that happened, and only its handler knows that it is done (S4).
  retryLimit: 1_000_000,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 60,
  heartbeatSeconds,
  expireInSeconds: 3_600,
  // Waiting is not ageing: a job of a day far ahead must still be there on that day.
  retentionSeconds: 30 * 86_400,
  deleteAfterSeconds: 86_400,
} as const;

export interface PgBossQueueOptions {
  log: Log;
  backend: "postgres" | "pglite";
  /** PGlite through its adapter, or a server by its address. */
  connection: { db: Db } | { connectionString: string; max: number };
}

export class PgBossQueue implements Queue {
  readonly #boss: PgBoss;
  readonly #log: Log;
  readonly #running = new Set<AbortController>();
  #stopping: Promise<void> | null = null;

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
    const queue = new PgBossQueue(boss, log);
    try {
      await boss.start();
      for (const name of queueNames) {
        if ((await boss.getQueue(name)) === null) await boss.createQueue(name, { policy, ...queueOptions });
        else await boss.updateQueue(name, queueOptions);
        // Fills pg-boss's cache of the queue now (Q3).
        await boss.findJobs(name, { key: "" });
      }
      return queue;
    } catch (thrown) {
      await queue.stop(0).catch((error: unknown) => log.warn("The queue did not stop", { error }));
      throw thrown;
    }
  }

  async enqueue(transaction: Transaction<Tables>, job: NewJob): Promise<void> {
    if (!queueNames.includes(job.queue)) {
      throw new BatonError("BATON_INTERNAL", `There is no queue ${job.queue}; there are ${queueNames.join(", ")}.`);
    }
    const options: SendOptions = {
      db: fromKysely(transaction),
      // To pg-boss all jobs without a key have the same one.
      singletonKey: job.singletonKey ?? randomUUID(),
    };
    if (job.startAt !== undefined) options.startAfter = new Date(job.startAt);
    // One of both holds, unless a worker takes the waiting job just between them; then the next insert goes through.
    for (let attempt = 0; attempt < enqueueAttemptsMax; attempt += 1) {
      if ((await this.#boss.send(job.queue, job.data as object, options)) !== null) return;
      if (await this.#joinWaiting(transaction, job, options)) return;
    }
    throw new BatonError(
      "BATON_DATABASE_UNAVAILABLE",
      `A job of ${job.queue} could not be put in after ${enqueueAttemptsMax} tries.`,
    );
  }

  /** Q2; true when a job of this key still waits: it is locked, and starts no later than `job` asks. */
  async #joinWaiting(transaction: Transaction<Tables>, job: NewJob, options: SendOptions): Promise<boolean> {
    const startAt = job.startAt ?? 0;
    const { rows } = await sql<{ id: string; later: boolean }>`
      select id, start_after > greatest(now(), to_timestamp(${startAt}::double precision / 1000)) as later from pgboss.job
      where name = ${job.queue} and singleton_key = ${job.singletonKey ?? null} and state = 'created' for update`.execute(
      transaction,
    );
    const waiting = rows[0];
    if (waiting === undefined) return false;
    if (waiting.later) {
      const { startAfter = 0, db } = options;
      await this.#boss.update(job.queue, undefined, {
        id: waiting.id,
        startAfter,
        ...(db === undefined ? {} : { db }),
      });
    }
    return true;
  }

  /** Within the transaction of the job's result: its worker's own word afterwards, good or bad, changes nothing. */
  async complete(transaction: Transaction<Tables>, jobId: string): Promise<void> {
    await sql`update pgboss.job set state = 'completed', completed_on = now() where id = ${jobId}::uuid and state = 'active'`.execute(
      transaction,
    );
  }

  async work(
    queue: string,
    concurrency: number,
    handler: (job: Job, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    for (let index = 0; index < concurrency; index += 1) {
      const worker: string = await this.#boss.work(
        queue,
        {
          batchSize: 1,
          includeMetadata: true,
          pollingIntervalSeconds,
          notifyPollingIntervalSeconds: pollingIntervalSeconds,
        },
        async (jobs) => {
          // After this job look at once for the next: a worker rests only when it found none.
          this.#boss.notifyWorker(worker);
          for (const job of jobs) await this.#handle(queue, job, handler);
        },
      );
    }
  }

  async #handle(
    queue: string,
    job: { id: string; data: unknown; retryCount: number },
    handler: (job: Job, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    if (this.#stopping !== null) throw new Error("The worker stops; the job goes to another.");
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

  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    const abort = setTimeout(() => {
      for (const controller of this.#running) controller.abort(new Error("The worker stops."));
    }, graceMs);
    try {
      // A second more than the handlers have: for what follows their end.
      await this.#boss.stop({ graceful: true, timeout: graceMs + 1_000, close: true });
    } finally {
      clearTimeout(abort);
    }
  }
}
