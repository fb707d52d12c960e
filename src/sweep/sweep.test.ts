/** The life of findings: their states, the choice among them, and how acceptance throttles. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Finding, Severity } from "../core/finding.ts";
import { choose } from "./choose.ts";
import { reuseMsOf } from "./reuse.ts";
import { afterProposal, afterSweep, type KnownFinding, type ProposalEnd } from "./states.ts";
import { throttle } from "./throttle.ts";

const finding = (name: string, over: Partial<Finding> = {}): Finding => ({
  fingerprint: name,
  detector: "sarif",
  rule: "r",
  message: name,
  severity: "warning",
  path: `src/${name}.js`,
  line: 1,
  ...over,
});
const known = (name: string, over: Partial<KnownFinding> = {}): KnownFinding => ({
  ...finding(name),
  state: "new",
  since: 0,
  pullRequest: null,
  ...over,
});
const sweep = (before: KnownFinding[], found: Finding[], detectors = ["sarif"]) =>
  afterSweep(before, found, { detectors, now: 9 }).map(({ fingerprint, state }) => `${fingerprint} ${state}`);

describe("states", () => {
  it.each([
    ["seen first", [], [finding("a")], ["a new"]],
    ["seen again", [known("a")], [finding("a")], ["a new"]],
    ["rejected, seen again", [known("a", { state: "rejected" })], [finding("a")], ["a rejected"]],
    ["ignored, seen again", [known("a", { state: "ignored" })], [finding("a")], ["a ignored"]],
    ["proposed, seen again", [known("a", { state: "proposed" })], [finding("a")], ["a proposed"]],
    ["accepted, seen again", [known("a", { state: "accepted" })], [finding("a")], ["a new"]],
    ["fixed, seen again", [known("a", { state: "fixed" })], [finding("a")], ["a new"]],
    ["gone", [known("a")], [], ["a fixed"]],
    ["proposed, gone", [known("a", { state: "proposed" })], [], ["a fixed"]],
    ["rejected, gone", [known("a", { state: "rejected" })], [], ["a rejected"]],
    ["accepted, gone", [known("a", { state: "accepted" })], [], ["a accepted"]],
    ["of a detector that did not run", [known("a", { detector: "stale" })], [], ["a new"]],
  ])("%s", (_, before, found, expected) => expect(sweep(before, found)).toEqual(expected));

  it("a rejected finding whose code changed is another one", () => {
    expect(sweep([known("old", { state: "rejected" })], [finding("changed")])).toEqual(["changed new", "old rejected"]);
  });

  it("a proposal's end is that of its findings only", () => {
    const after = afterProposal([known("a"), known("b")], ["a"], { state: "accepted", pullRequest: 7, now: 3 });
    expect(after.map(({ state, pullRequest }) => [state, pullRequest])).toEqual([
      ["accepted", 7],
      ["new", null],
    ]);
  });
});

describe("choice", () => {
  const limits = { openPullRequests: 0, openPullRequestsMax: 2, findingsMax: 3 };
  it("is of one detector and one part of the tree, the heaviest first, within the limit", () => {
    const all = ["a", "b", "c", "d"].map((name) => known(name));
    const heavy = known("x", { severity: "error", path: "lib/x.js" });
    const chosen = choose([...all, heavy], limits, new Map());
    expect(new Set(chosen.findings.map(({ path }) => path?.split("/")[0])).size).toBe(1);
    expect(chosen.findings.length).toBeLessThanOrEqual(3);
  });

  it.each([
    ["open pull requests", [known("a")], { ...limits, openPullRequests: 2 }, /2 of 2 pull requests of sweeps are open/],
    ["nothing new", [known("a", { state: "rejected" })], limits, /no finding that could be proposed/],
    ["no money left", [known("a")], { ...limits, leftUsd: 0 }, /`sweep\.dayUsd` or `sweep\.monthUsd`/],
  ])("nothing: %s", (_, all, given, reason) => {
    const { findings, reason: said } = choose(all, given, new Map());
    expect(findings).toEqual([]);
    expect(said).toMatch(reason);
  });

  it("what people ticked comes first, whole, and of a paused detector too; limits hold", () => {
    const paused = new Map([["sarif", throttle("sarif", Array<ProposalEnd>(20).fill("closed"))]]);
    const all = [known("a"), known("b"), known("c", { detector: "stale", severity: "error" })];
    expect(choose(all, { ...limits, wanted: ["b", "gone"] }, paused)).toMatchObject({
      findings: [{ fingerprint: "b" }],
      reason: "1 of 3 findings, of `sarif` in `src`: somebody ticked them.",
    });
    expect(choose(all, { ...limits, wanted: ["b"], openPullRequests: 2 }, paused).findings).toEqual([]);
    expect(choose([known("a", { state: "rejected" })], { ...limits, wanted: ["a"] }, paused).findings).toEqual([]);
  });

  it("a paused detector gives none, and its reason is said; another goes on", () => {
    const paused = throttle("sarif", Array<ProposalEnd>(20).fill("closed"));
    const map = new Map([["sarif", paused]]);
    expect(choose([known("a")], limits, map)).toMatchObject({
      findings: [],
      reason: "0 of the last 20 proposals of `sarif` were merged, under 20 %: it is paused.",
    });
    expect(choose([known("a"), known("b", { detector: "stale" })], limits, map).detector).toBe("stale");
  });

  it("whatever there is: only new findings, of one detector, within the limits, the same each time", () => {
    const severity = fc.constantFrom<Severity>("error", "warning", "note");
    const state = fc.constantFrom("new" as const, "rejected" as const, "proposed" as const, "fixed" as const);
    const one = fc.record({
      fingerprint: fc.uuid(),
      detector: fc.constantFrom("sarif", "stale", "coverage"),
      severity,
      state,
      path: fc.constantFrom(null, "a.js", "src/a.js", "src/b/c.js", "lib/d.js"),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), fc.nat(3), fc.integer({ min: 1, max: 5 }), (list, open, max) => {
        const all = list.map((over) => known(over.fingerprint, over));
        const given = { openPullRequests: open, openPullRequestsMax: 2, findingsMax: max };
        const chosen = choose(all, given, new Map());
        expect(chosen).toEqual(choose(all.toReversed(), given, new Map()));
        expect(chosen.findings.length).toBeLessThanOrEqual(open >= 2 ? 0 : max);
        expect(chosen.findings.every((found) => found.state === "new" && found.detector === chosen.detector)).toBe(
          true,
        );
        expect(chosen.reason).not.toBe("");
      }),
    );
  });
});

describe("throttled by acceptance", () => {
  const ends = (merged: number, closed: number): ProposalEnd[] => [
    ...Array<ProposalEnd>(closed).fill("closed"),
    ...Array<ProposalEnd>(merged).fill("merged"),
  ];
  it.each([
    [0, 0, 1],
    [0, 4, 1],
    [0, 5, 0],
    [1, 4, 0.5],
    [1, 5, 0],
    [2, 3, 0.5],
    [10, 10, 1],
    [9, 11, 0.5],
    [4, 16, 0.5],
    [3, 17, 0],
  ])("%i merged, %i closed: %d", (merged, closed, rate) => {
    expect(throttle("sarif", ends(merged, closed)).rate).toBe(rate);
  });

  it("only the last 20 count, so that it recovers", () => {
    expect(throttle("sarif", ends(20, 100)).rate).toBe(1);
  });

  it("never rises by a rejection, never falls by a merge", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom<ProposalEnd>("merged", "closed"), { maxLength: 19 }), (list) => {
        const before = throttle("x", list).rate;
        expect(throttle("x", [...list, "closed"]).rate).toBeLessThanOrEqual(before);
        if (list.length >= 5) expect(throttle("x", [...list, "merged"]).rate).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});

it.each([
  ["pattern", true, 30],
  ["sarif", true, 1],
  ["command", true, 1],
  ["coverage", true, 1],
  ["stale", true, 1],
  ["alerts", true, 0],
  ["flaky", true, 0],
  ["agent", true, 0],
  ["pattern", false, 0],
  ["command", false, 0],
])("a result of `%s` with `reuse: %s` counts for %i days", (use, reuse, days) => {
  expect(reuseMsOf({ use, reuse })).toBe(days * 86_400_000);
});
