/**
 * The one redactor: everything that leaves (comments, checks, logs, prompts, transcripts, pull requests) passes it.
 *
 * H4 Known values are removed in the forms in which they leak: plain, base64 and base64url at every alignment, hex,
 *    URL-encoded, escaped for JSON or HTML, reversed, and each of these cut by white space or invisible characters.
 * H5 Patterns of well-known tokens are removed also when nobody told us of them.
 * H6 The time is linear in the length of the text, for each known value: every pattern is bounded or begins at a
 *    fixed text, and cut values are found in a copy without the cuts.
 */
import { base64Parts, hex, percent, utf8 } from "./encodings.ts";

export const redactedText = "[redacted]";

/** Shorter values would black out ordinary words. */
const secretCharactersMin = 8;
/** Lines of a long secret (a key in PEM form) count on their own. */
const lineCharactersMin = 20;
const newLine = /\r?\n|\\n/;

const patterns: RegExp[] = [
  // GitHub: classic, app, refresh, and the long installation tokens that hold a signed part.
  /\bgh[pousr]_[A-Za-z0-9_]{16,400}(?:\.[A-Za-z0-9_-]{10,2000}){0,2}/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,255}/g,
  // Model vendors.
  /\bsk-(?:ant|proj|svcacct|admin|or)-[A-Za-z0-9_-]{20,400}/g,
  /\bsk-(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{20,400}/g,
  /\bAIza[0-9A-Za-z_-]{30,60}/g,
  /\bgsk_[A-Za-z0-9]{40,80}/g,
  /\bxai-[A-Za-z0-9]{40,120}/g,
  /\bhf_[A-Za-z0-9]{30,60}/g,
  // Clouds and tools.
  /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /(?<=\baws.{0,3}secret.{0,3}access.{0,3}key["']?\s{0,3}[:=]\s{0,3}["']?)[A-Za-z0-9/+]{40}/gi,
  /\bya29\.[A-Za-z0-9_-]{20,400}/g,
  /(?<=\bAccountKey=)[A-Za-z0-9+/=]{40,120}/g,
  /\bxox[abeoprs]-[A-Za-z0-9-]{10,250}/g,
  /(?<=\bhooks\.slack\.com\/services\/)[A-Za-z0-9/]{20,120}/g,
  /\bglpat-[A-Za-z0-9_.-]{18,80}/g,
  /\bnpm_[A-Za-z0-9]{36,60}/g,
  /(?<=\b_(?:authToken|auth|password)\s?=\s?)[^\s"']{8,400}/g,
  /\bpypi-[A-Za-z0-9_-]{40,400}/g,
  /\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,200}/g,
  /\bwhsec_[A-Za-z0-9+/=]{16,200}/g,
  /\bdop_v1_[a-f0-9]{64}/g,
  /\bSG\.[A-Za-z0-9_-]{16,40}\.[A-Za-z0-9_-]{16,80}/g,
  /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,2000}/g,
  // `https://user:password@host`: the password and, where it stands alone and is long, the user.
  /(?<=\b[a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/:@"'`<>]{0,200}:[^\s/@"'`<>]{3,400}(?=@)/gi,
  /(?<=\bhttps?:\/\/)[A-Za-z0-9_-]{20,400}(?=@)/gi,
  /(?<=\bauthorization["']?\s{0,2}[:=]\s{0,2}["']?(?:basic|bearer|token|digest|aws4-hmac-sha256)\s{1,2})[^\s"',;]{8,4000}/gi,
  /(?<=\bauthorization["']?\s{0,2}[:=]\s{0,2}["']?)(?=[^\s"',;]{0,4000}\d)[^\s"',;]{8,4000}/gi,
  /(?<=\b(?:x-api-key|api-key|x-goog-api-key|private-token|x-auth-token)["']?\s{0,2}[:=]\s{0,2}["']?)[A-Za-z0-9+/=._~-]{8,1000}/gi,
  /(?<=\b(?:set-)?cookie:\s{0,2}[\w.-]{1,80}=)[^\r\n]{8,4000}/gi,
];

export function createRedactor({ secrets }: { secrets: readonly string[] }): (text: string) => string {
  const values = secrets.flatMap((secret) => [secret, ...(newLine.test(secret) ? longLines(secret) : [])]);
  const forms = new Set<string>();
  const hexForms = new Set<string>();
  for (const value of values) {
    if (value.length < secretCharactersMin) continue;
    const all = formsOf(value);
    for (const form of all.exact) forms.add(squeeze(form).text);
    for (const form of all.anyCase) hexForms.add(squeeze(form).text);
  }
  // Longer first, so that a value is not cut by one that it contains.
  const known = [...forms].filter(longEnough).sort(longerFirst);
  const knownAnyCase = [...hexForms].filter(longEnough).sort(longerFirst);
  return (text) => removePatterns(removeKnown(text, known, knownAnyCase));
}

const longEnough = ({ length }: string): boolean => length >= secretCharactersMin;
const longerFirst = (a: string, b: string): number => b.length - a.length;

function longLines(secret: string): string[] {
  return secret.split(newLine).filter((line) => line.length >= lineCharactersMin && !line.startsWith("-----"));
}

function formsOf(value: string): { exact: string[]; anyCase: string[] } {
  const bytes = utf8(value);
  const reversed = [...value].reverse().join("");
  const once = base64Parts(bytes);
  const twice = once.slice(0, 1).flatMap((part) => base64Parts(utf8(part)));
  const encoded = [...once, ...twice, ...base64Parts(utf8(reversed))];
  const json = JSON.stringify(value).slice(1, -1);
  const html = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return {
    exact: [
      value,
      reversed,
      json,
      json.replaceAll("/", "\\/"),
      JSON.stringify(json).slice(1, -1),
      html,
      html.replaceAll('"', "&quot;").replaceAll("'", "&#39;"),
      encodeURIComponent(value.toWellFormed()),
      encodeURI(value.toWellFormed()),
      encodeURIComponent(encodeURIComponent(value.toWellFormed())),
      ...encoded,
      ...encoded.map((part) => part.replaceAll("+", "-").replaceAll("/", "_")),
      ...encoded.map((part) => part.replaceAll("+", "%2B").replaceAll("/", "%2F")),
    ],
    anyCase: [
      hex(bytes),
      percent(bytes),
      encodeURIComponent(value.toWellFormed()).toLowerCase(),
      `\\x${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("\\x")}`,
    ],
  };
}

/** Characters that show nothing: what cuts a value without changing how it reads. */
const invisible =
  "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0";
const invisibleOnly = new RegExp(`[${invisible}]`, "g");
const everyCut = new RegExp(`[\\s${invisible}]`, "g");

interface Squeezed {
  text: string;
  /** The place in the original of a character here. */
  placeOf: (at: number) => number;
}

function squeeze(text: string, cuts: RegExp = everyCut): Squeezed {
  const places: number[] = [];
  let squeezed = "";
  let from = 0;
  const keep = (until: number): void => {
    squeezed += text.slice(from, until);
    for (let place = from; place < until; place += 1) places.push(place);
  };
  for (const { index } of text.matchAll(cuts)) {
    keep(index);
    from = index + 1;
  }
  if (from === 0) return { text, placeOf: (at) => at };
  keep(text.length);
  return { text: squeezed, placeOf: (at) => places[at] ?? text.length };
}

interface Place {
  start: number;
  end: number;
}

function removeKnown(text: string, known: readonly string[], knownAnyCase: readonly string[]): string {
  if (known.length === 0) return text;
  const { text: squeezed, placeOf } = squeeze(text);
  const found: Place[] = [];
  const search = (within: string, values: readonly string[]): void => {
    for (const value of values) {
      for (let at = within.indexOf(value); at !== -1; at = within.indexOf(value, at + 1)) {
        found.push({ start: placeOf(at), end: placeOf(at + value.length - 1) + 1 });
      }
    }
  };
  search(squeezed, known);
  // Only ASCII letters change: places must stay the same.
  search(
    squeezed.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
    knownAnyCase,
  );
  return remove(text, found);
}

function removePatterns(text: string): string {
  const { text: squeezed, placeOf } = squeeze(text, invisibleOnly);
  const found = privateKeys(squeezed);
  for (const pattern of patterns) {
    for (const { index, 0: match } of squeezed.matchAll(pattern))
      found.push({ start: index, end: index + match.length });
  }
  return remove(
    text,
    found.map(({ start, end }) => ({ start: placeOf(start), end: placeOf(end - 1) + 1 })),
  );
}

/** Places that overlap are one. */
function remove(text: string, found: Place[]): string {
  if (found.length === 0) return text;
  found.sort((a, b) => a.start - b.start);
  let clean = "";
  let from = 0;
  for (const { start, end } of found) {
    if (start >= from) clean += `${text.slice(from, start)}${redactedText}`;
    from = Math.max(from, end);
  }
  return clean + text.slice(from);
}

const keyBegin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;
const keyEnd = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;

/** From the first line of a key to its last; without a last line, to the end of the text. */
function privateKeys(text: string): Place[] {
  const found: Place[] = [];
  for (let from = 0; ; ) {
    keyBegin.lastIndex = from;
    const begin = keyBegin.exec(text);
    if (begin === null) return found;
    keyEnd.lastIndex = keyBegin.lastIndex;
    const end = keyEnd.exec(text);
    from = end === null ? text.length : keyEnd.lastIndex;
    found.push({ start: begin.index, end: from });
  }
}
