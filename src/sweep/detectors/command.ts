/** Any program that prints a finding a line: `path:line: message`, or a JSON object. */
import { insidePath, lineOf, named, type RawFinding, type Severity, severities } from "../../core/finding.ts";
import { bounded, counted, type Detector, isObject, textOf } from "./detector.ts";

/** `src/a.ts:12:3: warning: message [rule]` as compilers and linters write it. */
const compilerLine = /^(.+?):(\d+)(?::\d+)?:\s*(?:(error|warning|note|info)\b:?\s*)?(.+?)(?:\s+\[([\w./@-]+)\])?$/i;
const linesMax = 50_000;

export const command: Detector = {
  name: "command",
  summary:
    "Lines of a command, one a finding: `path:line: message`, or a JSON object with `message` and optionally `path`, `line`, `rule`, `severity`, `text`.",
  version: 1,
  read(report, { root }) {
    const lines = bounded("command", report).split(/\r?\n/);
    const raw: RawFinding[] = [];
    let [outside, other] = [0, 0];
    for (const line of lines.slice(0, linesMax)) {
      if (line.trim() === "") continue;
      const found = line.trimStart().startsWith("{") ? ofJson(line) : ofText(line);
      if (found === null) {
        other += 1;
        continue;
      }
      const path = found.path === null ? null : insidePath(found.path, root);
      if (found.path !== null && path === null) outside += 1;
      raw.push({ ...found, path, line: path === null ? null : found.line });
    }
    return named("command", raw, [
      ...counted(outside, "are about a path outside the repository; they have no place."),
      ...(other === 0 ? [] : [`${other} ${other === 1 ? "line is" : "lines are"} not a finding.`]),
      ...(lines.length > linesMax ? [`${lines.length} lines were printed. The first ${linesMax} are read.`] : []),
    ]);
  },
};

function ofJson(line: string): RawFinding | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(value) || textOf(value["message"]) === "") return null;
  const severity = textOf(value["severity"]).toLowerCase();
  return {
    rule: textOf(value["rule"], "command") || "command",
    message: textOf(value["message"]),
    severity: (severities as readonly string[]).includes(severity) ? (severity as Severity) : "warning",
    path: textOf(value["path"]) || null,
    line: lineOf(value["line"]),
    text: textOf(value["text"]),
  };
}

function ofText(line: string): RawFinding | null {
  // Bounded before it is matched: the pattern looks for its end.
  const found = compilerLine.exec(line.slice(0, 2_000));
  if (found === null) return null;
  const [, path = "", at = "", level = "warning", message = "", rule = "command"] = found;
  const severity = level.toLowerCase() === "info" ? "note" : (level.toLowerCase() as Severity);
  return { rule, message, severity, path, line: lineOf(Number(at)), text: "" };
}
