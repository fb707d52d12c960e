/**
 * The change of protected files, for the person who allows it: each file with its diff in a fence. Further comments hold a
 * diff if the question has no room for it.
 *
 * PC1 A person can allow a file in the thread only if the thread shows its whole diff.
 */
import type { PathState } from "../../core/shown-change.ts";
import { fenced } from "../../text/cut.ts";
import { plural } from "../../text/format.ts";
import { codeSpan } from "../../text/neutralise.ts";
import { stripInvisible } from "../../text/visible.ts";

export interface ProtectedFile {
  before: PathState;
  after: PathState;
  /** Unified diff, already redacted. */
  diff: string;
  /** The diff is longer, but git cut it. */
  truncated: boolean;
}

export interface ProtectedChange {
  /** PC1 */
  readable: ReadonlySet<string>;
  /** Bodies of the further comments. */
  parts: readonly string[];
  /** The question. `urls`: addresses of the further comments, in order. */
  text(urls: readonly string[]): string;
}

const fileCharactersMax = 8_000;
const allCharactersMax = 24_000;
const filesMax = 100;
/** The length of one further comment: below GitHub's limit, with a long path and the additions of neutralizing. */
const partCharactersMax = 40_000;
const partsMax = 5;

/** `count`: the number of all files, including files that are not in the list. */
export function protectedChange(
  files: readonly ProtectedFile[],
  sha: string,
  count: number = files.length,
): ProtectedChange {
  let room = allCharactersMax;
  const readable = new Set<string>();
  const parts: string[] = [];
  const shown: ((urls: readonly string[]) => string)[] = [];
  for (const file of files.slice(0, filesMax)) {
    const { path } = file.after;
    const head = `**${codeSpan(path)}**: ${whatHappens(file.before, file.after)}`;
    if (head.length > room) break;
    room -= head.length;
    const lines = linesOf(file.diff);
    const [first = [], ...others] = chunks(lines, Math.min(room, fileCharactersMax));
    room -= sizeOf(first);
    const begin = first.length === 0 ? [head] : [head, fenced(first.join("\n"), "diff")];
    const isWhole = others.length === 0 && !file.truncated;
    const further = isWhole || file.truncated ? [] : chunks(lines, partCharactersMax);
    const from = parts.length;
    const hidden = file.after.blob !== null && isHidden.test(file.diff);
    const fits =
      !hidden && further.every((part) => sizeOf(part) <= partCharactersMax) && from + further.length <= partsMax;
    if (file.truncated || !fits) {
      const note = hidden ? notText : doesNotFit(lines.length, file.truncated);
      room -= note.length;
      shown.push(() => [...begin, note].join("\n\n"));
      continue;
    }
    readable.add(path);
    for (const [index, part] of further.entries())
      parts.push(
        `**${codeSpan(path)}** at \`${sha.slice(0, 10)}\`, part ${index + 1} of ${further.length} of its whole change:\n\n${fenced(part.join("\n"), "diff")}`,
      );
    shown.push((urls) =>
      [...begin, ...(isWhole ? [] : [readTheRest(urls.slice(from, from + further.length), lines.length)])].join("\n\n"),
    );
  }
  const more = count - shown.length;
  return {
    readable,
    parts,
    text: (urls) =>
      [
        `The answer holds for exactly this content of \`${sha.slice(0, 10)}\`. Baton asks again after any other change.`,
        ...shown.map((text) => text(urls)),
        ...(more > 0
          ? [
              `⚠️ ${more} more file${more === 1 ? " is" : "s are"} not shown, so nobody can allow ${more === 1 ? "it" : "them"} here.`,
            ]
          : []),
      ].join("\n\n"),
  };
}

/** The files that the question names. A person can allow only these. */
export function namedFiles<T>(files: readonly T[]): T[] {
  return files.slice(0, filesMax);
}

function readTheRest(urls: readonly string[], count: number): string {
  const links = urls.map((url, index) => `[part ${index + 1}](${url})`).join(", ");
  const where = urls.length === 1 ? "in another comment" : `in ${urls.length} other comments`;
  return `⚠️ The whole change has ${plural(count, "line")} and is ${where}: ${links}. Read all of it first, because \`/baton approve\` allows all of it.`;
}

const notText =
  "⚠️ Git shows this file as binary, so nobody can allow it here. Reject it with a reason, or make this change yourself.";

function doesNotFit(count: number, truncated: boolean): string {
  return `⚠️ The change has ${truncated ? "more than " : ""}${plural(count, "line")} and does not fit into comments, so nobody can allow this file here. Reject it with a reason, or make this change yourself.`;
}

/** A person must see what is invisible: it may run. */
function linesOf(diff: string): string[] {
  if (diff.trim() === "") return [];
  const isPlain = stripInvisible(diff).text === diff;
  const shown = isPlain
    ? diff
    : Array.from(diff, (one) => (stripInvisible(one).text === "" ? escaped(one) : one)).join("");
  return shown.replace(/\n$/, "").split("\n");
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Git shows nothing of a file with a NUL byte, and a shell runs it all the same. */
const isHidden = /^Binary files .* differ$/m;

/**
 * Each chunk has whole lines and is within the bound. A longer line is a chunk of its own. The first chunk is empty if no
 * line fits.
 */
function chunks(lines: readonly string[], charactersMax: number): string[][] {
  const made: string[][] = [[]];
  let used = 0;
  for (const line of lines) {
    if (used + line.length + 1 > charactersMax) {
      made.push([]);
      used = 0;
    }
    made.at(-1)?.push(line);
    used += line.length + 1;
  }
  return made;
}

function sizeOf(lines: readonly string[]): number {
  return lines.reduce((sum, { length }) => sum + length + 1, 0);
}

const kinds: Readonly<Record<string, string>> = {
  "100644": "file",
  "100755": "executable file",
  "120000": "symbolic link",
  "160000": "submodule",
};

function whatHappens(before: PathState, after: PathState): string {
  const kindOf = ({ mode }: PathState): string => (mode === null ? "nothing" : (kinds[mode] ?? "entry"));
  if (after.blob === null) return before.blob === null ? "absent before and after" : `deleted (${kindOf(before)})`;
  const now = `\`${after.blob.slice(0, 10)}\``;
  if (before.blob === null) return `added, ${kindOf(after)} ${now}`;
  const mode = before.mode === after.mode ? "" : `, ${kindOf(before)} becomes ${kindOf(after)}`;
  return before.blob === after.blob ? `same content${mode || ", unchanged"}` : `changed to ${now}${mode}`;
}
