/**
 * The check of each finding before it is posted: its line is in the diff on the right side, and its quote is the file's
 * text there.
 *
 * Owns: the place, the fingerprint, the suggestion's admission. Does not own: which findings are posted (`choose.ts`).
 * LF1 A finding without a quote that the file has is never posted.
 * LF2 A fingerprint survives moved lines and a renamed file: the file's path in the base, the text of the last line, and
 *     its number among equal lines. Words of a reviewer do not change it.
 * LF3 A suggestion replaces exactly the lines that it quotes. No two suggestions overlap, and none is for a protected path.
 */
import {
  type EarlierPlace,
  type FindingSeverity,
  findingSeverities,
  type OtherFinding,
  type PlacedFinding,
  type Placement,
  type ReviewFinding,
} from "../core/review-finding.ts";
import { hash64 } from "../core/text-hash.ts";
import { stripInvisible } from "../text/visible.ts";
import type { ChangedFile, ChangedLine } from "./change-map.ts";

export interface PlaceFacts {
  /** The change since the base. */
  files: readonly ChangedFile[];
  /** The change since the last review. null: everything counts as new. */
  since: readonly ChangedFile[] | null;
  /** Texts of files with the change, and before it. null: the file is absent, or is not text. */
  head(path: string): string | null;
  base(path: string): string | null;
  /** Whether suggestions are offered in this file. */
  maySuggest(path: string): boolean;
}

const quoteLinesMax = 20;
/** How far a reviewer may miscount where the quote stands several times. */
const nearLines = 10;

export function placeFindings(
  findings: readonly ReviewFinding[],
  earlier: readonly EarlierPlace[],
  facts: PlaceFacts,
): Placement {
  const placement: Placement = { placed: [], outside: [], left: [], gone: goneOf(earlier, facts) };
  for (const finding of findings) {
    const result = place(finding, facts);
    if ("placed" in result) placement.placed.push(result.placed);
    else if (result.reason === null) placement.outside.push({ ...reported(finding), line: result.line });
    else placement.left.push({ ...reported(finding), reason: result.reason });
  }
  placement.placed = withoutOverlaps(joined(placement.placed));
  return placement;
}

function reported({ path, line, severity, text }: ReviewFinding): OtherFinding {
  return { path, line, severity, text };
}

type Result = { placed: PlacedFinding } | { reason: string } | { reason: null; line: number };

function place(finding: ReviewFinding, facts: PlaceFacts): Result {
  const side = finding.deleted === true ? "LEFT" : "RIGHT";
  const quote = linesOf(finding.quote ?? "");
  if (quote.every((line) => line.trim() === "")) return { reason: "It quotes no line." };
  if (quote.length > quoteLinesMax) return { reason: `It quotes more than ${quoteLinesMax} lines.` };
  const file = facts.files.find(({ path, from }) =>
    side === "RIGHT" ? path === finding.path : from === finding.path || path === finding.path,
  );
  const textPath = side === "RIGHT" ? finding.path : (file?.from ?? finding.path);
  const whole = side === "RIGHT" ? facts.head(textPath) : facts.base(textPath);
  if (whole === null) return { reason: "Its file is not there, or is not text." };
  const lines = linesOf(whole);
  const found =
    file === undefined
      ? null
      : nearest(
          file.hunks.flatMap((hunk) => runsOf(hunk[side], quote)),
          finding.line,
        );
  if (found === null) {
    const elsewhere = side === "RIGHT" ? indexOfRun(lines, quote, finding.line) : null;
    return elsewhere === null
      ? { reason: "Its quote is not at one certain place of the change." }
      : { reason: null, line: elsewhere };
  }
  const last = found.at(-1) as ChangedLine;
  const first = found[0] as ChangedLine;
  // GitHub names a deleted or renamed file by its present path, if it has one.
  const path = file?.path ?? finding.path;
  return {
    placed: {
      fingerprint: fingerprintOf(file?.from ?? path, side, lines, last.line),
      path,
      side,
      line: last.line,
      startLine: first.line === last.line ? null : first.line,
      severity: finding.severity,
      text: finding.text,
      quote: found.map(({ text }) => text).join("\n"),
      suggestion: suggestionOf(finding, side, found, facts, path),
      fresh: isFresh(facts.since, path, side, found),
    },
  };
}

function linesOf(text: string): string[] {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  if (lines.at(-1) === "") lines.pop();
  return lines.length === 0 ? [""] : lines;
}

function normal(line: string): string {
  return line.replaceAll(/\s+/g, " ").trim();
}

/** Every place in a hunk with these lines. One side of a hunk has no gaps. */
function runsOf(lines: readonly ChangedLine[], quote: readonly string[]): ChangedLine[][] {
  const wanted = quote.map(normal);
  const runs: ChangedLine[][] = [];
  for (let at = 0; at + wanted.length <= lines.length; at += 1) {
    const run = lines.slice(at, at + wanted.length);
    if (run.every(({ text }, index) => normal(text) === wanted[index])) runs.push(run);
  }
  return runs;
}

/** The one at the line, the only one, or the clearly nearest one. null: the place is not certain. */
function nearest(runs: readonly ChangedLine[][], line: number | null): ChangedLine[] | null {
  const [only] = runs;
  if (runs.length <= 1 || only === undefined) return only ?? null;
  if (line === null) return null;
  const distance = (run: ChangedLine[]): number => Math.abs((run[0]?.line ?? 0) - line);
  const [best, next] = runs.toSorted((a, b) => distance(a) - distance(b));
  if (best === undefined || next === undefined || distance(best) > nearLines) return null;
  return distance(best) < distance(next) ? best : null;
}

