/** A state ahead of its journal, by the kept journals of this version: real runs with every kind of effect. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { keptJournals } from "../../test/journals/kept.ts";
import { ahead, overwrite } from "./ahead.ts";
import { openEvents } from "./chain.ts";
import type { StoredEvent } from "./event.ts";
import { applyEvent, fold } from "./fold.ts";
import type { RunState } from "./state.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const plain = (state: RunState): object => ({
  ...state,
  effects: [...state.effects].map(([key, effect]) => [key, structuredClone(effect)]),
  listed: { keys: [...state.effects.keys()], values: [...state.effects.values()].length, size: state.effects.size },
});

describe.each(keptJournals())("$name", ({ stream, rows }) => {
  const events = openEvents(stream, "", rows, sha256);
  const splits = [
    ...new Set([1, 2, 3, 0.25, 0.5, 0.75].map((part) => Math.ceil(part < 1 ? part * events.length : part))),
  ];
  const before = (split: number): StoredEvent[] => events.slice(0, split);

  it("AH1: ahead by any number of events it is the state of all of them, and the given state stays", () => {
    for (const split of splits) {
      const state = fold(before(split));
      let next = ahead(state);
      for (const [index, stored] of events.slice(split).entries()) {
        next = applyEvent(next, stored);
        if (index % 7 === 0) expect(plain(next)).toEqual(plain(fold(events.slice(0, split + index + 1))));
      }
      expect(plain(next)).toEqual(plain(fold(events)));
      expect(plain(state)).toEqual(plain(fold(before(split))));
    }
  });

  it("overwritten by a later state, it has the content of that one, and readers keep their effects", () => {
    const split = Math.ceil(events.length / 2);
    const state = fold(before(split));
    const held = [...state.effects.values()];
    overwrite(state, fold(events));
    expect(plain(state)).toEqual(plain(fold(events)));
    for (const effect of held) expect(state.effects.get(effect.key)).toBe(effect);
  });
});
