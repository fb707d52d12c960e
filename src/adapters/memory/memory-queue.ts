/**
 * The queue in memory, by the clock that it is given: for tests that own the time, and for trying things out.
 *
 * Same contract as the durable one (S4), as far as one process can have it: nothing outlives the process.
 */
import { randomUUID } from "node:crypto";
import { BatonError } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Job, NewJob, Queue } from "../../ports/store.ts";

const queueNames: readonly string[] = ["delivery", "run", "outbox"];
const retryDelayMs = 1_000;
const retryDelayMsMax = 60_000;

interface Entry extends Job {
  key: string | null;
  startAt: number;
  state: "waiting" | "retry" | "active" | "completed";
}

interface Worker {
  concurrency: number;
  running: number;
  handler: (job: Job, signal: AbortSignal) => Promise<void>;
}

export class MemoryQueue implements Queue {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #entries = new Map<string, Entry>();
  readonly #workers = new Map<string, Worker[]>();
  readonly #running = new Map<AbortController, Promise<void>>();
  readonly #stopped = new AbortController();
  #timer = new AbortController();

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Throws for a queue that does not exist; before anything is written, as a transaction would. */
  check(jobs: readonly NewJob[]): void {
    for (const { queue } of jobs) {
      if (!queueNames.includes(queue)) {
        throw new BatonError("BATON_INTERNAL", `There is no queue ${queue}; there are ${queueNames.join(", ")}.`);
      }
    }
  }

  enqueue(job: NewJob): void {
    const startAt = job.startAt ?? this.#clock.now();
    const key = job.singletonKey ?? null;
    const waiting = [...this.#entries.values()].find(
      (entry) => key !== null && entry.state === "waiting" && entry.queue === job.queue && entry.key === key,
    );
    if (waiting === undefined) {
      const entry: Entry = {
        id: randomUUID(),
        queue: job.queue,
        data: structuredClone(job.data),
        tries: 1,
        key,
        startAt,
        state: "waiting",
      };
      this.#entries.set(entry.id, entry);
    } else {
      waiting.startAt = Math.min(waiting.startAt, startAt);
    }
    // After the caller's synchronous transaction: a handler must not see half of it.
    queueMicrotask(() => this.#dispatch());
  }

  complete(jobId: string): void {
    const entry = this.#entries.get(jobId);
    if (entry?.state === "active") entry.state = "completed";
  }

  async work(queue: string, concurrency: number, handler: Worker["handler"]): Promise<void> {
    this.check([{ queue, data: null }]);
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
    const pending = [...this.#entries.values()].filter(({ state }) => state === "waiting" || state === "retry");
    let nextAt = Number.POSITIVE_INFINITY;
    for (const entry of pending) {
      if (entry.startAt > now) {
        nextAt = Math.min(nextAt, entry.startAt);
        continue;
      }
      const worker = this.#workers.get(entry.queue)?.find(({ running, concurrency }) => running < concurrency);
      if (worker !== undefined) this.#run(entry, worker);
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

  #run(entry: Entry, worker: Worker): void {
    entry.state = "active";
    worker.running += 1;
    const controller = new AbortController();
    const done = (async () => {
      try {
        await worker.handler(
          { id: entry.id, queue: entry.queue, data: structuredClone(entry.data), tries: entry.tries },
          controller.signal,
        );
        entry.state = "completed";
      } catch (thrown) {
        this.#log.warn("A job failed and comes back", { queue: entry.queue, job: entry.id, error: thrown });
        this.#bringBack(entry);
      } finally {
        worker.running -= 1;
        this.#running.delete(controller);
        if (entry.state === "completed") this.#entries.delete(entry.id);
        this.#dispatch();
      }
    })();
    this.#running.set(controller, done);
  }

  #bringBack(entry: Entry): void {
    if (entry.state !== "active") return;
    entry.state = "retry";
    entry.startAt = this.#clock.now() + Math.min(retryDelayMsMax, retryDelayMs * 2 ** entry.tries);
    entry.tries += 1;
  }
}
