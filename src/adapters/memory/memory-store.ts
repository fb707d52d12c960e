/**
 * The store in memory: the contract S1–S5 of `ports/store.ts` without a database.
 *
 * M1 A transaction is one synchronous stretch: everything that can be refused is looked at first, then all is written.
 * M2 What goes in and out is copied, so that nobody holds a piece of the store.
 */
import { cutOff, openEvents, type SealedEvent, sealEvents, withoutText } from "../../core/chain.ts";
import { BatonError } from "../../core/errors.ts";
import type { StoredEvent } from "../../core/event.ts";
import type { Json, RunId } from "../../core/vocabulary.ts";
import type {
  AppendRequest,
  Delivery,
  Fence,
  Lease,
  LedgerRow,
  NewDelivery,
  NewJob,
  NewOutboxRow,
  OutboxRow,
  RunFilter,
  RunRow,
  Store,
  TransactionWrites,
} from "../../ports/store.ts";
import { sha256 } from "../system/sha256.ts";
import type { MemoryQueue } from "./memory-queue.ts";

const activeStates = new Set<RunRow["status"]>(["running", "waiting", "paused"]);
const runsMax = 1_000;

export class MemoryStore implements Store {
  readonly #queue: MemoryQueue;
  readonly #events = new Map<RunId, SealedEvent[]>();
  readonly #runs = new Map<RunId, RunRow>();
  readonly #threads = new Map<string, RunId>();
  readonly #deliveries = new Map<string, Delivery>();
  /** In the order of first insertion: a map keeps it when a value is replaced. */
  readonly #outbox = new Map<string, OutboxRow>();
  /** When an operation was first asked for. */
  readonly #putAt = new Map<string, number>();
  readonly #leases = new Map<string, Lease>();
  readonly #ledger: LedgerRow[] = [];
  readonly #blobs = new Map<string, string>();
  readonly #values = new Map<string, Json>();

  constructor(queue: MemoryQueue) {
    this.#queue = queue;
  }

  async append({ runId, expectedPosition, events, now, fence, also }: AppendRequest): Promise<StoredEvent[]> {
    if (fence !== undefined && !this.#holds(fence)) {
      throw new BatonError(
        "BATON_LEASE_LOST",
        `The lease ${fence.name} (epoch ${fence.epoch}) is not held by ${fence.owner} any more.`,
      );
    }
    const journal = this.#events.get(runId) ?? [];
    if (journal.length !== expectedPosition) {
      throw new BatonError("BATON_JOURNAL_CONFLICT", `${runId} is not at position ${expectedPosition} any more.`);
    }
    const counted = this.#runs.get(runId)?.position ?? 0;
    if (counted > expectedPosition) throw cutOff(runId, expectedPosition, counted);
    const previousHash = journal.at(-1)?.hash ?? "";
    const sealed = sealEvents({
      stream: runId,
      previousHash,
      firstPosition: expectedPosition + 1,
      now,
      events,
      sha256,
    });
    this.#write(also ?? {}, runId);
    this.#events.set(runId, [...journal, ...sealed]);
    // S7: the count beside the journal.
    const row = this.#runs.get(runId);
    if (row !== undefined) row.position = Math.max(row.position, expectedPosition + sealed.length);
    return structuredClone(sealed.map(withoutText));
  }

  async read(runId: RunId, afterPosition = 0): Promise<StoredEvent[]> {
    const journal = this.#events.get(runId) ?? [];
    if (afterPosition > journal.length)
      throw new BatonError("BATON_JOURNAL_BROKEN", `Event ${afterPosition} of ${runId} is missing.`);
    const counted = this.#runs.get(runId)?.position ?? 0;
    if (counted > journal.length) throw cutOff(runId, journal.length, counted);
    const previousHash = afterPosition === 0 ? "" : (journal[afterPosition - 1]?.hash ?? null);
    return openEvents(runId, previousHash, journal.slice(afterPosition), sha256);
  }

  async position(runId: RunId): Promise<number> {
    return this.#events.get(runId)?.length ?? 0;
  }

