/** Text within its bound: cut between characters as people see them, what was opened closed again, with an honest mark. */
import { bytesOf } from "../core/bytes.ts";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
/** The longest run that is looked at for a boundary; a longer one is no character but an attack. */
const windowCharacters = 256;
/** Room for closing what is open. */
const closingCharactersMax = 120;
const foldsMax = 6;
const cutMark = "\n\n… (cut)";

export function cut(text: string, charactersMax: number, mark: string = cutMark): string {
  if (text.length <= charactersMax) return text;
  const room = charactersMax - mark.length;
  let head = beforeOpened(text, boundary(text, Math.max(0, room)));
  let closing = closingOf(head);
  if (closing.length > 0) {
    head = beforeOpened(text, boundary(text, Math.max(0, room - Math.min(closing.length, closingCharactersMax))));
    closing = closingOf(head);
  }
  const whole = `${head}${closing}${mark}`;
  return whole.length <= charactersMax ? whole : text.slice(0, boundary(text, charactersMax));
}

/** The same by UTF-8 bytes, as GitHub counts the texts of check runs. */
export function cutBytes(text: string, bytesMax: number, mark: string = cutMark): string {
  if (bytesOf(text) <= bytesMax) return text;
  let charactersMax = Math.min(text.length, bytesMax);
  for (;;) {
    const short = cut(text, charactersMax, mark);
    const over = bytesOf(short) - bytesMax;
    if (over <= 0 || charactersMax <= 0) return short;
    // A character has at most three bytes a code unit, so this never goes below what fits by much.
    charactersMax -= Math.max(1, Math.ceil(over / 3));
  }
}

/**
 * The text up to `at`, without the escape, reference, tag or code span that the cut would leave half, and without a last line
 * that only the cut makes a heading or a rule: `#` of `#1`.
 */
function beforeOpened(text: string, at: number): string {
  const head = text
    .slice(0, at)
    .replace(/(?:(?<!\\)(?:\\\\){0,100}\\|&[#\w]{0,40}|<[^<>\n]{0,400})$/, "")
    .replace(/(?:^|\n)[ \t>]{0,20}[#=+*_-]{1,200}$/, "");
  if (/^\n *[`~]/.test(closingOf(head))) return head;
  const paragraph = head.lastIndexOf("\n\n") + 1;
  const open = openSpan(head.slice(paragraph));
  if (open === null) return head;
  const blank = text.indexOf("\n\n", head.length);
  const rest = text.slice(head.length, blank === -1 ? undefined : blank);
  const closes = rest.split(/[^`]+/).includes(open.run) || rest.startsWith("`");
  return closes ? head.slice(0, paragraph + open.at) : head;
}

/** The first run of backticks that no other of its length follows. */
function openSpan(paragraph: string): { at: number; run: string } | null {
  const runs = [...paragraph.matchAll(/\\`|`+/g)].filter(({ 0: run }) => run[0] === "`");
  const last = new Map(runs.map(({ 0: run }, index) => [run, index]));
  for (let index = 0; index < runs.length; index += 1) {
    const run = runs[index]?.[0] ?? "";
    if ((last.get(run) ?? index) === index) return { at: runs[index]?.index ?? 0, run };
    do index += 1;
    while (runs[index]?.[0] !== run);
  }
  return null;
}

/** The last place at or before `at` where a character, as people see it, ends. */
export function boundary(text: string, at: number): number {
  if (at >= text.length) return text.length;
  let from = Math.max(0, at - windowCharacters);
  // Not in the middle of a pair.
  if (from > 0 && /[\udc00-\udfff]/.test(text[from] ?? "")) from -= 1;
  let last = from;
  for (const { index, segment } of segmenter.segment(text.slice(from, at + windowCharacters))) {
    const end = from + index + segment.length;
    if (end > at) break;
    last = end;
  }
  return last > from || from === 0 ? last : wellFormed(text, at);
}

function wellFormed(text: string, at: number): number {
  return /[\udc00-\udfff]/.test(text[at] ?? "") ? at - 1 : at;
}

/** What has to follow a text so that what comes after it is not within a fence or a fold of it. */
function closingOf(text: string): string {
  let fence: string | null = null;
  let indent = "";
  let folds = 0;
  for (const line of text.split("\n")) {
    const mark = /^( {0,3})(`{3,}|~{3,})(.*)$/.exec(line);
    if (fence === null) {
      if (mark !== null && !(mark[2]?.startsWith("`") === true && mark[3]?.includes("`") === true)) {
        fence = mark[2] ?? null;
        indent = mark[1] ?? "";
        continue;
      }
      folds += (line.match(/<details>/g) ?? []).length - (line.match(/<\/details>/g) ?? []).length;
    } else if (mark !== null && mark[2]?.startsWith(fence) === true && mark[3]?.trim() === "") fence = null;
  }
  const fold = "\n\n</details>".repeat(Math.max(0, Math.min(foldsMax, folds)));
  return `${fence === null ? "" : `\n${indent}${fence.slice(0, 40)}`}${fold}`;
}

/** A fence longer than any run of backticks inside, so that the text cannot leave it. */
export function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\n+$/, "")}\n${fence}`;
}
