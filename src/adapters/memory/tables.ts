/**
 * The rules S1–S5 of `ports/store.ts` over plain maps. Stores without a database of their own use them.
 *
 * Owns: rows and their permitted changes. Does not own: where rows are kept, when they are durable, and which callers
 * wait.
 * T1 A method is one synchronous stretch. It checks every reason for a refusal first, then writes everything. A method
 *    that throws has changed nothing. A method may be applied again to newer tables.
 * T2 All input and output is copied, so that nobody holds a piece of the tables.
 * T3 Every change is reported to `changed`, with its table and its row.
 */
import {
  cutOff,
  erasedRow,
  openEvents,
  otherEnd,
  type SealedEvent,
  sealEvents,
  withoutText,
} from "../../core/chain.ts";
import { compactedLength, compactedPlaces, compactJournal, eraseCompacted, openCompacted } from "../../core/compact.ts";
import { BatonError, leaseLost } from "../../core/errors.ts";
import type { StoredEvent } from "../../core/event.ts";
import { limits } from "../../core/limits.ts";
import { isActiveStatus, type Json, type RunId, runPointerPrefix, runValuePrefix } from "../../core/vocabulary.ts";
import type { FeedEntry } from "../../ports/feed.ts";
import type {
  AppendRequest,
  Delivery,
  Fence,
  Job,
  Lease,
  LedgerRow,
  NewDelivery,
  NewJob,
  NewOutboxRow,
  OutboxRow,
  Pruned,
  RunFilter,
  RunRow,
  TransactionWrites,
} from "../../ports/store.ts";
import { sha256 } from "../system/sha256.ts";

/** A job with its id, which the caller chooses. Applied again, it is the same job. */
export interface JobRow extends Job {
  key: string | null;
  startAt: number;
  state: "waiting" | "retry" | "active";
}

/** `now`: the time of the request. */
export type Writes = Omit<TransactionWrites, "jobs"> & { jobs?: JobRow[]; now: number };
/** `seed`: chosen by the caller, so that an append applied again gives the same result (`core/chain.ts`). */
export type Append = Omit<AppendRequest, "also"> & { also: Writes; seed: string };

/** With the time at which its content was requested. */
export type KeptOutboxRow = OutboxRow & { putAt: number };

export type TableName =
  | "events"
  | "runs"
  | "threads"
  | "deliveries"
  | "outbox"
  | "leases"
  | "ledger"
  | "values"
  | "jobs";

/** Times in milliseconds since the epoch. The end of a run counts. */
export interface Retention {
  now: number;
  compactBefore: number;
  forgetBefore: number;
  deliveriesBefore: number;
}

export interface LedgerFilter {
  runId?: RunId;
  threadKey?: string;
  repositoryId?: number;
  since?: number;
}

const queueNames: readonly string[] = ["delivery", "run", "outbox"];
const runsMax = 1_000;

/** Throws for an unknown queue before anything is written, as a transaction would. */
export function checkQueue(queue: string): void {
  if (!queueNames.includes(queue))
    throw new BatonError("BATON_INTERNAL", `There is no queue ${queue}; there are ${queueNames.join(", ")}.`);
}

export function jobRow(job: NewJob, id: string, now: number): JobRow {
  checkQueue(job.queue);
  return {
    id,
    queue: job.queue,
    data: structuredClone(job.data),
    tries: 1,
    key: job.singletonKey ?? null,
    startAt: job.startAt ?? now,
    state: "waiting",
  };
}

export class Tables {
  readonly events = new Map<RunId, SealedEvent[]>();
  /** Compacted journals of runs that ended long ago: `core/compact.ts`. Nothing is appended to them. */
  readonly compacted = new Map<RunId, string>();
  readonly runRows = new Map<RunId, RunRow>();
  readonly threads = new Map<string, RunId>();
  readonly deliveries = new Map<string, Delivery>();
  /** In the order of first insertion. A map keeps that order when a value is replaced. */
  readonly outbox = new Map<string, KeptOutboxRow>();
  readonly leases = new Map<string, Lease>();
  readonly ledgerRows: LedgerRow[] = [];
  readonly values = new Map<string, Json>();
  readonly jobs = new Map<string, JobRow>();
  /** For threads with new events since the start. The positions of other threads are counted on demand. */
  readonly #feedHeads = new Map<string, number>();
  readonly #changed: (table: TableName, row: string) => void;

