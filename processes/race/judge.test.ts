/** The winner of a race and its reason in words, in cases and in properties. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Entry, type Finish, judge } from "./judge.ts";
import { raceTable, raceVerdict } from "./table.ts";

const sha = "a".repeat(40);
const green = (lines: number): Finish => ({ state: "judged", green: true, failedChecks: 0, lines, sha });
const red = (lines: number, failedChecks = 1): Finish => ({ state: "judged", green: false, failedChecks, lines, sha });
const out = (reason = "changed nothing"): Finish => ({ state: "out", reason });
const entry = (name: string, finish: Finish, costUsd: number | null = 1): Entry => ({ name, finish, costUsd });

describe("who wins", () => {
  const cases: [what: string, entries: Entry[], winner: string | null, sentence: RegExp][] = [
    [
      "green before smaller and cheaper",
      [entry("a", red(1), 0.1), entry("b", green(90), 3)],
      "b",
      /^b wins: ahead of a: its checks are green\.$/,
    ],
    [
      "of two green the smaller",
      [entry("a", green(9), 0.1), entry("b", green(4), 3)],
      "b",
      /its change is smaller \(4 lines against 9\)/,
    ],
    [
      "of two alike the cheaper",
      [entry("a", green(4), 0.25), entry("b", green(4), 0.05)],
      "b",
      /it was cheaper \(\$0\.0500 against \$0\.25\)/,
    ],
    [
      "a price that is not known is the highest",
      [entry("a", green(4), null), entry("b", green(4), 9)],
      "b",
      /against an unknown price/,
    ],
    [
      "equal in all: named first",
      [entry("a", green(4)), entry("b", green(4))],
      "a",
      /they are equal, and it was named first/,
    ],
    [
      "all red: the fewest failed checks",
      [entry("a", red(1, 3)), entry("b", red(50, 2))],
      "b",
      /^No contestant is green\. b is the best of them .*\(2 against 3\); all are red/,
    ],
    [
      "who is out does not win, however cheap",
      [entry("a", out(), 0), entry("b", red(9))],
      "b",
      /the only one that finished; its checks are red/,
    ],
    [
      "all out: nobody",
      [entry("a", out()), entry("b", out("BATON_HARNESS_CRASHED: It fell."))],
      null,
      /^Nobody finished: a: changed nothing; b: BATON_HARNESS_CRASHED/,
    ],
  ];
  it.each(cases)("%s", (_what, entries, winner, sentence) => {
    const judgement = judge(entries);
    expect(judgement.winner?.entry.name ?? null).toBe(winner);
    expect(judgement.sentence).toMatch(sentence);
  });

  const finishes = fc.oneof(
    fc.constant(out()),
    fc
      .record({ lines: fc.nat(20), failedChecks: fc.integer({ min: 1, max: 3 }), green: fc.boolean() })
      .map(({ lines, failedChecks, green: is }) => (is ? green(lines) : red(lines, failedChecks))),
  );
  const entries = fc
    .array(fc.record({ finish: finishes, costUsd: fc.option(fc.integer({ min: 0, max: 5 })) }), {
      minLength: 1,
      maxLength: 6,
    })
    .map((all) => all.map((one, index): Entry => ({ name: `c${index}`, ...one })));

  it("nobody who finished is ahead of the winner in the first measure that differs", () => {
    fc.assert(
      fc.property(entries, (all) => {
        const { winner, judged } = judge(all);
        const running = all.filter(({ finish }) => finish.state === "judged");
        expect(winner === null).toBe(running.length === 0);
        expect(judged.map(({ entry: one }) => one)).toEqual(all);
        expect(judged.flatMap(({ place }) => (place === null ? [] : [place])).toSorted((a, b) => a - b)).toEqual(
          running.map((_, index) => index + 1),
        );
        if (winner === null || winner.entry.finish.state !== "judged") return;
        const best = winner.entry.finish;
        for (const { finish, costUsd } of running) {
          if (finish.state !== "judged") continue;
          if (finish.green) expect(best.green).toBe(true);
          if (finish.green !== best.green) continue;
          if (!finish.green && finish.failedChecks !== best.failedChecks) {
            expect(best.failedChecks).toBeLessThan(finish.failedChecks);
            continue;
          }
          expect(best.lines).toBeLessThanOrEqual(finish.lines);
          if (best.lines === finish.lines && costUsd !== null)
            expect(winner.entry.costUsd ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(costUsd);
        }
      }),
    );
  });

  it("the order in which they are named decides only between equals", () => {
    fc.assert(
      fc.property(entries, (all) => {
        const measured = ({ finish, costUsd }: Entry): unknown => ({ finish, costUsd });
        const [there, back] = [judge(all).winner, judge(all.toReversed()).winner];
        expect(there === null ? null : measured(there.entry)).toEqual(back === null ? null : measured(back.entry));
      }),
    );
  });
});

describe("the table", () => {
  const judgement = judge([
    entry("claude-code", red(12, 2), 0.31),
    entry("codex:gpt-5", green(8), 0.02),
    entry("pi", out("BATON_HARNESS_CRASHED: It fell | </details> @bob"), null),
  ]);
  it("has a row each, by place: contestant, model, CI, diff, cost, place and why", () => {
    const shown = [
      { model: "opus", pullRequest: 7 },
      { model: "gpt-5", pullRequest: 8 },
      { model: "", pullRequest: null },
    ];
    expect(
      raceTable(judgement, shown)
        .split("\n")
        .filter((line) => line.startsWith("|")),
    ).toEqual([
      "| | Contestant | Model | CI | Diff | Cost | Why |",
      "|--:|---|---|---|--:|--:|---|",
      "| **1** | codex:gpt-5 (#8) | gpt-5 | ✅ green | 8 lines | $0.0200 | ahead of claude-code: its checks are green |",
      "| 2 | claude-code (#7) | opus | ❌ 2 failed | 12 lines | $0.31 | behind codex:gpt-5: its checks are green |",
      expect.stringMatching(/^\| out \| pi \| – \| – \| – \| unknown \| BATON_HARNESS_CRASHED: It fell \\\| .*\|$/),
    ]);
    expect(raceTable(judgement, shown)).not.toMatch(/<\/details>|@bob/);
  });
  it("says what to do where nobody finished, and only there", () => {
    const none = judge([entry("a", out()), entry("b", out("BATON_HARNESS_AUTH: 401"))]);
    const shown = [1, 2].map(() => ({ model: "", pullRequest: null }));
    expect(raceTable(none, shown)).toMatch(/^❌ Nobody finished: a: .*; b: BATON.*$[^]*`\/baton retry`/m);
    expect(raceTable(judgement, shown)).not.toContain("/baton retry");
  });
  it("is a verdict too: the winner passed, the others skipped, who is out an error", () => {
    const { status, reason, children } = raceVerdict(judgement);
    expect([status, reason]).toEqual(["passed", "codex:gpt-5 wins: ahead of claude-code: its checks are green."]);
    expect(children.map(({ name, status: of }) => [name, of])).toEqual([
      ["claude-code", "skipped"],
      ["codex:gpt-5", "passed"],
      ["pi", "error"],
    ]);
  });
});
