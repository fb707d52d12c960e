/** The Store port over tables. `apply` decides who applies a change, and when the change counts as kept. */
import { randomUUID } from "node:crypto";
import { journaledEvent } from "../../core/chain.ts";
import type { RunEvent, StoredEvent } from "../../core/event.ts";
import type { Json, RunId } from "../../core/vocabulary.ts";
import type {
  AppendRequest,
  Delivery,
  KeptBlob,
  Lease,
  LedgerRow,
  NewDelivery,
  NewJob,
  OutboxRow,
  RunRow,
  Store,
  TransactionWrites,
} from "../../ports/store.ts";
import { sha256 } from "../system/sha256.ts";
import { type JobRow, jobRow, type LedgerFilter, type Tables, type Writes } from "./tables.ts";

export interface ChangeAbout {
  /** Not handed out before the change counts as kept. */
  jobs: readonly JobRow[];
  /** A journal grew or an event arrived. All other rows follow from these, and are rebuilt when they are lost. */
  isCause: boolean;
  /** The old content must not stay readable in any past of the tables. */
  dropsPast?: boolean;
  /** Writes of others may make this change fail. Its answer counts once the change is kept. */
  waits?: boolean;
}

export interface TablesHost {
  /** The tables as they are now. */
  tables(): Tables;
  /** Applies a change. May apply it again to newer tables. */
  change<T>(apply: (tables: Tables) => T, about: ChangeAbout): Promise<T>;
  putBlob(content: string): Promise<string>;
  blob(id: string): Promise<string | null>;
  /** The time for a job without a time of its own. */
  now(): number;
}

export class TablesStore implements Store {
  readonly #host: TablesHost;

  constructor(host: TablesHost) {
    this.#host = host;
  }

