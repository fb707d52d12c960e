/**
 * A text as a reader's tools decode it. Escapes of languages, pages and addresses become characters. Words of base64, base32
 * and hexadecimal digits become the text that they hold.
 *
 * DC1 Decoding repeats to find an encoding within another, and stops after a number of rounds.
 * DC2 A word that does not decode to readable text stays, because most long words are only words.
 */
import { over, type View, viewOf } from "./views.ts";

const roundsMax = 4;

/**
 * Gives one view for each round, and none if there is nothing to decode. `escapes`: words of base64 and of hexadecimal
 * digits stay, and so do `\n` and `\"`.
 */
export function* decoded(text: string, what: "everything" | "escapes" = "everything"): Generator<View> {
  const pattern = what === "everything" ? everything : escapes;
  let view: View | null = null;
  for (let round = 0; round < roundsMax; round += 1) {
    const given: string = view?.text ?? text;
    // An encoder of quoted-printable text writes its own sign like this. Elsewhere `=` is a letter of values.
    const isQuoted = given.includes("=3D");
    const next: View | null = viewOf(given, pattern, (found) => written(found, isQuoted));
    if (next === null) return;
    view = view === null ? next : over(view, next);
    yield view;
  }
}

const escapeForms = [
  // Colors and links of terminals, also as source code writes them. They show nothing.
  "(?<silent>(?:\\u001b|\\\\(?:e|033|x1[bB]|u001[bB])|\\^\\[)(?:\\[[0-9;?]{0,20}[A-Za-z]|\\][^\\u0007\\n]{0,200}(?:\\u0007|\\\\a)|[()][A-Z0-9])|[^\\n]\\u0008)",
  "\\\\(?:u+\\{?0{0,8}|U0{0,6}|x\\{?0{0,8})(?<hexEscape>[0-9A-Fa-f]{2})(?![0-9A-Fa-f]{4})\\}?",
  "\\\\0?(?<octal>[0-3][0-7]{2}|[4-7][0-7](?! ))",
  "\\\\0{0,6}(?<cssEscape>[0-9A-Fa-f]{2})(?: |(?=\\\\))",
  "\\\\(?<letter>[nrtbfv\\\\\"'/])",
  "&(?:amp;){0,3}#0{0,8}(?<decimal>\\d{1,5});?",
  "&(?:amp;){0,3}#[xX]0{0,8}(?<hexEntity>[0-9A-Fa-f]{1,4});?",
  "&(?:amp;){0,3}(?<named>[A-Za-z]{2,24});",
  "%(?:25){0,4}(?:u00)?(?<percent>[0-9A-Fa-f]{2})",
  "=(?<quoted>[0-9A-F]{2}|\\r?\\n)",
];
const wordForms = [
  "(?<![0-9A-Za-z])(?:0x)?(?<hexWord>(?:[0-9A-Fa-f]{2}){8,4000})(?![0-9A-Za-z])",
  "(?<![0-9A-Za-z+/])(?<base32>[A-Z2-7]{16,4000}|[a-z2-7]{16,4000})(?![0-9A-Za-z+/])={0,6}",
  "(?<![0-9A-Za-z+/_-])(?<base64>[A-Za-z0-9+/]{8,8000}|[A-Za-z0-9_-]{8,8000})(?![0-9A-Za-z+/_-])={0,2}",
];
/** Without line ends and quotes: they are everywhere, and the text after them reads the same. */
const escapes = new RegExp(escapeForms.filter((form) => !form.includes("<letter>")).join("|"), "g");
const everything = new RegExp([...escapeForms, ...wordForms].join("|"), "g");

function written({ groups = {} }: RegExpMatchArray, isQuoted: boolean): string | null {
  const { silent, hexEscape, cssEscape, octal, letter, decimal, hexEntity, named, percent, quoted } = groups;
  const { hexWord, base32, base64 } = groups;
  if (silent !== undefined) return "";
  const digits = hexEscape ?? cssEscape ?? hexEntity ?? percent;
  if (digits !== undefined) return characterOf(Number.parseInt(digits, 16));
  if (octal !== undefined) return characterOf(Number.parseInt(octal, 8));
  if (letter !== undefined) return /[nrtbfv]/.test(letter) ? " " : letter;
  if (decimal !== undefined) return characterOf(Number(decimal));
  if (named !== undefined) return nameOf(named);
  if (quoted !== undefined) {
    if (!isQuoted) return null;
    return /\s/.test(quoted) ? "" : characterOf(Number.parseInt(quoted, 16));
  }
  if (hexWord !== undefined) return readable(bytesOf(hexWord, 4, hexDigits));
  if (base32 !== undefined) return readable(bytesOf(base32.toUpperCase(), 5, base32Digits));
  return base64 === undefined ? null : readable(bytesOf(base64, 6, base64Digits));
}

/** For the search, any character except letters, digits and signs is a separator. */
function characterOf(code: number): string {
  return code > 0x20 && code < 0x7f ? String.fromCharCode(code) : " ";
}

const names: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  sol: "/",
  plus: "+",
  equals: "=",
  num: "#",
  lowbar: "_",
  period: ".",
  commat: "@",
  dollar: "$",
  percnt: "%",
  excl: "!",
  ast: "*",
  colon: ":",
  hyphen: "-",
  dash: "-",
};

/** Nearly all other names are blanks, or show nothing. */
function nameOf(name: string): string {
  return names[name] ?? " ";
}

const digitsOf = (letters: string): ReadonlyMap<string, number> =>
  new Map(Array.from(letters, (letter, value) => [letter, value]));
const hexDigits = new Map([
  ...digitsOf("0123456789abcdef"),
  ..."ABCDEF".split("").map((digit, at) => [digit, at + 10] as const),
]);
const base32Digits = digitsOf("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
const base64Digits = new Map([
  ...digitsOf("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
  ["-", 62],
  ["_", 63],
]);
/** The number of bytes that must be readable at the start. */
const looked = 6;

function* bytesOf(word: string, bits: number, digits: ReadonlyMap<string, number>): Generator<number> {
  let [held, heldBits] = [0, 0];
  for (const letter of word) {
    held = ((held << bits) | (digits.get(letter) ?? 0)) & 0xffff;
    heldBits += bits;
    if (heldBits < 8) continue;
    heldBits -= 8;
    yield (held >> heldBits) & 0xff;
  }
}

/** The bytes as text, with a blank for each unreadable byte. null: it does not begin like text. */
function readable(bytes: Iterable<number>): string | null {
  let text = "";
  let count = 0;
  for (const byte of bytes) {
    count += 1;
    const shows = byte >= 0x20 && byte < 0x7f;
    // UTF-16 and UTF-32 have zeros between.
    if (count <= looked && !shows && byte !== 0 && byte !== 0x0a && byte !== 0xfe && byte !== 0xff) return null;
    text += shows ? String.fromCharCode(byte) : " ";
  }
  return count < looked ? null : text;
}
