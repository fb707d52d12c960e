/** Markdown and plain text to sentences, by retext's English. Code, addresses of links, HTML, and headings are not words of a sentence. */
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { toNlcst } from "mdast-util-to-nlcst";
import { gfm } from "micromark-extension-gfm";
import { ParseEnglish } from "parse-english";
import type { Node, Parent } from "unist";
import { VFile } from "vfile";

export interface Sentence {
  text: string;
  words: number;
  /** Of the text, from 1. */
  line: number;
}

export function sentencesOf(markdown: string): Sentence[] {
  const found: Sentence[] = [];
  const parsed = fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  const tree = { ...parsed, children: parsed.children.filter(({ type }) => type !== "heading") };
  visit(toNlcst(tree, new VFile(markdown), ParseEnglish), found);
  return found;
}

function visit(node: Node, found: Sentence[]): void {
  if (node.type === "SentenceNode") {
    const text = textOf(node).replaceAll(/\s+/g, " ").trim();
    if (text !== "") found.push({ text, words: countWords(node), line: node.position?.start.line ?? 1 });
    return;
  }
  for (const child of (node as Parent).children ?? []) visit(child, found);
}

function textOf(node: Node): string {
  if (node.type === "SourceNode") return "…";
  if ("value" in node) return String(node.value);
  return ((node as Parent).children ?? []).map(textOf).join("");
}

function countWords(node: Node): number {
  if (node.type === "WordNode") return 1;
  return ((node as Parent).children ?? []).reduce((sum, child) => sum + countWords(child), 0);
}
