/**
 * The parts of a Markdown text that have an effect on GitHub, by `marked`, a parser that Baton does not use. This file
 * cleans the result as GitHub does. Then it searches text outside code and links as GitHub's filters do.
 */
import { Marked } from "marked";
import sanitizeHtml from "sanitize-html";

export interface Allowed {
  /** Mentions that Baton itself writes into the text, from facts. */
  mentions?: readonly string[];
  closes?: readonly string[];
  headings?: readonly string[];
  /** Tags that Baton writes. */
  tags?: RegExp;
  /** Addresses that Baton links from a text. */
  links?: RegExp;
  marker?: RegExp;
}

const keyword =
  /(?<![A-Za-z0-9])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)[\s:]*((?:[\w.-]+\/[\w.-]+)?#\d+|GH-\d+|https?:\/\/(?:www\.)?github\.com\/\S+\/(?:issues|pull)\/\d+)/gi;
const workflowCommand =
  /^\s*::(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|notice|set-env|set-output|save-state|stop-commands|warning)\b|##\[/im;
const threadAddress = /^https?:\/\/(?:www\.)?github\.com\/[^/]+\/[^/]+\/(?:issues|pull|pulls|discussions)\b/i;
const sentinel = "The text goes on here";

/** A word for each effect, with the text that has it. Empty: inert. */
export function alive(markdown: string, allowed: Allowed = {}, render: (text: string) => string = rendered): string[] {
  const found: string[] = [];
  if (workflowCommand.test(markdown)) found.push("workflow command");
  if (/^[ >]*\/baton\b/im.test(markdown)) found.push("/baton");
  if (!markdown.isWellFormed()) found.push("half a character");
  const body = markdown.replace(allowed.marker ?? /$^/, "");
  const html = render(`${body}\n\n${sentinel}\n`);
  for (const [tag] of html.matchAll(/<!--[\s\S]*?(?:-->|$)|<!\[CDATA\[|<\?[\s\S]{0,20}|<![A-Z]/g))
    found.push(`comment ${tag}`);
  search(html, allowed, found);
  return found;
}

function rendered(text: string): string {
  const marked = new Marked({ gfm: true, async: false });
  return marked.parse(text) as string;
}

function search(html: string, allowed: Allowed, found: string[]): void {
  const open: { name: string; text: string; href: string }[] = [];
  let seen = false;
  /** Text outside code and links. Another element begins another text. */
  let text = "";
  const flush = (): void => {
    if (text.includes(sentinel)) {
      seen = true;
      const around = open.map(({ name }) => name).filter((name) => name !== "p");
      if (around.length > 0) found.push(`stays open: ${around.join(" ")}`);
    }
    textEffects(text, allowed, found);
    text = "";
  };
  const close = (): void => {
    flush();
    const element = open.pop();
    if (element === undefined) return;
    const parent = open.at(-1);
    if (parent !== undefined) parent.text += element.text;
    if (element.name === "a") linkEffects(element, allowed, found);
    if (/^h[1-6]$/.test(element.name) && allowed.headings?.includes(element.text.trim()) !== true)
      found.push(`heading ${element.text}`);
  };
  const voids = new Set(["br", "hr", "img", "input"]);
  sanitizeHtml(html, {
    allowedTags: false,
    allowedAttributes: false,
    allowVulnerableTags: true,
    onOpenTag: (name, attributes) => {
      flush();
      if (name === "img") found.push(`image ${attributes["src"]}`);
      const known =
        /^(?:p|h[1-6]|a|em|strong|del|code|pre|ul|ol|li|blockquote|table|thead|tbody|tr|th|td|hr|br|input)$/;
      if (!known.test(name) && allowed.tags?.test(name) !== true && name !== "img") found.push(`tag ${name}`);
      if (!voids.has(name)) open.push({ name, text: "", href: attributes["href"] ?? "" });
    },
    onCloseTag: (name) => {
      if (!voids.has(name)) close();
    },
    textFilter: (escaped) => {
      const letters = decoded(escaped);
      const element = open.at(-1);
      if (element !== undefined) element.text += letters;
      if (!open.some(({ name }) => name === "code" || name === "pre" || name === "a")) text += letters;
      return escaped;
    },
  });
  flush();
  if (!seen) found.push("swallows what follows");
}

function textEffects(text: string, allowed: Allowed, found: string[]): void {
  for (const [, login = ""] of text.matchAll(/(?<![A-Za-z0-9])@([a-z0-9][a-z0-9-]*(?:\/[a-z0-9][\w.-]*)?)/gi))
    if (allowed.mentions?.includes(login) !== true) found.push(`mention ${login}`);
  for (const [whole, target = ""] of text.matchAll(keyword))
    if (allowed.closes?.includes(target) !== true) found.push(`keyword ${whole}`);
  for (const [whole] of text.matchAll(/(?<![\w./-])[\w-]+\/[\w.-]+(?:#\d|@[0-9a-f]{7})/gi))
    found.push(`reference ${whole}`);
}

function linkEffects({ text, href }: { text: string; href: string }, allowed: Allowed, found: string[]): void {
  if (allowed.links?.test(href) === true) return;
  if (threadAddress.test(href)) found.push(`mention in another thread ${href}`);
  const host = hostOf(href);
  if (href.startsWith("mailto:") && href === `mailto:${text}`) return;
  if (/^(?:#|\.{0,2}\/(?![/\\]))/.test(href)) return;
  if (/@/.test(/^[a-z]+:\/\/([^/]*)/i.exec(href)?.[1] ?? "")) found.push(`link with a false host ${href}`);
  if (host !== "github.com" && !host.endsWith(".github.com") && hostOf(text) !== host)
    found.push(`link ${text} → ${href}`);
  if (hostOf(text) !== "" && hostOf(text) !== host && /:\/\/|^www\./.test(text))
    found.push(`lying link ${text} → ${href}`);
}

function hostOf(address: string): string {
  return (/^(?:https?:\/\/)?([a-z0-9.-]+\.[a-z]{2,})(?=[/:?#]|$)/i.exec(address)?.[1] ?? "").toLowerCase();
}

function decoded(escaped: string): string {
  return escaped
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&#x([0-9a-f]+);/gi, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}
