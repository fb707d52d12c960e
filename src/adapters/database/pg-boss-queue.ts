/**
 * The durable work queue over pg-boss. The store's own transaction inserts jobs. Workers hold them with a heartbeat, so
 * that a dead worker's job comes back (S4).
 *
 * Q1 At most one job per key waits. A running job does not count, so a wake-up during work is another job.
 * Q2 A job that finds its key waiting locks that job until the commit. No worker gets it before the announced state is
 *     there.
 * Q3 Nothing here sends pg-boss a statement outside of the given transaction. On PGlite's only connection it would
 *     deadlock.
 * Q4 On an embedded database every statement waits for every other. A new job therefore wakes one worker, not all.
 *     That worker fetches all waiting jobs, up to a bound. The fuller the queue, the less a job costs.
 * Q5 Only this process changes an embedded database. So after news or work it asks once when the next job is due, and
 *     sleeps until then.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay, setImmediate as macrotask } from "node:timers/promises";
import { type RawBuilder, sql, type Transaction } from "kysely";
import { type Db, fromKysely, type JobInsert, type JobResult, PgBoss, type SendOptions } from "pg-boss";
import { BatonError } from "../../core/errors.ts";
import type { Json } from "../../core/vocabulary.ts";
import type { Log } from "../../ports/log.ts";
import type { Job, NewJob, Queue } from "../../ports/store.ts";
import { Slots } from "../system/slots.ts";
import type { Tables } from "./tables.ts";

const queueNames: readonly string[] = ["delivery", "run", "outbox"];

/**
 * A worker that is silent this long is dead. The next value is the interval of that check. Together they stay below 45
 * s.
 */
const heartbeatSeconds = 15;
const superviseIntervalSeconds = 10;
/** Polling at this interval finds jobs of a later time, and jobs whose notification was lost. */
const pollingIntervalSeconds = 1;
/** Q5: `#look` wakes the workers, so they need not poll. */
const embeddedPollingSeconds = 60;
/** Q5: a look soon after news, and one without any, in case pg-boss itself brought a job back. */
const lookSoonMs = 1_000;
const lookAnywayMs = 30_000;
const dueAtOnceMs = 20;
const nextDue = `select name, (extract(epoch from min(start_after) - now()) * 1000)::double precision as "inMs"
  from pgboss.job where state in ('created', 'retry') group by name`;
const enqueueAttemptsMax = 5;
/** A server's replicas share its jobs one by one. The owner of an embedded database shares with nobody (Q4). */
const jobsAtOnce = { postgres: 1, pglite: 16 } as const;

