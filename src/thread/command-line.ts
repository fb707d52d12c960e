/**
 * Finds the command in a comment: in the author's own text, at the start of a line, at top level.
 *
 * Never counted: code, quotes, HTML and its content, lists, tables, headings, footnotes, link text and mathematics. A mail
 * program's text below "… wrote:" does not count either. When in doubt, a line does not count. A second comment repairs
 * silence, but nothing undoes a command that nobody gave.
 */
import type { Paragraph, RootContent } from "mdast";
import { blockElements, phraseElements, tokenizeHtml, voidElements } from "../text/html.ts";
import { type ParsedMarkdown, parseMarkdown, placeOf } from "../text/markdown.ts";

export interface CommandLine {
  /** The text after `/baton` on its line. */
  line: string;
  /** The lines after it, without the quotes of a mail program. */
  after: string;
}

/** The slash of a Chinese or Japanese keyboard is the same key. Phones begin a line with a capital letter. */
const slash = "[/\uff0f][bB]aton";
const candidateOf = (names: string): RegExp => new RegExp(`^ {0,3}(?:${names})(?=[ \\t\\u00a0]|$)`, "gm");
const commandLineOf = (names: string): RegExp => new RegExp(`^ {0,3}(?:${names})(?:[ \\t\\u00a0]+(.*))?$`);
/** Elements whose style continues in later blocks until they are closed. The next block ends a paragraph. */
const stayOpen: ReadonlySet<string> = new Set([...blockElements, ...phraseElements].filter((name) => name !== "p"));
/** As in `markdown.ts`: in a block with more brackets Baton does not search for links. Then nothing in it is surely plain. */
const bracketsMax = 400;

/** `text` has `\n` for every line ending. */
export function findCommandLine(text: string, mentions: readonly string[] = []): CommandLine | null {
  const called = mentions.filter((name) => /^[a-z0-9-]+$/i.test(name)).map((name) => `@${inAnyCase(name)}`);
  const names = [slash, ...called].join("|");
  const commandLine = commandLineOf(names);
  const last = [...text.matchAll(candidateOf(names))].at(-1);
  if (last === undefined) return null;
  // Text after the last candidate's block cannot change the candidate's meaning.
  const blank = text.slice(last.index).search(/\n[ \t]*\n/);
  const parsed = parse(blank === -1 ? text : text.slice(0, last.index + blank));
  if (parsed === null) return null;
  const place = firstPlace(parsed.tree.children, text, commandLine);
  if (place === null) return null;
  const lineEnd = endOfLine(text, place);
  const line = commandLine.exec(text.slice(place, lineEnd))?.[1] ?? "";
  return {
    line: line.replaceAll("\u00a0", " ").trim(),
    after: withoutMail(text.slice(lineEnd + 1)).trim(),
  };
}

/** As GitHub compares names. */
function inAnyCase(name: string): string {
  return name.replace(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);
}

/** Text that is nested beyond reason is not a command. */
function parse(text: string): ParsedMarkdown | null {
  try {
    return parseMarkdown(text);
  } catch (thrown) {
    if (thrown instanceof RangeError) return null;
    throw thrown;
  }
}

function firstPlace(nodes: RootContent[], text: string, commandLine: RegExp): number | null {
  const open = new Map<string, number>();
  for (const [index, node] of nodes.entries()) {
    const place = placeOf(node);
    if (place === null) continue;
    // Only a mail program writes below a signature. Under a line of text, Markdown reads the signature's mark as a heading's
    // mark.
    const signed = node.type === "heading" && signatureLine.test(text.slice(place.start, endOfLine(text, place.end)));
    if (signed) return null;
    if (node.type === "html") count(open, text.slice(place.start, place.end), stayOpen);
    if (node.type !== "paragraph") continue;
    const written = text.slice(place.start, endOfLine(text, place.end));
    const signature = written.search(signatureLine);
    const mail = signature === -1 ? mailStart(written) : Math.min(signature, mailStart(written) ?? signature);
    const found = open.size > 0 ? null : placeInParagraph(node, text, commandLine);
    if (found !== null && (mail === null || found < place.start + mail)) return found;
    if (signature !== -1 || (mail !== null && nodes[index + 1]?.type !== "blockquote")) return null;
    for (const child of node.children) if (child.type === "html") count(open, child.value, stayOpen);
  }
  return null;
}

/** Elements that a piece of HTML opens or closes. */
function count(open: Map<string, number>, source: string, known: ReadonlySet<string>): void {
  for (const token of tokenizeHtml(source)) {
    if ((token.kind !== "open" && token.kind !== "close") || !known.has(token.name) || voidElements.has(token.name))
      continue;
    const depth = (open.get(token.name) ?? 0) + (token.kind === "open" ? 1 : -1);
    if (depth > 0) open.set(token.name, depth);
    else open.delete(token.name);
  }
}

function placeInParagraph(paragraph: Paragraph, text: string, commandLine: RegExp): number | null {
  const place = placeOf(paragraph);
  if (place === null || text.slice(place.start, place.end).split("[").length > bracketsMax) return null;
  let mathematics = false;
  for (let start = place.start; start <= place.end; start = endOfLine(text, start) + 1) {
    const line = text.slice(start, endOfLine(text, start));
    if (line.trim() === "$$") mathematics = !mathematics;
    if (!mathematics && commandLine.test(line) && isPlain(paragraph, start + line.search(/\S/), text)) return start;
  }
  return null;
}