  constructor(changed: (table: TableName, row: string) => void = () => {}) {
    this.#changed = changed;
  }

  append({ runId, expectedPosition, events, now, times, fence, also, seed, ...request }: Append): StoredEvent[] {
    for (const lease of [fence, also.holds]) if (lease !== undefined && !this.#holds(lease)) throw leaseLost(lease);
    this.#demandLedger(also);
    const journal = this.events.get(runId) ?? [];
    if (this.compacted.has(runId))
      throw new BatonError("BATON_JOURNAL_CONFLICT", `${runId} ended long ago, and Baton compacted its journal.`);
    if (journal.length !== expectedPosition) {
      throw new BatonError("BATON_JOURNAL_CONFLICT", `${runId} is not at position ${expectedPosition} any more.`);
    }
    const counted = this.runRows.get(runId)?.position ?? 0;
    if (counted > expectedPosition) throw cutOff(runId, expectedPosition, counted);
    const previousHash = journal.at(-1)?.hash ?? "";
    if ((request.previousHash ?? previousHash) !== previousHash) throw otherEnd(runId, expectedPosition);
    const sealed = sealEvents({
      stream: runId,
      previousHash,
      firstPosition: expectedPosition + 1,
      now,
      times,
      events,
      sha256,
      seed,
    });
    this.#write(also, runId);
    for (const { name, value } of also.values ?? []) this.setValue(name, value);
    if (sealed.length > 0) {
      this.events.set(runId, [...journal, ...this.#placed(runId, sealed)]);
      this.#changed("events", runId);
      // S7: the count next to the journal.
      const row = this.runRows.get(runId);
      if (row !== undefined) this.#putRun({ ...row, position: expectedPosition + sealed.length });
    }
    return structuredClone(sealed.map(withoutText));
  }

  read(runId: RunId, afterPosition: number): StoredEvent[] {
    const small = this.compacted.get(runId);
    if (small !== undefined) return openCompacted(runId, small, sha256).slice(afterPosition);
    const journal = this.events.get(runId) ?? [];
    if (afterPosition > journal.length)
      throw new BatonError("BATON_JOURNAL_BROKEN", `Event ${afterPosition} of ${runId} is missing.`);
    const counted = this.runRows.get(runId)?.position ?? 0;
    if (counted > journal.length) throw cutOff(runId, journal.length, counted);
    const previousHash = afterPosition === 0 ? "" : (journal[afterPosition - 1]?.hash ?? null);
    return openEvents(runId, previousHash, journal.slice(afterPosition), sha256);
  }

  erase(runId: RunId): void {
    const small = this.compacted.get(runId);
    const journal = this.events.get(runId) ?? [];
    // T1: every refusal is found before anything is written.
    const erased = journal.map((row) => ({ ...row, ...erasedRow(runId, row, sha256) }));
    if (small !== undefined) this.compacted.set(runId, eraseCompacted(runId, small, sha256));
    else this.events.set(runId, erased);
    this.#changed("events", runId);
    for (const [key, row] of this.outbox)
      if (row.runId === runId && row.state !== "pending") {
        this.outbox.delete(key);
        this.#changed("outbox", key);
      }
  }

  /** feed.FE1: changes are applied in the order in which they count as kept. The places follow that order. */
  #placed(runId: RunId, sealed: readonly SealedEvent[]): SealedEvent[] {
    const threadKey = this.runRows.get(runId)?.threadKey;
    if (threadKey === undefined) return [...sealed];
    const head = this.#feedHeads.get(threadKey) ?? this.#feedHead(threadKey);
    this.#feedHeads.set(threadKey, head + sealed.length);
    return sealed.map((event, index) => ({ ...event, feed: head + index + 1 }));
  }

  #feedHead(threadKey: string): number {
    const small = this.#ofThread(threadKey, this.compacted).flatMap(compactedPlaces);
    const whole = this.#ofThread(threadKey, this.events).flatMap((journal) => journal.map(({ feed = 0 }) => feed));
    return [...small, ...whole].reduce((most, place) => Math.max(most, place), 0);
  }

  #ofThread<T>(threadKey: string, rows: ReadonlyMap<RunId, T>): T[] {
    return [...rows].flatMap(([runId, row]) => (this.runRows.get(runId)?.threadKey === threadKey ? [row] : []));
  }

