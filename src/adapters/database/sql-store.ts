/**
 * The store over one SQL dialect, on PGlite and PostgreSQL alike. `ports/store.ts` has the contract S1–S6.
 *
 * Owns: SQL. Does not own: opening and locking (`open.ts`), the queue's own tables (`pg-boss-queue.ts`), bursts of
 * deliveries (`arrivals.ts`).
 */
import { randomUUID } from "node:crypto";
import { type Insertable, type Kysely, type Selectable, sql, type Transaction } from "kysely";
import {
  cutOff,
  erasedRow,
  journaledEvent,
  openEvents,
  otherEnd,
  type SealedEvent,
  type StoredRow,
  saltsFrom,
  saltsText,
  sealEvents,
  withoutText,
} from "../../core/chain.ts";
import { BatonError, leaseLost } from "../../core/errors.ts";
import type { RunEvent, StoredEvent } from "../../core/event.ts";
import { activeRunStatuses, type Json, type RunId, runPointerPrefix, runValuePrefix } from "../../core/vocabulary.ts";
import type {
  AppendRequest,
  Delivery,
  Fence,
  KeptBlob,
  Lease,
  LedgerRow,
  NewDelivery,
  NewJob,
  NewOutboxRow,
  OutboxRow,
  Pruned,
  RunFilter,
  RunRow,
  Store,
  TransactionWrites,
} from "../../ports/store.ts";
import { sha256 } from "../system/sha256.ts";
import { Arrivals, type TransactionalQueue } from "./arrivals.ts";
import { rethrow, storable, storeError } from "./store-error.ts";
import type { Tables } from "./tables.ts";

const uniqueViolation = "23505";

export class SqlStore implements Store {
  readonly #db: Kysely<Tables>;
  readonly #queue: TransactionalQueue;
  readonly #arrivals: Arrivals;
  #asked: { names: Set<string>; found: Promise<Map<string, string>> } | null = null;

  constructor(db: Kysely<Tables>, queue: TransactionalQueue) {
    this.#db = db;
    this.#queue = queue;
    this.#arrivals = new Arrivals(db, queue);
  }