/** The first line of the quote outside of the diff. null: it is not there, or more than once and not at its line. */
function indexOfRun(lines: readonly string[], quote: readonly string[], line: number | null): number | null {
  const all = lines.map((text, index) => ({ line: index + 1, text, changed: false }));
  return nearest(runsOf(all, quote), line)?.[0]?.line ?? null;
}

function fingerprintOf(basePath: string, side: "LEFT" | "RIGHT", lines: readonly string[], line: number): string {
  return fingerprintsOf(basePath, side, lines, [line])[0] ?? "";
}

/** The fingerprints of earlier comments whose line is no longer in the file, or no longer deleted. */
function goneOf(earlier: readonly EarlierPlace[], facts: PlaceFacts): string[] {
  const present = new Map<string, Set<string>>();
  const presentIn = (path: string, side: "LEFT" | "RIGHT"): Set<string> => {
    const key = JSON.stringify([path, side]);
    const known = present.get(key) ?? fingerprintsIn(path, side, facts);
    present.set(key, known);
    return known;
  };
  return earlier
    .filter(({ path, side, fingerprint }) => !presentIn(path, side).has(fingerprint))
    .map(({ fingerprint }) => fingerprint);
}

function fingerprintsIn(path: string, side: "LEFT" | "RIGHT", facts: PlaceFacts): Set<string> {
  const file = facts.files.find((one) => one.path === path || one.from === path);
  const basePath = file?.from ?? path;
  const textPath = side === "RIGHT" ? (file === undefined ? path : file.path) : basePath;
  const whole = textPath === null ? null : side === "RIGHT" ? facts.head(textPath) : facts.base(textPath);
  if (whole === null) return new Set();
  const lines = linesOf(whole);
  const numbers =
    side === "RIGHT"
      ? lines.map((_, index) => index + 1)
      : (file?.hunks ?? []).flatMap(({ LEFT }) => LEFT.filter(({ changed }) => changed).map(({ line }) => line));
  return new Set(fingerprintsOf(basePath, side, lines, numbers));
}

/** LF2, for many lines in one pass. A line that the file has not has none. */
function fingerprintsOf(
  basePath: string,
  side: "LEFT" | "RIGHT",
  lines: readonly string[],
  numbers: readonly number[],
): string[] {
  const wanted = new Set(numbers);
  const counts = new Map<string, number>();
  const found: string[] = [];
  for (const [index, whole] of lines.entries()) {
    const text = normal(whole);
    const before = counts.get(text) ?? 0;
    counts.set(text, before + 1);
    if (wanted.has(index + 1)) found.push(hash64(JSON.stringify([basePath, side, text, before])));
  }
  return found;
}

/** LF3 */
function suggestionOf(
  { suggestion, quote = "" }: ReviewFinding,
  side: "LEFT" | "RIGHT",
  found: readonly ChangedLine[],
  facts: PlaceFacts,
  path: string,
): string | null {
  if (suggestion === null || suggestion === undefined || side === "LEFT" || !facts.maySuggest(path)) return null;
  const text = suggestion.replaceAll("\r\n", "\n").replace(/\n$/, "");
  const present = found.map((line) => line.text.replace(/\r$/, "")).join("\n");
  const quoted = linesOf(quote).join("\n");
  // An agent that does not repeat the lines exactly does not know what it replaces.
  if (quoted !== present || text === present) return null;
  return stripInvisible(text).invisible > 0 || text.includes("\r") || text.includes("\0") ? null : text;
}

function isFresh(
  since: readonly ChangedFile[] | null,
  path: string,
  side: "LEFT" | "RIGHT",
  found: readonly ChangedLine[],
): boolean {
  if (since === null) return true;
  const file = since.find((one) => one.path === path || one.from === path);
  if (file === undefined) return false;
  if (side === "RIGHT") {
    const lines = new Set(file.hunks.flatMap(({ RIGHT }) => RIGHT.map(({ line }) => line)));
    return found.some(({ line }) => lines.has(line));
  }
  // The last review's lines have other numbers, so the deleted text counts.
  const deleted = new Set(
    file.hunks.flatMap(({ LEFT }) => LEFT.filter(({ changed }) => changed).map(({ text }) => normal(text))),
  );
  return found.some(({ text }) => deleted.has(normal(text)));
}

const rank = (severity: FindingSeverity): number => findingSeverities.indexOf(severity);

/** Two findings about one place are one comment. */
function joined(all: readonly PlacedFinding[]): PlacedFinding[] {
  const byPlace = new Map<string, PlacedFinding>();
  for (const one of all) {
    const first = byPlace.get(one.fingerprint);
    if (first === undefined) byPlace.set(one.fingerprint, one);
    else if (first.text !== one.text)
      byPlace.set(one.fingerprint, {
        ...first,
        severity: rank(one.severity) < rank(first.severity) ? one.severity : first.severity,
        text: `${first.text}\n\n${one.text}`,
        // They may not agree on the fix.
        suggestion: first.suggestion === one.suggestion ? first.suggestion : null,
      });
  }
  return [...byPlace.values()].toSorted((a, b) => rank(a.severity) - rank(b.severity));
}

function withoutOverlaps(placed: readonly PlacedFinding[]): PlacedFinding[] {
  const kept: PlacedFinding[] = [];
  for (const one of placed) {
    const overlaps = kept.some((other) => other.suggestion !== null && isOver(one, other));
    kept.push(one.suggestion !== null && overlaps ? { ...one, suggestion: null } : one);
  }
  return kept;
}

function isOver(one: PlacedFinding, other: PlacedFinding): boolean {
  const start = (finding: PlacedFinding): number => finding.startLine ?? finding.line;
  return one.path === other.path && start(one) <= other.line && start(other) <= one.line;
}