  /** Entries of whole journals. Compacted journals only keep the count going. */
  feed(threadKey: string, after: number): FeedEntry[] {
    return this.#ofThread(threadKey, this.events)
      .flatMap((journal) => journal)
      .flatMap(({ stream, position, feed = 0 }) =>
        feed > after ? [{ position: feed, runId: stream as RunId, event: position }] : [],
      )
      .toSorted((a, b) => a.position - b.position);
  }

  position(runId: RunId): number {
    const small = this.compacted.get(runId);
    return small === undefined ? (this.events.get(runId)?.length ?? 0) : compactedLength(small);
  }

  run(runId: RunId): RunRow | null {
    return structuredClone(this.runRows.get(runId) ?? null);
  }

  runs({ threadKey, repositoryId, active, watch, idStart = "", before, limit = runsMax }: RunFilter): RunRow[] {
    const found = [...this.runRows.values()].filter(
      (run) =>
        (threadKey === undefined || run.threadKey === threadKey) &&
        (repositoryId === undefined || run.threadKey.startsWith(`${repositoryId}#`)) &&
        (active === undefined || isActiveStatus(run.status) === active) &&
        (watch === undefined || run.watches.includes(watch)) &&
        run.runId.startsWith(idStart) &&
        (before === undefined || newestFirst(before, run) < 0),
    );
    return structuredClone(found.sort(newestFirst).slice(0, limit));
  }

  activeRun(threadKey: string): RunId | null {
    return this.threads.get(threadKey) ?? null;
  }

  insertDelivery({ note, ...delivery }: NewDelivery, job: JobRow | null): boolean {
    const key = deliveryKey(delivery.hook, delivery.guid);
    if (this.deliveries.has(key)) return false;
    const state = job === null ? "handled" : "received";
    this.deliveries.set(key, { ...delivery, state, note: job === null ? (note ?? "") : null });
    this.#changed("deliveries", key);
    if (job !== null) this.enqueue(job);
    return true;
  }

  delivery(hook: string, guid: string): Delivery | null {
    return structuredClone(this.deliveries.get(deliveryKey(hook, guid)) ?? null);
  }

  finishDelivery(hook: string, guid: string, state: "handled" | "failed", note: string): void {
    const key = deliveryKey(hook, guid);
    const delivery = this.deliveries.get(key);
    if (delivery === undefined) return;
    this.deliveries.set(key, { ...delivery, state, note });
    this.#changed("deliveries", key);
  }

  knownGuids(guids: string[]): Set<string> {
    const known = new Set([...this.deliveries.values()].map(({ guid }) => guid));
    return new Set(guids.filter((guid) => known.has(guid)));
  }

  prune(before: { deliveriesBefore: number; outboxBefore: number }): Pruned {
    const removed = { deliveries: 0, outbox: 0, values: 0 };
    for (const [key, { state, receivedAt }] of this.deliveries) {
      if (state === "received" || receivedAt >= before.deliveriesBefore) continue;
      this.deliveries.delete(key);
      this.#changed("deliveries", key);
      removed.deliveries += 1;
    }
    for (const [key, { state, putAt, runId }] of this.outbox) {
      const run = runId === null ? undefined : this.runRows.get(runId);
      if (state === "pending" || putAt >= before.outboxBefore || (run !== undefined && isActiveStatus(run.status)))
        continue;
      this.outbox.delete(key);
      this.#changed("outbox", key);
      removed.outbox += 1;
    }
    for (const [name, value] of this.values) {
      const run = this.runRows.get(runOfValue(name, value) as RunId);
      if (run === undefined || isActiveStatus(run.status) || run.updatedAt >= before.outboxBefore) continue;
      this.removeValues([name]);
      removed.values += 1;
    }
    return removed;
  }

