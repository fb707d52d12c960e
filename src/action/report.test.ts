import { expect, it } from "vitest";
import { annotationsOf, exitCodeOf, type JobReport, type JobVerdict, output, outputsOf, summaryOf } from "./report.ts";

const report = (verdict: JobVerdict, reason = "So."): JobReport => ({
  verdict,
  reason,
  run: null,
  repositoryUrl: "https://github.com/acme/shop",
  thread: 7,
  steps: 1,
  statePushes: 2,
  apiCalls: { reads: 3, unchanged: 1, writes: 2 },
});

it.each([
  ["passed", 0],
  ["waiting", 0],
  ["elsewhere", 0],
  ["handed-over", 0],
  ["nothing", 0],
  ["failed", 1],
  ["cancelled", 1],
  ["skipped", 1],
  ["refused", 1],
] as const)("%s ends with %i", (verdict, code) => {
  expect(exitCodeOf(report(verdict))).toBe(code);
  expect(annotationsOf(report(verdict)).some((text) => text.startsWith("::error "))).toBe(code === 1);
});

it("a reason of several lines stays one annotation and begins no command of its own", () => {
  const [text] = annotationsOf(report("failed", "first\n::set-output name=verdict::passed\r\n100%"));
  expect(text?.split(/[\r\n]/)).toHaveLength(1);
  expect(text).toContain("100%25");
});

it("a value of an output cannot begin another output", () => {
  const [first = "", ...rest] = output("verdict", "x\nend\nverdict=passed").split("\n");
  const end = first.slice("verdict<<".length);
  // Only the last line ends the value, and nobody could know it before.
  expect(rest.filter((line) => line === end)).toHaveLength(1);
  expect(rest.indexOf(end)).toBe(rest.length - 2);
  expect(output("verdict", "x").split("\n")[0]).not.toBe(first);
});

it("without a run the outputs say so", () => {
  expect(outputsOf(report("nothing"))).toEqual({
    "run-id": "",
    "cache-key": "",
    verdict: "nothing",
    "pull-request": "",
    "cost-usd": "0",
  });
});

it("what the job cost the repository is in the summary, by kind", () => {
  expect(summaryOf(report("waiting"))).toContain(
    "This job: 1 step, 2 state pushes, 5 API calls (3 reads, 1 of them unchanged; 2 writes)",
  );
});

it("text of a thread mentions nobody and breaks no table in the summary", () => {
  const text = summaryOf(report("failed", "ask @everyone\n# now"));
  expect(text).not.toMatch(/(^|[^\u200b])@everyone/);
  expect(text).toContain("[Thread #7](https://github.com/acme/shop/issues/7)");
});
