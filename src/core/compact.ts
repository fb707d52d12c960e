/**
 * The compacted journal of a run that has ended. It has every event at its place in the chain, with long texts cut.
 *
 * Owns: which parts of an event remain, and how to read them. Does not own: when to compact a journal, where to keep
 * it.
 * CJ1 Position, time and hash of each event stay. The chain's head is unchanged, and references to an event still find
 *     it. A cut event can no longer be checked against its own hash. The seal covers everything that remains.
 * CJ2 The remaining event passes the schema of events (core-event.J4). It folds to the same status, money, decisions
 *     and verdicts.
 */
import { canonicalJson } from "./canonical.ts";
import type { Sha256 } from "./chain.ts";
import { BatonError } from "./errors.ts";
import { type RunEvent, runEventSchema, type StoredEvent, storedEventSchema } from "./event.ts";
import { withoutPersonal } from "./personal.ts";

/** Long enough for a sentence of a verdict. A longer text comes from an agent or a thread. */
const textMax = 600;
const mark = " … (cut by compaction)";

interface Head {
  events: number;
  lastHash: string;
  compactedAt: number;
  /** The seal of the lines that follow. */
  seal: string;
}

/** `events`: all events of one journal, already checked. */
export function compactJournal(events: readonly StoredEvent[], now: number, sha256: Sha256): string {
  return sealed(
    events.map((stored) => ({ ...stored, event: cut(stored.event) })),
    now,
    sha256,
  );
}

/** The compacted journal without its personal texts. */
export function eraseCompacted(stream: string, text: string, sha256: Sha256): string {
  return sealed(
    openCompacted(stream, text, sha256).map((stored) => ({
      ...stored,
      event: withoutPersonal(runEventSchema, stored.event),
      erased: true,
    })),
    headOf(text).compactedAt,
    sha256,
  );
}

function sealed(events: readonly StoredEvent[], compactedAt: number, sha256: Sha256): string {
  const body = events.map((stored) => `${canonicalJson(stored)}\n`).join("");
  const head: Head = { events: events.length, lastHash: events.at(-1)?.hash ?? "", compactedAt, seal: sha256(body) };
  return `${JSON.stringify(head)}\n${body}`;
}

/** The number of events, without reading them. */
export function compactedLength(text: string): number {
  return headOf(text).events;
}

/** Places of the journal's events in the feed of their thread. */
export function compactedPlaces(text: string): number[] {
  const [, ...lines] = text.trimEnd().split("\n");
  return lines.flatMap((line) => (JSON.parse(line) as { feed?: number }).feed ?? []);
}

export function openCompacted(stream: string, text: string, sha256: Sha256): StoredEvent[] {
  const { events, lastHash, seal } = headOf(text);
  const body = text.slice(text.indexOf("\n") + 1);
  const broken = (what: string): BatonError =>
    new BatonError("BATON_JOURNAL_BROKEN", `${what} of ${stream}, compacted`);
  if (sha256(body) !== seal) throw broken("Not what was written: the journal");
  let previousHash = "";
  const opened = body
    .split("\n")
    .filter((line) => line !== "")
    .map((line, index) => {
      const stored = storedEventSchema.safeParse(JSON.parse(line));
      if (!stored.success) throw broken(`Against its schema: event ${index + 1}`);
      if (
        stored.data.stream !== stream ||
        stored.data.position !== index + 1 ||
        stored.data.previousHash !== previousHash
      )
        throw broken(`Not after the event before it: event ${index + 1}`);
      previousHash = stored.data.hash;
      return stored.data;
    });
  if (opened.length !== events || previousHash !== lastHash) throw broken("Not as long as it was: the journal");
  return opened;
}

function headOf(text: string): Head {
  return JSON.parse(text.slice(0, text.indexOf("\n"))) as Head;
}

/** The event that began the run stays whole, because `/baton retry` starts from it. */
function cut(event: RunEvent): RunEvent {
  const small = event.type === "run.created" ? { ...event, input: shorten(event.input) } : shorten(event);
  // If the schema rejects the cut text, the event stays unchanged.
  const parsed = runEventSchema.safeParse(small);
  return parsed.success ? parsed.data : event;
}

function shorten(value: unknown): unknown {
  if (typeof value === "string")
    return value.length <= textMax ? value : `${wellFormed(value.slice(0, textMax))}${mark}`;
  if (Array.isArray(value)) return value.map(shorten);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shorten(inner)]));
}

/** Drops half of a surrogate pair at the cut. */
function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.slice(0, -1);
}