  /**
   * Compacts and forgets runs that ended long ago. Compacted: the journal is compacted, sent content is forgotten, and
   * the ledger is summed by harness and model. Forgotten: all of it is gone. The names of deliveries stay, so that each
   * is handled once.
   */
  retain({ now, compactBefore, forgetBefore, deliveriesBefore }: Retention): {
    compacted: RunId[];
    forgotten: RunId[];
  } {
    const over = [...this.runRows.values()].filter(({ status }) => !isActiveStatus(status));
    const forgotten = over.filter(({ updatedAt }) => updatedAt < forgetBefore).map(({ runId }) => runId);
    const compacted = over
      .filter(
        ({ runId, updatedAt }) => updatedAt < compactBefore && updatedAt >= forgetBefore && this.events.has(runId),
      )
      .map(({ runId }) => runId);
    // T1: a broken journal is found before anything is written.
    const journals = compacted.map((runId) => {
      const rows = this.events.get(runId) ?? [];
      const placed = this.read(runId, 0).map((event, index) => {
        const feed = rows[index]?.feed;
        return feed === undefined ? event : { ...event, feed };
      });
      return [runId, compactJournal(placed, now, sha256)] as const;
    });
    for (const [runId, journal] of journals) {
      this.events.delete(runId);
      this.compacted.set(runId, journal);
      this.#changed("events", runId);
      this.#changed("runs", runId);
    }
    for (const runId of forgotten) {
      this.events.delete(runId);
      this.compacted.delete(runId);
      this.runRows.delete(runId);
      this.#changed("events", runId);
      this.#changed("runs", runId);
    }
    const moved = new Set([...compacted, ...forgotten]);
    if (moved.size > 0) this.#retainRest(moved, new Set(forgotten));
    this.prune({ deliveriesBefore, outboxBefore: 0 });
    for (const [key, delivery] of this.deliveries) {
      if (moved.size === 0 || delivery.state === "received" || delivery.payload === "") continue;
      this.deliveries.set(key, { ...delivery, payload: "" });
      this.#changed("deliveries", key);
    }
    return { compacted, forgotten };
  }

