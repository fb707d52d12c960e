/**
 * Turns an agent's commit message into one without effect. It names nobody, closes nothing, stops no CI and shows no hidden
 * text.
 *
 * CM1 Only Baton's own trailers end a commit. The caller appends them from facts after the cleaning.
 * CM2 Cleaning a clean message changes nothing, so a worker's commits keep their ids when Baton checks them.
 * CM3 The result has a subject of at most 72 characters and a body of at most 8 KB. It has no control or invisible
 *     characters.
 */
import { defuseLines, defuseWords } from "./commit-effects.ts";
import { utf8 } from "./encodings.ts";
import { stripInvisible } from "./visible.ts";

const subjectCharactersMax = 72;
const bodyBytesMax = 8 * 1024;
/** Baton cuts longer text before it reads it, because agents decide its length. */
const charactersMax = 64 * 1024;
const roundsMax = 12;

/** `fallback`: the subject if nothing is left. It is cleaned as well. */
export function commitMessage(raw: string, fallback: string): string {
  return cleaned(raw) ?? cleaned(fallback) ?? "Work of an agent";
}

/** One line by the same rules. A pull request's title becomes the subject of its squash commit. */
export function titleLine(raw: string, fallback: string): string {
  return commitMessage(raw.replaceAll(/\s+/g, " "), fallback).split("\n")[0] as string;
}

/**
 * The message of the merge commit of Baton's pull request. Without it, GitHub uses the title, and on demand the body, of a
 * pull request with strangers' words: https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request.
 */
export function mergeMessage(
  { number, title }: { number: number; title: string },
  method: "merge" | "squash",
  trailers: readonly string[],
): { title: string; message: string } {
  const [subject = "", ...rest] = commitMessage(title.replaceAll(/\s+/g, " "), "Change").split("\n");
  const overflow = rest.join("\n").trim();
  return method === "squash"
    ? { title: `${subject} (#${number})`, message: withTrailers(overflow, trailers).trim() }
    : { title: `Merge pull request #${number}`, message: withTrailers(subject, trailers).trim() };
}

/** Appends Baton's own fields to the message, as one block that git reads as trailers. */
export function withTrailers(message: string, trailers: readonly string[]): string {
  const lines = trailers.map((line) => line.replaceAll(/\s+/g, " ").trim());
  return lines.length === 0 ? `${message}\n` : `${message}\n\n${lines.join("\n")}\n`;
}

/** A removal can join two pieces to a new effect, so the cleaning repeats until nothing changes. null: nothing is left. */
function cleaned(raw: string): string | null {
  let text = raw.slice(0, charactersMax).toWellFormed();
  for (let round = 0; round < roundsMax; round += 1) {
    const next = bounded(defuseWords(defuseLines(visible(text))));
    if (next === text) return text === "" ? null : text;
    text = next;
  }
  return null;
}

/** One kind of line end, and no character that a reader does not see. */
function visible(text: string): string {
  const lines = text.replace(/\r\n?|[\v\f\u0085\u2028\u2029]/g, "\n");
  return stripInvisible(lines).text.replaceAll("\t", "    ").replaceAll("\u00a0", " ").replace(reference, signOf);
}

/** Character references of signs with an effect. A page that shows the message may resolve them. */
const reference = /&(?:#0{0,5}(?:64|35);|#x0{0,5}(?:40|23);|commat;|num;)/gi;
const signOf = (found: string): string => (/64|40|commat/i.test(found) ? "@" : "#");

function bounded(text: string): string {
  const lines = text.split("\n").map((line) => line.trimEnd());
  while (lines[0] === "") lines.shift();
  const [first = "", ...rest] = lines;
  const { subject, overflow } = splitSubject(first.trim());
  const body = paragraphs([...overflow, ...rest]);
  return body === "" ? subject : `${subject}\n\n${cutBytes(body, bodyBytesMax)}`;
}

/** Words that are too long for the subject continue in the body. */
function splitSubject(line: string): { subject: string; overflow: string[] } {
  const characters = Array.from(line);
  if (characters.length <= subjectCharactersMax) return { subject: line, overflow: [] };
  const head = characters.slice(0, subjectCharactersMax - 1).join("");
  const space = head.lastIndexOf(" ");
  const subject = (space > 20 ? head.slice(0, space) : head).trimEnd();
  return { subject: `${subject}…`, overflow: [`…${line.slice(subject.length).trimStart()}`, ""] };
}

function paragraphs(lines: readonly string[]): string {
  return lines
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .replace(/^\n+/, "")
    .trimEnd();
}

function cutBytes(text: string, bytesMax: number): string {
  // A character has at most 3 bytes for each of its UTF-16 units.
  if (text.length * 3 <= bytesMax || utf8(text).length <= bytesMax) return text;
  const mark = "\n…";
  let bytes = utf8(mark).length;
  let kept = "";
  for (const line of text.split("\n")) {
    bytes += utf8(line).length + 1;
    if (bytes > bytesMax) break;
    kept += `${line}\n`;
  }
  // Cuts within a line that alone is too long.
  if (kept.trim() === "") kept = text.slice(0, Math.floor(bytesMax / 3) - 3).toWellFormed();
  return `${kept.trimEnd()}${mark}`;
}
