/**
 * The files of the state. Each row is one line, so `git log -p refs/baton/thread/7` reads as a history.
 *
 * thread ref   driver.json  inbox.jsonl  jobs.jsonl  leases.jsonl  outbox.jsonl  position.json  runs.jsonl  threads.jsonl
 *              journal/<run>.jsonl  compacted/<run>.jsonl  blobs/<sha256>
 * shared ref   index.jsonl  ended.jsonl  marks.jsonl  values.jsonl  ledger/<month>.jsonl
 *
 * GF1 A journal only grows, and its events are chained. Other files hold the present rows. Their past is in git's
 *     history.
 * GF2 Baton keeps the exact text that it hashed. An event's line ends in its canonical JSON, byte for byte.
 * GF3 An unreadable line stops the reader with the name of its file and its line. Baton never overwrites it.
 */
import type { SealedEvent } from "../../core/chain.ts";
import { BatonError } from "../../core/errors.ts";
import type { RunEvent } from "../../core/event.ts";
import { saltsSchema } from "../../core/personal.ts";
import { isActiveStatus, type Json, type RunId } from "../../core/vocabulary.ts";
import type { Delivery, Lease, LedgerRow, RunRow } from "../../ports/store.ts";
import { deliveryKey, type JobRow, type KeptOutboxRow, type TableName, Tables } from "../memory/tables.ts";
import type { MarkRow } from "./marks.ts";

/** The driver of a thread. An epoch never repeats. */
export interface Driver {
  owner: string;
  epoch: number;
  expiresAt: number;
  /** The id of its workflow run. Others use it to find out whether the driver is still alive. */
  job: string | null;
}

/** The facts by which another job finds an open thread. It has an active run, or events that nobody has handled yet. */
export interface IndexRow {
  /** null: the inbox of `home`. */
  runId: RunId | null;
  home: string;
  threadKey: string;
  wakeAt: number | null;
  watches: string[];
}

/** The facts by which a schedule finds a thread whose state is due for compaction or removal. */
export interface EndedRow {
  home: string;
  /** When the first of the runs with whole journals ended. Null: there is none. */
  wholeSince: number | null;
  /** When the last run ended. Without any run: when the last event arrived. Null while a run is active. */
  idleSince: number | null;
}

export type Place = "home" | "shared";
export type Files = ReadonlyMap<string, string>;

const blobDirectory = "blobs/";
export const indexPath = "index.jsonl";
const endedPath = "ended.jsonl";
export const marksPath = "marks.jsonl";
export const positionPath = "position.json";

export class Snapshot {
  readonly tables: Tables;
  readonly index = new Map<string, IndexRow>();
  readonly ended = new Map<string, EndedRow>();
  readonly marks = new Map<string, MarkRow>();
  /** The number of commits that the home ref counts. */
  position = 0;
  /** Ids of blobs in the home ref, with the names of their files. */
  readonly blobs = new Map<string, string>();
  driver: Driver | null = null;
  /** Counts changes. Equal counts mean that nothing changed in between. */
  changes = 0;
  readonly #home: string;
  #dirty = new Map<string, Place>();

