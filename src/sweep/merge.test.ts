import { expect, it } from "vitest";
import { mergeKnown } from "./merge.ts";
import type { KnownFinding } from "./states.ts";

const known = (fingerprint: string, state: KnownFinding["state"], since: number): KnownFinding => ({
  fingerprint,
  detector: "sarif",
  rule: "r",
  message: fingerprint,
  severity: "warning",
  path: "a.js",
  line: 1,
  state,
  since,
  pullRequest: null,
});

/** A sweep that began at time 10. */
it.each([
  ["a rejection is not undone by a sweep that did not see it", "rejected", 15, "new", 5, "rejected"],
  ["an ignored finding stays ignored", "ignored", 15, "fixed", 20, "ignored"],
  ["a proposal stays although a sweep found nothing there", "proposed", 15, "fixed", 20, "proposed"],
  ["a proposal is known although another sweep saw the finding first", "new", 15, "proposed", 20, "proposed"],
  ["of two decisions the newer", "rejected", 15, "accepted", 20, "accepted"],
  ["of two decisions the newer, written first", "accepted", 20, "rejected", 15, "accepted"],
  ["what the sweep knew it may change: found again after a merge", "accepted", 5, "new", 20, "new"],
  ["what the sweep knew it may change: gone", "new", 10, "fixed", 20, "fixed"],
] as const)("%s", (_, keptState, keptSince, state, since, left) => {
  expect(mergeKnown([known("a", keptState, keptSince)], [known("a", state, since)], 10)).toMatchObject([
    { fingerprint: "a", state: left },
  ]);
});

it("two writers lose nothing, in either order and repeated", () => {
  const mine = [known("a", "proposed", 20), known("b", "new", 20)];
  const other = [known("a", "new", 18), known("c", "rejected", 18)];
  const expected = ["a proposed", "b new", "c rejected"];
  const said = (all: KnownFinding[]) => all.map((one) => `${one.fingerprint} ${one.state}`).sort();
  expect(said(mergeKnown(other, mine, 10))).toEqual(expected);
  expect(said(mergeKnown(mine, other, 10))).toEqual(expected);
  expect(said(mergeKnown(mergeKnown(other, mine, 10), mine, 10))).toEqual(expected);
});