  #retainRest(moved: ReadonlySet<RunId>, forgotten: ReadonlySet<RunId>): void {
    for (const [key, { runId, state }] of this.outbox)
      if (runId !== null && moved.has(runId) && state !== "pending") {
        this.outbox.delete(key);
        this.#changed("outbox", key);
      }
    // A wake-up of an ended run wakes nothing. Left here, it would keep the thread forever.
    for (const [id, { data, state }] of this.jobs)
      if (state !== "active" && moved.has((data as { runId?: RunId }).runId as RunId)) {
        this.jobs.delete(id);
        this.#changed("jobs", id);
      }
    for (const name of this.leases.keys())
      if ([...moved].some((runId) => name.includes(runId))) {
        this.leases.delete(name);
        this.#changed("leases", name);
      }
    const sums = new Map<string, LedgerRow>();
    const kept: LedgerRow[] = [];
    for (const row of this.ledgerRows) {
      if (!moved.has(row.runId)) {
        kept.push(row);
        continue;
      }
      this.#changed("ledger", `${row.at}`);
      if (row.kind === "reserve" || forgotten.has(row.runId)) continue;
      const key = JSON.stringify([row.runId, row.harness, row.model]);
      const sum = sums.get(key);
      sums.set(key, sum === undefined ? { ...row, key: "", attempt: 0 } : added(sum, row));
    }
    for (const row of sums.values()) this.#changed("ledger", `${row.at}`);
    this.ledgerRows.splice(0, this.ledgerRows.length, ...kept, ...sums.values());
  }

  write(writes: Writes): void {
    this.#write(writes, writes.run?.runId ?? null);
  }

  outboxRow(operationKey: string): OutboxRow | null {
    const row = this.outbox.get(operationKey);
    return row === undefined ? null : handedOut(row);
  }

  outboxDue(now: number, limit: number): OutboxRow[] {
    const due = [...this.outbox.values()].filter(({ state, notBefore }) => state === "pending" && notBefore <= now);
    // A stable sort keeps equal priorities in order of age.
    return due
      .sort((a, b) => a.priority - b.priority)
      .slice(0, limit)
      .map(handedOut);
  }

  outboxNext(): number | null {
    const pending = [...this.outbox.values()].filter(({ state }) => state === "pending");
    return pending.length === 0 ? null : Math.min(...pending.map(({ notBefore }) => notBefore));
  }

  changeOutbox(operationKey: string, change: (row: OutboxRow) => Partial<OutboxRow>): void {
    const row = this.outbox.get(operationKey);
    if (row === undefined) return;
    this.outbox.set(operationKey, { ...row, ...change(row) });
    this.#changed("outbox", operationKey);
  }

  acquireLease(name: string, owner: string, now: number, ttlMs: number): Lease | null {
    const held = this.leases.get(name);
    // An expiry beyond the longest lease cannot come from Baton. Nobody would ever renew such a lease, and it would
    // hold its run forever.
    if (held !== undefined && held.expiresAt > now && held.expiresAt <= now + ttlMs + limits.leaseSlackMs) return null;
    return this.#putLease({ name, owner, epoch: (held?.epoch ?? 0) + 1, expiresAt: now + ttlMs });
  }

  renewLease(lease: Lease, now: number, ttlMs: number): Lease | null {
    return this.#holds(lease) ? this.#putLease({ ...lease, expiresAt: now + ttlMs }) : null;
  }

  releaseLease(lease: Lease): void {
    // The epoch stays. It must never restart, or an old holder could write.
    if (this.#holds(lease)) this.#putLease({ ...lease, owner: "", expiresAt: -1 });
  }

  expiredLeases(now: number): Lease[] {
    return structuredClone(
      [...this.leases.values()].filter(({ owner, expiresAt }) => owner !== "" && expiresAt <= now),
    );
  }

  ledger({ runId, threadKey, repositoryId, since }: LedgerFilter): LedgerRow[] {
    return structuredClone(
      this.ledgerRows.filter(
        (row) =>
          (runId === undefined || row.runId === runId) &&
          (threadKey === undefined || row.threadKey === threadKey) &&
          (repositoryId === undefined || row.repositoryId === repositoryId) &&
          (since === undefined || row.at >= since),
      ),
    );
  }

  value(name: string): Json {
    return structuredClone(this.values.get(name) ?? null);
  }

  setValue(name: string, value: Json): void {
    this.values.set(name, structuredClone(value));
    this.#changed("values", name);
  }

  removeValues(names: string[]): void {
    for (const name of names) if (this.values.delete(name)) this.#changed("values", name);
  }

  // jobs

  enqueue(job: JobRow): void {
    const waiting = [...this.jobs.values()].find(
      (row) => job.key !== null && row.state === "waiting" && row.queue === job.queue && row.key === job.key,
    );
    this.#putJob(
      waiting === undefined ? structuredClone(job) : { ...waiting, startAt: Math.min(waiting.startAt, job.startAt) },
    );
  }

  beginJob(id: string): void {
    const job = this.jobs.get(id);
    if (job !== undefined) this.#putJob({ ...job, state: "active" });
  }

  completeJob(id: string): void {
    if (this.jobs.get(id)?.state !== "active") return;
    this.jobs.delete(id);
    this.#changed("jobs", id);
  }

  /** After a failed try. Does nothing when the job was completed meanwhile. */
  bringBackJob(id: string, startAt: number): void {
    const job = this.jobs.get(id);
    if (job?.state === "active") this.#putJob({ ...job, state: "retry", startAt, tries: job.tries + 1 });
  }

  /** Jobs that a dead worker held are handed out again. */
  abandonJobs(): void {
    for (const job of this.jobs.values()) if (job.state === "active") this.#putJob({ ...job, state: "retry" });
  }

  #putRun(run: RunRow): void {
    this.runRows.set(run.runId, run);
    this.#changed("runs", run.runId);
  }

  #putJob(job: JobRow): void {
    this.jobs.set(job.id, job);
    this.#changed("jobs", job.id);
  }

  #putLease(lease: Lease): Lease {
    this.leases.set(lease.name, lease);
    this.#changed("leases", lease.name);
    return { ...lease };
  }

  #write(writes: Writes, writer: RunId | null): void {
    const { jobs = [], outbox = [], ledger = [], run, thread, completeJobId, now } = writes;
    // T1: checks for refusals come first.
    if (thread !== undefined && thread.activeRunId !== null) {
      const active = this.threads.get(thread.threadKey);
      if (active !== undefined && active !== thread.activeRunId) {
        throw new BatonError("BATON_RUN_ACTIVE", "Another run is active in this thread.");
      }
    }
    const copies = structuredClone({ outbox, ledger, run });
    if (copies.run !== undefined) {
      const position = Math.max(copies.run.position, this.runRows.get(copies.run.runId)?.position ?? 0);
      this.#putRun({ ...copies.run, position, watches: [...new Set(copies.run.watches)] });
    }
    if (thread !== undefined) this.#writeThread(thread, writer);
    for (const row of copies.outbox) this.#putOutbox(row, now);
    for (const row of copies.ledger) {
      this.ledgerRows.push(row);
      this.#changed("ledger", `${row.at}`);
    }
    if (completeJobId !== undefined) this.completeJob(completeJobId);
    for (const job of jobs) this.enqueue(job);
  }

  #writeThread(
    { threadKey, activeRunId }: { threadKey: string; activeRunId: RunId | null },
    writer: RunId | null,
  ): void {
    if (activeRunId !== null) this.threads.set(threadKey, activeRunId);
    else if (writer === null || this.threads.get(threadKey) === writer) this.threads.delete(threadKey);
    else return;
    this.#changed("threads", threadKey);
  }

  #putOutbox(row: NewOutboxRow, putAt: number): void {
    const old = this.outbox.get(row.operationKey);
    this.#changed("outbox", row.operationKey);
    if (old === undefined) {
      this.outbox.set(row.operationKey, {
        ...row,
        state: "pending",
        doneHash: null,
        result: null,
        tries: 0,
        error: null,
        putAt,
      });
      return;
    }
    const same = old.contentHash === row.contentHash;
    this.outbox.set(row.operationKey, {
      ...old,
      payload: row.payload,
      contentHash: row.contentHash,
      priority: row.priority,
      notBefore: row.priority < old.priority ? row.notBefore : old.notBefore,
      // A pending content may have been sent although its answer was lost. Only a content that is certainly done is not
      // sent again.
      state: old.state === "done" && old.doneHash === row.contentHash ? "done" : "pending",
      tries: same ? old.tries : 0,
      error: same ? old.error : null,
      putAt,
    });
  }

  #demandLedger({ holds, ledgerSeen }: Writes): void {
    if (ledgerSeen === undefined) return;
    const { rows, ...filter } = ledgerSeen;
    if (this.ledger(filter).length === rows) return;
    throw new BatonError("BATON_LEASE_LOST", "Money was set aside or settled since this was decided.", {
      details: { lease: holds?.name ?? "" },
    });
  }

  #holds({ name, owner, epoch }: Fence): boolean {
    const held = this.leases.get(name);
    return held?.owner === owner && held.epoch === epoch;
  }
}

function added(sum: LedgerRow, row: LedgerRow): LedgerRow {
  return {
    ...sum,
    input: sum.input + row.input,
    output: sum.output + row.output,
    cacheRead: sum.cacheRead + row.cacheRead,
    cacheWrite: sum.cacheWrite + row.cacheWrite,
    usd: sum.usd + row.usd,
    at: Math.max(sum.at, row.at),
  };
}

export function deliveryKey(hook: string, guid: string): string {
  return JSON.stringify([hook, guid]);
}

function handedOut({ putAt: _putAt, ...row }: KeptOutboxRow): OutboxRow {
  return structuredClone(row);
}

function newestFirst(a: Pick<RunRow, "createdAt" | "runId">, b: Pick<RunRow, "createdAt" | "runId">): number {
  return b.createdAt - a.createdAt || (a.runId < b.runId ? 1 : a.runId > b.runId ? -1 : 0);
}

/** The run that a value belongs to, by the value's name. A pointer names its run in its content. */
function runOfValue(name: string, value: Json): unknown {
  if (name.startsWith(runValuePrefix)) return name.slice(runValuePrefix.length).split("/")[0];
  return name.startsWith(runPointerPrefix) ? (value as { runId?: unknown } | null)?.runId : undefined;
}
