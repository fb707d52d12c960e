/**
 * Sends the outbox: every write to GitHub that is not an effect of a run (status, check run, replies, reactions).
 *
 * O1 A row is sent until GitHub has it. Sending a row twice leaves one result (each kind is an ensure).
 * O2 One replica pumps at a time (lease), so that two never race to create the same comment.
 * O3 Newer content of an operation replaces older content that was not sent: edits coalesce.
 */
import { errorCatalogue, toBatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { Lease, OutboxRow } from "../../ports/store.ts";
import { isClosed } from "../closed-thread.ts";
import type { Dependencies } from "../dependencies.ts";
import { Bell } from "../signal.ts";
import { outboxKinds } from "./kinds.ts";

const leaseName = "outbox";
const batchRows = 20;
/** Without a feed, Baton looks this often for rows of other writers. */
const pollIntervalMs = 500;
/** At most one a minute, so this covers a GitHub outage of more than a day. */
const triesMax = 2_000;

type Sends = Pick<Dependencies, "store" | "clock" | "log" | "github" | "owner" | "feed">;

export class OutboxPump {
  readonly #dependencies: Sends;
  readonly #closed: (row: OutboxRow, said: string) => Promise<void>;
  readonly #bell = new Bell();
  readonly #stopped = new AbortController();
  #lease: Lease | null = null;
  #renewAt = 0;
  #loop: Promise<void> = Promise.resolve();
  #sending = 0;

  /** `closed`: called when the thread of a run rejects comments. */
  constructor(dependencies: Sends, closed: (row: OutboxRow, said: string) => Promise<void> = async () => {}) {
    this.#closed = closed;
    this.#dependencies = dependencies;
  }

  start(): void {
    const unwatch = this.#dependencies.feed?.watch(({ kind }) => {
      if (kind !== "thread") this.#bell.ring();
    });
    this.#loop = this.#run().finally(() => unwatch?.());
  }

  poke(): void {
    this.#bell.ring();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#bell.ring();
    await this.#loop;
    if (this.#lease !== null) await this.#dependencies.store.releaseLease(this.#lease);
    this.#lease = null;
  }

  /** Sends the due rows and returns their number. The loop and tests call it. */
  async pump(): Promise<number> {
    if (!(await this.#hold())) return 0;
    const { store, clock } = this.#dependencies;
    const rows = await store.outboxDue(clock.now(), batchRows);
    this.#sending = rows.length;
    // Rows of one thread keep their order. Rows of different threads are sent at once.
    const byThread = new Map<string, OutboxRow[]>();
    for (const row of rows) {
      const key = `${row.repositoryId}/${String((row.payload as { number?: number }).number ?? row.operationKey)}`;
      byThread.set(key, [...(byThread.get(key) ?? []), row]);
    }
    await Promise.all(
      [...byThread.values()].map(async (list) => {
        for (const row of list) await this.#send(row);
      }),
    );
    this.#sending = 0;
    return rows.length;
  }

  get sending(): number {
    return this.#sending;
  }

  async #send(row: OutboxRow): Promise<void> {
    const { store, clock, log, github } = this.#dependencies;
    try {
      const kind = outboxKinds[row.kind as keyof typeof outboxKinds];
      const result = await kind.ensure(await github.installation(row.installationId), row);
      await store.outboxDone(row.operationKey, row.contentHash, result);
      if (kind.intervalMs > 0) await store.outboxDelay(row.operationKey, clock.now() + kind.intervalMs);
    } catch (thrown) {
      const error = toBatonError(thrown, "BATON_GITHUB_UNAVAILABLE");
      const retryable = errorCatalogue[error.code].treatment === "retryable" && row.tries < triesMax;
      log.warn("A write to GitHub failed", {
        operationKey: row.operationKey,
        code: error.code,
        text: error.message,
        again: retryable,
      });
      if (retryable)
        await store.outboxRetry(
          row.operationKey,
          clock.now() + Math.max(error.retryAfterMs ?? 0, Math.min(60_000, 500 * 2 ** row.tries)),
          error.message,
        );
      else {
        const said = `${error.code}: ${error.message}`;
        await store.outboxFailed(row.operationKey, said, row.contentHash);
        if (isClosed(row, said)) await this.#closed(row, said);
      }
    }
  }

  async #hold(): Promise<boolean> {
    const { store, clock, owner } = this.#dependencies;
    const now = clock.now();
    if (this.#lease !== null && now < this.#renewAt) return true;
    this.#lease =
      this.#lease === null
        ? await store.acquireLease(leaseName, owner, now, limits.leaseMs)
        : await store.renewLease(this.#lease, now, limits.leaseMs);
    this.#renewAt = now + limits.leaseRenewMs;
    return this.#lease !== null;
  }

  /**
   * New rows ring the bell. Meanwhile the lease is renewed. A wake-up by time makes up for a lost notification (FE4).
   */
  async #looksAgainAt(): Promise<number> {
    const { store, clock, feed } = this.#dependencies;
    const now = clock.now();
    if (feed === undefined) return now + pollIntervalMs;
    const latest = now + limits.leaseRenewMs;
    return this.#lease === null ? latest : Math.min(latest, (await store.outboxNext()) ?? latest);
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#dependencies;
    while (!this.#stopped.signal.aborted) {
      const timer = new AbortController();
      try {
        if ((await this.pump()) === batchRows) continue;
        const at = await this.#looksAgainAt();
        await Promise.race([this.#bell.wait(), clock.sleepUntil(at, timer.signal).catch(() => {})]);
      } catch (thrown) {
        log.error("The outbox could not be pumped", { error: toBatonError(thrown) });
        await clock.sleepUntil(clock.now() + 1_000, this.#stopped.signal).catch(() => {});
      } finally {
        timer.abort();
      }
    }
  }
}
