/**
 * Durable state of App mode: journal, deliveries, queue, outbox, leases, ledger. One transaction covers them all. So an
 * outcome, its cost, its writes and its wake-up are stored together or not at all.
 *
 * Contract (one suite over PGlite, PostgreSQL and the in-memory fake: `test/contract/store.ts`):
 * S1 `append` succeeds only at the expected position. Otherwise it fails with BATON_JOURNAL_CONFLICT and writes
 *    nothing.
 * S2 `append` with a fence succeeds only while that lease is held at that epoch. Otherwise it fails with
 *    BATON_LEASE_LOST. The same is true for a second lease that the decision `holds`.
 * S3 A delivery is inserted once by (hook, GUID).
 * S4 A job stays until it is completed. Another worker gets a dead worker's job.
 * S5 An outbox row is unique by its operation key. Newer content replaces content that was not sent. A more urgent row
 *    does not wait for the time of the row that it replaces.
 * S7 A run's index row counts its events and never counts back. A shorter journal is BATON_JOURNAL_BROKEN.
 * S8 `erase` deletes possible personal text in a finished journal, in one step. The journal's chain still holds.
 * S6 After a kill at any instruction the store opens again, with everything that it acknowledged.
 */
import type { RunEvent, StoredEvent } from "../core/event.ts";
import type { Json, RunId, RunStatus } from "../core/vocabulary.ts";
import type { Feed } from "./feed.ts";

export interface Fence {
  name: string;
  owner: string;
  epoch: number;
}

export interface AppendRequest {
  runId: RunId;
  /** The number of events that the appender has seen. 0: a new run. */
  expectedPosition: number;
  events: RunEvent[];
  /** The hash of the last event that the appender has seen. With it, the store need not read that event first. */
  previousHash?: string;
  /** Milliseconds since the epoch, kept as `at` of each event. */
  now: number;
  /** The same for each event, where they differ. */
  times?: number[];
  fence?: Fence;
  /** Written in the same transaction. */
  also?: TransactionWrites;
}

export interface TransactionWrites {
  jobs?: NewJob[];
  outbox?: NewOutboxRow[];
  /** Marks a job as completed together with its result. */
  completeJobId?: string;
  /** Replaces the run's index row. */
  run?: RunRow;
  /** Occupies the thread for this run, or frees it: a thread has at most one active run. Conflict: BATON_RUN_ACTIVE. */
  thread?: { threadKey: string; activeRunId: RunId | null };
  ledger?: LedgerRow[];
  /** Texts that the events name. Only for an append. */
  blobs?: KeptBlob[];
  /** Small values that change with the events. Only for an append. */
  values?: { name: string; value: Json }[];
  /** The lease under which this was decided, in addition to the run's own. Only for an append. */
  holds?: Fence;
  /**
   * The number of rows in the repository's ledger that the decision knew. Another number is BATON_LEASE_LOST if writers
   * do not see each other's leases (git refs). Otherwise `holds` is enough. Only for an append.
   */
  ledgerSeen?: { repositoryId: number; since: number; rows: number };
}

/** A text as the store keeps it, by its id. */
export interface KeptBlob {
  id: string;
  content: string;
}

/** A run's fields for lists without reading its journal: a projection, rebuilt from events when lost. */
export interface RunRow {
  runId: RunId;
  /** `owner/name#number` by ids: `<repository id>#<number>`. */
  threadKey: string;
  process: string;
  status: RunStatus;
  position: number;
  createdAt: number;
  updatedAt: number;
  /** When Baton must check the run even without an event. null: only an event can move it. */
  wakeAt: number | null;
  /**
   * The outside facts that can move the run, as `sha:<sha>`, `pull:<repository id>/<n>`: head SHAs, pull request
   * numbers, branch names.
   */
  watches: string[];
}

export interface RunFilter {
  threadKey?: string;
  /** All threads of a repository. */
  repositoryId?: number;
  active?: boolean;
  watch?: string;
  /** The beginning of the id. */
  idStart?: string;
  /** The last row of the previous page. */
  before?: Pick<RunRow, "createdAt" | "runId">;
  limit?: number;
}

export interface LedgerRow {
  runId: RunId;
  key: string;
  attempt: number;
  kind: "reserve" | "settle";
  repositoryId: number;
  threadKey: string;
  harness: string;
  model: string;
  input: number;
  output: number;
  cacheRead: number;
  cacheWrite: number;
  usd: number;
  at: number;
  /** The person who asked for the run. Absent in rows of an older Baton. */
  personId?: number;
  person?: string;
  /** The run's process. Absent in rows of an older Baton. */
  process?: string;
}

export interface NewJob {
  /** `delivery`, `run`, `outbox`. */
  queue: string;
  data: Json;
  /** At most one waiting job with this key in a queue. */
  singletonKey?: string;
  /** Milliseconds since the epoch. Absent: at once. */
  startAt?: number;
}

export interface Job {
  id: string;
  queue: string;
  data: Json;
  /** 1 for the first try. */
  tries: number;
}

export interface NewDelivery {
  /** The hook or App that GitHub sent it for. A GUID alone is not unique. */
  hook: string;
  guid: string;
  event: string;
  action: string | null;
  installationId: number | null;
  /** The raw body, already verified. */
  payload: string;
  receivedAt: number;
  /** Why the delivery cannot matter. Only for one without a job. */
  note?: string;
}
export interface Delivery extends Omit<NewDelivery, "note"> {
  state: "received" | "handled" | "failed";
  note: string | null;
}