/** True if the character there is text of the paragraph itself: not code, link, HTML or struck out. */
function isPlain(paragraph: Paragraph, at: number, text: string): boolean {
  if (isStruckOut(paragraph, at, text)) return false;
  const open = new Map<string, number>();
  for (const child of paragraph.children) {
    const place = placeOf(child);
    if (place === null) continue;
    if (place.start <= at && at < place.end) return child.type === "text" && open.size === 0;
    if (child.type === "html") for (const known of [blockElements, phraseElements]) count(open, child.value, known);
  }
  return false;
}

/** The parser does not read strikes (`markdown.ts`). A strike that is open here and has an end may cover the text between. */
function isStruckOut(paragraph: Paragraph, at: number, text: string): boolean {
  const place = placeOf(paragraph);
  if (place === null) return false;
  const strikes = (from: number, to: number): number => text.slice(from, to).match(/(?<!\\)~{1,2}/g)?.length ?? 0;
  return strikes(place.start, at) % 2 === 1 && strikes(at, place.end) > 0;
}

/** The blank at its end distinguishes it from other dashes: https://www.rfc-editor.org/rfc/rfc3676#section-4.3. */
const signatureLine = /^-- $/m;

const devices =
  "(?:iPhon|iPad|iPod|Android|Samsung|Galaxy|Huawei|Xiaomi|Nokia|BlackBerry|Outlook|Windows|Mobile|Handy)";
/**
 * Text that phones and mail programs write below a mail, in their languages. Parsers of replies list them, for instance
 * https://github.com/crisp-oss/email-reply-parser.
 */
const sent =
  "Sent (?:from|via|with|using)|Get Outlook for|Von meine[mr] |Von mein|Gesendet (?:von|mit)|Outlook für|Envoyé (?:depuis|de|à partir)|Télécharg(?:er|ez) Outlook|Obtenir Outlook|Enviado (?:desde|do|de|a partir)|Obt(?:ener|enga|er) (?:o )?Outlook|Enviat des|Inviato da|Scarica Outlook|Verstuurd vanaf|Verzonden (?:vanaf|met|vanuit)|Outlook voor|Wysłan[eoy] z|Pobierz |Skickat från|Hämta Outlook|Sendt fra|Hent Outlook|Lähetetty|Hanki Outlook|Odesláno z|Odoslané z|Poslan[oe] (?:s|z|iz)|Trimis de pe|Изпратено от|Отправлено (?:с|из)|Надіслано з|Відправлено з|Στάλθηκε από|נשלח מ|تم الإرسال من|Đã gửi từ|Dikirim dari|Dihantar dari|ส่งจาก|发自我的|從我的|从我的|傳送自我的|寄自我的";
const signatureMarks: RegExp[] = [
  /^-- ?$/m,
  /^(?:Sent from my |Sent from (?:Mail|Outlook|Yahoo|Proton)|Get Outlook for |Von meinem \S+ gesendet|Gesendet von |Envoyé de(?:puis)? mon |Enviado desde mi |Inviato da )/im,
  new RegExp(`^[ \\t_*<([]{0,4}(?:${sent})[^\\n]{0,60}${devices}[^\\n]{0,60}$`, "im"),
  // Japanese, Korean, Turkish and Hungarian put the device first.
  new RegExp(
    `^[ \\t_*<([]{0,4}(?:[^\\s]{1,6} )?[^\\n]{0,12}${devices}[^\\n]{0,20}(?:から送信|에서 보냄|gönderildi|gesendet|küldve)`,
    "im",
  ),
];

const mailMarks: RegExp[] = [
  /^-{2,}[ \t]*(?:Original Message|Forwarded message|Ursprüngliche Nachricht|Message d'origine|Mensaje original)[ \t]*-{2,}[ \t]*$/im,
  /^(?:From|Von|De|Da): [^\n]{1,300}\n(?:[^\n]{1,300}\n)?(?:Sent|Date|To|Gesendet|Envoyé|Enviado|Inviato): /im,
  /^(?:On|Le|El|Il|Em|Am)\b[^\n]{4,300}(?:\n[^\n]{1,200})?\b(?:wrote|a écrit|escribió|ha scritto|escreveu|schrieb[^\n]{0,100}) ?:[ \t]*$/im,
  /^Reply to this email directly(?:,| or) /im,
  // "… <somebody@example.com> schreef op …:", in any language, above the quoted text.
  /^[^\n>]{0,300}<[^<>\s@]{1,100}@[^<>\s]{1,200}>[^\n]{0,200}:[ \t]*$/m,
];

function mailStart(text: string): number | null {
  const found = mailMarks.map((mark) => text.search(mark)).filter((at) => at >= 0);
  return found.length === 0 ? null : Math.min(...found);
}

function withoutMail(text: string): string {
  const signed = signatureMarks.map((mark) => text.search(mark)).filter((at) => at >= 0);
  const start = Math.min(mailStart(text) ?? text.length, ...signed);
  return text.slice(0, start);
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  return end === -1 ? text.length : end;
}
