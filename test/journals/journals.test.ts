/** Journals of this version and of every earlier one, read, folded, replayed, compacted and deleted by the Baton of today. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as macrotask } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { builtInProcesses } from "../../processes/index.ts";
import { erasedRow, openEvents } from "../../src/core/chain.ts";
import { compactJournal, openCompacted } from "../../src/core/compact.ts";
import { isOver } from "../../src/core/decide.ts";
import { fold } from "../../src/core/fold.ts";
import { replay } from "../../src/process/replay.ts";
import { definitionOf } from "../../src/runner/definitions.ts";
import { endOf, keptDirectory, keptJournals } from "./kept.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const settle = async (): Promise<void> => {
  await macrotask();
};
const kept = keptJournals();

it("this version has kept its journals: `npm run journals:keep`", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  expect(existsSync(join(keptDirectory, version))).toBe(true);
  expect(kept.length).toBeGreaterThanOrEqual(6);
});

describe.each(kept)("$name", ({ stream, rows, end }) => {
  const events = openEvents(stream, "", rows, sha256);

  it("comes to the state that it came to then", () => {
    expect(endOf(fold(events))).toMatchObject(end as object);
  });

  it("is replayed: its process asks for the same again, and for nothing else", async () => {
    const state = fold(events);
    const { turn } = await replay(definitionOf(builtInProcesses(), state), events, settle);
    // A finished run asks for nothing at its end but the end itself.
    expect(turn.requests).toEqual([]);
    if (!isOver(state)) expect(turn.end).toBeNull();
  });

  it("compacted, and without its personal texts, it comes to the same status, steps and money", () => {
    const { status, money, effects } = fold(events);
    const steps = (all: typeof effects) => [...all.values()].map(({ key, status: step }) => `${key} ${step}`);
    const erased = rows.map((row) => ({ ...row, ...erasedRow(stream, row, sha256) }));
    expect(/alice|bob|mallory/.test(JSON.stringify(erased))).toBe(false);
    for (const small of [
      openCompacted(stream, compactJournal(events, 1, sha256), sha256),
      openEvents(stream, "", erased, sha256),
    ]) {
      const folded = fold(small);
      expect({ status: folded.status, money: folded.money }).toEqual({ status, money });
      expect(steps(folded.effects)).toEqual(steps(effects));
    }
  });
});