  async run(runId: RunId): Promise<RunRow | null> {
    return structuredClone(this.#runs.get(runId) ?? null);
  }

  async runs(filter: RunFilter): Promise<RunRow[]> {
    const { threadKey, active, watch, before, limit = runsMax } = filter;
    const found = [...this.#runs.values()].filter(
      (run) =>
        (threadKey === undefined || run.threadKey === threadKey) &&
        (active === undefined || activeStates.has(run.status) === active) &&
        (watch === undefined || run.watches.includes(watch)) &&
        (before === undefined || newestFirst(before, run) < 0),
    );
    return structuredClone(found.sort(newestFirst).slice(0, limit));
  }

  async activeRun(threadKey: string): Promise<RunId | null> {
    return this.#threads.get(threadKey) ?? null;
  }

  async insertDelivery(delivery: NewDelivery, job: NewJob): Promise<boolean> {
    const key = deliveryKey(delivery.hook, delivery.guid);
    if (this.#deliveries.has(key)) return false;
    this.#queue.check([job]);
    this.#deliveries.set(key, { ...delivery, state: "received", note: null });
    this.#queue.enqueue(job);
    return true;
  }

  async delivery(hook: string, guid: string): Promise<Delivery | null> {
    return structuredClone(this.#deliveries.get(deliveryKey(hook, guid)) ?? null);
  }

  async finishDelivery(hook: string, guid: string, state: "handled" | "failed", note: string): Promise<void> {
    const delivery = this.#deliveries.get(deliveryKey(hook, guid));
    if (delivery !== undefined) Object.assign(delivery, { state, note });
  }

  async knownGuids(hook: string, guids: string[]): Promise<Set<string>> {
    return new Set(guids.filter((guid) => this.#deliveries.has(deliveryKey(hook, guid))));
  }

  async write(writes: TransactionWrites): Promise<void> {
    this.#write(writes, writes.run?.runId ?? null);
  }

  async outboxRow(operationKey: string): Promise<OutboxRow | null> {
    return structuredClone(this.#outbox.get(operationKey) ?? null);
  }

  async outboxDue(now: number, limit: number): Promise<OutboxRow[]> {
    const due = [...this.#outbox.values()].filter(({ state, notBefore }) => state === "pending" && notBefore <= now);
    // A stable sort: equal priorities stay by age.
    return structuredClone(due.sort((a, b) => a.priority - b.priority).slice(0, limit));
  }

  async outboxDone(operationKey: string, contentHash: string, result: Json): Promise<void> {
    this.#changeOutbox(operationKey, (row) => ({
      // S5: a newer content that came while this one was sent stays to be sent.
      state: row.contentHash === contentHash ? "done" : "pending",
      doneHash: contentHash,
      result: structuredClone(result),
      tries: 0,
      error: null,
    }));
  }

  async outboxRetry(operationKey: string, notBefore: number, error: string): Promise<void> {
    this.#changeOutbox(operationKey, ({ tries }) => ({ notBefore, error, tries: tries + 1 }));
  }

  async outboxFailed(operationKey: string, error: string, contentHash?: string): Promise<void> {
    this.#changeOutbox(operationKey, (row) =>
      contentHash === undefined || contentHash === row.contentHash ? { state: "failed", error } : {},
    );
  }

  async outboxDelay(operationKey: string, notBefore: number): Promise<void> {
    this.#changeOutbox(operationKey, () => ({ notBefore }));
  }

  async acquireLease(name: string, owner: string, now: number, ttlMs: number): Promise<Lease | null> {
    const held = this.#leases.get(name);
    if (held !== undefined && held.expiresAt > now) return null;
    const lease: Lease = { name, owner, epoch: (held?.epoch ?? 0) + 1, expiresAt: now + ttlMs };
    this.#leases.set(name, lease);
    return { ...lease };
  }

  async renewLease(lease: Lease, now: number, ttlMs: number): Promise<Lease | null> {
    if (!this.#holds(lease)) return null;
    const renewed = { ...lease, expiresAt: now + ttlMs };
    this.#leases.set(lease.name, renewed);
    return { ...renewed };
  }

  async releaseLease(lease: Lease): Promise<void> {
    // The epoch stays: it must never begin again, or an old holder could write.
    if (this.#holds(lease)) this.#leases.set(lease.name, { ...lease, owner: "", expiresAt: -1 });
  }

  async expiredLeases(now: number): Promise<Lease[]> {
    return structuredClone(
      [...this.#leases.values()].filter(({ owner, expiresAt }) => owner !== "" && expiresAt <= now),
    );
  }

  async ledger(filter: {
    runId?: RunId;
    threadKey?: string;
    repositoryId?: number;
    since?: number;
  }): Promise<LedgerRow[]> {
    const { runId, threadKey, repositoryId, since } = filter;
    return structuredClone(
      this.#ledger.filter(
        (row) =>
          (runId === undefined || row.runId === runId) &&
          (threadKey === undefined || row.threadKey === threadKey) &&
          (repositoryId === undefined || row.repositoryId === repositoryId) &&
          (since === undefined || row.at >= since),
      ),
    );
  }

  async putBlob(content: string): Promise<string> {
    const id = sha256(content);
    this.#blobs.set(id, content);
    return id;
  }

  async blob(id: string): Promise<string | null> {
    return this.#blobs.get(id) ?? null;
  }

  async value(name: string): Promise<Json> {
    return structuredClone(this.#values.get(name) ?? null);
  }

  async setValue(name: string, value: Json): Promise<void> {
    this.#values.set(name, structuredClone(value));
  }

  #write(writes: TransactionWrites, writer: RunId | null): void {
    const { jobs = [], outbox = [], ledger = [], run, thread, completeJobId } = writes;
    // M1: what can be refused comes first.
    this.#queue.check(jobs);
    if (thread !== undefined && thread.activeRunId !== null) {
      const active = this.#threads.get(thread.threadKey);
      if (active !== undefined && active !== thread.activeRunId) {
        throw new BatonError("BATON_RUN_ACTIVE", "Another run is active in this thread.");
      }
    }
    const copies = structuredClone({ outbox, ledger, run });
    if (copies.run !== undefined) {
      const position = Math.max(copies.run.position, this.#runs.get(copies.run.runId)?.position ?? 0);
      this.#runs.set(copies.run.runId, { ...copies.run, position, watches: [...new Set(copies.run.watches)] });
    }
    if (thread !== undefined) this.#writeThread(thread, writer);
    for (const row of copies.outbox) this.#putOutbox(row);
    this.#ledger.push(...copies.ledger);
    if (completeJobId !== undefined) this.#queue.complete(completeJobId);
    for (const job of jobs) this.#queue.enqueue(job);
  }

  #writeThread(
    { threadKey, activeRunId }: { threadKey: string; activeRunId: RunId | null },
    writer: RunId | null,
  ): void {
    if (activeRunId !== null) this.#threads.set(threadKey, activeRunId);
    else if (writer === null || this.#threads.get(threadKey) === writer) this.#threads.delete(threadKey);
  }

  #putOutbox(row: NewOutboxRow): void {
    const old = this.#outbox.get(row.operationKey);
    if (old === undefined) {
      this.#outbox.set(row.operationKey, {
        ...row,
        state: "pending",
        doneHash: null,
        result: null,
        tries: 0,
        error: null,
      });
      return;
    }
    const same = old.contentHash === row.contentHash;
    this.#outbox.set(row.operationKey, {
      ...old,
      payload: row.payload,
      contentHash: row.contentHash,
      priority: row.priority,
      // A pending content may have been sent and its answer lost: only what is done for certain needs no sending.
      state: old.state === "done" && old.doneHash === row.contentHash ? "done" : "pending",
      tries: same ? old.tries : 0,
      error: same ? old.error : null,
      this.#putAt.set(row.operationKey, this.#clock.now());
    });
  }

  #changeOutbox(operationKey: string, change: (row: OutboxRow) => Partial<OutboxRow>): void {
    const row = this.#outbox.get(operationKey);
    if (row !== undefined) Object.assign(row, change(row));
  }

  #holds({ name, owner, epoch }: Fence): boolean {
    const held = this.#leases.get(name);
    return held?.owner === owner && held.epoch === epoch;
  }
}

function deliveryKey(hook: string, guid: string): string {
  return JSON.stringify([hook, guid]);
}
function newestFirst(a: Pick<RunRow, "createdAt" | "runId">, b: Pick<RunRow, "createdAt" | "runId">): number {
  return b.createdAt - a.createdAt || (a.runId < b.runId ? 1 : a.runId > b.runId ? -1 : 0);
}


/** Removes what matches and says how many went. */
function removeWhere<T>(map: Map<string, T>, matches: (value: T) => boolean): number {
  let removed = 0;
  for (const [key, value] of map) if (matches(value) && map.delete(key)) removed += 1;
  return removed;
}
