/**
 * Rules of the repository that forbid a text, a regular expression, or a piece of syntax. `patternCommand` prints
 * `rule<tab>severity<tab>path<tab>line<tab>text`. It runs in the sandbox, so an endless expression ends with its step.
 *
 * PT1 The repository's own `@ast-grep/napi` searches syntax, at the version of its lockfile. Baton does not ship one.
 */
import { lineOf, named, type RawFinding, type Severity, severities } from "../../core/finding.ts";
import { bounded, counted, type Detector, gitPath } from "./detector.ts";
import { handWritten, madeCommand } from "./hand-written.ts";

export interface PatternRule {
  id: string;
  /** A literal text. */
  text: string | null;
  /** A POSIX extended expression. */
  regex: string | null;
  /** Code with `$NAME` for any node, as ast-grep reads it. Absent in rules of an older Baton. */
  ast?: string | null | undefined;
  message: string;
  severity: Severity;
  /** Globs of files. Empty: all files. */
  paths: readonly string[];
}

/** The most lines of one rule. If half of the lines break a rule, the next one adds no news. */
const linesMax = 500;
/** Before generated files are left out. A shell reads lines slowly. */
const rawLinesMax = 50_000;
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * A program for `node -e`, with names of files on its standard input. It prints `path<tab>line<tab>text` for each match. It
 * has no single quotes. A pattern of one language may be none in another: only one that no language reads is an error.
 */
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
const refused = new Map();
let isRead = false;
for (const path of readFileSync(0, "utf8").split("\\0")) {
  const kind = ast.Lang[kinds[(/[.]([a-z]+)$/.exec(path) ?? [])[1]]];
  if (kind === undefined || path.includes("\\n") || refused.has(kind)) continue;
  const source = readFileSync(path, "utf8");
  if (source.length > 1000000) continue;
  const lines = source.split("\\n");
  const root = ast.parse(kind, source).root();
  let nodes;
  try { nodes = root.findAll(process.argv[1]); } catch (error) { refused.set(kind, error.message); continue; }
  isRead = true;
  for (const node of nodes) {
    const at = node.range().start.line;
    console.log(path + "\\t" + (at + 1) + "\\t" + lines[at]);
  }
}
if (!isRead && refused.size > 0) end([...refused.values()][0]);`;

/** For `sh -c`, in a clone. `git grep` ends with 1 if it finds nothing, and with a higher code if it cannot search. */
export function patternCommand(rules: readonly PatternRule[]): string {
  const looks = rules.map(({ id, text, regex, ast, severity, paths }) => {
    const globs = paths.length === 0 ? "." : paths.map((path) => quoted(`:(glob)${path}`)).join(" ");
    const where = ` ${globs} ${handWritten({ named: paths.length > 0 })}`;
    const name = quoted(`${id}\t${severity}`);
    if (ast != null)
      return `git ls-files -z --${where} > "$TMPDIR/baton-files" || exit 1\nlook ${name} sh -c ${quoted('exec node -e "$1" "$2" < "$TMPDIR/baton-files"')} - ${quoted(searchSyntax)} ${quoted(ast)}`;
    const how = text === null ? `-E -e ${quoted(regex ?? "")}` : `-F -e ${quoted(text)}`;
    // Without -z git quotes names that are not ASCII.
    return `look ${name} git grep -nIz --no-color ${how} --${where}`;
  });
  return [
    madeCommand,
    "tab=$(printf '\\t')",
    `look() { name="$1"; shift; "$@" > "$TMPDIR/baton-found"; code=$?; [ $code -le 1 ] || exit $code; head -n ${rawLinesMax} "$TMPDIR/baton-found" | tr '\\000' '\\t' | while IFS= read -r line; do made "\${line%%\${tab}*}" || printf '%s\\t%s\\n' "$name" "$line"; done 2>/dev/null | head -n ${linesMax}; }`,
    'export TMPDIR="${TMPDIR:-/tmp}"',
    ...looks,
    "true",
  ].join("\n");
}

export const pattern: Detector = {
  name: "pattern",
  summary:
    "Rules of your own: `text`, `regex` (POSIX extended) or `ast` (syntax) that must not occur, each with a message.",
  version: 2,
  needsZero: true,
  read(report, { rules = [] }) {
    const raw: RawFinding[] = [];
    let other = 0;
    for (const row of bounded("pattern", report).split(/\r?\n/)) {
      if (row === "") continue;
      const [id = "", severity = "", ...rest] = row.split("\t");
      // A step that an older Baton began prints `path:line:text`.
      const form = /^\d+$/.test(rest[1] ?? "") ? /^([^\t]+)\t(\d+)\t(.*)$/ : /^(.+?):(\d+):(.*)$/;
      const [, file = "", line = "", text = ""] = form.exec(rest.join("\t").slice(0, 2_000)) ?? [];
      const path = gitPath(file);
      if (path === null || !(severities as readonly string[]).includes(severity)) {
        other += 1;
        continue;
      }
      const message = rules.find((one) => one.id === id)?.message ?? `It matches the rule "${id}".`;
      raw.push({ rule: id, message, severity: severity as Severity, path, line: lineOf(Number(line)), text });
    }
    return named("pattern", raw, counted(other, "cannot be read.", "cannot be read."));
  },
};
