/**
 * Durable state of App mode: journal, deliveries, queue, outbox, leases, ledger. One transaction spans them,
 * so that an outcome, the money it cost, the writes it asks for and the wake-up are kept together or not at all.
 *
 * Contract (one suite over PGlite, PostgreSQL and the in-memory fake: `test/contract/store.ts`):
 * S1 `append` succeeds only at the expected position; else BATON_JOURNAL_CONFLICT and nothing is written.
 * S2 `append` with a fence succeeds only while that lease is held at that epoch; else BATON_LEASE_LOST. So does one that
 *    `holds` a second lease, under which it was decided.
 * S3 A delivery is inserted once by (hook, GUID).
 * S4 A job stays until it is completed; a job of a dead worker is handed out again.
 * S5 An outbox row is unique by its operation key; putting a newer content replaces what was not yet done. A more urgent one
 *    does not wait for the time that the one before it was given.
 * S7 A run's index row counts its events and never counts back; a journal that is shorter is BATON_JOURNAL_BROKEN.
 * S8 `erase` deletes what may be personal text in a journal that is over, in one step; its chain still holds.
 * S6 After a kill at any instruction the store opens again and everything acknowledged is there.
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
  /** Number of events that the appender has seen; 0 for a new run. */
  expectedPosition: number;
  events: RunEvent[];
  /** Milliseconds since the epoch, kept as `at` of each event. */
  now: number;
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
  /** Takes the thread for this run, or frees it: at most one active run a thread. Conflict: BATON_RUN_ACTIVE. */
  thread?: { threadKey: string; activeRunId: RunId | null };
  ledger?: LedgerRow[];
  /** A lease under which this was decided, next to the run's own. Of an append only. */
  holds?: Fence;
  /**
   * How many rows of the repository's ledger the decision knew. Another number is BATON_LEASE_LOST where writers do not see
   * each other's leases (refs of git); elsewhere `holds` says it all. Of an append only.
   */
  ledgerSeen?: { repositoryId: number; since: number; rows: number };
}

/** What can be listed about a run without reading its journal: a projection, rebuilt from events when lost. */
export interface RunRow {
  runId: RunId;
  /** `owner/name#number` by ids: `<repository id>#<number>`. */
  threadKey: string;
  process: string;
  status: RunStatus;
  position: number;
  createdAt: number;
  updatedAt: number;
  /** When it must be looked at even if nothing happens; null when only an event can move it. */
  wakeAt: number | null;
  /** What outside facts can move it: head SHAs, pull request numbers, branch names, as `sha:<sha>`, `pull:<repository id>/<n>`. */
  watches: string[];
}

export interface RunFilter {
  threadKey?: string;
  active?: boolean;
  watch?: string;
  /** The last row of the page before. */
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
  /** Who asked for the run; absent in rows of an older Baton. */
  personId?: number;
  person?: string;
}

export interface NewJob {
  /** `delivery`, `run`, `outbox`. */
  queue: string;
  data: Json;
  /** At most one waiting job with this key in a queue. */
  singletonKey?: string;
  /** Milliseconds since the epoch; at once without it. */
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
  /** The hook or App that GitHub sent it for; a GUID alone is not unique. */
  hook: string;
  guid: string;
  event: string;
  action: string | null;
  installationId: number | null;
  /** The raw body, already verified. */
  payload: string;
  receivedAt: number;
}
export interface Delivery extends NewDelivery {
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
  /** Hash of what should be there; equal to the done one means nothing to do. */
  contentHash: string;
  /** Lower first: replies before status edits. */
  priority: number;
  notBefore: number;
  runId: RunId | null;
}
export interface OutboxRow extends NewOutboxRow {
  state: "pending" | "done" | "failed";
  doneHash: string | null;
  /** What GitHub answered: ids for the next edit. */
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
  /** Events after `afterPosition`, in order, checked against schema and hash chain. */
  read(runId: RunId, afterPosition?: number): Promise<StoredEvent[]>;