/** A write to GitHub that must happen. `operationKey` is the same for every try. */
export interface NewOutboxRow {
  operationKey: string;
  installationId: number;
  repositoryId: number;
  /** Registered kind: `status-comment`, `check-run`, `reply`, `reaction`, `publish`, … */
  kind: string;
  payload: Json;
  /** Hash of the wanted content. If it equals the hash of the sent content, there is nothing to do. */
  contentHash: string;
  /** A lower number goes first: replies before status edits. */
  priority: number;
  notBefore: number;
  runId: RunId | null;
}
export interface OutboxRow extends NewOutboxRow {
  state: "pending" | "done" | "failed";
  doneHash: string | null;
  /** GitHub's answer: ids for the next edit. */
  result: Json;
  tries: number;
  error: string | null;
}

export interface Lease extends Fence {
  expiresAt: number;
}

export interface Pruned {
  deliveries: number;
  outbox: number;
  values: number;
}

export interface Store {
  // journal
  append(request: AppendRequest): Promise<StoredEvent[]>;
  /**
   * The events as `append` will keep them, to decide on before they are durable. Reads and writes nothing. An event that
   * does not match its schema: BATON_EVENT_INVALID.
   */
  journaled(events: readonly RunEvent[]): RunEvent[];
  /** Events after `afterPosition`, in order, checked against schema and hash chain. */
  read(runId: RunId, afterPosition?: number): Promise<StoredEvent[]>;

  /**
   * Deletes possible personal texts of a run's journal (`core/personal.ts`), and the messages sent for it. The caller
   * made sure that the run is over. A journal of an older Baton: BATON_ERASE_REFUSED, and nothing changes.
   */
  erase(runId: RunId): Promise<void>;

  /** Position of the last event. 0: there is none. */
  position(runId: RunId): Promise<number>;

  // runs
  run(runId: RunId): Promise<RunRow | null>;
  /** Newest first. The default limit is 1,000. */
  runs(filter: RunFilter): Promise<RunRow[]>;
  activeRun(threadKey: string): Promise<RunId | null>;

  // deliveries
  /**
   * Inserts the delivery and its job in one transaction. Without a job, the delivery counts as handled. false: it
   * existed.
   */
  insertDelivery(delivery: NewDelivery, job: NewJob | null): Promise<boolean>;
  delivery(hook: string, guid: string): Promise<Delivery | null>;
  /** With a job, also marks it as completed, in the same statement. */
  finishDelivery(
    hook: string,
    guid: string,
    state: "handled" | "failed",
    note: string,
    completeJobId?: string,
  ): Promise<void>;
  /** The known GUIDs among these, from any hook. For the poller: the delivery log does not name the hook. */
  knownGuids(guids: string[]): Promise<Set<string>>;
  /**
   * Removes data that nothing needs any more: handled or failed deliveries from before `deliveriesBefore`, and finished
   * outbox rows. Such a row was done or failed, was added before `outboxBefore`, and its run (if any) is over. It also
   * removes values of runs (`runValuePrefix`, `runPointerPrefix`) that were over by then. Times in milliseconds since
   * the epoch. Returns the number of each.
   */
  prune(before: { deliveriesBefore: number; outboxBefore: number }): Promise<Pruned>;

  // writes without a journal append
  write(writes: TransactionWrites): Promise<void>;

  // outbox
  outboxRow(operationKey: string): Promise<OutboxRow | null>;
  /** Due rows by priority and age. */
  outboxDue(now: number, limit: number): Promise<OutboxRow[]>;
  /** When the next pending row is due, in milliseconds since the epoch. null: none is pending. */
  outboxNext(): Promise<number | null>;
  outboxDone(operationKey: string, contentHash: string, result: Json): Promise<void>;
  outboxRetry(operationKey: string, notBefore: number, error: string): Promise<void>;
  /** The row is never sent again. With `contentHash`, only if that content is still wanted (S5). */
  outboxFailed(operationKey: string, error: string, contentHash?: string): Promise<void>;
  /** The operation is not sent again before this time, even with new content. */
  outboxDelay(operationKey: string, notBefore: number): Promise<void>;

  // leases
  /** Acquires a free or expired lease with the next epoch. null: another holder has the lease. */
  acquireLease(name: string, owner: string, now: number, ttlMs: number): Promise<Lease | null>;
  renewLease(lease: Lease, now: number, ttlMs: number): Promise<Lease | null>;
  releaseLease(lease: Lease): Promise<void>;
  /** Names of expired leases: runs of dead workers. */
  expiredLeases(now: number): Promise<Lease[]>;

  // ledger
  ledger(filter: { runId?: RunId; threadKey?: string; repositoryId?: number; since?: number }): Promise<LedgerRow[]>;

  // blobs: prompts and transcripts by content hash (sha256, hex)
  putBlob(content: string): Promise<string>;
  /** The text as an append keeps it (`TransactionWrites.blobs`). Reads and writes nothing. */
  keptBlob(content: string): KeptBlob;
  blob(id: string): Promise<string | null>;

  // small durable values, for cursors
  value(name: string): Promise<Json>;
  setValue(name: string, value: Json): Promise<void>;
  removeValues(names: string[]): Promise<void>;
}

/** The durable work queue: pg-boss in the database adapters. */
export interface Queue {
  /**
   * Hands jobs of a queue to `handler`, at most `concurrency` at once, until `stop`. If the handler throws, the job
   * comes back with backoff.
   */
  work(queue: string, concurrency: number, handler: (job: Job, signal: AbortSignal) => Promise<void>): Promise<void>;
  /** Resolves when running jobs have ended or `graceMs` has passed. */
  stop(graceMs: number): Promise<void>;
}

export interface Database {
  store: Store;
  queue: Queue;
  feed: Feed;
  /** `pglite`, `postgres`, `memory`: shown by the health endpoint. */
  kind: string;
  ping(): Promise<void>;
  /** The whole database as one compressed archive, during normal work. Absent: the database has its own tools. */
  backup?(): Promise<Blob>;
  close(): Promise<void>;
}
