import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alice } from "../../test/fakes/run-world.ts";
import { canonicalJson } from "./canonical.ts";
import { erasedRow, openEvents, type StoredRow, sealEvents } from "./chain.ts";
import { eventSchemaVersion, type RunEvent } from "./event.ts";

/** The chain only asks that this hash has no collisions. */
const sha256 = (text: string): string => `#${text}`;
const stream = "run_0123456789";
const pausedFor = (reason: string): RunEvent => ({ type: "run.paused", by: alice, reason });

function journal(reasons: string[]): StoredRow[] {
  return sealEvents({
    seed: "s",
    stream,
    previousHash: "",
    firstPosition: 1,
    now: 5,
    events: reasons.map(pausedFor),
    sha256,
  });
}

function rowOf(row: StoredRow, change: Partial<StoredRow>): StoredRow {
  return { ...row, ...change };
}

describe("an altered journal is not read", () => {
  const rows = journal(["a", "b", "c", "d"]);
  const [a, b, c, d] = rows as [StoredRow, StoredRow, StoredRow, StoredRow];
  it.each<[string, StoredRow[]]>([
    ["an altered event", [a, rowOf(b, { text: b.text.replace('"b"', '"x"') }), c, d]],
    ["an altered time", [a, rowOf(b, { at: 6 }), c, d]],
    ["an altered position", [a, rowOf(b, { position: 7 }), c, d]],
    ["an event taken out", [a, c, d]],
    ["the first event taken out", [b, c, d]],
    ["events in another order", [a, c, b, d]],
    ["an event twice", [a, b, b, c]],
    [
      "an event sealed again in place",
      [
        a,
        ...sealEvents({
          seed: "s",
          stream,
          previousHash: a.hash,
          firstPosition: 2,
          now: 5,
          events: [pausedFor("x")],
          sha256,
        }),
        c,
        d,
      ],
    ],
    [
      "an event of another stream",
      [
        ...sealEvents({
          seed: "s",
          stream: "run_other00000",
          previousHash: "",
          firstPosition: 1,
          now: 5,
          events: [pausedFor("a")],
          sha256,
        }),
      ],
    ],
  ])("%s", (_, altered) => {
    expect(() => openEvents(stream, "", altered, sha256)).toThrow(
      expect.objectContaining({ code: "BATON_JOURNAL_BROKEN" }),
    );
  });

  it("also when it is read from a later position", () => {
    expect(openEvents(stream, b.hash, [c, d], sha256).map(({ position }) => position)).toEqual([3, 4]);
    expect(() => openEvents(stream, a.hash, [c, d], sha256)).toThrow(
      expect.objectContaining({ code: "BATON_JOURNAL_BROKEN" }),
    );
  });
});

it("an event that no longer matches its schema is refused, though its hash is right", () => {
  const text = canonicalJson({ type: "run.paused" });
  const hash = sha256(`\n${stream}\n1\n5\n${canonicalJson({ event: { type: "run.paused" }, personal: [] })}`);
  const row = { position: 1, at: 5, schemaVersion: eventSchemaVersion, text, previousHash: "", hash, salts: {} };
  expect(() => openEvents(stream, "", [row], sha256)).toThrow(expect.objectContaining({ code: "BATON_EVENT_INVALID" }));
});

it("a journal of schema version 1, whose hash covers its text, is read", () => {
  const text = canonicalJson(pausedFor("as before"));
  const hash = sha256(`\n${stream}\n1\n5\n${text}`);
  const row = { position: 1, at: 5, schemaVersion: 1, text, previousHash: "", hash, salts: {} };
  expect(openEvents(stream, "", [row], sha256)[0]?.event).toEqual(pausedFor("as before"));
  const altered = rowOf(row, { text: text.replace("before", "after") });
  expect(() => openEvents(stream, "", [altered], sha256)).toThrow(/not what was written/);
  // Covered text cannot be removed without breaking the chain. A false claim of schema version 2 does not help.
  expect(() => erasedRow(stream, row, sha256)).toThrow(expect.objectContaining({ code: "BATON_ERASE_REFUSED" }));
  expect(() => openEvents(stream, "", [rowOf(row, { schemaVersion: 2 })], sha256)).toThrow(/not what was written/);
});

it.each<[string, Partial<StoredRow>]>([
  ["of a newer schema version, however it is hashed", { schemaVersion: eventSchemaVersion + 1, hash: "another way" }],
  ["of a kind that this Baton does not know", sealedAs({ type: "run.teleported", to: "mars" })],
  ["of a kind that this Baton does not know, without fields", sealedAs({ type: "effect.dreamt" })],
])("an event %s is a newer Baton's, not a broken journal", (_, change) => {
  const row = rowOf(journal(["a"])[0] as StoredRow, change);
  expect(() => openEvents(stream, "", [row], sha256)).toThrow(expect.objectContaining({ code: "BATON_EVENT_NEWER" }));
});

function sealedAs(event: object): Partial<StoredRow> {
  const text = canonicalJson(event);
  const hash = sha256(`\n${stream}\n1\n5\n${canonicalJson({ event, personal: [] })}`);
  return { text, hash, salts: {} };
}

it("whatever is sealed opens again as what the appender saw, in any number of appends", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { maxLength: 6 }), fc.nat(6), (reasons, cut) => {
      const first = sealEvents({
        seed: "s",
        stream,
        previousHash: "",
        firstPosition: 1,
        now: 5,
        events: reasons.slice(0, cut).map(pausedFor),
        sha256,
      });
      const rest = sealEvents({
        seed: "s",
        stream,
        previousHash: first.at(-1)?.hash ?? "",
        firstPosition: first.length + 1,
        now: 5,
        events: reasons.slice(cut).map(pausedFor),
        sha256,
      });
      const opened = openEvents(stream, "", [...first, ...rest], sha256);
      expect(opened.map(({ event }) => event)).toEqual([...first, ...rest].map(({ event }) => event));
      expect([...first, ...rest].map(({ hash }) => hash)).toEqual(journal(reasons).map(({ hash }) => hash));
    }),
  );
});

it("equal values have equal canonical text, whatever the order of their keys", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());
      expect(canonicalJson(reversed)).toBe(canonicalJson(value));
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
