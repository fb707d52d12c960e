import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CheckFact } from "./facts.ts";
import { countedTries } from "./tries.ts";

const at = (second: number): string => new Date(1_800_000_000_000 + second * 1_000).toISOString();

/**
 * `test 3..5 x #2`: a run of `test` from second 3 to 5 that failed, of attempt 2 (`#?`: unread). `v` succeeded, `-`
 * still runs.
 */
function run(text: string, id: number): CheckFact {
  const [, name = "", from = "", to = "", end = "", attempt] =
    /^(\S+) (\?|\d+)\.\.(\?|\d*) ([xv-])(?: #(\d+|\?))?$/.exec(text) ?? [];
  const time = (given: string): string | null => (given === "?" || given === "" ? null : at(Number(given)));
  return {
    name,
    source: "check-run",
    appId: 1,
    suiteId: 1,
    sha: "a".repeat(40),
    status: end === "-" ? "in_progress" : "completed",
    conclusion: end === "-" ? null : end === "x" ? "failure" : "success",
    id,
    url: null,
    startedAt: time(from),
    completedAt: time(to),
    ...(attempt === undefined ? {} : { attempt: attempt === "?" ? null : Number(attempt) }),
    summary: "",
  };
}

const counted = (runs: readonly string[], change: Partial<CheckFact> = {}) =>
  countedTries(runs.map((text, index) => ({ ...run(text, index + 1), ...change })));
/** Ids of the counted runs. */
const ids = (runs: readonly string[], change?: Partial<CheckFact>): number[] =>
  counted(runs, change)
    .map(({ id }) => id)
    .sort((a, b) => a - b);

describe("green-hides-red-of-same-name: two jobs of one suite share a name", () => {
  it.each([
    ["red, then the other one green, at once", ["test 1..4 x", "test 2..6 v"], [1, 2]],
    ["green first", ["test 1..4 v", "test 2..6 x"], [1, 2]],
    ["one still runs", ["test 1.. -", "test 2..6 v"], [1, 2]],
    ["one began in the second in which the other ended", ["test 1..4 x", "test 4..6 v"], [1, 2]],
    ["three of a matrix, the middle one red", ["test 1..9 v", "test 2..5 x", "test 3..7 v"], [1, 2, 3]],
    ["one attempt, one after the other", ["test 1..4 x #1", "test 6..9 v #1"], [1, 2]],
    ["times unknown", ["test ?..? x", "test ?..? v"], [1, 2]],
    ["the end of the first is unknown", ["test 1..? x", "test 6..9 v"], [1, 2]],
    ["an attempt that is unknown beside one that is known", ["test 1..4 x #1", "test 2..9 v"], [1, 2]],
    ["attempts that could not be read, one after the other", ["test 1..4 x #?", "test 6..9 v #?"], [1, 2]],
    ["three of them", ["test 1..2 x #?", "test 3..4 v #?", "test 5..6 v #?"], [1, 2, 3]],
    ["one of them could be read", ["test 1..4 x #1", "test 6..9 v #?"], [1, 2]],
    ["one of them has no workflow run", ["test 1..4 x #1", "test 6..9 v"], [1, 2]],
    ["only one of the two was run again", ["test 1..4 x #1", "test 1..4 x #1", "test 6..9 v #2"], [1, 2, 3]],
    ["the same, by times", ["test 1..4 x", "test 1..4 x", "test 6..9 v"], [1, 2, 3]],
    ["two Apps do not share", ["test 1..4 x", "test 6..9 v"], [1, 2], [{ appId: 7 }, {}]],
    ["nor do two suites", ["test 1..4 x", "test 6..9 v"], [1, 2], [{ suiteId: 7 }, {}]],
  ] as [string, string[], number[], Partial<CheckFact>[]?][])("%s: both count", (_, runs, expected, changes) => {
    if (changes === undefined) expect(ids(runs)).toEqual(expected);
    else
      expect(countedTries(runs.map((text, index) => ({ ...run(text, index + 1), ...changes[index] })))).toHaveLength(2);
  });
});

describe("TR1: a re-run supersedes what it ran again", () => {
  it.each([
    ["by attempt", ["test 1..4 x #1", "test 6..9 v #2"], [2], 2],
    ["by attempt, though the times overlap", ["test 1..9 x #1", "test 6..8 v #2"], [2], 2],
    ["by attempt, though the first never ended", ["test 1.. - #1", "test 6..8 v #2"], [2], 1],
    ["by times", ["test 1..4 x", "test 6..9 v"], [2], 2],
    ["three times", ["test 1..4 x", "test 6..7 x", "test 9..10 v"], [3], 3],
    ["both jobs of a name", ["test 1..4 x #1", "test 1..5 v #1", "test 7..9 v #2", "test 7..9 v #2"], [3, 4], 2],
    [
      "one of two, where GitHub lists the other in the new attempt",
      ["test 1..5 v #2", "test 1..4 x #1", "test 7..9 v #2"],
      [1, 3],
      2,
    ],
    [
      "one of two, where it lists it as a check run of its own",
      ["test 1..5 v #1", "test 1..4 x #1", "test 1..5 v #2", "test 7..9 v #2"],
      [3, 4],
      2,
    ],
  ] as [string, string[], number[], number][])("%s", (_, runs, expected, number) => {
    const found = counted(runs);
    expect(found.map(({ id }) => id).sort((a, b) => a - b)).toEqual(expected);
    expect(found.at(-1)).toMatchObject({ number, notRunAgain: false });
  });

  it("one that a new attempt only lists again was not tried twice", () => {
    expect(counted(["test 1..4 x #1", "test 1..4 x #2"])).toMatchObject([{ id: 2, number: 1, earlier: [] }]);
  });

  it("says of a red one that a smaller round follows", () => {
    expect(
      counted(["test 1..4 x", "test 2..5 v", "test 7..9 v"]).map(({ id, notRunAgain }) => [id, notRunAgain]),
    ).toEqual([
      [1, true],
      [2, true],
      [3, false],
    ]);
  });
});

it("TR4: of a commit status the newest counts", () => {
  expect(ids(["ci 1..1 x", "ci 1..1 v"], { source: "status" })).toEqual([2]);
});

it("for any runs of one attempt: every one of them counts", () => {
  const any = fc.record({
    attempt: fc.constant(1),
    startedAt: fc.constantFrom(null, at(1), at(5)),
    completedAt: fc.constantFrom(null, at(2), at(9)),
    status: fc.constantFrom("in_progress" as const, "completed" as const),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 6 }), (runs) => {
      const checks = runs.map((change, index) => ({ ...run("test 1..2 v", index + 1), ...change }));
      expect(countedTries(checks)).toHaveLength(runs.length);
    }),
  );
});
