/**
 * Old notes in the code: lines `path<tab>line<tab>seconds<tab>text`. The time is that of the line's last change.
 * `staleCommand` prints them.
 *
 * ST1 A mark is a note if it begins a comment, or introduces a text: `TODO: …`, `TODO(name) …`. TODO and FIXME may also
 *     stand within a comment. Other marks are names, data, or prose about notes.
 * ST2 A note needs a text, in its line or in the comment below it. A bare mark names no task.
 */
import { lineOf, named, type RawFinding } from "../../core/finding.ts";
import { bounded, counted, type Detector, gitPath, type LineAt } from "./detector.ts";
import { handWritten, madeCommand } from "./hand-written.ts";

const dayMs = 86_400_000;
const staleAfterDays = 180;
const oldAfterDays = 730;
const notesMax = 500;
/** Before generated files are left out. A shell reads lines slowly. */
const rawLinesMax = 50_000;
/** Lines of a comment that the message quotes after the first one. */
const moreLinesMax = 3;

/**
 * For `sh -c`, in a clone with history. Bounded, because each note asks git who wrote its line. Only changed white space
 * (-w), and the commits that the repository itself ignores in blame, make no note younger.
 */
export const staleCommand = [
  madeCommand,
  "tab=$(printf '\\t')",
  "set --; [ -f .git-blame-ignore-revs ] && set -- --ignore-revs-file .git-blame-ignore-revs",
  'export TMPDIR="${TMPDIR:-/tmp}"',
  // 1: it found nothing.
  `git grep -nIwzE '(TODO|FIXME|HACK|XXX)' -- . ${handWritten({ named: false })} > "$TMPDIR/baton-notes"; code=$?; [ $code -le 1 ] || exit $code`,
  // Without the list of ignored commits if this git cannot read it.
  `last() { git blame -w "$@" --line-porcelain -L "$line,$line" -- "$file" > "$TMPDIR/baton-blame"; }`,
  `head -n ${rawLinesMax} "$TMPDIR/baton-notes" | tr '\\000' '\\t' | while IFS= read -r row; do file="\${row%%\${tab}*}"; made "$file" || printf '%s\\n' "$row"; done 2>/dev/null | head -n ${notesMax + 1} | while IFS= read -r row; do file="\${row%%\${tab}*}"; rest="\${row#*\${tab}}"; line="\${rest%%\${tab}*}"; last "$@" 2>/dev/null || last || { echo "git does not know who wrote $file" >&2; exit 3; }; seconds=$(sed -n 's/^committer-time //p' "$TMPDIR/baton-blame"); printf '%s\\t%s\\t%s\\t%s\\n' "$file" "$line" "$seconds" "\${rest#*\${tab}}"; done`,
].join("\n");

