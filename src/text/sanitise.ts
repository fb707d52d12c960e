/**
 * Reduces untrusted text to the part that a reader of it sees, for prompts. The result lists the removed parts.
 *
 * Hygiene, not the boundary: the boundary is that agents hold no token that writes.
 * S1 Visible means shown by GitHub. Baton reads the text as GitHub does, and does not search for patterns.
 * S2 Text that a reader sees stays as it was written, byte for byte.
 * S3 If Baton cannot tell whether something shows, it removes it.
 */
import type { Definition, Nodes, Root } from "mdast";
import { applyEdits, type Edit } from "./edits.ts";
import { blockElements, type HtmlToken, hides, phraseElements, tokenizeHtml, voidElements } from "./html.ts";
import { type ParsedMarkdown, parseMarkdown, placeOf, walk, withLineFeeds } from "./markdown.ts";
import { invisibleReferences, stripInvisible } from "./visible.ts";

export interface Sanitised {
  text: string;
  /** True if Baton removed something that a reader would not have seen. */
  hidden: boolean;
  /** The removed parts in words, each with its count. Empty: nothing was removed. */
  removed: { what: string; count: number }[];
}

/** The caller cuts longer text. Baton does not even read beyond this. */
const charactersMax = 262_144;
const addressCharactersMax = 500;

export function sanitise(text: string): Sanitised {
  const source = withLineFeeds(text.slice(0, charactersMax));
  const search = new Search(source);
  const parsed = parse(source);
  if (parsed === null) search.html(0, source.length);
  else search.tree(parsed.tree);
  const removed = search.removed;
  let clean = applyEdits(source, search.edits());
  if (parsed?.dense === true) clean = withoutDefinitions(clean, removed);
  const stripped = stripInvisible(clean);
  if (stripped.invisible > 0) tally(removed, "invisible characters", stripped.invisible);
  if (stripped.control > 0) tally(removed, "control characters", stripped.control);
  return {
    text: stripped.text,
    hidden: removed.size > 0,
    removed: [...removed].map(([what, count]) => ({ what, count })),
  };
}

/** null: too deeply nested to read as Markdown. Baton then searches for HTML everywhere. */
function parse(text: string): ParsedMarkdown | null {
  try {
    return parseMarkdown(text);
  } catch (thrown) {
    if (thrown instanceof RangeError) return null;
    throw thrown;
  }
}

function tally(removed: Map<string, number>, what: string, count = 1): void {
  removed.set(what, (removed.get(what) ?? 0) + count);
}

/** For blocks without a search for links: removes definitions and titles by their form alone. */
function withoutDefinitions(text: string, removed: Map<string, number>): string {
  const take = (pattern: RegExp, what: string, replacement: string, within: string): string =>
    within.replace(pattern, (...found) => {
      tally(removed, what);
      return replacement.replace("$1", String(found[1]));
    });
  const clean = take(/^ {0,3}\[[^\]\n]{1,1000}\]:[^\n]*$/gm, "link definition", "", text);
  return take(/(\]\([^()\s]{0,2000})\s+(?:"[^"\n]{0,2000}"|'[^'\n]{0,2000}')\)/g, "link title", "$1)", clean);
}