  /**
   * Deletes the texts of a run's journal that may be personal (`core/personal.ts`), and what was sent for it; the caller
   * made sure that the run is over. A journal of an older Baton: BATON_ERASE_REFUSED, and nothing is changed.
   */
  erase(runId: RunId): Promise<void>;

  /** Position of the last event; 0 without any. */
  position(runId: RunId): Promise<number>;

  // runs
  run(runId: RunId): Promise<RunRow | null>;
  /** Newest first; 1,000 unless told. */
  runs(filter: RunFilter): Promise<RunRow[]>;
  activeRun(threadKey: string): Promise<RunId | null>;

  // deliveries
  /** Inserts the delivery and its job in one transaction; false when it was there. */
  insertDelivery(delivery: NewDelivery, job: NewJob): Promise<boolean>;
  delivery(hook: string, guid: string): Promise<Delivery | null>;
  finishDelivery(hook: string, guid: string, state: "handled" | "failed", note: string): Promise<void>;
  /** Which of these GUIDs are known from any hook, for the poller: the delivery log does not name the hook. */
  knownGuids(guids: string[]): Promise<Set<string>>;
  /**
   * Removes what nothing needs any more: handled or failed deliveries received before, and outbox rows done or failed and
   * put in before whose run (if any) is over, and with them values of runs (`runValuePrefix`, `runPointerPrefix`) that were over by then. Times in
   * milliseconds since the epoch; returns how many of each went.
   */
  prune(before: { deliveriesBefore: number; outboxBefore: number }): Promise<Pruned>;

  // writes without a journal append
  write(writes: TransactionWrites): Promise<void>;

  // outbox
  outboxRow(operationKey: string): Promise<OutboxRow | null>;
  /** Due rows by priority and age. */
  outboxDue(now: number, limit: number): Promise<OutboxRow[]>;
  /** When the next pending row is due, in milliseconds since the epoch; null: none is pending. */
  outboxNext(): Promise<number | null>;
  outboxDone(operationKey: string, contentHash: string, result: Json): Promise<void>;
  outboxRetry(operationKey: string, notBefore: number, error: string): Promise<void>;
  /** Never again; with `contentHash`, only if that content is still the wanted one (S5). */
  outboxFailed(operationKey: string, error: string, contentHash?: string): Promise<void>;
  /** The operation is not sent again before this time, whatever is put in. */
  outboxDelay(operationKey: string, notBefore: number): Promise<void>;

  // leases
  /** Takes a free or expired lease with the next epoch; null while another holds it. */
  acquireLease(name: string, owner: string, now: number, ttlMs: number): Promise<Lease | null>;
  renewLease(lease: Lease, now: number, ttlMs: number): Promise<Lease | null>;
  releaseLease(lease: Lease): Promise<void>;
  /** Names of leases that expired: runs of dead workers. */
  expiredLeases(now: number): Promise<Lease[]>;

  // ledger
  ledger(filter: { runId?: RunId; threadKey?: string; repositoryId?: number; since?: number }): Promise<LedgerRow[]>;

  // blobs: prompts and transcripts by content hash (sha256, hex)
  putBlob(content: string): Promise<string>;
  blob(id: string): Promise<string | null>;

  // small durable values, for cursors
  value(name: string): Promise<Json>;
  setValue(name: string, value: Json): Promise<void>;
  removeValues(names: string[]): Promise<void>;
}

/** The durable work queue: pg-boss in the database adapters. */
export interface Queue {
  /** Hands jobs of a queue to `handler`, at most `concurrency` at once, until `stop`. A throwing handler brings the job back with backoff. */
  work(queue: string, concurrency: number, handler: (job: Job, signal: AbortSignal) => Promise<void>): Promise<void>;
  /** Resolves when what is running has ended or `graceMs` passed. */
  stop(graceMs: number): Promise<void>;
}

export interface Database {
  store: Store;
  queue: Queue;
  feed: Feed;
  /** `pglite`, `postgres`, `memory`: shown by the health endpoint. */
  kind: string;
  ping(): Promise<void>;
  /** All of it as one compressed archive, while work goes on. Absent: the database has tools of its own. */
  backup?(): Promise<Blob>;
  close(): Promise<void>;
}
