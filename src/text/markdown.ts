/**
 * Markdown to a tree with places in the source, as GitHub reads it. Emphasis is left out: nobody here asks for it.
 *
 * D1 The time is near linear in the length, whatever the text: constructs that cost more where they are piled up
 *    are counted first and, above a bound, not looked for (`dense`).
 */
import type { Nodes, Root } from "mdast";
import { fromMarkdown, type Options } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";

/** Bare addresses stay text; a transform of theirs would make nodes without a place. */
const mdastExtensions = gfmFromMarkdown().filter(({ transforms }) => transforms === undefined);
const withoutEmphasis = {
  disable: { null: ["attention", "strikethrough", "wwwAutolink", "protocolAutolink", "emailAutolink"] },
};
const options: Options = { extensions: [gfm(), withoutEmphasis], mdastExtensions };

/** Above this many in one block, brackets are not read as links. */
const bracketsMax = 400;
/** Deeper quotes are cut off: they only cost. */
const quotesMax = 30;
/** Private use: as long as a bracket, and nothing in Markdown. */
const standIn = "\ue000";

export interface ParsedMarkdown {
  tree: Root;
  /** True when links were not looked for everywhere. */
  dense: boolean;
}

/** Places in the tree are places in `text`, which has `\n` for every line ending. */
export function parseMarkdown(text: string): ParsedMarkdown {
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

/** What opens a comment, an instruction or a section within a line, and the end that it needs. */
const openings = [
  ["<!--", "-->"],
  ["<?", "?>"],
  ["<![CDATA[", "]]>"],
] as const;
const openingsMax = 100;

/** Within a line an opening without an end is text, but each is looked for to the end of its block. */
function withoutOpenings(text: string): string {
  let bounded = text;
  for (const [opening, ending] of openings) {
    if (!piledUp(bounded, opening, openingsMax)) continue;
    const last = bounded.lastIndexOf(ending);
    // At the start of a line it opens a block, which needs no end.
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

/** Where a node stands; nodes that the parser made up stand nowhere. */
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

/** Line endings as one kind; a form that every other function here expects. */
export function withLineFeeds(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll("\r", "\n");
}
