/**
 * The part of a failed check's log that a repair gets: the lines that say why, then the end. A count replaces the middle.
 *
 * LX1 Error markers come first: runners print coverage tables and cleanup after the failure.
 * LX2 The excerpt says how many lines it leaves out.
 * LX4 Baton searches the bare line for a marker, without its time or colors, before it cuts a long line.
 * LX3 The excerpt is bounded in bytes and linear in the log's length, whatever the log holds.
 */

import { bytesOf } from "../core/bytes.ts";

/** The time before each line, as GitHub writes it, and the mark at the start of a log. */
const stamp = /^\ufeff?(?:\d{4}-\d\d-\d\dT[\d:.]{8,24}Z )?/;
// oxlint-disable-next-line no-control-regex
const colors = new RegExp("\\u001b\\[[0-9;?]{0,20}[A-Za-z]", "g");
/** A passed test may have an error's name. */
const passed = /^\s*(?:[✓✔√]|--- PASS|PASS(?:ED)?\b|ok\b|not ok\b.*# (?:TODO|SKIP)\b|● Console\b)/;

/** From strong to weak: marks of the runner itself, then lines of test runners, compilers and linters. Each pattern is linear. */
const markers: readonly RegExp[] = [
  /^##\[error\]/,
  /\b(?:AssertionError|AssertError|panicked at|panic:|Traceback \(most recent|Segmentation fault|FATAL|fatal error)|^\s*(?:E\s{2,}\S|[●✗✖✘×] ?|not ok\b|\d{1,4}\) \S|#?\s{0,9}Failed[ !]|e: |\d+:\d+\s+(?:error\b|[✖×]))|\bFAIL(?:ED|URE)?\b|\bFailure\/Error:|^[^\s:]{1,300}:\d+: Failure$|\[(?:ERROR|error|E)\]|\*\*\* (?:\[.{1,300}\]|.{1,300}) Error \d|\*{3}(?:Failed|Exception|Timeout|Not Run)|recorded an issue\b|could not find .{1,100}expectations/,
  /\b[Ee]rror(?:\[[A-Z]{0,9}\d{1,9}\]| [A-Z]{1,9}\d{1,9})?:|Error:|Exception\b|\bERROR:|\bEXCEPTION CAUGHT\b|\bexit code [1-9]|\bERR(?:OR\b|!|_[A-Z])|\bELIFECYCLE\b|^\s*error\s|\bnpm error\b|\b[Uu]ndefined (?:reference|symbol)|\bundefined:|threshold\b.{1,200}\bnot met|\bCoverage failure|\bfail-under\b|\b[Cc]ode style issues|\b[Ww]ould (?:reformat|be reformatted)\b|\bneeds gofmt\b|^Diff in |\bcommand not found\b|\bNo such file or directory\b|\bPermission denied\b|\b(?:K|signal: k)illed\b|\b[Oo]ut of memory\b|\bcore dumped\b|\bUnhandled(?:PromiseRejection| [Rr]ejection)|\b[Aa]ssertion .{1,300} failed\b/,
  // Lines of single tools: limits of time, sanitizers, package managers, tables of findings.
  /^fatal: |^E: \S|^CMake Error\b|\bTest Failed at\b|\(fail\) |\*failed\*|^\s{0,20}(?:── )?Failure (?:→|\()|\bDubious, test returned\b|\.{3,}Failed$|\(failed\)$|^\s{0,20}X \S.{0,300} \[|\btimeout of \d{1,9} ?ms exceeded\b|\bexceeded the (?:maximum|timeout)\b|\boperation was cancell?ed\b|\bverification failed\b|^==\d{1,9}== ?(?:Invalid|Conditional|Syscall|Process terminating)|\bWARNING: \w{1,20}Sanitizer\b|\berror\[[a-z][\w-]{0,60}\]|\berror [A-Z]{3,40}: |\b[A-Z]\w{1,60}Error\)|^\s{0,20}(?:[Ee]xpected|[Gg]ot|[Rr]eceived|[Aa]ctual): |\^-- SC\d{1,6}|^L: {1,6}\d{1,7} \| P:|\b\d{1,7} (?:high|critical)\b.{0,40} vulnerabilit|^(?:High|Medium): \S|\bis not allowed: /,
  // `path:line:column: problem`, as many linters write it.
  /^\s{0,20}[\w./\\@+-]{1,200}\.\w{1,8}:\d{1,7}(?::\d{1,7})?:? (?!.{0,20}\b(?:warning|note|info)\b)\S/i,
];
const before = 3;
const after = 12;
const lineCharactersMax = 400;
/** The share of the bytes for the lines around markers. */
const markedShare = 0.65;

export function logExcerpt(log: string, bytesMax: number): string {
  const text = log.replaceAll("\r\n", "\n");
  if (bytesOf(text) <= bytesMax) return text;
  // A progress bar overwrites itself, so the text after it is a line of its own.
  const found = text.split(/[\r\n]/).map(read);
  const lines = found.map(({ shown }) => shown);
  const keep = new Set<number>();
  let left = Math.floor(bytesMax * markedShare);
  const take = (index: number): boolean => {
    if (index < 0 || index >= lines.length || keep.has(index)) return true;
    const cost = bytesOf(lines[index] ?? "") + 1;
    if (cost > left) return false;
    left -= cost;
    keep.add(index);
    return true;
  };
  markers.forEach((_, strength) => {
    const hits = found.flatMap((line, index) => (line.strength === strength ? [index] : []));
    markAround(hits, take);
  });
  // The rest goes to the end, with the exit code and the summary.
  left += Math.floor(bytesMax * (1 - markedShare)) - noteBytesMax * 8;
  for (let index = lines.length - 1; index >= 0 && take(index); index -= 1);
  return joined(lines, keep, bytesMax);
}

/** A line as shown, and its strongest marker. null: none. */
function read(line: string): { shown: string; strength: number | null } {
  const bare = line.replace(stamp, "").replaceAll(colors, "");
  const places = passed.test(bare) ? [] : markers.map((marker) => bare.search(marker));
  const strength = places.findIndex((place) => place >= 0);
  if (line.length <= lineCharactersMax) return { shown: line, strength: strength === -1 ? null : strength };
  if (strength === -1) return { shown: `${line.slice(0, lineCharactersMax)}…`.toWellFormed(), strength: null };
  // Cuts around the marker, wherever it is in the line.
  const start = Math.max(0, (places[strength] as number) - Math.floor(lineCharactersMax / 4));
  const end = start + lineCharactersMax;
  const shown = `${start > 0 ? "…" : ""}${bare.slice(start, end)}${end < bare.length ? "…" : ""}`;
  return { shown: shown.toWellFormed(), strength };
}

/** Marked lines come before the lines around them: many failures are more useful than one in full. */
function markAround(hits: readonly number[], take: (index: number) => boolean): void {
  for (const index of hits) if (!take(index)) return;
  for (const index of hits) for (let near = index - before; near <= index + after; near += 1) if (!take(near)) return;
}

const noteBytesMax = 48;

function joined(lines: readonly string[], keep: ReadonlySet<number>, bytesMax: number): string {
  const parts: string[] = [];
  let skipped = 0;
  const note = (): void => {
    if (skipped > 0) parts.push(`… ${skipped} line${skipped === 1 ? "" : "s"} left out …`);
    skipped = 0;
  };
  lines.forEach((line, index) => {
    if (!keep.has(index)) {
      skipped += 1;
      return;
    }
    note();
    parts.push(line);
  });
  note();
  const text = parts.join("\n");
  if (bytesOf(text) <= bytesMax) return text;
  // Many short islands make many notes. The beginning holds the first failure.
  return cutBytes(text, bytesMax);
}

const widthOf = (code: number): number => (code < 0x80 ? 1 : code < 0x800 ? 2 : 3);

function cutBytes(text: string, bytesMax: number): string {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    bytes += widthOf(text.charCodeAt(index));
    if (bytes > bytesMax) return text.slice(0, index).replace(/[\ud800-\udbff]$/, "");
  }
  return text;
}
