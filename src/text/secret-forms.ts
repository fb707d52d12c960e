/**
 * The forms in which a known value leaks. The redactor searches for them in texts without separators, so each
 * form here has none: `4b:78`, `4b 78`, `%4B%78` and `=4B=78` are one form.
 */
import { asNumbers, base32Parts, base64Parts, base85Parts, hex, unixParts, utf8, utf16 } from "./encodings.ts";

/** Everything except letters and digits of ASCII. */
export const separators = /[^A-Za-z0-9]+/g;

/** The text that an encoder writes for a character that it escapes. */
const escapes: ((byte: number) => string)[] = [
  (byte) => hex([byte]),
  (byte) => `x${hex([byte])}`,
  (byte) => `u00${hex([byte])}`,
  (byte) => `${byte}`,
  (byte) => octal(byte),
  (byte) => entities[byte] ?? hex([byte]),
  // Percent encoding, twice.
  (byte) => `25${hex([byte])}`,
];
const entities: Record<number, string> = {
  0x22: "quot",
  0x26: "amp",
  0x27: "39",
  0x3c: "lt",
  0x3e: "gt",
  0x2f: "sol",
  0x2b: "plus",
  0x3d: "equals",
};

/** Bytes one after another, as dumps, logs and string literals of languages show them. */
const bytewise = [
  (byte: number) => `x${hex([byte])}`,
  (byte: number) => `0x${hex([byte])}`,
  (byte: number) => `25${hex([byte])}`,
  (byte: number) => `u00${hex([byte])}`,
  (byte: number) => `u${hex([byte])}`,
  (byte: number) => `${byte}`,
  (byte: number) => `${byte}`.padStart(3, "0"),
  octal,
  (byte: number) => byte.toString(8),
  (byte: number) => `0o${byte.toString(8)}`,
  // `chr(75) + chr(120)`, SQL's `CHAR(75)`, PowerShell's `[char]75`.
  (byte: number) => `chr${byte}`,
  (byte: number) => `chr0x${hex([byte])}`,
  (byte: number) => `char${byte}`,
  (byte: number) => `char0x${hex([byte])}`,
  (byte: number) => byte.toString(2).padStart(8, "0"),
].map(ofEachByte);

/** In lower case and without separators. */
export function bareForms(value: string): string[] {
  const bytes = utf8(value);
  // Without the outer zero byte, both byte orders are one.
  const wide = utf16(value).slice(1);
  const reversed = Array.from(value).reverse().join("");
  const once = base64Parts(bytes);
  const forms = [
    value,
    reversed,
    rotated(value),
    mirrored(value),
    ...base64Parts(bytes).map(rotated),
    JSON.stringify(value).slice(1, -1),
    ...once,
    ...once.slice(0, 1).flatMap((part) => base64Parts(utf8(part))),
    ...base64Parts(utf8(reversed)),
    ...base64Parts(wide),
    hex(wide),
    wide.join(" "),
    hex(bytes),
    hex([...bytes].reverse()),
    Array.from(hex(bytes)).reverse().join(""),
    ...asNumbers(bytes),
    ...base64Parts(utf8(hex(bytes))),
    ...once.map((part) => Array.from(part).reverse().join("")),
    ...once.map((part) => hex(utf8(part))),
    ...base32Parts(bytes),
    ...[
      "0123456789ABCDEFGHIJKLMNOPQRSTUV",
      "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
      "ybndrfg8ejkmcpqxot1uwisza345h769",
    ].flatMap((letters) => base32Parts(bytes, letters)),
    ...swappedPairs(bytes).map(hex),
    ...bytewise.map((writings) => bytes.map((byte) => writings[byte]).join(" ")),
    // Quoted-printable text does not escape other signs.
    value.replaceAll("=", "=3D"),
    ...escaped.map((writings) => bytes.map((byte) => writings[byte]).join("")),
  ];
  return forms.map((form) => form.replace(separators, "").toLowerCase());
}

/** Share of neighbors of different kinds. Random base64 and hex have about 0.4, words with numbers below 0.2. */
const changesShareMin = 0.22;
const randomCharactersMin = 16;

/** A part that looks like random letters and digits. Words with numbers, such as the address of a database, come in any text. */
function isMixed(value: string): boolean {
  return value.split(/[^A-Za-z0-9+/=_-]+/).some((part) => {
    const bare = part.replace(separators, "");
    // A capital letter at the start of a word is one change.
    const changes = bare.match(/[a-z](?=[A-Z0-9])|[A-Z](?=\d)|[A-Z](?=[a-z]\d)|\d(?=[A-Za-z])/g) ?? [];
    return bare.length >= randomCharactersMin && changes.length / (bare.length - 1) >= changesShareMin;
  });
}

