/**
 * Rules of the repository's own: a text or a regular expression that is not to be there. `patternCommand` prints
 * `rule<tab>severity<tab>path:line:text` by `git grep`, in the sandbox: an expression that takes forever ends with its step.
 */
import { insidePath, lineOf, named, type RawFinding, type Severity, severities } from "../finding.ts";
import { bounded, counted, type Detector } from "./detector.ts";

export interface PatternRule {
  id: string;
  /** As it stands. */
  text: string | null;
  /** POSIX extended. */
  regex: string | null;
  message: string;
  severity: Severity;
  /** Globs of files; none: all. */
  paths: readonly string[];
}

/** Of one rule: a rule that half of the lines break says nothing new with the next one. */
const linesMax = 500;
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** For `sh -c`, in a clone. `git grep` ends with 1 where it finds nothing, and with more where it cannot look. */
export function patternCommand(rules: readonly PatternRule[]): string {
  const looks = rules.map(({ id, text, regex, severity, paths }) => {
    const how = text === null ? `-E -e ${quoted(regex ?? "")}` : `-F -e ${quoted(text)}`;
    const where = paths.length === 0 ? "" : ` ${paths.map((path) => quoted(`:(glob)${path}`)).join(" ")}`;
    return `look ${quoted(`${id}\t${severity}`)} git grep -nI --no-color ${how} --${where}`;
  });
  return [
    `look() { name="$1"; shift; "$@" > "$TMPDIR/baton-found"; code=$?; [ $code -le 1 ] || exit $code; head -n ${linesMax} "$TMPDIR/baton-found" | while IFS= read -r line; do printf '%s\\t%s\\n' "$name" "$line"; done; }`,
    'TMPDIR="${TMPDIR:-/tmp}"',
    ...looks,
    "true",
  ].join("\n");
}

export const pattern: Detector = {
  name: "pattern",
  summary: "Rules of your own: `text` or `regex` (POSIX extended) that must not occur, each with a message.",
  version: 1,
  needsZero: true,
  read(report, { rules = [] }) {
    const raw: RawFinding[] = [];
    let other = 0;
    for (const row of bounded("pattern", report).split(/\r?\n/)) {
      if (row === "") continue;
      const [id = "", severity = "", ...rest] = row.split("\t");
      const [, file = "", line = "", text = ""] = /^(.+?):(\d+):(.*)$/.exec(rest.join("\t").slice(0, 2_000)) ?? [];
      const path = insidePath(file);
      if (path === null || !(severities as readonly string[]).includes(severity)) {
        other += 1;
        continue;
      }
      const message = rules.find((one) => one.id === id)?.message ?? `It matches the rule "${id}".`;
      raw.push({ rule: id, message, severity: severity as Severity, path, line: lineOf(Number(line)), text });
    }
    return named("pattern", raw, counted(other, "cannot be read."));
  },
};