  async append(request: AppendRequest): Promise<StoredEvent[]> {
    const { runId, expectedPosition, events, now, times, also = {} } = request;
    try {
      const previousHash = request.previousHash ?? (await hashAt(this.#db, runId, expectedPosition));
      const sealed = sealEvents({
        stream: runId,
        previousHash,
        firstPosition: expectedPosition + 1,
        now,
        times,
        events,
        sha256,
        seed: randomUUID(),
      });
      const { holds: _, ledger: __, ledgerSeen: ___, blobs: ____, values: _____, ...others } = also;
      // An append is one statement. Other writes need a transaction around it.
      if (Object.keys(others).length === 0) await appendSealed(this.#db, request, previousHash, sealed);
      else
        await this.#db.transaction().execute(async (transaction) => {
          await appendSealed(transaction, request, previousHash, sealed);
          await this.#write(transaction, others, runId);
        });
      return sealed.map(withoutText);
    } catch (thrown) {
      // Two writers append at one position. The primary key lets one of them win.
      if (isPositionTaken(thrown)) throw conflict(request, thrown);
      throw storeError(thrown);
    }
  }

  journaled(events: readonly RunEvent[]): RunEvent[] {
    return events.map(journaledEvent);
  }

  async read(runId: RunId, afterPosition = 0): Promise<StoredEvent[]> {
    // Counted first. An event that is appended meanwhile can only make the journal longer than the count.
    const counted = await countedEvents(this.#db, runId).catch(rethrow);
    const rows = await this.#db
      .selectFrom("events")
      .selectAll()
      .where("stream", "=", runId)
      .where("position", ">=", afterPosition)
      .orderBy("position")
      .execute()
      .catch(rethrow);
    // The event before the first requested one has the hash that the first must continue.
    const before = rows[0] !== undefined && rows[0].position <= afterPosition ? rows.shift() : undefined;
    if (afterPosition > 0 && before === undefined) {
      throw new BatonError("BATON_JOURNAL_BROKEN", `Event ${afterPosition} of ${runId} is missing.`);
    }
    const end = rows.at(-1)?.position ?? afterPosition;
    if (end < counted) throw cutOff(runId, end, counted);
    const previousHash = afterPosition === 0 ? "" : (before?.hash ?? null);
    return openEvents(runId, previousHash, rows.map(storedRowOf), sha256);
  }

  async erase(runId: RunId): Promise<void> {
    await this.#db
      .transaction()
      .execute(async (transaction) => {
        const rows = await transaction
          .selectFrom("events")
          .selectAll()
          .where("stream", "=", runId)
          .forUpdate()
          .execute();
        for (const row of rows) {
          const { text, salts } = erasedRow(runId, storedRowOf(row), sha256);
          await transaction
            .updateTable("events")
            .set({ text, salts: saltsText(salts) })
            .where("stream", "=", runId)
            .where("position", "=", row.position)
            .execute();
        }
        await transaction.deleteFrom("outbox").where("run_id", "=", runId).where("state", "!=", "pending").execute();
      })
      .catch(rethrow);
  }

  async position(runId: RunId): Promise<number> {
    const row = await this.#db
      .selectFrom("events")
      .select(({ fn }) => fn.max("position").as("position"))
      .where("stream", "=", runId)
      .executeTakeFirst()
      .catch(rethrow);
    return row?.position ?? 0;
  }

  async run(runId: RunId): Promise<RunRow | null> {
    return (await this.#runs([runId]))[0] ?? null;
  }

  async runs(filter: RunFilter): Promise<RunRow[]> {
    let query = this.#db
      .selectFrom("runs")
      .select("run_id")
      .orderBy("created_at", "desc")
      .orderBy("run_id", "desc")
      .limit(filter.limit ?? 1_000);
    if (filter.threadKey !== undefined) query = query.where("thread_key", "=", filter.threadKey);
    if (filter.repositoryId !== undefined) query = query.where("thread_key", "like", `${filter.repositoryId}#%`);
    if (filter.active !== undefined) query = query.where("status", filter.active ? "in" : "not in", activeRunStatuses);
    if (filter.watch !== undefined) {
      const watch = filter.watch;
      query = query.where("run_id", "in", (inner) =>
        inner.selectFrom("run_watches").select("run_id").where("watch", "=", watch),
      );
    }
    if (filter.idStart !== undefined) query = query.where("run_id", "like", `${filter.idStart}%`);
    const { before } = filter;
    if (before !== undefined)
      query = query.where(({ eb, and, or }) =>
        or([
          eb("created_at", "<", before.createdAt),
          and([eb("created_at", "=", before.createdAt), eb("run_id", "<", before.runId)]),
        ]),
      );
    const ids = await query.execute().catch(rethrow);
    return this.#runs(ids.map(({ run_id }) => run_id));
  }

  async activeRun(threadKey: string): Promise<RunId | null> {
    const row = await this.#db
      .selectFrom("threads")
      .select("active_run_id")
      .where("thread_key", "=", threadKey)
      .executeTakeFirst()
      .catch(rethrow);
    return (row?.active_run_id as RunId | undefined) ?? null;
  }

  insertDelivery(delivery: NewDelivery, job: NewJob | null): Promise<boolean> {
    return this.#arrivals.insert(delivery, job);
  }

  async delivery(hook: string, guid: string): Promise<Delivery | null> {
    const row = await this.#db
      .selectFrom("deliveries")
      .selectAll()
      .where("hook", "=", hook)
      .where("guid", "=", guid)
      .executeTakeFirst()
      .catch(rethrow);
    if (row === undefined) return null;
    return {
      hook: row.hook,
      guid: row.guid,
      event: row.event,
      action: row.action,
      installationId: row.installation_id === null ? null : Number(row.installation_id),
      payload: row.payload,
      receivedAt: row.received_at,
      state: row.state as Delivery["state"],
      note: row.note,
    };
  }

  async finishDelivery(
    hook: string,
    guid: string,
    state: "handled" | "failed",
    note: string,
    completeJobId?: string,
  ): Promise<void> {
    const finished = this.#db
      .updateTable("deliveries")
      .set({ state, note: storable(note) })
      .where("hook", "=", hook)
      .where("guid", "=", guid);
    if (completeJobId === undefined) await finished.execute().catch(rethrow);
    else
      await sql`with finished as (${finished}) ${this.#queue.completion(completeJobId)}`
        .execute(this.#db)
        .catch(rethrow);
  }

  async prune({ deliveriesBefore, outboxBefore }: { deliveriesBefore: number; outboxBefore: number }): Promise<Pruned> {
    const deliveries = await this.#db
      .deleteFrom("deliveries")
      .where("state", "!=", "received")
      .where("received_at", "<", deliveriesBefore)
      .executeTakeFirst()
      .catch(rethrow);
    const outbox = await this.#db
      .deleteFrom("outbox")
      .where("state", "!=", "pending")
      .where("put_at", "<", outboxBefore)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom("runs")
              .select("runs.run_id")
              .whereRef("runs.run_id", "=", "outbox.run_id")
              .where("runs.status", "in", activeRunStatuses),
          ),
        ),
      )
      .executeTakeFirst()
      .catch(rethrow);
    const values = await this.#db
      .deleteFrom("settings_values")
      .where(({ or, eb }) => or([eb("name", "like", `${runValuePrefix}%`), eb("name", "like", `${runPointerPrefix}%`)]))
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom("runs")
            .select("runs.run_id")
            .where(
              "runs.run_id",
              "=",
              sql<string>`case when name like ${`${runPointerPrefix}%`} then value::jsonb ->> 'runId'
                else split_part(substr(name, ${runValuePrefix.length + 1}::integer), '/', 1) end`,
            )
            .where("runs.status", "not in", activeRunStatuses)
            .where("runs.updated_at", "<", outboxBefore),
        ),
      )
      .executeTakeFirst()
      .catch(rethrow);
    return {
      deliveries: Number(deliveries.numDeletedRows),
      outbox: Number(outbox.numDeletedRows),
      values: Number(values.numDeletedRows),
    };
  }

  async knownGuids(guids: string[]): Promise<Set<string>> {
    if (guids.length === 0) return new Set();
    const rows = await this.#db
      .selectFrom("deliveries")
      .select("guid")
      .where("guid", "in", guids)
      .execute()
      .catch(rethrow);
    return new Set(rows.map(({ guid }) => guid));
  }

  async write(writes: TransactionWrites): Promise<void> {
    await this.#db
      .transaction()
      .execute((transaction) => this.#write(transaction, writes, writes.run?.runId ?? null))
      .catch(rethrow);
  }

  async outboxRow(operationKey: string): Promise<OutboxRow | null> {
    const row = await this.#db
      .selectFrom("outbox")
      .selectAll()
      .where("operation_key", "=", operationKey)
      .executeTakeFirst()
      .catch(rethrow);
    return row === undefined ? null : outboxRowOf(row);
  }

  async outboxDue(now: number, limit: number): Promise<OutboxRow[]> {
    const rows = await this.#db
      .selectFrom("outbox")
      .selectAll()
      .where("state", "=", "pending")
      .where("not_before", "<=", now)
      .orderBy("priority")
      .orderBy("created")
      .limit(limit)
      .execute()
      .catch(rethrow);
    return rows.map(outboxRowOf);
  }

  async outboxNext(): Promise<number | null> {
    const row = await this.#db
      .selectFrom("outbox")
      .select(({ fn }) => fn.min("not_before").as("at"))
      .where("state", "=", "pending")
      .executeTakeFirst()
      .catch(rethrow);
    return row?.at ?? null;
  }

  async outboxDone(operationKey: string, contentHash: string, result: Json): Promise<void> {
    await this.#db
      .updateTable("outbox")
      .set({
        done_hash: contentHash,
        result: JSON.stringify(result),
        tries: 0,
        error: null,
        // S5: a newer content that arrived while this one was sent is still pending.
        state: sql<string>`case when content_hash = ${contentHash} then 'done' else 'pending' end`,
      })
      .where("operation_key", "=", operationKey)
      .execute()
      .catch(rethrow);
  }

  async outboxRetry(operationKey: string, notBefore: number, error: string): Promise<void> {
    await this.#db
      .updateTable("outbox")
      .set({ not_before: notBefore, error: storable(error), tries: sql<number>`tries + 1` })
      .where("operation_key", "=", operationKey)
      .execute()
      .catch(rethrow);
  }

  async outboxFailed(operationKey: string, error: string, contentHash?: string): Promise<void> {
    const failed = this.#db
      .updateTable("outbox")
      .set({ state: "failed", error: storable(error) })
      .where("operation_key", "=", operationKey);
    // S5: the host refused the content that was sent, not a newer one.
    await (contentHash === undefined ? failed : failed.where("content_hash", "=", contentHash))
      .execute()
      .catch(rethrow);
  }

  async outboxDelay(operationKey: string, notBefore: number): Promise<void> {
    await this.#db
      .updateTable("outbox")
      .set({ not_before: notBefore })
      .where("operation_key", "=", operationKey)
      .execute()
      .catch(rethrow);
  }

  async acquireLease(name: string, owner: string, now: number, ttlMs: number): Promise<Lease | null> {
    const expires = now + ttlMs;
    const row = await this.#db
      .insertInto("leases")
      .values({ name, owner, epoch: 1, expires_at: expires })
      .onConflict((on) =>
        on
          .column("name")
          .doUpdateSet({ owner, epoch: sql<number>`leases.epoch + 1`, expires_at: expires })
          .where("leases.expires_at", "<=", now),
      )
      .returningAll()
      .executeTakeFirst()
      .catch(rethrow);
    return row === undefined ? null : { name, owner, epoch: row.epoch, expiresAt: row.expires_at };
  }

  async renewLease(lease: Lease, now: number, ttlMs: number): Promise<Lease | null> {
    const row = await this.#db
      .updateTable("leases")
      .set({ expires_at: now + ttlMs })
      .where("name", "=", lease.name)
      .where("owner", "=", lease.owner)
      .where("epoch", "=", lease.epoch)
      .returning("expires_at")
      .executeTakeFirst()
      .catch(rethrow);
    return row === undefined ? null : { ...lease, expiresAt: row.expires_at };
  }

  async releaseLease(lease: Lease): Promise<void> {
    // The row stays, expired. Its epoch must never restart, or an old holder could write.
    await this.#db
      .updateTable("leases")
      .set({ expires_at: -1, owner: "" })
      .where("name", "=", lease.name)
      .where("owner", "=", lease.owner)
      .where("epoch", "=", lease.epoch)
      .execute()
      .catch(rethrow);
  }

  async expiredLeases(now: number): Promise<Lease[]> {
    const rows = await this.#db
      .selectFrom("leases")
      .selectAll()
      .where("owner", "!=", "")
      .where("expires_at", "<=", now)
      .execute()
      .catch(rethrow);
    return rows.map((row) => ({ name: row.name, owner: row.owner, epoch: row.epoch, expiresAt: row.expires_at }));
  }

  async ledger(filter: {
    runId?: RunId;
    threadKey?: string;
    repositoryId?: number;
    since?: number;
  }): Promise<LedgerRow[]> {
    let query = this.#db.selectFrom("ledger").selectAll().orderBy("id");
    if (filter.runId !== undefined) query = query.where("run_id", "=", filter.runId);
    if (filter.threadKey !== undefined) query = query.where("thread_key", "=", filter.threadKey);
    if (filter.repositoryId !== undefined) query = query.where("repository_id", "=", filter.repositoryId);
    if (filter.since !== undefined) query = query.where("at", ">=", filter.since);
    const rows = await query.execute().catch(rethrow);
    return rows.map((row) => ({
      runId: row.run_id as RunId,
      key: row.key,
      attempt: row.attempt,
      kind: row.kind as LedgerRow["kind"],
      repositoryId: row.repository_id,
      threadKey: row.thread_key,
      harness: row.harness,
      model: row.model,
      input: row.input,
      output: row.output,
      cacheRead: row.cache_read,
      cacheWrite: row.cache_write,
      usd: row.usd,
      at: row.at,
      ...(row.person_id === null ? {} : { personId: row.person_id }),
      ...(row.person === null ? {} : { person: row.person }),
      ...(row.process === null ? {} : { process: row.process }),
    }));
  }

  keptBlob(content: string): KeptBlob {
    return { id: sha256(content), content };
  }

  async putBlob(content: string): Promise<string> {
    const { id } = this.keptBlob(content);
    await this.#db
      .insertInto("blobs")
      .values({ id, content: JSON.stringify(content) })
      .onConflict((on) => on.column("id").doNothing())
      .execute()
      .catch(rethrow);
    return id;
  }

  async blob(id: string): Promise<string | null> {
    const row = await this.#db
      .selectFrom("blobs")
      .select("content")
      .where("id", "=", id)
      .executeTakeFirst()
      .catch(rethrow);
    return row === undefined ? null : (JSON.parse(row.content) as string);
  }

  /** Values that are asked for together are one statement. */
  async value(name: string): Promise<Json> {
    this.#asked ??= this.#askValues();
    const { names, found } = this.#asked;
    names.add(name);
    const text = (await found).get(name);
    return text === undefined ? null : (JSON.parse(text) as Json);
  }

  #askValues(): { names: Set<string>; found: Promise<Map<string, string>> } {
    const names = new Set<string>();
    const read = async (): Promise<Map<string, string>> => {
      await Promise.resolve();
      this.#asked = null;
      const rows = await this.#db
        .selectFrom("settings_values")
        .select(["name", "value"])
        .where("name", "in", [...names])
        .execute()
        .catch(rethrow);
      return new Map(rows.map((row) => [row.name, row.value]));
    };
    return { names, found: read() };
  }

  async setValue(name: string, value: Json): Promise<void> {
    const text = JSON.stringify(value);
    await this.#db
      .insertInto("settings_values")
      .values({ name, value: text })
      .onConflict((on) => on.column("name").doUpdateSet({ value: text }))
      .execute()
      .catch(rethrow);
  }

  async removeValues(names: string[]): Promise<void> {
    if (names.length === 0) return;
    await this.#db.deleteFrom("settings_values").where("name", "in", names).execute().catch(rethrow);
  }

  async #runs(ids: string[]): Promise<RunRow[]> {
    if (ids.length === 0) return [];
    const rows = await this.#db
      .selectFrom("runs")
      .selectAll()
      .where("run_id", "in", ids)
      .orderBy("created_at", "desc")
      .orderBy("run_id", "desc")
      .execute()
      .catch(rethrow);
    const watches = await this.#db
      .selectFrom("run_watches")
      .selectAll()
      .where("run_id", "in", ids)
      .execute()
      .catch(rethrow);
    return rows.map((row) => ({
      runId: row.run_id as RunId,
      threadKey: row.thread_key,
      process: row.process,
      status: row.status as RunRow["status"],
      position: row.position,
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      wakeAt: row.wake_at,
      watches: watches.filter(({ run_id }) => run_id === row.run_id).map(({ watch }) => watch),
    }));
  }

  /** `writer` is the run that writes, if there is one. It releases no thread of another run. */
  async #write(transaction: Transaction<Tables>, writes: TransactionWrites, writer: RunId | null): Promise<void> {
    if (writes.run !== undefined) await writeRun(transaction, writes.run);
    if (writes.thread !== undefined) await writeThread(transaction, writes.thread, writer);
    for (const row of writes.outbox ?? []) await putOutbox(transaction, row);
    if (writes.ledger !== undefined && writes.ledger.length > 0) {
      await transaction
        .insertInto("ledger")
        .values(writes.ledger.map(ledgerValues) as Insertable<Tables["ledger"]>[])
        .execute();
    }
    if (writes.completeJobId !== undefined) await this.#queue.completion(writes.completeJobId).execute(transaction);
    for (const job of writes.jobs ?? []) await this.#queue.enqueue(transaction, job);
  }
}