/** Attributes that place or point, and have no text. */
const silentAttributes = new Set(
  "href src align valign width height colspan rowspan target rel open start type class id dir lang loading border srcset media".split(
    " ",
  ),
);
const hiddenFormula =
  /\\(?:[hv]?phantom)\s{0,5}\{[^{}]{0,2000}\}|\\(?:text)?color\s{0,5}\{\s{0,5}(?:white|transparent|#fff(?:fff)?)\s{0,5}\}\s{0,5}\{[^{}]{0,2000}\}/gi;
const simpleLanguage = /^[A-Za-z0-9+#._/-]{1,24}$/;

class Search {
  readonly removed = new Map<string, number>();
  readonly #source: string;
  readonly #edits: Edit[] = [];
  readonly #definitions = new Map<string, Definition>();
  readonly #used = new Set<string>();
  readonly #footnotes = new Map<string, number>();
  /** The open hidden element. Nested elements of its name are counted. */
  #hidden: { name: string; depth: number; start: number } | null = null;

  constructor(source: string) {
    this.#source = source;
  }

  edits(): Edit[] {
    if (this.#hidden !== null) this.#remove(this.#hidden.start, this.#source.length, "hidden element");
    this.#hidden = null;
    return this.#edits;
  }

  tree(root: Root): void {
    for (const node of walk(root)) {
      if (node.type === "definition" && !this.#definitions.has(node.identifier)) {
        this.#definitions.set(node.identifier, node);
      }
      if (node.type === "linkReference" || node.type === "imageReference") this.#used.add(node.identifier);
      if (node.type === "footnoteReference" && !this.#footnotes.has(node.identifier)) {
        this.#footnotes.set(node.identifier, this.#footnotes.size + 1);
      }
    }
    for (const node of walk(root)) {
      const place = placeOf(node);
      if (place !== null) this.#node(node, place.start, place.end);
    }
  }

  html(start: number, end: number): void {
    for (const token of tokenizeHtml(this.#source.slice(start, end))) {
      this.#token(token, start + token.start, start + token.end);
    }
  }

  #node(node: Nodes, start: number, end: number): void {
    switch (node.type) {
      case "html":
        return this.html(start, end);
      case "text":
        return this.#text(start, end);
      case "image":
        return this.#image(start, end, node.url, node.alt ?? "", node.title ?? "");
      case "imageReference":
        return this.#image(start, end, this.#definitions.get(node.identifier)?.url ?? "", node.alt ?? "", "");
      case "link":
        if (node.title != null || node.url.length > addressCharactersMax) {
          this.#replaceTail(node, end, node.url);
          tally(this.removed, node.title == null ? "over-long address" : "link title");
        }
        return;
      case "linkReference":
        return this.#replaceTail(node, end, this.#definitions.get(node.identifier)?.url ?? "");
      case "definition": {
        const silent = this.#used.has(node.identifier) && (node.title ?? "") === "";
        return this.#remove(start, end, silent ? null : "link definition");
      }
      case "footnoteReference":
        return this.#edit(start, end, `[^${this.#footnotes.get(node.identifier)}]`);
      case "footnoteDefinition": {
        const number = this.#footnotes.get(node.identifier);
        if (number === undefined) return this.#remove(start, end, "footnote");
        return this.#edit(start, this.#source.indexOf("]", start) + 1, `[^${number}]`);
      }
      case "code":
        return this.#code(start, end, node.lang ?? null, node.meta ?? null);
      case "table":
        for (const row of node.children.slice(1)) {
          const last = row.children[node.children[0]?.children.length ?? 0];
          const from = last === undefined ? null : placeOf(last);
          const until = placeOf(row);
          if (from !== null && until !== null) this.#remove(from.start, until.end, "table cell without a column");
        }
        return;
      default:
        return;
    }
  }

  #text(start: number, end: number): void {
    const source = this.#source.slice(start, end);
    for (const found of invisibleReferences(source)) {
      this.#remove(start + found.start, start + found.end, "invisible characters");
    }
    if (!source.includes("\\")) return;
    for (const { index, 0: found } of source.matchAll(hiddenFormula)) {
      this.#remove(start + index, start + index + found.length, "hidden formula");
    }
  }

  #image(start: number, end: number, url: string, description: string, title: string): void {
    this.#edit(start, end, `![image](${address(url)})`);
    if (title !== "" || !/^(?:image|)$/i.test(description)) tally(this.removed, "image description");
  }

  /** Turns `[text](url "title")` and `[text][label]` into `[text](url)`. */
  #replaceTail(node: { children: Nodes[] }, end: number, url: string): void {
    const last = node.children.at(-1);
    const from = last === undefined ? null : placeOf(last);
    if (from !== null) this.#edit(from.end, end, `](${address(url)})`);
  }

  /** GitHub does not show the text after the language on the first line of a fence, nor comments of diagrams. */
  #code(start: number, end: number, language: string | null, description: string | null): void {
    const firstLine = /^[^\n]*/.exec(this.#source.slice(start, end))?.[0] ?? "";
    const fence = /^(?:`{3,}|~{3,})/.exec(firstLine)?.[0];
    if (fence === undefined) return;
    const simple = language !== null && simpleLanguage.test(language) ? language : "";
    if (description !== null || simple !== (language ?? "")) {
      this.#edit(start + fence.length, start + firstLine.length, simple);
      tally(this.removed, "description of a code block");
    }
    if (language?.toLowerCase() !== "mermaid") return;
    for (const { index, 0: line } of this.#source.slice(start, end).matchAll(/^[ \t]*%%[^\n]*\n?/gm)) {
      this.#remove(start + index, start + index + line.length, "comment in a diagram");
    }
  }

  #token(token: HtmlToken, start: number, end: number): void {
    if (this.#hidden !== null) return this.#hiddenToken(token, end);
    if (token.kind === "comment") return this.#remove(start, end, "HTML comment");
    if (token.kind === "text") return;
    const known = blockElements.has(token.name) || phraseElements.has(token.name) || voidElements.has(token.name);
    if (token.kind === "close") return this.#edit(start, end, known ? `</${token.name}>` : "");
    if (hides(token.name, token.attributes)) {
      const closesItself = voidElements.has(token.name) || this.#source[end - 2] === "/";
      if (closesItself) return this.#remove(start, end, "hidden element");
      this.#hidden = { name: token.name, depth: 1, start };
      return;
    }
    const speaks = [...token.attributes].some(([name, value]) => value !== "" && !silentAttributes.has(name));
    if (speaks) tally(this.removed, "attribute");
    if (token.name === "img") return this.#edit(start, end, "[image]");
    if (!known) return this.#remove(start, end, "unknown element");
    const target = token.attributes.get("href") ?? "";
    const shown = token.name === "a" && /^https?:\/\/[^\s"<>]{1,500}$/i.test(target) ? ` href="${target}"` : "";
    this.#edit(start, end, `<${token.name}${shown}>`);
  }

  #hiddenToken(token: HtmlToken, end: number): void {
    const hidden = this.#hidden;
    if (hidden === null || token.kind === "comment" || token.kind === "text" || token.name !== hidden.name) return;
    hidden.depth += token.kind === "open" ? 1 : -1;
    if (hidden.depth > 0) return;
    this.#remove(hidden.start, end, "hidden element");
    this.#hidden = null;
  }

  #remove(start: number, end: number, what: string | null): void {
    this.#edit(start, end, "");
    if (what !== null) tally(this.removed, what);
  }

  #edit(start: number, end: number, replacement: string): void {
    if (this.#source.slice(start, end) !== replacement) this.#edits.push({ start, end, replacement });
  }
}

function address(url: string): string {
  const short = url.length > addressCharactersMax ? `${url.slice(0, addressCharactersMax)}…` : url;
  return /[\s()<>]/.test(short) ? `<${short.replaceAll(/[\s<>]/g, encodeURIComponent)}>` : short;
}
