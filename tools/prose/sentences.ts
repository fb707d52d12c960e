/**
 * Markdown and plain text to sentences, by retext's English. Code, addresses of links, HTML, and headings are not words of a
 * sentence.
 */
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { toNlcst } from "mdast-util-to-nlcst";
import { gfm } from "micromark-extension-gfm";
import { ParseEnglish } from "parse-english";
import { VFile } from "vfile";

interface Node {
  type: string;
  value?: string;
  children?: Node[];
  position?: { start: { line: number } } | undefined;
}

export interface Sentence {
  text: string;
  words: number;
  /** Line of the text, from 1. */
  line: number;
}

/** Made once: thousands of comments are short. */
const github = { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] };

/** Cells of tables are texts of their own, and so is the text after a colon: it may begin with a clause, too. */
export function sentencesOf(markdown: string): Sentence[] {
  const found: Sentence[] = [];
  const parsed = fromMarkdown(markdown, github);
  const file = new VFile(markdown);
  const read = (children: typeof parsed.children): void =>
    visit(toNlcst({ ...parsed, children }, file, ParseEnglish) as Node, found);
  read(parsed.children.filter(({ type }) => type !== "heading" && type !== "table"));
  for (const table of parsed.children.filter((one) => one.type === "table"))
    for (const row of table.children.slice(1))
      for (const { children, position } of row.children)
        read([{ type: "paragraph", children, ...(position === undefined ? {} : { position }) }]);
  return found.flatMap((sentence) => [sentence, ...afterColons(sentence)]);
}

/** Without its words counted: the sentence already is too long or not. */
function afterColons({ text, line }: Sentence): Sentence[] {
  return [...text.matchAll(/: (?=\p{L})/gu)].map(({ index }) => {
    const rest = text.slice(index + 2);
    return { text: `${rest[0]?.toUpperCase() ?? ""}${rest.slice(1)}`, words: 0, line };
  });
}

function visit(node: Node, found: Sentence[]): void {
  if (node.type === "SentenceNode") {
    const text = textOf(node).replaceAll(/\s+/g, " ").trim();
    if (text !== "") found.push({ text, words: countWords(node), line: node.position?.start.line ?? 1 });
    return;
  }
  for (const child of node.children ?? []) visit(child, found);
}

function textOf(node: Node): string {
  if (node.type === "SourceNode") return "…";
  if (node.value !== undefined) return node.value;
  return (node.children ?? []).map(textOf).join("");
}

function countWords(node: Node): number {
  if (node.type === "WordNode") return 1;
  return (node.children ?? []).reduce((sum, child) => sum + countWords(child), 0);
}