/** The number of events in the run's index row. 0 without a row. */
async function countedEvents(db: Kysely<Tables>, runId: RunId): Promise<number> {
  const row = await db.selectFrom("runs").select("position").where("run_id", "=", runId).executeTakeFirst();
  return row?.position ?? 0;
}

/** "": there is no such event. Then the append finds the journal at another position. */
async function hashAt(db: Kysely<Tables>, runId: RunId, position: number): Promise<string> {
  if (position === 0) return "";
  const row = await db
    .selectFrom("events")
    .select("hash")
    .where("stream", "=", runId)
    .where("position", "=", position)
    .executeTakeFirst();
  return row?.hash ?? "";
}

/**
 * Appends under the conditions of the request, in one statement (store.S1, store.S2, store.S7). The leases and the feed's row (feed.FE1)
 * stay locked until the commit, so that no other process gets the lease before the decision is stored.
 */
async function appendSealed(
  db: Kysely<Tables>,
  request: AppendRequest,
  previousHash: string,
  sealed: readonly SealedEvent[],
): Promise<void> {
  const { runId, expectedPosition, fence, also } = request;
  const lease = (held: Fence | undefined) =>
    held === undefined ? null : JSON.stringify({ name: held.name, owner: held.owner, epoch: held.epoch });
  const news = sealed.map((event) => ({
    position: event.position,
    at: event.at,
    schema_version: event.schemaVersion,
    text: event.text,
    previous_hash: event.previousHash,
    hash: event.hash,
    salts: saltsText(event.salts),
  }));
  const ledger = also?.ledger ?? [];
  // As a parameter of its own, a text would lose half a surrogate pair on the way. JSON keeps it, and PostgreSQL refuses.
  const wellFormed = (_: string, value: unknown): unknown => (typeof value === "string" ? value.toWellFormed() : value);
  const money = ledger.length === 0 ? null : JSON.stringify(ledger.map(ledgerValues), wellFormed);
  const blobs = (also?.blobs ?? []).map(({ id, content }) => ({ id, content: JSON.stringify(content) }));
  const values = (also?.values ?? []).map(({ name, value }) => ({ name, value: JSON.stringify(value) }));
  const kept = values.length === 0 ? null : JSON.stringify(values);
  const texts = blobs.length === 0 ? null : JSON.stringify(blobs);
  const { rows } = await sql<{
    answer: string;
    counted: number;
  }>`select answer, counted from baton_append(${runId}::text,
    ${expectedPosition}::integer, ${previousHash}::text, ${lease(fence)}::json, ${lease(also?.holds)}::json,
    ${also?.run?.threadKey ?? null}::text, ${JSON.stringify(news)}::json, ${money}::json, ${texts}::json, ${kept}::json)`.execute(
    db,
  );
  const { answer, counted } = rows[0] ?? { answer: "position", counted: 0 };
  if (answer === "lease" && fence !== undefined) throw leaseLost(fence);
  if (answer === "second lease" && also?.holds !== undefined) throw leaseLost(also.holds);
  if (answer === "count") throw cutOff(runId, expectedPosition, counted);
  if (answer === "hash") throw otherEnd(runId, expectedPosition);
  if (answer !== "done") throw conflict(request);
}

