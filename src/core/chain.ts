/**
 * The hash chain of a journal: each event's hash covers the one before, so an altered, removed or reordered event shows.
 *
 * J4 Events are checked against their schema before they are sealed and after they are read.
 * The hash function is handed in: pure folders have no crypto of the host.
 */
import { canonicalJson } from "./canonical.ts";
import { BatonError } from "./errors.ts";
import { eventSchemaVersion, type RunEvent, runEventSchema, type StoredEvent } from "./event.ts";

export type Sha256 = (text: string) => string;

/** As the journal keeps it: the event as canonical text, so that what was hashed is what is stored. */
export interface SealedEvent extends StoredEvent {
  text: string;
}

export function sealEvents(options: {
  stream: string;
  previousHash: string;
  firstPosition: number;
  now: number;
  events: readonly RunEvent[];
  sha256: Sha256;
}): SealedEvent[] {
  let { previousHash } = options;
  return options.events.map((candidate, index) => {
    const parsed = runEventSchema.safeParse(candidate);
    if (!parsed.success)
      throw new BatonError(
        "BATON_EVENT_INVALID",
        `An event ${candidate.type} does not match its schema: ${parsed.error.message}`,
      );
    const text = canonicalJson(parsed.data);
    const position = options.firstPosition + index;
    const sealed: SealedEvent = {
      stream: options.stream,
      position,
      at: options.now,
      schemaVersion: eventSchemaVersion,
      // Parsed back from the text: what the appender sees is what a reader will see.
      event: JSON.parse(text) as RunEvent,
      previousHash,
      hash: hashOf(options.sha256, options.stream, position, options.now, previousHash, text),
      text,
    };
    previousHash = sealed.hash;
    return sealed;
  });
}

/** The chain of a journal whose last events were removed still holds; the count that is kept beside it does not. */
export function cutOff(stream: string, end: number, counted: number): BatonError {
  return new BatonError(
    "BATON_JOURNAL_BROKEN",
    `The journal of ${stream} ends at event ${end}, but ${counted} were written: its end was cut off.`,
  );
}

/** As readers get it. */
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
}

/** Rows of a stream in order, after `previousHash` (null: the caller has not read what came before). */
export function openEvents(
  stream: string,
  previousHash: string | null,
  rows: readonly StoredRow[],
  sha256: Sha256,
): StoredEvent[] {
  let expected = previousHash;
  return rows.map((row) => {
    if (expected !== null && row.previousHash !== expected) {
      throw new BatonError(
        "BATON_JOURNAL_BROKEN",
        `Event ${row.position} of ${stream} does not follow the event before it.`,
      );
    }
    if (hashOf(sha256, stream, row.position, row.at, row.previousHash, row.text) !== row.hash) {
      throw new BatonError("BATON_JOURNAL_BROKEN", `Event ${row.position} of ${stream} is not what was written.`);
    }
    if (row.schemaVersion > eventSchemaVersion) {
      throw new BatonError(
        "BATON_EVENT_INVALID",
        `Event ${row.position} of ${stream} has schema version ${row.schemaVersion}; this Baton reads up to ${eventSchemaVersion}.`,
      );
    }
    const parsed = runEventSchema.safeParse(JSON.parse(row.text));
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
    };
  });
}

function hashOf(
  sha256: Sha256,
  stream: string,
  position: number,
  at: number,
  previousHash: string,
  text: string,
): string {
  return sha256(`${previousHash}\n${stream}\n${position}\n${at}\n${text}`);
}
