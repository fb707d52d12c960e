/**
 * Markdown to a tree with places in the source, as GitHub reads it. The tree has no emphasis, because no caller needs it.
 *
 * D1 The time is near linear in the length, whatever the text. Constructs that cost more in large numbers are counted first.
 *    Above a bound, Baton does not search for them (`dense`).
 */
import type { Nodes, Root } from "mdast";
import { fromMarkdown, type Options } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

/** Bare addresses stay text: the transform for them would make nodes without a place. */
const mdastExtensions = gfmFromMarkdown().filter(({ transforms }) => transforms === undefined);
const withoutEmphasis = {
  disable: { null: ["attention", "strikethrough", "wwwAutolink", "protocolAutolink", "emailAutolink"] },
};
const options: Options = { extensions: [gfm(), withoutEmphasis], mdastExtensions };

/** With more brackets in one block, Baton does not read them as links. */
const bracketsMax = 400;
/** Baton cuts off deeper quotes, which only cost time. */
const quotesMax = 30;
/** A private-use character: as long as a bracket, and without a meaning in Markdown. */
const standIn = "\ue000";

export interface ParsedMarkdown {
  tree: Root;
  /** True if Baton did not search everywhere for links. */
  dense: boolean;
}

/** The last short texts with their trees: removing, defusing and the second look of each read the same text again. */
const lastParsed = new Map<string, ParsedMarkdown>();
const lastParsedMax = 64;
const lastParsedCharactersMax = 4_096;

/** Places in the tree are places in `text`, which has `\n` for every line ending. Callers only read the tree. */
export function parseMarkdown(text: string): ParsedMarkdown {
  if (text.length > lastParsedCharactersMax) return parse(text);
  const known = lastParsed.get(text) ?? parse(text);
  lastParsed.delete(text);
  lastParsed.set(text, known);
  const [oldest] = lastParsed.keys();
  if (lastParsed.size > lastParsedMax && oldest !== undefined) lastParsed.delete(oldest);
  return known;
}

function parse(text: string): ParsedMarkdown {
  let dense = false;
  const bounded = withoutOpenings(text)
    .split(/(\n[ \t]*\n)/)
    .map((block) => {
      if (!piledUp(block, "[", bracketsMax) && !piledUp(block, "]", bracketsMax)) return block;
      dense = true;
      return block.replace(/[[\]]/g, standIn);
    })
    .join("")
    .replace(/^[ \t]*>[> \t]*/gm, (marks) => {
      if (!piledUp(marks, ">", quotesMax)) return marks;
      return `>${standIn.repeat(marks.length - 1)}`;
    });
  return { tree: fromMarkdown(bounded, options), dense };
}

/** The openings of a comment, an instruction or a section within a line, each with the end that it needs. */
const openings = [
  ["<!--", "-->"],
  ["<?", "?>"],
  ["<![CDATA[", "]]>"],
] as const;
const openingsMax = 100;

/** Within a line, an opening without an end is text. The parser searches for each end through the whole block. */
function withoutOpenings(text: string): string {
  let bounded = text;
  for (const [opening, ending] of openings) {
    if (!piledUp(bounded, opening, openingsMax)) continue;
    const last = bounded.lastIndexOf(ending);
    // At the start of a line, an opening begins a block, which needs no end.
    bounded = bounded.replace(/^([\s>*+\-\d.)]*)(.*)$/gm, (line: string, marks: string, rest: string, at: number) => {
      const from = at + marks.length + (rest.startsWith(opening) ? opening.length : 0);
      if (!line.includes(opening)) return line;
      const cut = Math.max(0, Math.max(from, last) - at);
      return line.slice(0, cut) + line.slice(cut).replaceAll(opening, () => standIn + opening.slice(1));
    });
  }
  return bounded;
}

function piledUp(text: string, character: string, max: number): boolean {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) {
    count += 1;
    if (count > max) return true;
  }
  return false;
}

/** The place of a node. null: the parser made the node up. */
export function placeOf(node: Nodes): { start: number; end: number } | null {
  const start = node.position?.start.offset;
  const end = node.position?.end.offset;
  return start === undefined || end === undefined ? null : { start, end };
}

/** Every node in the order of the source. */
export function* walk(node: Nodes): Generator<Nodes> {
  yield node;
  if ("children" in node) for (const child of node.children) yield* walk(child);
}

/** Makes all line endings one kind. Every other function here expects this form. */
export function withLineFeeds(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
}