function conflict({ runId, expectedPosition }: AppendRequest, cause?: unknown): BatonError {
  const message = `${runId} is not at position ${expectedPosition} any more.`;
  return new BatonError("BATON_JOURNAL_CONFLICT", message, { cause });
}

function storedRowOf(row: Selectable<Tables["events"]>): StoredRow {
  return {
    position: row.position,
    at: row.at,
    schemaVersion: row.schema_version,
    text: row.text,
    previousHash: row.previous_hash,
    hash: row.hash,
    salts: saltsFrom(row.salts),
  };
}

async function writeRun(transaction: Transaction<Tables>, run: RunRow): Promise<void> {
  const row = {
    run_id: run.runId,
    thread_key: run.threadKey,
    process: run.process,
    status: run.status,
    position: run.position,
    created_at: run.createdAt,
    updated_at: run.updatedAt,
    wake_at: run.wakeAt,
  };
  await transaction
    .insertInto("runs")
    .values(row)
    .onConflict((on) =>
      on
        .column("run_id")
        // S7: a writer may have read its state a moment ago. Its row must not lower the count of events.
        .doUpdateSet({ ...row, position: sql<number>`greatest(runs.position, ${run.position}::integer)` }),
    )
    .execute();
  await transaction.deleteFrom("run_watches").where("run_id", "=", run.runId).execute();
  if (run.watches.length > 0) {
    await transaction
      .insertInto("run_watches")
      .values(run.watches.map((watch) => ({ run_id: run.runId, watch })))
      .onConflict((on) => on.doNothing())
      .execute();
  }
}

