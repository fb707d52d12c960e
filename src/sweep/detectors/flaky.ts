/** Checks that were red and then green on one commit: a JSON list of `{ sha, name, conclusion, at, url? }`, of any length. */
import { named, type RawFinding } from "../../core/finding.ts";
import { type Detector, invalid, isObject, listOf, parseJson, textOf } from "./detector.ts";

export const flaky: Detector = {
  name: "flaky",
  summary: "Checks that failed and then succeeded on the same commit.",
  version: 1,
  read(report) {
    const whole = parseJson("flaky", report);
    if (!Array.isArray(whole)) throw invalid("flaky", "it is not a list of check runs");
    const tries = new Map<string, { name: string; at: number; conclusion: string }[]>();
    for (const one of listOf(whole).filter(isObject)) {
      const [sha, name] = [textOf(one["sha"]), textOf(one["name"])];
      const at = Date.parse(textOf(one["at"]));
      if (sha === "" || name === "" || Number.isNaN(at)) continue;
      const key = JSON.stringify([sha, name]);
      tries.set(key, [...(tries.get(key) ?? []), { name, at, conclusion: textOf(one["conclusion"]) }]);
    }
    const commits = new Map<string, number>();
    for (const list of tries.values()) {
      const sorted = list.toSorted((a, b) => a.at - b.at);
      const red = sorted.findIndex(({ conclusion }) => conclusion === "failure" || conclusion === "timed_out");
      const isFlaky = red >= 0 && sorted.slice(red + 1).some(({ conclusion }) => conclusion === "success");
      const name = sorted[0]?.name ?? "";
      if (isFlaky) commits.set(name, (commits.get(name) ?? 0) + 1);
    }
    const raw = [...commits].map(
      ([name, count]): RawFinding => ({
        rule: "red-then-green",
        message: `The check "${name}" failed and then succeeded on ${count} ${count === 1 ? "commit" : "commits"} without a change.`,
        severity: count >= 3 ? "error" : "warning",
        path: null,
        line: null,
        text: name,
      }),
    );
    return named("flaky", raw);
  },
};