/** A part of one kind of characters shows no changes, so it is longer. */
const plainCharactersMin = 20;
const differentMin = 6;
/** Neighbors in English words. Nine of ten there are among these, and one of five in random letters. */
const wordPairs = new Set(
  "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea ra ce li ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab gh ty op wo sa ay ex ke ui ag ap".split(
    " ",
  ),
);
const wordPairsShareMin = 0.45;

/** Long numbers, and letters in an order that words do not have. */
function plainParts(value: string): string[] {
  return value.split(separators).filter((part) => {
    if (part.length < plainCharactersMin || new Set(part).size < differentMin) return false;
    if (/^\d+$/.test(part)) return true;
    const letters = part.toLowerCase();
    const pairs = Array.from({ length: letters.length - 1 }, (_, at) => letters.slice(at, at + 2)).filter((pair) =>
      /^[a-z]+$/.test(pair),
    );
    const known = pairs.filter((pair) => wordPairs.has(pair)).length;
    return pairs.length >= plainCharactersMin / 2 && known / pairs.length < wordPairsShareMin;
  });
}

/** Without figures a value may consist of words, and words come in any order. */
const hasFigures = /\d.*\d/;

/**
 * Forms that Baton recognizes in pieces, with other words between. Only random values have them: a value of ordinary words
 * would match ordinary text.
 */
export function scatteredForms(value: string): string[] {
  const random = plainParts(value);
  if (random.length > 0) return [...new Set([value, ...random])].flatMap(piecewiseForms);
  return isMixed(value) ? piecewiseForms(value).filter((form) => hasFigures.test(form)) : [];
}

function piecewiseForms(value: string): string[] {
  const bytes = utf8(value);
  const forms = [
    value,
    Array.from(value).reverse().join(""),
    hex(bytes),
    ...base64Parts(bytes),
    ...base32Parts(bytes).slice(0, 1),
  ];
  return forms.map((form) => form.replace(separators, "").toLowerCase());
}

/** The exact text, for values that are too short, or have too few letters, to search for without their separators. */
export function exactForms(value: string): string[] {
  const reversed = Array.from(value).reverse().join("");
  const json = JSON.stringify(value).slice(1, -1);
  const html = value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const encoded = base64Parts(utf8(value));
  return [
    value,
    reversed,
    json,
    json.replaceAll("/", "\\/"),
    JSON.stringify(json).slice(1, -1),
    html,
    html.replaceAll('"', "&quot;").replaceAll("'", "&#39;"),
    encodeURIComponent(value.toWellFormed()),
    ...encoded,
    ...encoded.map((part) => part.replaceAll("+", "-").replaceAll("/", "_")),
    ...unixParts(utf8(value)),
    ...base85Parts(utf8(value)),
    rotatedSigns(value),
  ];
}

/** Encoders differ in the signs that they do not escape. */
const escaped = [/[A-Za-z0-9]/, /\w/, /[\w.~-]/, /[\w.~+/-]/].flatMap((plain) =>
  escapes.map((write) =>
    ofEachByte((byte) => (plain.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : write(byte))),
  ),
);

/** Made once: a key in PEM form has thousands of bytes, and each byte has dozens of forms. */
function ofEachByte(write: (byte: number) => string): string[] {
  return Array.from({ length: 256 }, (_, byte) => write(byte));
}

/** As `od -x` and `hexdump` show little-endian words. A value may begin in the middle of a word. */
function swappedPairs(bytes: readonly number[]): number[][] {
  return [0, 1].map((from) => {
    const whole = bytes.slice(from, bytes.length - ((bytes.length - from) % 2));
    return whole.map((_, at) => whole[at ^ 1] as number);
  });
}

function octal(byte: number): string {
  return byte.toString(8).padStart(3, "0");
}

/** Atbash: the last letter stands for the first. */
function mirrored(value: string): string {
  return value.replace(/[A-Za-z]/g, (letter) => {
    const base = letter <= "Z" ? 65 : 97;
    return String.fromCharCode(base + 25 - (letter.charCodeAt(0) - base));
  });
}

/** rot47. */
function rotatedSigns(value: string): string {
  return value.replace(/[!-~]/g, (sign) => String.fromCharCode(((sign.charCodeAt(0) - 33 + 47) % 94) + 33));
}

function rotated(value: string): string {
  return value.replace(/[A-Za-z]/g, (letter) => {
    const base = letter <= "Z" ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });
}
