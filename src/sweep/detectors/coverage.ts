/**
 * Files that tests do not cover, from a report in lcov format.
 * Source: https://manpages.debian.org/unstable/lcov/geninfo.1.en.html#FILES (`SF`, `DA`, `LF`, `LH`, `end_of_record`)
 */
import { insidePath, named, type RawFinding } from "../../core/finding.ts";
import { bounded, counted, type Detector, invalid } from "./detector.ts";

const wantedShare = 0.6;
/** A file with fewer lines is not a finding. */
const linesNeeded = 10;

export const coverage: Detector = {
  name: "coverage",
  summary: "Files of which tests run less than 60 % of the lines, from an lcov report.",
  version: 1,
  read(report, { root }) {
    const text = bounded("coverage", report);
    if (text.trim() !== "" && !/^SF:/m.test(text)) throw invalid("coverage", "it has no `SF:` line of lcov");
    const files = new Map<string, Map<number, number>>();
    let outside = 0;
    let lines: Map<number, number> | null = null;
    for (const row of text.split(/\r?\n/)) {
      if (row.startsWith("SF:")) {
        const path = insidePath(row.slice(3), root);
        if (path === null) outside += 1;
        lines = path === null ? null : (files.get(path) ?? new Map<number, number>());
        if (path !== null && lines !== null) files.set(path, lines);
      } else if (row.startsWith("DA:") && lines !== null) {
        const [line = 0, hits = 0] = row.slice(3).split(",").map(Number);
        if (Number.isInteger(line) && line > 0) lines.set(line, (lines.get(line) ?? 0) + (hits > 0 ? hits : 0));
      } else if (row === "end_of_record") lines = null;
    }
    const raw = [...files].flatMap(([path, hits]): RawFinding[] => {
      const total = hits.size;
      const run = [...hits.values()].filter((count) => count > 0).length;
      if (total < linesNeeded || run / total >= wantedShare) return [];
      const first = [...hits].filter(([, count]) => count === 0).map(([line]) => line);
      return [
        {
          rule: run === 0 ? "untested" : "little-tested",
          message: `Tests run ${run} of ${total} lines.`,
          severity: run === 0 ? "warning" : "note",
          path,
          line: first.length === 0 ? null : Math.min(...first),
          // One finding for each file, whatever its lines are.
          text: path,
        },
      ];
    });
    return named(
      "coverage",
      raw,
      counted(outside, "is about a file outside the repository.", "are about files outside the repository."),
    );
  },
};