  async append({ also: { blobs = [], ...also } = {}, ...request }: AppendRequest): Promise<StoredEvent[]> {
    for (const { content } of blobs) await this.#host.putBlob(content);
    const writes = this.#identified(also);
    const copy = structuredClone({ ...request, also: writes, seed: randomUUID() });
    return this.#host.change((tables) => tables.append(copy), {
      jobs: writes.jobs ?? [],
      isCause: request.events.length > 0,
      waits: writes.ledgerSeen !== undefined,
    });
  }

  journaled(events: readonly RunEvent[]): RunEvent[] {
    return events.map(journaledEvent);
  }

  async read(runId: RunId, afterPosition = 0): Promise<StoredEvent[]> {
    return this.#host.tables().read(runId, afterPosition);
  }

  async erase(runId: RunId): Promise<void> {
    return this.#host.change((tables) => tables.erase(runId), { jobs: [], isCause: false, dropsPast: true });
  }

  async position(runId: RunId): Promise<number> {
    return this.#host.tables().position(runId);
  }

  async run(runId: RunId): Promise<RunRow | null> {
    return this.#host.tables().run(runId);
  }

  async runs(filter: Parameters<Store["runs"]>[0]): Promise<RunRow[]> {
    return this.#host.tables().runs(filter);
  }

  async activeRun(threadKey: string): Promise<RunId | null> {
    return this.#host.tables().activeRun(threadKey);
  }

  async insertDelivery(delivery: NewDelivery, job: NewJob | null): Promise<boolean> {
    const row = job === null ? null : this.#row(job);
    const copy = { ...delivery };
    return this.#host.change((tables) => tables.insertDelivery(copy, row), {
      jobs: row === null ? [] : [row],
      isCause: true,
    });
  }

  async delivery(hook: string, guid: string): Promise<Delivery | null> {
    return this.#host.tables().delivery(hook, guid);
  }

  async finishDelivery(
    hook: string,
    guid: string,
    state: "handled" | "failed",
    note: string,
    completeJobId?: string,
  ): Promise<void> {
    return this.#change((tables) => {
      tables.finishDelivery(hook, guid, state, note);
      if (completeJobId !== undefined) tables.completeJob(completeJobId);
    });
  }

  async knownGuids(guids: string[]): Promise<Set<string>> {
    return this.#host.tables().knownGuids(guids);
  }

  async prune(before: Parameters<Store["prune"]>[0]): ReturnType<Store["prune"]> {
    return this.#change((tables) => tables.prune(before));
  }

  async write(writes: TransactionWrites): Promise<void> {
    const copy = structuredClone(this.#identified(writes));
    return this.#host.change((tables) => tables.write(copy), { jobs: copy.jobs ?? [], isCause: false });
  }

  async outboxRow(operationKey: string): Promise<OutboxRow | null> {
    return this.#host.tables().outboxRow(operationKey);
  }

  async outboxDue(now: number, limit: number): Promise<OutboxRow[]> {
    return this.#host.tables().outboxDue(now, limit);
  }

  async outboxNext(): Promise<number | null> {
    return this.#host.tables().outboxNext();
  }

  async outboxDone(operationKey: string, contentHash: string, result: Json): Promise<void> {
    const kept = structuredClone(result);
    return this.#changeOutbox(operationKey, (row) => ({
      // S5: a newer content that arrived while this one was sent is still pending.
      state: row.contentHash === contentHash ? "done" : "pending",
      doneHash: contentHash,
      result: kept,
      tries: 0,
      error: null,
    }));
  }

  async outboxRetry(operationKey: string, notBefore: number, error: string): Promise<void> {
    return this.#changeOutbox(operationKey, ({ tries }) => ({ notBefore, error, tries: tries + 1 }));
  }

  async outboxFailed(operationKey: string, error: string, contentHash?: string): Promise<void> {
    return this.#changeOutbox(operationKey, (row) =>
      contentHash === undefined || contentHash === row.contentHash ? { state: "failed", error } : {},
    );
  }

  async outboxDelay(operationKey: string, notBefore: number): Promise<void> {
    return this.#changeOutbox(operationKey, () => ({ notBefore }));
  }

  async acquireLease(name: string, owner: string, now: number, ttlMs: number): Promise<Lease | null> {
    return this.#change((tables) => tables.acquireLease(name, owner, now, ttlMs));
  }

  async renewLease(lease: Lease, now: number, ttlMs: number): Promise<Lease | null> {
    return this.#change((tables) => tables.renewLease(lease, now, ttlMs));
  }

  async releaseLease(lease: Lease): Promise<void> {
    return this.#change((tables) => tables.releaseLease(lease));
  }

  async expiredLeases(now: number): Promise<Lease[]> {
    return this.#host.tables().expiredLeases(now);
  }

  async ledger(filter: LedgerFilter): Promise<LedgerRow[]> {
    return this.#host.tables().ledger(filter);
  }

  keptBlob(content: string): KeptBlob {
    return { id: sha256(content), content };
  }

  putBlob(content: string): Promise<string> {
    return this.#host.putBlob(content);
  }

  blob(id: string): Promise<string | null> {
    return this.#host.blob(id);
  }

  async value(name: string): Promise<Json> {
    return this.#host.tables().value(name);
  }

  async setValue(name: string, value: Json): Promise<void> {
    const kept = structuredClone(value);
    return this.#change((tables) => tables.setValue(name, kept));
  }

  async removeValues(names: string[]): Promise<void> {
    const wanted = [...names];
    return this.#change((tables) => tables.removeValues(wanted));
  }

  #change<T>(apply: (tables: Tables) => T): Promise<T> {
    return this.#host.change(apply, { jobs: [], isCause: false });
  }

  #changeOutbox(operationKey: string, change: (row: OutboxRow) => Partial<OutboxRow>): Promise<void> {
    return this.#change((tables) => tables.changeOutbox(operationKey, change));
  }

  #identified({ jobs, ...rest }: TransactionWrites): Writes {
    const now = this.#host.now();
    return jobs === undefined ? { ...rest, now } : { ...rest, now, jobs: jobs.map((job) => this.#row(job)) };
  }

  #row(job: NewJob): JobRow {
    return jobRow(job, randomUUID(), this.#host.now());
  }
}
