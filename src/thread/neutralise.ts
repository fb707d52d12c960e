/**
 * Text of others within what Baton publishes: read, but without effect. Nobody is pinged, nothing is closed or
 * linked across repositories, no picture is fetched, no command is given, nothing stays open.
 *
 * N1 What is defused looks as before; code stays as it is, for it pings nobody and is copied.
 * N2 A link shows where it leads, unless it leads to GitHub.
 * N3 Whatever text comes after it is not changed by it: fences and folds are closed, HTML is gone.
 */
import type { Nodes } from "mdast";
import { applyEdits, type Edit } from "./edits.ts";
import { blockElements, phraseElements, voidElements } from "./html.ts";
import { parseMarkdown, placeOf, walk } from "./markdown.ts";
import { sanitise } from "./sanitise.ts";

const zeroWidthSpace = "\u200b";

/** Words, figures and dull punctuation: by far the most of what is shown, and without any effect. */
const dull = /^(?!.*(?:GH-|::))[\w ,.;()'"+=%$?:–−…·→-]*$/i;

export function neutralise(text: string): string {
  if (dull.test(text)) return text;
  const visible = sanitise(text).text;
  const edits: Edit[] = [];
  let closing = "";
  try {
    const { tree } = parseMarkdown(visible);
    for (const node of walk(tree)) edits.push(...editsOf(node, visible));
    const last = tree.children.at(-1);
    if (last !== undefined) closing = openFence(last, visible);
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    edits.push({ start: 0, end: visible.length, replacement: defuse(visible) });
  }
  return withoutCommands(`${applyEdits(visible, edits)}${closing}`);
}

/** As a code span, whatever it holds. */
function codeSpan(text: string): string {
  const line = sanitise(fencedAway(text)).text.replaceAll(/\s+/g, " ").trim().replaceAll("`", "'").replaceAll("|", "¦");
  return line === "" ? "(empty)" : `\`${line}\``;
}

/** Markdown means nothing within a code span, so nothing of it is looked for. */
function fencedAway(text: string): string {
  return text.replaceAll("<", "‹").replaceAll(">", "›");
}

function editsOf(node: Nodes, source: string): Edit[] {
  const place = placeOf(node);
  if (place === null) return [];
  const { start, end } = place;
  switch (node.type) {
    case "text":
      return [{ start, end, replacement: defuse(source.slice(start, end)) }];
    case "html":
      return [{ start, end, replacement: withoutTags(source.slice(start, end)) }];
    case "image":
    case "imageReference":
      return [{ start, end, replacement: "(image)" }];
    case "link": {
      const first = node.children[0];
      const last = node.children.at(-1);
      const from = first === undefined ? null : placeOf(first);
      const until = last === undefined ? null : placeOf(last);
      if (from === null || until === null) return [{ start, end, replacement: shown(node.url) }];
      const written = source.slice(from.start, until.end);
      if (trusted(node.url)) return [];
      // `<https://…>` says where it leads, and is left to GitHub to link.
      if (written === node.url) return [{ start, end, replacement: written }];
      return [
        { start, end: from.start, replacement: "" },
        { start: until.end, end, replacement: ` (${shown(node.url)})` },
      ];
    }
    default:
      return [];
  }
}

const githubOwn = /^https:\/\/(?:[a-z0-9-]+\.)?github\.com(?:[/?#]|$)/i;

function trusted(url: string): boolean {
  return githubOwn.test(url) || /^(?:#|\.{0,2}\/(?!\/))/.test(url);
}

/** In code, so that it is neither linked nor fetched. */
function shown(url: string): string {
  return codeSpan(url.length > 200 ? `${url.slice(0, 200)}…` : url);
}

const at = "(?:\\\\?@|&#0{0,5}64;|&#[xX]0{0,5}40;|&commat;)";
const number = "(?:\\\\?#|&#0{0,5}35;|&#[xX]0{0,5}23;|&num;)";
/** Addresses first: what stands in one mentions nobody. */
const effects = new RegExp(
  [
    "(?<url>\\bhttps?:\\/\\/[^\\s<>]{1,2000})",
    `(?<mention>(?<![A-Za-z0-9_])${at})(?=[A-Za-z0-9])`,
    `(?<keyword>\\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?))(?=[:\\s*_~\`]{1,6}(?:[\\w.-]{1,100}\\/[\\w.-]{1,100})?(?:${number}\\d|GH-\\d|https?:))`,
    `(?<across>\\b[\\w-]{1,40}\\/[\\w.-]{1,100}(?:${number}|@))(?=[0-9a-f])`,
    "(?<tag><)(?=[!/?A-Za-z])",
  ].join("|"),
  "gi",
);

function defuse(text: string): string {
  return text.replace(effects, (found, ...groups) => {
    const named = groups.at(-1) as Record<string, string | undefined>;
    if (named["url"] !== undefined) return found;
    return named["tag"] === undefined ? `${found}${zeroWidthSpace}` : "&lt;";
  });
}

/** Tags that GitHub knows are left out, their text stays; all else is shown as it was written. */
function withoutTags(source: string): string {
  return defuse(
    source.replace(/<\/?([a-z][a-z0-9]{0,20})(?: href="[^"]*")?>/gi, (tag, name: string) => {
      const lower = name.toLowerCase();
      if (lower === "br" || lower === "hr") return " ";
      return blockElements.has(lower) || phraseElements.has(lower) || voidElements.has(lower) ? "" : tag;
    }),
  );
}

const workflowCommand =
  /^([\s>*+-]{0,20})(::(?=(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|notice|remove-matcher|save-state|set-env|set-output|stop-commands|warning)\b)|##(?=\[[a-z-]{1,20}))/gim;
const ownCommand = /^([\s>]{0,20})\/(?=baton\b)/gim;

/** Workflow commands would be obeyed from a log that shows the text, `/baton` from a comment that quotes it. */
function withoutCommands(text: string): string {
  return text.replace(workflowCommand, `$1${zeroWidthSpace}$2`).replace(ownCommand, `$1${zeroWidthSpace}/`);
}

/** What closes a fence that the text left open. */
function openFence(node: Nodes, source: string): string {
  const place = placeOf(node);
  if (node.type !== "code" || place === null) return "";
  const lines = source.slice(place.start, place.end).split("\n");
  const fence = /^(?:`{3,}|~{3,})/.exec(lines[0] ?? "")?.[0];
  if (fence === undefined) return "";
  const last = lines.length > 1 ? (lines.at(-1) ?? "").trim() : "";
  const closed = last.startsWith(fence) && last === (fence[0] ?? "").repeat(last.length);
  return closed ? "" : `\n${fence}`;
}
