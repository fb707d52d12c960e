/**
 * Text of others within Baton's own texts, readable but without effect. It pings nobody, closes nothing, and links nothing
 * across repositories. It loads no picture, gives no command, leaves nothing open, and fakes no heading.
 *
 * N1 Defused text looks unchanged. Code stays as it is, because it pings nobody and people copy it.
 * N2 A link shows where it leads, unless it leads to GitHub.
 * N3 Text before or after it changes neither. Its letters are inert, and its fences and folds are closed.
 * N4 The result is a fixed point: after each removal Baton reads the text again, until nothing changes.
 */
import type { Code, Heading, InlineCode, Link, Nodes, Root } from "mdast";
import { boundary, fenced } from "./cut.ts";
import { defuse, startSealed, withoutBacklink, withoutCommands, zeroWidthSpace } from "./defuse.ts";
import { applyEdits, type Edit } from "./edits.ts";
import { blockElements, phraseElements, voidElements } from "./html.ts";
import { parseMarkdown, placeOf, walk, withLineFeeds } from "./markdown.ts";
import { sanitise } from "./sanitise.ts";
import { stripInvisible } from "./visible.ts";

/** Words, figures and dull punctuation: by far the largest part of all shown text, without any effect. */
const dull = /^(?!.*(?:GH-|::|\$\$|www\.))(?:[\w(][\w ,.;()'"+=%$?:–−…·→-]*)?$/i;

/** Ordinary text is stable after two looks. Text with deeper nesting is shown as it is written. */
const looksMax = 6;
const charactersMax = 262_144;
const cutMark = "\n\n… (cut)";

/** As blocks of their own: paragraphs, lists, code. */
export function neutralise(text: string): string {
  return dull.test(text) ? text : settled(text, once, asFence);
}

/** As part of one line: in a list, a heading, a cell, a sentence by Baton. */
export function neutraliseLine(text: string): string {
  return dull.test(text) ? text.trimEnd() : settled(oneLine(text), onceInLine, codeSpan);
}

/** Within a bound. Baton reads the cut text again, because a cut opens closed parts. */
export function neutraliseWithin(text: string, charactersMax: number, mark: string = cutMark): string {
  return within(neutralise, text, charactersMax, mark);
}

export function neutraliseLineWithin(text: string, charactersMax: number): string {
  return within(neutraliseLine, text, charactersMax, "…");
}

function within(inert: (text: string) => string, text: string, lengthMax: number, mark: string): string {
  const whole = inert(text);
  if (whole.length <= lengthMax) return whole;
  for (let room = lengthMax - mark.length; room > 0; ) {
    const short = `${inert(whole.slice(0, boundary(whole, room)))}${mark}`;
    if (short.length <= lengthMax) return short;
    room = Math.min(room - (short.length - lengthMax), Math.floor(room * 0.9));
  }
  return mark.slice(0, lengthMax);
}

/** Baton writes a thread again at each step, and most of its texts are equal. The latest results stay here, by reader. */
const settledTexts = new Map<(text: string) => string, Map<string, string>>();
const settledTextsMax = 500;
const settledCharactersMax = 4_096;

function settled(text: string, look: (text: string) => string, asCode: (text: string) => string): string {
  if (text.length > settledCharactersMax) return settle(text, look, asCode);
  const known = settledTexts.get(look) ?? new Map<string, string>();
  settledTexts.set(look, known);
  const inert = known.get(text) ?? settle(text, look, asCode);
  known.delete(text);
  known.set(text, inert);
  const [oldest] = known.keys();
  if (known.size > settledTextsMax && oldest !== undefined) known.delete(oldest);
  return inert;
}

function settle(text: string, look: (text: string) => string, asCode: (text: string) => string): string {
  let seen = text.slice(0, charactersMax).toWellFormed();
  for (let looks = 0; looks < looksMax; looks += 1) {
    const next = look(seen);
    if (next === seen) return seen;
    seen = next;
  }
  return asCode(seen);
}

function once(text: string): string {
  const visible = sanitise(text).text;
  const tree = parsed(visible);
  if (tree === null) return withoutCommands(ended(defuse(visible)));
  const edits: Edit[] = [];
  const blocks = new Set<Nodes>(tree.children.filter(({ type }) => type === "code"));
  const followed = new Set<Nodes>();
  for (const node of walk(tree)) {
    if ("children" in node) for (const before of beforeOthers(node.children)) followed.add(before);
    edits.push(...(blocks.has(node) ? blockOf(node as Code, visible) : editsOf(node, visible, followed.has(node))));
  }
  const inert = applyEdits(visible, edits);
  const [first, last] = [tree.children[0]?.type, tree.children.at(-1)?.type];
  // A fence that does not begin or end a line is not a fence. A list may not interrupt a paragraph.
  const gap =
    first === "code" ? "\n" : tree.children.slice(0, 1).some((block) => dependsOnStart(block, visible)) ? "\n\n" : "";
  const from = inert.startsWith(gap) ? "" : gap;
  const until = last === "code" && !inert.endsWith("\n") ? "\n" : "";
  return withoutCommands(ended(`${from}${inert}${until}`));
}

/** Children with another child after them on the same line. */
function beforeOthers(children: readonly Nodes[]): Nodes[] {
  return children.filter((_, index) => {
    const next = children[index + 1]?.type;
    return next !== undefined && next !== "break";
  });
}

/** Its lines change their meaning if its first line continues another text. */
function dependsOnStart(block: Nodes, source: string): boolean {
  const place = placeOf(block);
  if (block.type === "paragraph" || place === null) return false;
  if (/\n[ \t>]*[=-]{1,1000}[ \t]*(?:\n|$)/.test(source.slice(place.start, place.end))) return true;
  return [...walk(block)].some(({ type }) => type === "code");
}

/** Baton reads it as a sentence, because many signs have another meaning at the start of a line. */
const sentence = "x ";

const blockStart = /^(?:[#>]|[-+*](?:\s|$)|[-_*=~`]{3}|\d{1,9}[.)](?:\s|$))/;

function onceInLine(text: string): string {
  const look = once(`${sentence}${oneLine(text)}`);
  const inert = startSealed(oneLine(look.slice(sentence.length)));
  return withoutCommands(ended(blockStart.test(inert) ? `${zeroWidthSpace}${inert}` : inert));
}

/** null: too deeply nested to read. */
function parsed(text: string): Root | null {
  try {
    return parseMarkdown(text).tree;
  } catch (thrown) {
    if (thrown instanceof RangeError) return null;
    throw thrown;
  }
}

/** A line that makes a heading of the line before it. */
const underline = /^(\s{0,100})(?=[=-]{1,1000}[ \t]{0,100}(?:\n|$))/;
const addressEnd = /(?:\/\/|www\.)\S{0,4000}$/i;
const fenceEnd = /(?:^|\n)[\s>*+\d.)-]{0,80}(?:`{3,}|~{3,})$/;

/** Changes the first and the last letters if neighboring text could give them an effect. */
function ended(text: string): string {
  const before = /^(?:[:[]|``(?!`))/.test(text) ? zeroWidthSpace : "";
  const after = /(?:\]|(?<!\\)(?:\\\\){0,100}\\|(?:^|\n)\/|(?<![`\n])``+)$/.test(text) ? zeroWidthSpace : "";
  // An address continues until a space.
  const space = fenceEnd.test(text) ? "\n" : addressEnd.test(text) ? " " : "";
  return `${before}${text.replace(underline, `$1${zeroWidthSpace}`)}${after}${space}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

function asFence(text: string): string {
  return withoutCommands(`\n${fenced(stripInvisible(withLineFeeds(text)).text.trim())}\n`);
}

/** As a code span, whatever it holds: nothing in a code span has a meaning. */
export function codeSpan(text: string): string {
  const { text: visible } = stripInvisible(withLineFeeds(text.toWellFormed()));
  const line = oneLine(visible).replaceAll("`", "'").replaceAll("|", "¦").replaceAll("<", "‹").replaceAll(">", "›");
  return withoutCommands(line === "" ? "(empty)" : `\`${line}\``);
}

function editsOf(node: Nodes, source: string, followed: boolean): Edit[] {
  const place = placeOf(node);
  if (place === null) return [];
  const { start, end } = place;
  const replaced = (replacement: string): Edit[] => [{ start, end, replacement }];
  const written = source.slice(start, end);
  switch (node.type) {
    case "text":
    case "definition":
      return replaced(defuse(written, followed));
    case "html":
      return replaced(withoutTags(written));
    case "image":
    case "imageReference":
      return replaced("(image)");
    case "link":
      return linkOf(node, source, start, end);
    case "inlineCode":
      return written.includes("\n") ? replaced(spanOf(node)) : [];
    case "code":
      // A fence that only its list or quote ends would stay open in another place.
      return /^`{3,}[^\n]*\n(?:[\s\S]*\n)?[ \t>]*`{3,}$/.test(written)
        ? []
        : replaced(node.value.split("\n").map(codeSpan).join(" "));
    case "heading":
      return headingOf(node, source, start, end);
    case "thematicBreak":
      // A line of hyphens makes a heading of the text before it.
      return replaced("* * *");
    case "footnoteReference":
    case "footnoteDefinition":
      return [{ start, end: start, replacement: "\\" }];
    default:
      return [];
  }
}

/** Bold, because a heading could pass for one of Baton's own. */
function headingOf(node: Heading, source: string, start: number, end: number): Edit[] {
  const inside = insideOf(node);
  if (inside === null) return [{ start, end, replacement: "" }];
  const break_ = source[end] === "\n" && source[end + 1] !== "\n" && source[start - 1] !== " " ? "\n" : "";
  return [
    { start, end: inside.start, replacement: "**" },
    { start: inside.end, end, replacement: `**${break_}` },
  ];
}

function insideOf(node: Heading | Link): { start: number; end: number } | null {
  const [first, last] = [node.children[0], node.children.at(-1)];
  const from = first === undefined ? null : placeOf(first);
  const until = last === undefined ? null : placeOf(last);
  return from === null || until === null ? null : { start: from.start, end: until.end };
}

function linkOf(node: Link, source: string, start: number, end: number): Edit[] {
  const inside = insideOf(node);
  if (inside === null) return [{ start, end, replacement: shown(node.url) }];
  const written = source.slice(inside.start, inside.end);
  const tail = source.slice(inside.end, end);
  if (tail === `](${node.url})` && trusted(node.url) && !(addressLike.test(written) && written !== node.url))
    return [{ start: inside.end, end, replacement: `](${withoutBacklink(node.url)})` }];
  // `<https://…>` shows its target, so Baton lets GitHub link it.
  if (written === node.url) return [{ start, end, replacement: defuse(written) }];
  return [
    { start, end: inside.start, replacement: "" },
    { start: inside.end, end, replacement: ` (${shown(node.url)})` },
  ];
}

const githubOwn = /^https:\/\/(?:[a-z0-9-]+\.)?github\.com(?:[/?#][\w/.~%?&=#+:,;@$-]*)?$/i;
const relative = /^(?:#|\.{0,2}\/(?!\/))[\w/.~%?&=#+:,;@$-]*$/;
/** Text of a link that a reader takes for an address. */
const addressLike = /:\/\/|&|\\|\bwww\.|\b[a-z0-9-]+\.(?:ai|app|co|com|dev|edu|gov|io|me|net|org|sh|xyz)\b/i;

function trusted(url: string): boolean {
  return githubOwn.test(url) || relative.test(url);
}

/** In code, so that GitHub neither links nor loads it. */
function shown(url: string): string {
  return codeSpan(url.length > 200 ? `${url.slice(0, boundary(url, 200))}…` : url);
}

/** On one line, where no parser sees the start of another block. */
function spanOf({ value }: InlineCode): string {
  const longest = Math.max(0, ...(value.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return `${fence} ${oneLine(value)} ${fence}`;
}

/** Blocks that GitHub draws or offers to apply, instead of showing their text. */
const drawn = /^(?:mermaid|geojson|topojson|stl|math|suggestion)$/i;

/** A closed fence of backticks at the start of the line: code in every parser, wherever the text is. */
function blockOf(node: Code, source: string): Edit[] {
  const place = placeOf(node);
  if (place === null) return [];
  const language = node.lang == null || drawn.test(node.lang) ? "" : node.lang;
  const lineStart = source.lastIndexOf("\n", place.start - 1) + 1;
  const start = source.slice(lineStart, place.start).trim() === "" ? lineStart : place.start;
  return [{ start, end: place.end, replacement: fenced(node.value, language) }];
}

/** Removes tags that GitHub knows, and keeps their text. Everything else is shown as it was written. */
function withoutTags(source: string): string {
  return defuse(
    source.replace(/<\/?([a-z][a-z0-9]{0,20})(?: href="[^"]*")?>/gi, (tag, name: string) => {
      const lower = name.toLowerCase();
      if (lower === "br" || lower === "hr") return " ";
      return blockElements.has(lower) || phraseElements.has(lower) || voidElements.has(lower) ? "" : tag;
    }),
  );
}
