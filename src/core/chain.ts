/**
 * The hash chain of a journal: each event's hash covers the hash before it. A changed, removed or reordered event
 * breaks the chain.
 *
 * J4 Events are checked against their schema before they are sealed and after they are read.
 * H1 Up to schema version 1, the hash covers the text of the event. From version 2, it covers the hashed form
 *    (`personal.ts`, personal.P1).
 * The caller passes in the hash function, because pure folders have no crypto of the host.
 */
import { canonicalJson } from "./canonical.ts";
import { BatonError } from "./errors.ts";
import { eventSchemaVersion, isKnownEvent, type RunEvent, runEventSchema, type StoredEvent } from "./event.ts";
import { deletedSalts, hashedForm, personalPointers, readableForm, type Salts, saltsSchema } from "./personal.ts";

export type Sha256 = (text: string) => string;

/** An event as the journal keeps it. The text is canonical, so the stored text is exactly the hashed text. */
export interface SealedEvent extends StoredEvent {
  text: string;
  salts: Salts;
  /** The event's place in the feed of its thread. Only stores without a database of their own keep it here. */
  feed?: number;
}

/** The texts of checked events, so that an append does not check them again. */
const checked = new WeakMap<RunEvent, string>();

/** The event as a reader will get it. An event that does not match its schema: BATON_EVENT_INVALID (J4). */
export function journaledEvent(candidate: RunEvent): RunEvent {
  if (checked.has(candidate)) return candidate;
  const parsed = runEventSchema.safeParse(candidate);
  if (!parsed.success)
    throw new BatonError(
      "BATON_EVENT_INVALID",
      `An event ${candidate.type} does not match its schema: ${parsed.error.message}`,
    );
  const text = canonicalJson(parsed.data);
  // Parsed back from the text, so that the appender sees the same event as a reader.
  const event = JSON.parse(text) as RunEvent;
  checked.set(event, text);
  return event;
}

export function sealEvents(options: {
  stream: string;
  previousHash: string;
  firstPosition: number;
  now: number;
  /** Times of the single events. Absent: `now`. */
  times?: readonly number[] | undefined;
  events: readonly RunEvent[];
  sha256: Sha256;
  /**
   * Random for each append and never stored. The salts are derived from it, so a repeated append gives the same result.
   */
  seed: string;
}): SealedEvent[] {
  const { sha256, seed } = options;
  let { previousHash } = options;
  return options.events.map((candidate, index) => {
    const event = journaledEvent(candidate);
    const text = checked.get(event) ?? canonicalJson(event);
    const position = options.firstPosition + index;
    const salts = Object.fromEntries(
      personalPointers(runEventSchema, event).map((pointer) => [
        pointer,
        sha256(JSON.stringify([seed, position, pointer])).slice(0, 32),
      ]),
    );
    const at = options.times?.[index] ?? options.now;
    const row = { position, at, schemaVersion: eventSchemaVersion, text, previousHash, salts };
    const sealed: SealedEvent = { ...row, stream: options.stream, event, hash: hashOf(sha256, options.stream, row) };
    previousHash = sealed.hash;
    return sealed;
  });
}

/** The chain still holds when the last events of a journal were removed. The separate event count shows the loss. */
export function cutOff(stream: string, end: number, counted: number): BatonError {
  return new BatonError(
    "BATON_JOURNAL_BROKEN",
    `The journal of ${stream} ends at event ${end}, but ${counted} were written: its end was cut off.`,
  );
}

/** The event at this position is not the one that the appender has read. */
export function otherEnd(stream: string, position: number): BatonError {
  return new BatonError("BATON_JOURNAL_BROKEN", `Event ${position} of ${stream} changed after it was read.`);
}

/** The event as readers get it. */
export function withoutText({
  stream,
  position,
  at,
  schemaVersion,
  event,
  previousHash,
  hash,
}: SealedEvent): StoredEvent {
  return { stream, position, at, schemaVersion, event, previousHash, hash };
}

export interface StoredRow {
  position: number;
  at: number;
  schemaVersion: number;
  text: string;
  previousHash: string;
  hash: string;
  salts: Salts;
}

/** Salts as a database keeps them. null: an older Baton wrote the event, or the hash covers no texts. */
export function saltsFrom(text: string | null): Salts {
  return text === null ? {} : saltsSchema.parse(JSON.parse(text));
}

export function saltsText(salts: Salts): string | null {
  return Object.keys(salts).length === 0 ? null : canonicalJson(salts);
}

/** Rows of a stream in order, after `previousHash`. null: the caller has not read the earlier rows. */
export function openEvents(
  stream: string,
  previousHash: string | null,
  rows: readonly StoredRow[],
  sha256: Sha256,
): StoredEvent[] {
  let expected = previousHash;
  return rows.map((row) => {
    // This check comes before the hash check. A newer Baton may hash in another way, and that does not break the
    // journal.
    if (row.schemaVersion > eventSchemaVersion) {
      throw new BatonError(
        "BATON_EVENT_NEWER",
        `Event ${row.position} of ${stream} has schema version ${row.schemaVersion}; this Baton reads up to ${eventSchemaVersion}.`,
      );
    }
    if (expected !== null && row.previousHash !== expected) {
      throw new BatonError(
        "BATON_JOURNAL_BROKEN",
        `Event ${row.position} of ${stream} does not follow the event before it.`,
      );
    }
    if (hashOf(sha256, stream, row) !== row.hash) {
      throw new BatonError("BATON_JOURNAL_BROKEN", `Event ${row.position} of ${stream} is not what was written.`);
    }
    const event = readableForm(JSON.parse(row.text), row.salts);
    const parsed = runEventSchema.safeParse(event);
    if (!parsed.success && !isKnownEvent(event))
      throw new BatonError(
        "BATON_EVENT_NEWER",
        `Event ${row.position} of ${stream} is of a kind that this Baton does not know.`,
      );
    if (!parsed.success)
      throw new BatonError(
        "BATON_EVENT_INVALID",
        `Event ${row.position} of ${stream} does not match its schema: ${parsed.error.message}`,
      );
    expected = row.hash;
    return {
      stream,
      position: row.position,
      at: row.at,
      schemaVersion: row.schemaVersion,
      event: parsed.data,
      previousHash: row.previousHash,
      hash: row.hash,
      ...(isErased(row) ? { erased: true as const } : {}),
    };
  });
}

/**
 * The row without the texts that its salts cover: the hash stays valid. A row of schema version 1 cannot lose its text.
 */
export function erasedRow(stream: string, row: StoredRow, sha256: Sha256): Pick<StoredRow, "text" | "salts"> {
  if (row.schemaVersion < 2)
    throw new BatonError(
      "BATON_ERASE_REFUSED",
      `Event ${row.position} of ${stream} was written by an older Baton: its hash covers its text.`,
    );
  const event: unknown = JSON.parse(row.text);
  return {
    text: canonicalJson(hashedForm(event, row.salts, sha256)),
    salts: deletedSalts(event, row.salts),
  };
}

function isErased({ salts }: StoredRow): boolean {
  return Object.values(salts).some((salt) => typeof salt !== "string");
}

/** H1, personal.P2 */
function hashOf(
  sha256: Sha256,
  stream: string,
  { position, at, previousHash, schemaVersion, text, salts }: Omit<StoredRow, "hash">,
): string {
  const hashed =
    schemaVersion < 2
      ? text
      : canonicalJson({
          event: hashedForm(JSON.parse(text), salts, sha256),
          personal: Object.keys(salts).sort(),
        });
  return sha256(`${previousHash}\n${stream}\n${position}\n${at}\n${hashed}`);
}