async function writeThread(
  transaction: Transaction<Tables>,
  { threadKey, activeRunId }: { threadKey: string; activeRunId: RunId | null },
  writer: RunId | null,
): Promise<void> {
  if (activeRunId === null) {
    const freed = transaction.deleteFrom("threads").where("thread_key", "=", threadKey);
    await (writer === null ? freed : freed.where("active_run_id", "=", writer)).execute();
    return;
  }
  const taken = await transaction
    .insertInto("threads")
    .values({ thread_key: threadKey, active_run_id: activeRunId })
    .onConflict((on) =>
      on
        .column("thread_key")
        .doUpdateSet({ active_run_id: activeRunId })
        .where("threads.active_run_id", "=", activeRunId),
    )
    .returning("active_run_id")
    .executeTakeFirst();
  if (taken === undefined) throw new BatonError("BATON_RUN_ACTIVE", "Another run is active in this thread.");
}

/** S5: a newer content replaces a pending one. A content equal to the done one needs no work. */
async function putOutbox(transaction: Transaction<Tables>, row: NewOutboxRow): Promise<void> {
  const payload = JSON.stringify(row.payload);
  await transaction
    .insertInto("outbox")
    .values({
      operation_key: row.operationKey,
      installation_id: row.installationId,
      repository_id: row.repositoryId,
      kind: row.kind,
      payload,
      content_hash: row.contentHash,
      priority: row.priority,
      not_before: row.notBefore,
      run_id: row.runId,
    } as Insertable<Tables["outbox"]>)
    .onConflict((on) =>
      on.column("operation_key").doUpdateSet({
        payload,
        content_hash: row.contentHash,
        priority: row.priority,
        not_before: sql<number>`case when ${row.priority} < outbox.priority then ${row.notBefore} else outbox.not_before end`,
        // A pending content may have been sent although its answer was lost. Only a content that is certainly done is
        // not sent again.
        state: sql<string>`case when outbox.state = 'done' and outbox.done_hash = ${row.contentHash} then 'done' else 'pending' end`,
        tries: sql<number>`case when outbox.content_hash = ${row.contentHash} then outbox.tries else 0 end`,
        error: sql<string | null>`case when outbox.content_hash = ${row.contentHash} then outbox.error else null end`,
      }),
    )
    .execute();
}

