import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alice } from "../../test/fakes/run-world.ts";
import { canonicalJson } from "./canonical.ts";
import { openEvents, type StoredRow, sealEvents } from "./chain.ts";
import { eventSchemaVersion, type RunEvent } from "./event.ts";

/** Free of collisions, which is all that the chain asks of it. */
const sha256 = (text: string): string => `#${text}`;
const stream = "run_0123456789";
const pausedFor = (reason: string): RunEvent => ({ type: "run.paused", by: alice, reason });

function journal(reasons: string[]): StoredRow[] {
  return sealEvents({ stream, previousHash: "", firstPosition: 1, now: 5, events: reasons.map(pausedFor), sha256 });
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
        ...sealEvents({ stream, previousHash: a.hash, firstPosition: 2, now: 5, events: [pausedFor("x")], sha256 }),
        c,
        d,
      ],
    ],
    [
      "an event of another stream",
      [
        ...sealEvents({
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
  const hash = sha256(`\n${stream}\n1\n5\n${text}`);
  const row = { position: 1, at: 5, schemaVersion: eventSchemaVersion, text, previousHash: "", hash };
  expect(() => openEvents(stream, "", [row], sha256)).toThrow(expect.objectContaining({ code: "BATON_EVENT_INVALID" }));
});

it("an event of a newer schema is refused", () => {
  const row = rowOf(journal(["a"])[0] as StoredRow, { schemaVersion: eventSchemaVersion + 1 });
  expect(() => openEvents(stream, "", [row], sha256)).toThrow(expect.objectContaining({ code: "BATON_EVENT_INVALID" }));
});

it("whatever is sealed opens again as what the appender saw, in any number of appends", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { maxLength: 6 }), fc.nat(6), (reasons, cut) => {
      const first = sealEvents({
        stream,
        previousHash: "",
        firstPosition: 1,
        now: 5,
        events: reasons.slice(0, cut).map(pausedFor),
        sha256,
      });
      const rest = sealEvents({
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