/** pg-boss's name for "one waiting job per key, any number running" (Q1). */
const policy = "short";
const queueOptions = {
  notify: true,
  // Never given up. A job is an event that happened, and only its handler knows that it is done (S4).
  retryLimit: 1_000_000,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 60,
  heartbeatSeconds,
  expireInSeconds: 3_600,
  // Waiting jobs must not expire. A job for a distant day must still exist on that day.
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
  readonly #backend: PgBossQueueOptions["backend"];
  readonly #batchJobs: number;
  readonly #workers = new Map<string, QueueWorkers>();
  readonly #running = new Set<AbortController>();
  /** Q5. null: a server has its own way. */
  #embedded: Db | null = null;
  #look: { at: number; timer: NodeJS.Timeout } | null = null;
  #stopping: Promise<void> | null = null;

  private constructor(boss: PgBoss, log: Log, backend: PgBossQueueOptions["backend"]) {
    this.#boss = boss;
    this.#log = log;
    this.#backend = backend;
    this.#batchJobs = jobsAtOnce[backend];
  }

  static async open({ log, backend, connection }: PgBossQueueOptions): Promise<PgBossQueue> {
    const own =
      "db" in connection
        ? embedded(connection.db, (name) => {
            queue.#wakeOne(name);
            queue.#lookIn(lookSoonMs);
          })
        : null;
    const boss = new PgBoss({
      ...("db" in connection ? { db: own ?? connection.db } : connection),
      backend,
      useListenNotify: true,
      schedule: false,
      superviseIntervalSeconds,
      monitorIntervalSeconds: superviseIntervalSeconds,
      maintenanceIntervalSeconds: 600,
    });
    boss.on("error", (error) => log.warn("The queue reports an error", { error }));
    const queue: PgBossQueue = new PgBossQueue(boss, log, backend);
    queue.#embedded = own;
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
      // For pg-boss, all jobs without a key share one key.
      singletonKey: job.singletonKey ?? randomUUID(),
    };
    if (job.startAt !== undefined) options.startAfter = new Date(job.startAt);
    // Q5: pg-boss reports no job of a later time.
    this.#lookIn(job.startAt === undefined ? lookSoonMs : Math.max(job.startAt - Date.now(), dueAtOnceMs));
    // The insert or the join succeeds, unless a worker fetches the waiting job between the two. Then the next insert
    // succeeds.
    for (let attempt = 0; attempt < enqueueAttemptsMax; attempt += 1) {
      if ((await this.#boss.send(job.queue, job.data as object, options)) !== null) return;
      if (await this.#joinWaiting(transaction, job, options)) return;
    }
    throw new BatonError(
      "BATON_DATABASE_UNAVAILABLE",
      `A job of ${job.queue} could not be put in after ${enqueueAttemptsMax} tries.`,
    );
  }

  /** Inserts jobs of one queue in one statement. Inserts jobs with a key or a time of their own one by one. */
  async enqueueAll(transaction: Transaction<Tables>, jobs: readonly NewJob[]): Promise<void> {
    const plain = new Map<string, JobInsert[]>();
    for (const job of jobs) {
      if (job.singletonKey !== undefined || job.startAt !== undefined || !queueNames.includes(job.queue)) {
        await this.enqueue(transaction, job);
        continue;
      }
      const list = plain.get(job.queue) ?? [];
      plain.set(job.queue, [...list, { data: job.data as object, singletonKey: randomUUID() }]);
    }
    for (const [name, list] of plain) await this.#boss.insert(name, list, { db: fromKysely(transaction) });
  }

  /** Q2. True when a job of this key still waits. That job is locked, and starts no later than `job` asks. */
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

  /** Within the transaction of the job's result. A later report of its worker, good or bad, changes nothing. */
  completion(jobId: string): RawBuilder<unknown> {
    return sql`update pgboss.job set state = 'completed', completed_on = now() where id = ${jobId}::uuid and state = 'active'`;
  }

  async work(
    queue: string,
    concurrency: number,
    handler: (job: Job, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const workers = this.#workers.get(queue) ?? { all: [], next: 0, missed: false };
    this.#workers.set(queue, workers);
    const slots = new Slots(concurrency);
    const restSeconds = this.#backend === "pglite" ? embeddedPollingSeconds : pollingIntervalSeconds;
    this.#lookIn(lookSoonMs);
    for (let index = 0; index < concurrency; index += 1) {
      const worker = { id: "", busy: false };
      worker.id = await this.#boss.work(
        queue,
        {
          batchSize: this.#batchJobs,
          perJobResults: true,
          includeMetadata: true,
          pollingIntervalSeconds: restSeconds,
          notifyPollingIntervalSeconds: restSeconds,
        },
        async (jobs): Promise<JobResult[]> => {
          worker.busy = true;
          try {
            return await Promise.all(
              jobs.map((job) =>
                slots
                  .use(() => this.#handle(queue, job, handler))
                  .then(
                    (): JobResult => ({ id: job.id, status: "completed" }),
                    (thrown: Error): JobResult => ({ id: job.id, status: "failed", output: thrown }),
                  ),
              ),
            );
          } finally {
            worker.busy = false;
            // A failed job comes back later.
            this.#lookIn(lookSoonMs);
            // A worker rests only when it fetched everything and no wake-up was missed meanwhile.
            if (jobs.length >= this.#batchJobs || workers.missed) this.#boss.notifyWorker(worker.id);
            workers.missed = false;
          }
        },
      );
      workers.all.push(worker);
    }
  }

  /**
   * Q4: in turn, so that two jobs in quick succession wake two workers. Without an idle worker, the next idle one
   * looks.
   */
  #wakeOne(queue: string): void {
    const workers = this.#workers.get(queue);
    if (workers === undefined) return;
    for (let tried = 0; tried < workers.all.length; tried += 1) {
      const worker = workers.all[(workers.next + tried) % workers.all.length];
      if (worker === undefined || worker.busy) continue;
      workers.next += tried + 1;
      this.#boss.notifyWorker(worker.id);
      return;
    }
    workers.missed = true;
  }

  /** Q5: an earlier look stays. */
  #lookIn(wantedMs: number): void {
    const ms = Math.min(wantedMs, lookAnywayMs);
    const at = Date.now() + ms;
    if (this.#embedded === null || this.#workers.size === 0 || this.#stopping !== null) return;
    if (this.#look !== null && this.#look.at <= at) return;
    clearTimeout(this.#look?.timer);
    this.#look = { at, timer: setTimeout(() => void this.#lookNow(), ms) };
  }

  async #lookNow(): Promise<void> {
    this.#look = null;
    let nextMs = lookAnywayMs;
    try {
      const { rows } = await (this.#embedded as Db).executeSql(nextDue, []);
      for (const { name, inMs } of rows as { name: string; inMs: number }[]) {
        if (inMs <= 0) this.#wakeOne(name);
        nextMs = Math.min(nextMs, inMs <= 0 ? lookSoonMs : Math.max(inMs, dueAtOnceMs));
      }
    } catch (error) {
      if (this.#stopping === null) this.#log.warn("The queue could not be read; it is read again", { error });
      nextMs = lookSoonMs;
    }
    this.#lookIn(nextMs);
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
    clearTimeout(this.#look?.timer);
    const abort = setTimeout(() => {
      for (const controller of this.#running) controller.abort(new Error("The worker stops."));
    }, graceMs);
    try {
      const rested = Promise.all([...this.#workers.keys()].map((queue) => this.#boss.offWork(queue)));
      // One second more than the handlers have, for the work after their end. pg-boss would check only every half
      // second.
      await Promise.race([rested, delay(graceMs + 1_000, undefined, { ref: false })]);
      await this.#boss.stop({ graceful: false, close: true });
    } finally {
      clearTimeout(abort);
    }
  }
}

interface QueueWorkers {
  all: { id: string; busy: boolean }[];
  /** The index of the worker to wake next. */
  next: number;
  /** A job arrived while all workers were busy. */
  missed: boolean;
}

/**
 * pg-boss wakes every worker of a queue. On one connection all but one of them look in vain, and everybody waits for
 * them.
 *
 * An embedded database answers without ever leaving the thread. A worker that always finds a job would therefore keep
 * the process from reading its sockets. Each statement of a worker lets the others run first.
 */
function embedded(db: Db, wakeOne: (queue: string) => void): Db {
  const { listen } = db;
  return {
    async executeSql(text, values) {
      await macrotask();
      return db.executeSql(text, values);
    },
    ...(listen === undefined ? {} : { listen: (channel, _, onReconnect) => listen(channel, wakeOne, onReconnect) }),
  };
}
