/**
 * What the state looks like as files: one row a line, so that `git log -p refs/baton/thread/7` reads as a history.
 *
 * thread ref   driver.json  inbox.jsonl  jobs.jsonl  leases.jsonl  outbox.jsonl  position.json  runs.jsonl  threads.jsonl
 *              journal/<run>.jsonl  compacted/<run>.jsonl  blobs/<sha256>
 * shared ref   index.jsonl  ended.jsonl  marks.jsonl  values.jsonl  ledger/<month>.jsonl
 *
 * GF1 A journal only grows, and its events are chained; other files hold the present rows, their past is git's.
 * GF2 The text that was hashed is the text that is kept: an event's line ends in its canonical JSON, byte for byte.
 * GF3 What cannot be read stops whoever reads it, by the name of its file and line; nothing is written over it.
 */
import type { SealedEvent } from "../../core/chain.ts";
import { BatonError } from "../../core/errors.ts";
import type { RunEvent } from "../../core/event.ts";
import { saltsSchema } from "../../core/personal.ts";
import { isActiveStatus, type Json, type RunId } from "../../core/vocabulary.ts";
import type { Delivery, Lease, LedgerRow, RunRow } from "../../ports/store.ts";
import { deliveryKey, type JobRow, type KeptOutboxRow, type TableName, Tables } from "../memory/tables.ts";
import type { MarkRow } from "./marks.ts";

/** Who drives a thread. The epoch never comes again. */
export interface Driver {
  owner: string;
  epoch: number;
  expiresAt: number;
  /** How others find out whether it is still alive: the id of its workflow run. */
  job: string | null;
}

/** What another job must know to find a thread where something is open: an active run, or events that nobody handled yet. */
export interface IndexRow {
  /** null: the inbox of `home`. */
  runId: RunId | null;
  home: string;
  threadKey: string;
  wakeAt: number | null;
  watches: string[];
}

/** What a schedule must know to find a thread whose state is due to be compacted or removed. */
export interface EndedRow {
  home: string;
  /** When the first of the runs was over whose journals are still whole; null: none. */
  wholeSince: number | null;
  /** When the last run was over, or without any run the last event came in; null while a run is active. */
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
  /** How many commits the home ref counts. */
  position = 0;
  /** Ids of blobs that the home ref has, with the name of their file. */
  readonly blobs = new Map<string, string>();
  driver: Driver | null = null;
  /** Counts changes; equal counts mean that nothing changed in between. */
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

  /** Blobs that no whole journal and nothing to be sent names; their files go. */
  dropBlobs(): void {
    const texts = [...this.tables.events.values()].flat().map(({ text: event }) => event);
    const waiting = JSON.stringify([...this.tables.outbox.values()]);
    for (const [id, path] of this.blobs) {
      if (waiting.includes(id) || texts.some((event) => event.includes(id))) continue;
      this.blobs.delete(id);
      this.touch(path, "home");
    }
  }

  /** Nothing of the thread is left that anybody could ask for or wait for, and no event of late whose name must stay. */
  isForgettable(before: number): boolean {
    const { runRows, deliveries, jobs, outbox } = this.tables;
    const stays = [...deliveries.values()].some(
      ({ state, receivedAt }) => state === "received" || receivedAt >= before,
    );
    return (
      runRows.size === 0 && !stays && jobs.size === 0 && ![...outbox.values()].some(({ state }) => state === "pending")
    );
  }

  /** The shared ref goes with the next push, and the mark with it. */
  markAgain(): void {
    this.touch(marksPath, "shared");
  }

  /** The thread's ref goes with the next push, and what others know of it. */
  forget(): void {
    this.touch("driver.json", "home");
    this.markAgain();
    this.index.delete(this.#home);
    if (this.ended.delete(this.#home)) this.touch(endedPath, "shared");
  }

  /** Of a thread whose ref cannot be removed: nothing of it ever becomes due. */
  keepForgotten(): void {
    this.ended.set(this.#home, { home: this.#home, wholeSince: null, idleSince: null });
    this.touch(endedPath, "shared");
  }

  /** What others know of this thread is what its own ref says: that may have been put back or removed by hand. */
  indexAgain(): void {
    const { runRows } = this.tables;
    for (const [key, { home, runId }] of this.index)
      if (home === this.#home && runId !== null && !runRows.has(runId)) this.#putIndex(key, null);
    for (const runId of runRows.keys()) this.#indexRun(runId);
    this.#indexInbox();
    this.#indexEnd();
  }

  /** Paths that differ from what was read or taken before, with their place. */
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
        // A journal that is made small changes its place.
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
    // Most changes do not change what is found: then the shared ref, which all threads push to, stays as it is.
    if (JSON.stringify(this.index.get(key) ?? null) === JSON.stringify(row)) return;
    if (row === null) this.index.delete(key);
    else this.index.set(key, row);
    this.touch(indexPath, "shared");
  }
}

/** Content of a file as the snapshot has it; null: no such file. Blobs are not made here. */
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

/** Text as it is where git can keep it as it is; else as JSON. */
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

/** GF2: the event comes last and as it is. */
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
