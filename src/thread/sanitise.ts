/**
 * Untrusted text: what a person would see of it, and nothing else. Hygiene, not the boundary: the boundary is that agents hold no write token.
 *
 * `sanitise` is for text that goes into a prompt; `neutralise` for text of others that Baton publishes.
 */

/** Zero-width, bidi controls, tag block, blanks that look like nothing. Emoji joiners and selectors are kept where they join emoji. */
const invisible = /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|[\u{1d173}-\u{1d17a}]/gu;
const looseJoiners = /(?<!\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d|\u200d(?!\p{Extended_Pictographic})/gu;
const looseSelectors = /(?<![\p{Extended_Pictographic}0-9#*])[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu;
/** Terminal escapes: CSI, OSC, and single control characters but tab and newline. */
const escapes = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]{0,4096}(?:\u0007|\u001b\\)?|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

const hiddenBlocks: RegExp[] = [
  /<!--[\s\S]{0,65536}?(?:-->|$)/g,
  /<(script|style|template|noscript|iframe|object|svg|math)\b[\s\S]{0,65536}?(?:<\/\1\s*>|$)/gi,
  /<([a-z][a-z0-9]{0,20})\b[^>]{0,2000}?(?:\shidden\b|display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0)[^>]{0,2000}>[\s\S]{0,65536}?(?:<\/\1\s*>|$)/gi,
];
/** `[//]: # (text)` and other link definitions show nothing; titles of links show on hover only. */
const linkDefinition = /^ {0,3}\[[^\]\n]{1,200}\]:[^\n]*$/gm;
const linkTitle = /(\]\([^()\s]{0,2000})\s+(?:"[^"\n]{0,2000}"|'[^'\n]{0,2000}')\)/g;
const attributes = /<([a-z][a-z0-9]{0,20})\b[^>]{0,4000}>/gi;
const imageAlternative = /!\[[^\]\n]{0,2000}\]\(([^()\s]{0,2000})\)/g;

export interface Sanitised {
  text: string;
  /** True when something was removed that a reader would not have seen. */
  hidden: boolean;
}

export function sanitise(text: string): Sanitised {
  let clean = text.replaceAll("\r\n", "\n");
  let hidden = false;
  const remove = (pattern: RegExp, replacement = ""): void => {
    const next = clean.replace(pattern, replacement);
    if (next !== clean) hidden = true;
    clean = next;
  };
  remove(escapes);
  remove(invisible);
  remove(looseJoiners);
  remove(looseSelectors);
  for (const pattern of hiddenBlocks) remove(pattern);
  remove(linkDefinition);
  remove(linkTitle, "$1)");
  remove(imageAlternative, "![image]($1)");
  clean = clean.replace(attributes, (tag: string, name: string) => {
    const kept = `<${name}>`;
    if (tag.includes(" ")) hidden ||= /\s(?:alt|title|aria-label|data-[a-z-]+|placeholder|value)\s*=/i.test(tag);
    return kept;
  });
  return { text: clean, hidden };
}

const zeroWidthSpace = "\u200b";

/** For text by others within what Baton writes: nobody is pinged, nothing is closed, no picture is fetched, no command is given. */
export function neutralise(text: string): string {
  return (
    sanitise(text)
      .text.replace(/(^|[^A-Za-z0-9_`/])@(?=[A-Za-z0-9])/g, `$1@${zeroWidthSpace}`)
      .replace(/\b(close[sd]?|fix(?:e[sd])?|resolve[sd]?)(:?\s{1,3})(?=(?:[\w.-]{1,100}\/[\w.-]{1,100})?#\d|https?:)/gi, `$1${zeroWidthSpace}$2`)
      .replace(/!\[([^\]\n]{0,2000})\]\([^)\n]{0,2000}\)/g, "[$1]")
      .replace(/<img\b[^>]{0,4000}>/gi, "[image]")
      // Workflow commands would be read from a log, `/baton` from a comment.
      .replace(/^(\s{0,8})(::|##\[)/gm, `$1${zeroWidthSpace}$2`)
      .replace(/^(\s{0,8})\/(?=baton\b)/gim, `$1${zeroWidthSpace}/`)
      .replace(/<\/?(?:details|summary)>/gi, "")
  );
}

/** A fence longer than any run of backticks inside, so that the text cannot leave it. */
export function fenced(text: string, language = ""): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.replace(/\n+$/, "")}\n${fence}`;
}

/** At most `charactersMax`, cut between characters as people see them, with an honest mark. */
export function cut(text: string, charactersMax: number, mark = "\n\n… (cut)"): string {
  if (text.length <= charactersMax) return text;
  let end = Math.max(0, charactersMax - mark.length - 4);
  // Never within a surrogate pair or before a combining mark.
  while (end > 0 && /[\udc00-\udfff\u0300-\u036f\u200d\ufe0f]/.test(text[end] ?? "")) end -= 1;
  const head = text.slice(0, end);
  const openFence = (head.match(/^`{3,}/gm) ?? []).length % 2 === 1;
  return `${head}${openFence ? "\n```" : ""}${mark}`;
}