function outboxRowOf(row: Selectable<Tables["outbox"]>): OutboxRow {
  return {
    operationKey: row.operation_key,
    installationId: row.installation_id,
    repositoryId: row.repository_id,
    kind: row.kind,
    payload: JSON.parse(row.payload) as Json,
    contentHash: row.content_hash,
    priority: row.priority,
    notBefore: row.not_before,
    runId: row.run_id as RunId | null,
    state: row.state as OutboxRow["state"],
    doneHash: row.done_hash,
    result: JSON.parse(row.result) as Json,
    tries: row.tries,
    error: row.error,
  };
}

function ledgerValues(row: LedgerRow): Omit<Insertable<Tables["ledger"]>, "id"> {
  const { runId, repositoryId, threadKey, cacheRead, cacheWrite, personId, person, process, ...same } = row;
  return {
    ...same,
    person_id: personId ?? null,
    person: person ?? null,
    process: process ?? null,
    run_id: runId,
    repository_id: repositoryId,
    thread_key: threadKey,
    cache_read: cacheRead,
    cache_write: cacheWrite,
  };
}

function isPositionTaken(thrown: unknown): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  const { code, constraint } = thrown as { code?: unknown; constraint?: unknown };
  return code === uniqueViolation && constraint === "events_pkey";
}
