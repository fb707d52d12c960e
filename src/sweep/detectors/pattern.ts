/**
 * Rules of the repository's own: a text, a regular expression, or a piece of syntax that is not to be there. `patternCommand` prints
 * `rule<tab>severity<tab>path:line:text`, in the sandbox: an expression that takes forever ends with its step.
 *
 * PT1 Syntax is searched by the repository's own `@ast-grep/napi`, at the version of its lockfile; Baton brings none along.
 */
import { insidePath, lineOf, named, type RawFinding, type Severity, severities } from "../../core/finding.ts";
import { bounded, counted, type Detector } from "./detector.ts";

export interface PatternRule {
  id: string;
  /** As it stands. */
  text: string | null;
  /** POSIX extended. */
  regex: string | null;
  /** Code with `$NAME` for any node, as ast-grep reads it. Absent in rules of an older Baton. */
  ast?: string | null | undefined;
  message: string;
  severity: Severity;
  /** Globs of files; none: all. */
  paths: readonly string[];
}

/** Of one rule: a rule that half of the lines break says nothing new with the next one. */
const linesMax = 500;
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A program for `node -e`, with names of files on its standard input: prints `path:line:text` for each match. Kept without quotes. */
const searchSyntax = `
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const end = (why) => { console.error(why); process.exit(3); };
process.on("uncaughtException", (error) => end(error.message));
let ast;
try { ast = createRequire(process.cwd() + "/baton.js")("@ast-grep/napi"); } catch {
  end("@ast-grep/napi is not installed here. Add it to the devDependencies, and install them by sandbox.setup.");
}
const kinds = { js: "JavaScript", mjs: "JavaScript", cjs: "JavaScript", jsx: "JavaScript", ts: "TypeScript", mts: "TypeScript", cts: "TypeScript", tsx: "Tsx", css: "Css", html: "Html" };
for (const path of readFileSync(0, "utf8").split("\\0")) {
  const kind = ast.Lang[kinds[(/[.]([a-z]+)$/.exec(path) ?? [])[1]]];
  if (kind === undefined || path.includes("\\n")) continue;
  const source = readFileSync(path, "utf8");
  if (source.length > 1000000) continue;
  const lines = source.split("\\n");
  for (const node of ast.parse(kind, source).root().findAll(process.argv[1])) {
    const at = node.range().start.line;
    console.log(path + ":" + (at + 1) + ":" + lines[at]);
  }
}`;

/** For `sh -c`, in a clone. `git grep` ends with 1 where it finds nothing, and with more where it cannot look. */
export function patternCommand(rules: readonly PatternRule[]): string {
  const looks = rules.map(({ id, text, regex, ast, severity, paths }) => {
    const where = paths.length === 0 ? "" : ` ${paths.map((path) => quoted(`:(glob)${path}`)).join(" ")}`;
    const name = quoted(`${id}\t${severity}`);
    if (ast != null)
      return `git ls-files -z --${where} > "$TMPDIR/baton-files" || exit 1\nlook ${name} sh -c ${quoted('exec node -e "$1" "$2" < "$TMPDIR/baton-files"')} - ${quoted(searchSyntax)} ${quoted(ast)}`;
    const how = text === null ? `-E -e ${quoted(regex ?? "")}` : `-F -e ${quoted(text)}`;
    return `look ${name} git grep -nI --no-color ${how} --${where}`;
  });
  return [
    `look() { name="$1"; shift; "$@" > "$TMPDIR/baton-found"; code=$?; [ $code -le 1 ] || exit $code; head -n ${linesMax} "$TMPDIR/baton-found" | while IFS= read -r line; do printf '%s\\t%s\\n' "$name" "$line"; done; }`,
    'export TMPDIR="${TMPDIR:-/tmp}"',
    ...looks,
    "true",
  ].join("\n");
}

export const pattern: Detector = {
  name: "pattern",
  summary:
    "Rules of your own: `text`, `regex` (POSIX extended) or `ast` (syntax) that must not occur, each with a message.",
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
