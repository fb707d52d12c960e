/**
 * Hands out the jobs of tables, by the given clock. For one worker it has the same contract as the durable queue (S4).
 *
 * Owns: the handler of each job, and pauses after a failure. Does not own: the rows, nor whether they outlive the
 * process.
 */
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Job, Queue } from "../../ports/store.ts";
import { checkQueue, type JobRow } from "./tables.ts";

const retryDelayMs = 1_000;
const retryDelayMsMax = 60_000;

export interface JobSource {
  /** Waiting jobs and jobs to retry, in the order of their start. */
  pending(): JobRow[];
  begin(id: string): void;
  complete(id: string): void;
  bringBack(id: string, startAt: number): void;
}

interface Worker {
  concurrency: number;
  running: number;
  handler: (job: Job, signal: AbortSignal) => Promise<void>;
}

export class JobLoop implements Queue {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #source: JobSource;
  readonly #workers = new Map<string, Worker[]>();
  readonly #running = new Map<AbortController, Promise<void>>();
  readonly #stopped = new AbortController();
  #timer = new AbortController();
  #poked = false;

  constructor({ clock, log, source }: { clock: Clock; log: Log; source: JobSource }) {
    this.#clock = clock;
    this.#log = log;
    this.#source = source;
  }

  /** New jobs may exist. Runs after the caller's synchronous transaction, because a handler must not see half of it. */
  poke(): void {
    if (this.#poked) return;
    this.#poked = true;
    queueMicrotask(() => {
      this.#poked = false;
      this.#dispatch();
    });
  }

  get running(): number {
    return this.#running.size;
  }

  async work(queue: string, concurrency: number, handler: Worker["handler"]): Promise<void> {
    checkQueue(queue);
    this.#workers.set(queue, [...(this.#workers.get(queue) ?? []), { concurrency, running: 0, handler }]);
    this.#dispatch();
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopped.abort();
    this.#timer.abort();
    if (this.#running.size === 0) return;
    const grace = new AbortController();
    const ended = Promise.all(this.#running.values()).then(() => grace.abort());
    await this.#clock.sleepUntil(this.#clock.now() + graceMs, grace.signal).catch(() => {});
    if (this.#running.size === 0) return ended;
    for (const controller of this.#running.keys()) controller.abort(new Error("The worker stops."));
  }

  #dispatch(): void {
    if (this.#stopped.signal.aborted) return;
    const now = this.#clock.now();
    let nextAt = Number.POSITIVE_INFINITY;
    for (const job of this.#source.pending()) {
      if (job.startAt > now) {
        nextAt = Math.min(nextAt, job.startAt);
        continue;
      }
      const worker = this.#workers.get(job.queue)?.find(({ running, concurrency }) => running < concurrency);
      if (worker !== undefined) this.#run(job, worker);
    }
    this.#wakeAt(nextAt);
  }

  #wakeAt(at: number): void {
    this.#timer.abort();
    if (at === Number.POSITIVE_INFINITY) return;
    this.#timer = new AbortController();
    this.#clock.sleepUntil(at, this.#timer.signal).then(
      () => this.#dispatch(),
      () => {},
    );
  }

  #run({ id, queue, data, tries }: JobRow, worker: Worker): void {
    this.#source.begin(id);
    worker.running += 1;
    const controller = new AbortController();
    const done = (async () => {
      try {
        await worker.handler({ id, queue, data: structuredClone(data), tries }, controller.signal);
        this.#source.complete(id);
      } catch (thrown) {
        this.#log.warn("A job failed and comes back", { queue, job: id, error: thrown });
        const pauseMs = Math.min(retryDelayMsMax, retryDelayMs * 2 ** tries);
        this.#source.bringBack(id, this.#clock.now() + pauseMs);
      } finally {
        worker.running -= 1;
        this.#running.delete(controller);
        this.#dispatch();
      }
    })();
    this.#running.set(controller, done);
  }
}