// A comment may begin right before the mark, but a path may not.
const marks = /(?<![\w.$\\]|(?<!\/)\/|(?<!-)-)(?:TODO|FIXME|HACK|XXX)(?![\w$/\\-])/g;
/** The beginning of a comment, in the languages that write notes. */
const opener = String.raw`(?:\/\/+[!/]?|\/\*+!?|#+|--+|;+|%+|<!--|\{#|"""|'''|\(\*)`;
const opens = new RegExp(String.raw`(?:^|[\s;,)}\]>])${opener}\s*@?$`);
const isComment = new RegExp(String.raw`(?:^|[\s;,)}\]>])${opener}\s`);
/** A line within a block comment. */
const starred = /^\s*\*+\s*@?$/;
const introduces = /^(?:\([^()]{1,60}\)|\[[^[\]]{1,60}\])?(?::\s+(?=[\p{L}`("'<])|:$)|^\([^()]{1,60}\)\s+\p{L}/u;
const prose = /\.(?:md|mdx|rst|txt|adoc|html?)$/i;

/** The mark of a note, and the text after it. null: the line has no note (ST1). */
function noteIn(text: string, path: string): { mark: string; said: string } | null {
  const found = [...text.matchAll(marks)];
  const [first] = found;
  // A line that lists marks is about them.
  if (first === undefined || new Set(found.map(([mark]) => mark)).size > 1) return null;
  const before = text.slice(0, first.index);
  const after = text.slice(first.index + first[0].length);
  const [mark] = first;
  const isQuoted = /["'`]$/.test(before) && /^["'`]/.test(after);
  const isNote =
    opens.test(before) ||
    starred.test(before) ||
    (introduces.test(after) && /(?:^|[\s"'`(])$/.test(before) && !/^:\s+["'`]/.test(after)) ||
    ((mark === "TODO" || mark === "FIXME") && !isQuoted && !prose.test(path) && isComment.test(before));
  if (!isNote) return null;
  // Code before a comment is what a bare mark is about.
  const code = before.replace(opens, "").replace(starred, "").trim();
  return { mark, said: `${code}${after.replace(/^[\s:.-]+|\s*(?:\*\/|-->|#\})\s*$/g, "")}`.trim() };
}

/** The rest of a comment that goes on below its first line. */
function below(text: string, path: string, line: number, lineAt: LineAt | undefined): string[] {
  const [, start = ""] = new RegExp(String.raw`^(\s*(?:${opener}|\*))`).exec(text) ?? [];
  const more: string[] = [];
  if (start === "" || lineAt === undefined) return more;
  for (let at = line + 1; more.length < moreLinesMax; at += 1) {
    const next = lineAt(path, at);
    if (next === null || !next.startsWith(start) || /\b(?:TODO|FIXME|HACK|XXX)\b/.test(next)) break;
    const said = next.slice(start.length).trim();
    if (!/[\p{L}\p{N}]/u.test(said)) break;
    more.push(said);
    if (/[.!?]$/.test(said)) break;
  }
  return more;
}

interface LastNote {
  path: string;
  line: number;
  mark: string;
  text: string;
  /** null: the note is not a finding. */
  raw: RawFinding | null;
}

/** Whether the first note ends within a sentence, and the second one follows at once. */
function goesOn(last: LastNote, { path, line, mark, text }: Omit<LastNote, "raw">): boolean {
  const isNext = last.path === path && last.line === line - 1 && last.mark === mark;
  return isNext && /\p{L}$/u.test(last.text) && /^\s*\W/.test(text);
}

export const stale: Detector = {
  name: "stale",
  summary: "Notes in comments (TODO, FIXME, HACK, XXX) that nobody touched for 180 days.",
  version: 2,
  needsZero: true,
  read(report, { now, lineAt }) {
    const raw: RawFinding[] = [];
    let [young, bare, other] = [0, 0, 0];
    const rows = bounded("stale", report)
      .split(/\r?\n/)
      .filter((row) => row !== "");
    let last: LastNote | null = null;
    for (const row of rows.slice(0, notesMax)) {
      const [file = "", at = "", seconds = "", ...rest] = row.split("\t");
      const path = gitPath(file);
      const line = lineOf(Number(at));
      // Indentation tells whether the comment goes on, so only the end is cut.
      const text = rest.join("\t").trimEnd();
      const time = Number(seconds) * 1_000;
      if (path === null || line === null || text === "" || !Number.isFinite(time) || time <= 0) continue;
      const note = noteIn(text, path);
      if (note === null) {
        other += 1;
        last = null;
        continue;
      }
      // Some people write the mark on each line of one note.
      if (last !== null && goesOn(last, { path, line, mark: note.mark, text })) {
        if (last.raw !== null) last.raw.message += ` ${note.said}`;
        last = { path, line, mark: note.mark, text, raw: last.raw };
        continue;
      }
      last = { path, line, mark: note.mark, text, raw: null };
      const days = Math.floor((now - time) / dayMs);
      if (days < staleAfterDays) {
        young += 1;
        continue;
      }
      const more = /[.!?]$/.test(note.said) ? [] : below(text, path, line, lineAt);
      if (!/[\p{L}\p{N}]/u.test([note.said, ...more].join(""))) {
        bare += 1;
        continue;
      }
      const found: RawFinding = {
        rule: note.mark.toLowerCase(),
        message: `${note.mark} of ${new Date(time).toISOString().slice(0, 10)}: ${[text.trim(), ...more].join(" ")}`,
        severity: note.mark === "FIXME" || days >= oldAfterDays ? "warning" : "note",
        path,
        line,
        text,
      };
      raw.push(found);
      last.raw = found;
    }
    return named("stale", raw, [
      ...counted(
        young,
        `is younger than ${staleAfterDays} days. Baton leaves it alone.`,
        `are younger than ${staleAfterDays} days. Baton leaves them alone.`,
      ),
      ...counted(bare, "is a mark without a text.", "are marks without a text."),
      ...counted(other, "is a word, not a note.", "are words, not notes."),
      ...(rows.length > notesMax
        ? [`There are more than ${notesMax} marks. The first ${notesMax} by path are read.`]
        : []),
    ]);
  },
};
