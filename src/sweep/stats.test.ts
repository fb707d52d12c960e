import { expect, it } from "vitest";
import { endsOf, type Proposal, sweepStats } from "./stats.ts";

let count = 0;
const proposal = (over: Partial<Proposal> = {}): Proposal => {
  count += 1;
  return {
    runId: `run_${count}`,
    detector: "sarif",
    pullRequest: count,
    fingerprints: ["a"],
    at: 1_000,
    end: null,
    endedAt: null,
    costUsd: 0.5,
    ...over,
  };
};
const merged = (endedAt: number, over: Partial<Proposal> = {}) => proposal({ end: "merged", endedAt, ...over });
const closed = (endedAt: number, over: Partial<Proposal> = {}) => proposal({ end: "closed", endedAt, ...over });

it.each([
  ["nothing", [], []],
  ["only what is open", [proposal()], [{ proposals: 1, open: 1, decisionMs: null, costPerMergedUsd: null }]],
  [
    "what was merged and closed",
    [merged(3_000), closed(2_000), proposal()],
    [{ proposals: 3, open: 1, merged: 1, closed: 1, decisionMs: 1_000, costUsd: 1.5, costPerMergedUsd: 1.5 }],
  ],
  [
    "two detectors",
    [merged(3_000, { detector: "stale" }), merged(3_000), merged(9_000)],
    [
      { detector: "sarif", merged: 2, decisionMs: 2_000, costPerMergedUsd: 0.5 },
      { detector: "stale", merged: 1 },
    ],
  ],
  ["a clock that went back", [merged(500)], [{ decisionMs: 0 }]],
])("counts %s", (_, proposals, expected) => {
  expect(sweepStats(proposals)).toMatchObject(expected);
});

it("the last decisions drive the throttle, in the order in which they were made; a resume starts over", () => {
  const all = [...Array.from({ length: 6 }, (_, at) => closed(1_000 + at)), merged(500)];
  expect(endsOf(all, "sarif")[0]).toBe("merged");
  expect(sweepStats(all)[0]?.throttle.rate).toBe(0);
  expect(sweepStats(all, () => 1_002)[0]?.throttle).toMatchObject({ rate: 1, counted: 3 });
});
