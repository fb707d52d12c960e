/**
 * What of a failed check's log a repair gets: the lines that say why, then the end; the middle is cut and counted.
 *
 * LX1 Error markers come first: runners print coverage tables and cleanup after the failure.
 * LX2 What was left out is said, in lines.
 * LX3 Bounded in bytes and linear in the log's length, whatever is in it.
 */

/** From strong to weak: what a runner marks itself, then what test runners and compilers print. */
const markers: readonly RegExp[] = [
  /^(?:\S+\s)?##\[error\]/,
  /\b(?:AssertionError|AssertError|panicked at|panic:|Traceback \(most recent|Segmentation fault|FATAL|fatal error)|^\s*(?:E\s{2,}\S|--- FAIL|FAIL\b|FAILED\b|✗|✖|× |not ok\b)/,
  /\berror(?:\[[A-Z]*\d+\]| [A-Z]+\d+)?:|\w*Error:|\w*Exception\b|\bexit code [1-9]\d*\b|\bERR!|\bUndefined\b.*\breference\b|\bundefined:/,
];
const before = 3;
const after = 12;
const lineCharactersMax = 400;
/** Of the bytes, what may go to the lines around markers. */
const markedShare = 0.65;

export function logExcerpt(log: string, bytesMax: number): string {
  const text = log.replaceAll("\r\n", "\n");
  if (byteLength(text) <= bytesMax) return text;
  const lines = text
    .split("\n")
    .map((line) => (line.length > lineCharactersMax ? `${line.slice(0, lineCharactersMax)}…` : line));
  const keep = new Set<number>();
  let left = Math.floor(bytesMax * markedShare);
  const take = (index: number): boolean => {
    if (index < 0 || index >= lines.length || keep.has(index)) return true;
    const cost = byteLength(lines[index] ?? "") + 1;
    if (cost > left) return false;
    left -= cost;
    keep.add(index);
    return true;
  };
  for (const marker of markers) markAround(lines, marker, take);
  // What is left goes to the end, where the exit code and the summary are.
  left += Math.floor(bytesMax * (1 - markedShare)) - noteBytesMax * 8;
  for (let index = lines.length - 1; index >= 0 && take(index); index -= 1);
  return joined(lines, keep, bytesMax);
}

/** The marked lines themselves before what surrounds them: many failures are better than one in full. */
function markAround(lines: readonly string[], marker: RegExp, take: (index: number) => boolean): void {
  const found: number[] = [];
  for (let index = 0; index < lines.length; index += 1) if (marker.test(lines[index] ?? "")) found.push(index);
  for (const index of found) if (!take(index)) return;
  for (const index of found) for (let near = index - before; near <= index + after; near += 1) if (!take(near)) return;
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
  if (byteLength(text) <= bytesMax) return text;
  // Many short islands make many notes; the beginning holds the first failure.
  return cutBytes(text, bytesMax);
}

/** In UTF-8; half of a pair counts as three, which is never too few. */
function byteLength(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) bytes += widthOf(text.charCodeAt(index));
  return bytes;
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