  constructor(home: string) {
    this.#home = home;
    this.tables = new Tables((table, row) => this.#changed(table, row));
  }

  touch(path: string, place: Place): void {
    this.changes += 1;
    this.#dirty.set(path, place);
  }

  setDriver(driver: Driver): void {
    this.driver = driver;
    this.touch("driver.json", "home");
  }

  /** Removes the files of blobs that no whole journal and no pending write names. */
  dropBlobs(): void {
    const texts = [...this.tables.events.values()].flat().map(({ text: event }) => event);
    const waiting = JSON.stringify([...this.tables.outbox.values()]);
    for (const [id, path] of this.blobs) {
      if (waiting.includes(id) || texts.some((event) => event.includes(id))) continue;
      this.blobs.delete(id);
      this.touch(path, "home");
    }
  }

  /** Nobody could ask or wait for anything in the thread, and no recent event still has to be remembered. */
  isForgettable(before: number): boolean {
    const { runRows, deliveries, jobs, outbox } = this.tables;
    const stays = [...deliveries.values()].some(
      ({ state, receivedAt }) => state === "received" || receivedAt >= before,
    );
    return (
      runRows.size === 0 && !stays && jobs.size === 0 && ![...outbox.values()].some(({ state }) => state === "pending")
    );
  }

  /** The next push includes the shared ref, and with it the mark. */
  markAgain(): void {
    this.touch(marksPath, "shared");
  }

  /** The next push removes the thread's ref and its entries in the shared ref. */
  forget(): void {
    this.touch("driver.json", "home");
    this.markAgain();
    this.index.delete(this.#home);
    if (this.ended.delete(this.#home)) this.touch(endedPath, "shared");
  }

  /** For a thread whose ref cannot be removed. Nothing of it ever becomes due. */
  keepForgotten(): void {
    this.ended.set(this.#home, { home: this.#home, wholeSince: null, idleSince: null });
    this.touch(endedPath, "shared");
  }

  /** Rebuilds the shared entries of this thread from its own ref. A person may have restored or removed that ref. */
  indexAgain(): void {
    const { runRows } = this.tables;
    for (const [key, { home, runId }] of this.index)
      if (home === this.#home && runId !== null && !runRows.has(runId)) this.#putIndex(key, null);
    for (const runId of runRows.keys()) this.#indexRun(runId);
    this.#indexInbox();
    this.#indexEnd();
  }

  /** Paths that differ from the content last read or returned, with their place. */
  takeDirty(): Map<string, Place> {
    const dirty = this.#dirty;
    this.#dirty = new Map();
    return dirty;
  }

  restoreDirty(dirty: ReadonlyMap<string, Place>): void {
    for (const [path, place] of dirty) this.#dirty.set(path, place);
  }

  #changed(table: TableName, row: string): void {
    switch (table) {
      case "events":
        // Compaction moves a journal to another path.
        if (this.tables.compacted.has(row as RunId) || !this.tables.events.has(row as RunId))
          this.touch(`compacted/${row}.jsonl`, "home");
        return this.touch(`journal/${row}.jsonl`, "home");
      case "runs":
        this.#indexRun(row as RunId);
        this.#indexEnd();
        return this.touch("runs.jsonl", "home");
      case "ledger":
        return this.touch(ledgerPath(Number(row)), "shared");
      case "values":
        return this.touch("values.jsonl", "shared");
      case "deliveries":
        this.#indexInbox();
        if (this.tables.runRows.size === 0) this.#indexEnd();
        return this.touch("inbox.jsonl", "home");
      case "threads":
      case "outbox":
      case "leases":
      case "jobs":
        return this.touch(`${table}.jsonl`, "home");
    }
  }

  #indexRun(runId: RunId): void {
    const run = this.tables.runRows.get(runId);
    if (run === undefined || !isActiveStatus(run.status)) return this.#putIndex(runId, null);
    const { threadKey, wakeAt, watches } = run;
    this.#putIndex(runId, { runId, home: this.#home, threadKey, wakeAt, watches });
  }

  #indexEnd(): void {
    const rows = [...this.tables.runRows.values()];
    const ends = rows.filter(({ status }) => !isActiveStatus(status));
    const whole = ends.filter(({ runId }) => !this.tables.compacted.has(runId)).map(({ updatedAt }) => updatedAt);
    const lasts = rows.length === 0 ? [...this.tables.deliveries.values()].map(({ receivedAt }) => receivedAt) : [];
    lasts.push(...ends.map(({ updatedAt }) => updatedAt));
    const row: EndedRow = {
      home: this.#home,
      wholeSince: whole.length === 0 ? null : Math.min(...whole),
      idleSince: ends.length < rows.length ? null : Math.max(...lasts),
    };
    const old = this.ended.get(this.#home);
    if (JSON.stringify(old) === JSON.stringify(lasts.length === 0 ? undefined : row)) return;
    if (lasts.length === 0) this.ended.delete(this.#home);
    else this.ended.set(this.#home, row);
    this.touch(endedPath, "shared");
  }

  #indexInbox(): void {
    const waiting = [...this.tables.deliveries.values()].find(({ state }) => state === "received");
    const row = { runId: null, home: this.#home, threadKey: "", wakeAt: waiting?.receivedAt ?? null, watches: [] };
    this.#putIndex(this.#home, waiting === undefined ? null : row);
  }

  #putIndex(key: string, row: IndexRow | null): void {
    // Most changes do not affect the index. Then the shared ref stays unchanged, because all threads push to it.
    if (JSON.stringify(this.index.get(key) ?? null) === JSON.stringify(row)) return;
    if (row === null) this.index.delete(key);
    else this.index.set(key, row);
    this.touch(indexPath, "shared");
  }
}

/** Content of a file in the snapshot. Null: no such file. This function does not make blobs. */
export function encode(snapshot: Snapshot, path: string): string | null {
  const { tables } = snapshot;
  const [directory = "", name = ""] = path.split("/");
  if (directory === "journal") {
    const events = tables.events.get(name.replace(/\.jsonl$/, "") as RunId);
    return events === undefined ? null : text(events.map(eventLine));
  }
  if (directory === "compacted") return tables.compacted.get(name.replace(/\.jsonl$/, "") as RunId) ?? null;
  if (directory === "ledger") {
    const rows = tables.ledgerRows.filter(({ at }) => ledgerPath(at) === path);
    return rows.length === 0 ? null : lines(rows);
  }
  switch (path) {
    case "driver.json":
      return snapshot.driver === null ? null : `${JSON.stringify(snapshot.driver)}\n`;
    case "inbox.jsonl":
      return lines(tables.deliveries.values());
    case "jobs.jsonl":
      return lines(tables.jobs.values());
    case "leases.jsonl":
      return lines(tables.leases.values());
    case "outbox.jsonl":
      return lines(tables.outbox.values());
    case "runs.jsonl":
      return lines(tables.runRows.values());
    case "threads.jsonl":
      return lines([...tables.threads].map(([threadKey, activeRunId]) => ({ threadKey, activeRunId })));
    case "values.jsonl":
      return lines([...tables.values].map(([key, value]) => ({ key, value })));
    case indexPath:
      return lines(snapshot.index.values());
    case endedPath:
      return lines(snapshot.ended.values());
    case marksPath:
      return lines(snapshot.marks.values());
    default:
      return null;
  }
}

/** `refs` are the names under which people find the files. */
export function decode(
  home: string,
  homeFiles: Files,
  sharedFiles: Files,
  refs: Record<Place, string> = { home, shared: "shared" },
): Snapshot {
  const snapshot = new Snapshot(home);
  const { tables } = snapshot;
  const rows = <T>(path: string, files = homeFiles): T[] =>
    readLines(
      `${files === sharedFiles ? refs.shared : refs.home}:${path}`,
      files.get(path),
      (line) => JSON.parse(line) as T,
    );
  for (const delivery of rows<Delivery>("inbox.jsonl"))
    tables.deliveries.set(deliveryKey(delivery.hook, delivery.guid), delivery);
  for (const job of rows<JobRow>("jobs.jsonl")) tables.jobs.set(job.id, job);
  for (const lease of rows<Lease>("leases.jsonl")) tables.leases.set(lease.name, lease);
  for (const row of rows<KeptOutboxRow>("outbox.jsonl")) tables.outbox.set(row.operationKey, row);
  for (const run of rows<RunRow>("runs.jsonl")) tables.runRows.set(run.runId, run);
  for (const { threadKey, activeRunId } of rows<{ threadKey: string; activeRunId: RunId }>("threads.jsonl"))
    tables.threads.set(threadKey, activeRunId);
  for (const { key, value } of rows<{ key: string; value: Json }>("values.jsonl", sharedFiles))
    tables.values.set(key, value);
  for (const row of rows<IndexRow>(indexPath, sharedFiles)) snapshot.index.set(row.runId ?? row.home, row);
  for (const row of rows<EndedRow>(endedPath, sharedFiles)) snapshot.ended.set(row.home, row);
  for (const row of rows<MarkRow>(marksPath, sharedFiles)) snapshot.marks.set(row.home, row);
  for (const path of [...sharedFiles.keys()].filter((name) => name.startsWith("ledger/")).sort())
    tables.ledgerRows.push(...rows<LedgerRow>(path, sharedFiles));
  for (const [path, content] of homeFiles) {
    const run = /^journal\/(.+)\.jsonl$/.exec(path)?.[1] as RunId | undefined;
    if (run !== undefined)
      tables.events.set(
        run,
        readLines(`${refs.home}:${path}`, content, (line) => eventOf(run, line)),
      );
    const small = /^compacted\/(.+)\.jsonl$/.exec(path)?.[1] as RunId | undefined;
    if (small !== undefined) tables.compacted.set(small, content);
    if (path.startsWith(blobDirectory)) snapshot.blobs.set(blobId(path), path);
  }
  snapshot.driver = rows<Driver>("driver.json")[0] ?? null;
  snapshot.position = rows<{ position: number }>(positionPath)[0]?.position ?? 0;
  return snapshot;
}

export function indexRows(content: string): IndexRow[] {
  return splitLines(content).map((line) => JSON.parse(line) as IndexRow);
}

export function positionText(position: number): string {
  return `${JSON.stringify({ position })}\n`;
}

export function isBlob(path: string): boolean {
  return path.startsWith(blobDirectory);
}

/** The plain text where git can keep it unchanged. Otherwise JSON. */
export function blobFile(id: string, content: string): { path: string; content: string } {
  return content.isWellFormed() && !content.startsWith("\ufeff")
    ? { path: `${blobDirectory}${id}`, content }
    : { path: `${blobDirectory}${id}.json`, content: JSON.stringify(content) };
}

export function blobContent(path: string, content: string): string {
  return path.endsWith(".json") ? (JSON.parse(content) as string) : content;
}

function blobId(path: string): string {
  return path.slice(blobDirectory.length).replace(/\.json$/, "");
}

function ledgerPath(at: number): string {
  const date = new Date(at);
  return `ledger/${Number.isNaN(date.getTime()) ? "unknown" : date.toISOString().slice(0, 7)}.jsonl`;
}

/** GF2: the event comes last and unchanged. */
function eventLine({ position, at, schemaVersion, previousHash, hash, salts, feed, text: event }: SealedEvent): string {
  const covered = Object.keys(salts).length === 0 ? {} : { salts };
  const placed = feed === undefined ? {} : { feed };
  const head = JSON.stringify({ position, at, schemaVersion, previousHash, hash, ...placed, ...covered });
  return `${head.slice(0, -1)}${eventMark}${event}}`;
}

function eventOf(stream: RunId, line: string): SealedEvent {
  const start = line.indexOf(eventMark) + eventMark.length;
  const { event, salts, ...row } = JSON.parse(line) as Omit<SealedEvent, "stream" | "text" | "salts"> & {
    event: RunEvent;
    salts?: unknown;
  };
  return { stream, ...row, salts: saltsSchema.parse(salts ?? {}), event, text: line.slice(start, -1) };
}

const eventMark = `,"event":`;

function lines(rows: Iterable<object>): string {
  return text([...rows].map((row) => JSON.stringify(row)));
}

function text(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}

/** GF3 */
function readLines<T>(place: string, content: string | undefined, read: (line: string) => T): T[] {
  return splitLines(content ?? "").map((line, index) => {
    try {
      const row = read(line);
      if (typeof row !== "object" || row === null) throw new TypeError("It is not a row.");
      return row;
    } catch (thrown) {
      throw new BatonError("BATON_STATE_BROKEN", `${place}, line ${index + 1} cannot be read.`, { cause: thrown });
    }
  });
}

function splitLines(content: string): string[] {
  return content.split("\n").filter((line) => line !== "");
}
