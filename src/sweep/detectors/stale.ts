/**
 * Notes to oneself that grew old: lines `path<tab>line<tab>seconds<tab>text`, the time being that of the line's last change.
 * `staleCommand` prints them.
 */
import { insidePath, lineOf, named, type RawFinding } from "../../core/finding.ts";
import { bounded, type Detector } from "./detector.ts";

const dayMs = 86_400_000;
const staleAfterDays = 180;
const oldAfterDays = 730;

/** For `sh -c`, in a clone with history. At most 500 notes: each asks git who wrote its line. */
export const staleCommand = `git grep -nIE '\\b(TODO|FIXME|HACK|XXX)\\b' | head -n 500 | while IFS=: read -r file line text; do seconds=$(git blame --line-porcelain -L "$line,$line" -- "$file" | sed -n 's/^committer-time //p'); printf '%s\\t%s\\t%s\\t%s\\n' "$file" "$line" "$seconds" "$text"; done`;

export const stale: Detector = {
  name: "stale",
  summary: "TODO, FIXME, HACK and XXX that nobody touched for 180 days.",
  version: 1,
  read(report, { now }) {
    const raw: RawFinding[] = [];
    let young = 0;
    for (const row of bounded("stale", report).split(/\r?\n/)) {
      const [file = "", line = "", seconds = "", ...rest] = row.split("\t");
      const path = insidePath(file);
      const text = rest.join(" ").trim();
      const at = Number(seconds) * 1_000;
      if (path === null || text === "" || !Number.isFinite(at) || at <= 0) continue;
      const days = Math.floor((now - at) / dayMs);
      if (days < staleAfterDays) {
        young += 1;
        continue;
      }
      const word = /\b(TODO|FIXME|HACK|XXX)\b/.exec(text)?.[1] ?? "TODO";
      raw.push({
        rule: word.toLowerCase(),
        message: `${word} of ${new Date(at).toISOString().slice(0, 10)}: ${text}`,
        severity: word === "FIXME" || days >= oldAfterDays ? "warning" : "note",
        path,
        line: lineOf(Number(line)),
        text,
      });
    }
    return named("stale", raw, young === 0 ? [] : [`${young} younger than ${staleAfterDays} days are left alone.`]);
  },
};
