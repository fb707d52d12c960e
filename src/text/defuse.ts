/**
 * Running text of others, as Markdown source, without effect on GitHub. Owns: which letters have an effect.
 * Does not own: what is text and what is code (`neutralise.ts`).
 *
 * E1 The result has no effect as letters, whatever parser reads it and whatever text stands before or after it.
 * E2 Only invisible characters, escapes and references of characters are added: a reader sees the text unchanged.
 */

export const zeroWidthSpace = "\u200b";

/** References that only hide letters GitHub acts on. Others stay: decoded, they could become Markdown. */
const namedReferences: ReadonlyMap<string, string> = new Map([
  ["commat", "@"],
  ["num", "#"],
  ["colon", ":"],
  ["sol", "/"],
  ["period", "."],
  ["lowbar", "_"],
  ["UnderBar", "_"],
  ["Tab", " "],
  ["NewLine", " "],
  ["nbsp", " "],
  ["NonBreakingSpace", " "],
  ["fjlig", "fj"],
]);
const decodable = /^(?:[A-Za-z0-9@:/ ]|fj)$/;

/** Pairs of a backslash and what it escapes are read from the left, so that `\\@` is not taken for `\@`. */
const written = /\\([!-/:-@[-`{-~])|&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z][A-Za-z0-9]{1,31}));|`/g;

/** Letters as letters: an escape or a reference must not hide what GitHub sees after rendering. A loose backtick is escaped. */
function canonical(source: string): string {
  return source.replace(written, (all: string, ...found) => {
    if (all === "`") return "\\`";
    const [escaped, decimal, hex, named, at] = found as [string?, string?, string?, string?, number?];
    const letter = escaped ?? (named === undefined ? letterOf(decimal ?? null, hex ?? "") : namedReferences.get(named));
    const before = source[(at ?? 0) - 1] ?? "";
    const after = source[(at ?? 0) + all.length] ?? "";
    return letter !== undefined && isLetter(letter, before, after) ? letter : all;
  });
}

/** Where the bare letter cannot become a mark of Markdown, and GitHub could act on it. */
function isLetter(letter: string, before: string, after: string): boolean {
  if (letter === "#") return /[\d&\\]/.test(after);
  if (letter === "-" || letter === "." || letter === "_") return /[\w;]/.test(before);
  return decodable.test(letter);
}

function letterOf(decimal: string | null, hex: string): string {
  const code = decimal === null ? Number.parseInt(hex, 16) : Number(decimal);
  const letter = code > 0 && code <= 0xffff ? String.fromCharCode(code) : "";
  return /^\s$/.test(letter) ? " " : letter;
}

const name = "[\\w.-]{1,100}";
/** Between a keyword and what it closes: spaces, a colon, marks of emphasis and quotes, opening brackets. */
const gap = "[\\s:*_~>([{\"']{0,200}";
const thread = `(?:(?:${name}\\/)?(?:${name})?#(?:\\d|$)|GH-(?:\\d|$))`;
/** Where an address in text goes on in every parser: no mark of emphasis, no quote, no bracket. */
const addressRest = "(?:[/?#](?:[A-Za-z0-9/.%@?=&#+,;$-]|:(?!\\/\\/)|_(?!@)){0,2000})?";
/** GitHub links on until a space, backticks and brackets included: there the address must end. */
const addressEnd = "[.,;:!?'\")*_~]{0,20}(?:\\s|$)";
/** A link to a thread makes a mention there. */
const threadPath = "\\/[^\\s/?#]{1,100}\\/[^\\s/?#]{1,100}\\/(?:issues?|pulls?|discussions)\\b|[^\\s?#]{0,300}%";
const threadAddress = `(?:https?:\\/\\/(?:www\\.)?|(?<![\\w.])www\\.)github\\.com\\.?(?::\\d{1,5})?(?=${threadPath})`;

/**
 * Mentions: a name after `@` that no letter or digit precedes, in rendered text outside code and links.
 * https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/node_filter/mention_filter.rb
 * Keywords and how they name an issue, other repositories and addresses included:
 * https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
 * References across repositories, by `owner/name#1`, `name#1` and `owner/name@sha`:
 * https://docs.github.com/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
 */
const effects = new RegExp(
  [
    `(?<keyword>(?<![A-Za-z0-9])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?))(?=${gap}(?:${thread}|https?:|www\\.))`,
    `(?<address>(?<![\\w*~/])(?:https?:\\/\\/|www\\.)[A-Za-z0-9.-]{1,255}(?::\\d{1,5})?(?![\\w@-]|[^\\s/]{0,300}@)${addressRest}(?=${addressEnd}))`,
    "(?<scheme>(?:https?|ftp|xmpp):(?=\\/\\/)|www\\.)",
    "(?<mention>(?:(?<![A-Za-z0-9])|(?<=@[\\w.-]{1,200}))@(?=\\S|$))",
    "(?<across>(?<=[\\w.-])#(?=\\d)|(?<=\\/[\\w.-]{1,100})(?:#(?=$)|@(?=[0-9a-f]{7}|$)))",
    "(?<tag><(?=[!/?A-Za-z]|$))",
    "(?<image>!(?=\\[))",
    "(?<link>\\](?=[(\\[:]))",
    "(?<note>\\[(?=\\^))",
    "(?<mathematics>\\$(?=\\$))",
    "(?<half>&(?=#?[A-Za-z0-9]{0,40}$))",
  ].join("|"),
  "gi",
);
const everyThreadAddress = new RegExp(threadAddress, "gi");

/** GitHub's own way around, on the page above: "Avoiding backlinks to linked references". */
export function withoutBacklink(url: string): string {
  return url.replace(everyThreadAddress, "https://redirect.github.com");
}

const keywords = "close closes closed fix fixes fixed resolve resolves resolved".split(" ");
const endsOfKeywords = [...new Set(keywords.flatMap((word) => Array.from(word, (_, from) => word.slice(from))))];
/** The second half of a keyword with its thread: what stands before the text may be the first half. */
const secondHalf = new RegExp(`^(?:${endsOfKeywords.join("|")})?${gap}${thread}`, "i");

const endsInKeyword = /(?<![A-Za-z0-9])(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)[:.,;!?'")*_~]{0,20}$/i;
const threadAfter = new RegExp(`^${gap}(?:${thread}|https?:|www\\.)`, "i");

/** What refers across repositories where the address before it is none. */
const acrossWithin = /[\w.-]#\d|\/[\w.-]{1,100}@[0-9a-f]{7}/i;
const withoutAcross = (address: string): string => address.replace(/#(?=\d)|@(?=[0-9a-f]{7})/gi, `$&${zeroWidthSpace}`);

/** `followed`: code or a link comes after the text on its line. */
export function defuse(source: string, followed = false): string {
  const text = canonical(source);
  const defused = text.replace(effects, (found: string, ...groups) => {
    const [at, , named] = groups.slice(-3) as [number, string, Record<string, string | undefined>];
    if (named["address"] !== undefined) {
      // `www.fixes #1`: what is an address to one parser is a word to another.
      const rest = text.slice(at + found.length, at + found.length + 300);
      const isWord = endsInKeyword.test(found) && threadAfter.test(rest);
      if (isWord || acrossWithin.test(found)) return `${withoutAcross(broken(found))}${isWord ? zeroWidthSpace : ""}`;
      const goesOn = followed && !/\s/.test(text.slice(at + found.length, at + found.length + 30));
      return goesOn ? withoutAcross(broken(found)) : withoutBacklink(found);
    }
    if (named["scheme"] !== undefined) return broken(found);
    if (named["tag"] !== undefined) return "&lt;";
    if (named["half"] !== undefined) return "&amp;";
    return `${found}${zeroWidthSpace}`;
  });
  return startSealed(defused);
}

function broken(address: string): string {
  return address.replace(/^[a-z]+:|www(?=\.)/gi, `$&${zeroWidthSpace}`);
}

export function startSealed(text: string): string {
  return secondHalf.test(text) ? `${zeroWidthSpace}${text}` : text;
}

const workflowCommand =
  /^([\s>*+-]{0,20})(::(?=(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|internal-set-repo-path|notice|remove-matcher|save-state|set-env|set-output|stop-commands|warning)\b))|(##)(?=\[)/gim;
const ownCommand = /^([\s>]{0,20})\/(?=baton\b)/gim;

/**
 * Workflow commands would be obeyed from a log that shows the text, `/baton` from a comment that quotes it.
 * `::` begins a line, `##[` counts anywhere in it:
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
export function withoutCommands(text: string): string {
  return text
    .replace(workflowCommand, (_, before: string | undefined, colons: string | undefined, marks: string | undefined) =>
      marks === undefined ? `${before}${zeroWidthSpace}${colons}` : `${marks}${zeroWidthSpace}`,
    )
    .replace(ownCommand, `$1${zeroWidthSpace}/`);
}
