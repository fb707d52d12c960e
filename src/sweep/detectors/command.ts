/** Any program that prints one finding on each line: `path:line: message`, or a JSON object. */
import { insidePath, lineOf, named, type RawFinding, type Severity, severities } from "../../core/finding.ts";
import { bounded, counted, type Detector, isObject, textFor, textOf } from "./detector.ts";

/** `src/a.ts:12:3: warning: message [rule]` as compilers and linters write it, or `src/a.ts(12,3): …` of tsc and MSBuild. */
const compilerLine =
  /^(.+?)(?::(\d+)(?::\d+)?|\((\d+)(?:,\d+)*\)):\s*(?:(fatal error|error|warning|note|info)\b:?\s*)?(.+?)(?:\s+\[((?:(?:error|warning)\/)?[\w./@()-]+)\])?$/i;
/** `F401 …` of flake8, `TS2322: …` of tsc. */
const leadingCode = /^([A-Z]{1,6}\d{2,5}):?\s+(?=\S)/;
/** `http://localhost:3000: …` and `12:30:45: …` begin as a place does. */
const noPlace = /:\/\/|^[\d\s:T.-]+$/;
const levels: Readonly<Record<string, Severity>> = {
  "fatal error": "error",
  error: "error",
  warning: "warning",
  note: "note",
  info: "note",
};
const linesMax = 50_000;

export const command: Detector = {
  name: "command",
  summary:
    "Lines of a command, one a finding: `path:line: message`, or a JSON object with `message` and optionally `path`, `line`, `rule`, `severity`, `text`.",
  version: 2,
  read(report, { root, lineAt }) {
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
      const at = { message: found.message, path, line: path === null ? null : found.line };
      raw.push({ ...found, ...at, text: found.text || textFor(at, lineAt) });
    }
    return named("command", raw, [
      ...counted(
        outside,
        "is about a path outside the repository. It has no place.",
        "are about paths outside the repository. They have no place.",
      ),
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
  // Bounded before the match, because the pattern searches for its end.
  const found = compilerLine.exec(line.slice(0, 2_000));
  if (found === null || noPlace.test(found[1] ?? "")) return null;
  const [, path = "", colon, bracket, before, message = "", tail = ""] = found;
  // ESLint's and oxlint's `unix` format: `[Error/no-eval]`.
  const [, inside, name] = /^(?:(error|warning)\/)?(.*)$/i.exec(tail) ?? [];
  const code = leadingCode.exec(message)?.[1];
  return {
    rule: name || code || "command",
    message,
    severity: levels[(before ?? inside ?? "warning").toLowerCase()] ?? "warning",
    path,
    line: lineOf(Number(colon ?? bracket)),
    text: "",
  };
}
