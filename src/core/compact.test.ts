import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { sealEvents, withoutText } from "./chain.ts";
import { compactedLength, compactJournal, openCompacted } from "./compact.ts";
import type { RunEvent } from "./event.ts";
import type { EffectKey, RunId } from "./vocabulary.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const stream = "run_0123456789abcdef01234567" as RunId;
const long = "é😀".repeat(2_000);

const events: RunEvent[] = [
  { type: "run.budget-raised", by: { id: 1, login: "a", kind: "user", permission: "write" }, addUsd: 2 },
  { type: "effect.succeeded", key: "plan" as EffectKey, attempt: 1, output: { text: long, n: [1, long] }, usage: [] },
  {
    type: "run.completed",
    output: null,
    verdict: { name: "run", status: "passed", reason: "Done.", evidence: [], children: [] },
  },
];
const journal = () =>
  sealEvents({ seed: "s", stream, previousHash: "", firstPosition: 1, now: 5, events, sha256 }).map(withoutText);

describe("a compacted journal", () => {
  it("keeps every event's place and the chain's head, and cuts what is long", () => {
    const whole = journal();
    const text = compactJournal(whole, 9, sha256);
    expect(text.length).toBeLessThan(3_500);
    expect(compactedLength(text)).toBe(3);
    const opened = openCompacted(stream, text, sha256);
    expect(opened.map(({ position, at, hash, previousHash }) => ({ position, at, hash, previousHash }))).toEqual(
      whole.map(({ position, at, hash, previousHash }) => ({ position, at, hash, previousHash })),
    );
    expect(opened[0]?.event).toEqual(whole[0]?.event);
    expect(opened[2]?.event).toEqual(whole[2]?.event);
    const { output } = opened[1]?.event as unknown as { output: { text: string; n: [number, string] } };
    expect(output.text).toMatch(/^(é😀){200} … \(cut by compaction\)$/);
    expect(output.n[0]).toBe(1);
    expect(text.isWellFormed()).toBe(true);
  });

  it("compacted twice it is the same", () => {
    const once = compactJournal(journal(), 9, sha256);
    expect(compactJournal(openCompacted(stream, once, sha256), 9, sha256)).toBe(once);
  });

  it.each([
    ["a changed text", (text: string) => text.replace("Done.", "Gone.")],
    ["a lost event", (text: string) => text.split("\n").toSpliced(2, 1).join("\n")],
    ["a lost end", (text: string) => text.split("\n").toSpliced(3, 1).join("\n")],
    ["another run's", (text: string) => text.replaceAll(stream, "run_ffffffffffffffffffffffff")],
  ])("%s is found", (_, change) => {
    const text = compactJournal(journal(), 9, sha256);
    const changed = change(text);
    expect(changed).not.toBe(text);
    expect(() => openCompacted(stream, changed, sha256)).toThrow(
      expect.objectContaining({ code: "BATON_JOURNAL_BROKEN" }),
    );
    // A new seal over the changed body does not hide the change either.
    const body = changed.slice(changed.indexOf("\n") + 1);
    const head = { ...JSON.parse(changed.slice(0, changed.indexOf("\n"))), seal: sha256(body) };
    if (!changed.includes("Gone."))
      expect(() => openCompacted(stream, `${JSON.stringify(head)}\n${body}`, sha256)).toThrow(/compacted/);
  });
});
