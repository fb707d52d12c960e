import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFinder, createRedactor, redactedText } from "./redact.ts";

const secret = "Kx7+Qm/92vBnLw=Tz0RpYd4sHcJ8aGe";
const bytes = (value: string): number[] => [...Buffer.from(value)];
const each = (value: string, write: (byte: number) => string, between = ""): string =>
  bytes(value).map(write).join(between);
const hexOf = (byte: number): string => byte.toString(16).padStart(2, "0");
const pieces = (value: string, size = 8): string[] => value.match(new RegExp(`.{1,${size}}`, "gs")) ?? [];

function base32(buffer: Buffer): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...buffer].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const text = (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, "0"), 2)]).join("");
  return text.padEnd(Math.ceil(text.length / 8) * 8, "=");
}

function base32hex(buffer: Buffer): string {
  const [from, to] = ["ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "0123456789ABCDEFGHIJKLMNOPQRSTUV"];
  return base32(buffer).replace(/[A-Z2-7]/g, (letter) => to[from.indexOf(letter)] as string);
}

/** As the three tools print a value that follows two other bytes. The last line is padded to the column of the text. */
function dump(value: string, show: (offset: string, bytes: number[], text: string) => string): string {
  const data = bytes(`k=${value}`);
  return Array.from({ length: Math.ceil(data.length / 16) }, (_, line) => {
    const part = data.slice(line * 16, line * 16 + 16);
    const text = part.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
    return show((line * 16).toString(16).padStart(8, "0"), part, text);
  }).join("\n");
}
const stamp = "2026-11-30T01:02:03.1234567Z ";
const xxd = (offset: string, part: number[], text: string): string =>
  `${offset}: ${pieces(part.map(hexOf).join(""), 4).join(" ").padEnd(39)}  ${text}`;
const hexdump = (offset: string, part: number[], text: string): string =>
  `${offset}  ${part.slice(0, 8).map(hexOf).join(" ").padEnd(23)}  ${part.slice(8).map(hexOf).join(" ").padEnd(23)}  |${text}|`;

const toBase64 = (value: string): string => Buffer.from(value).toString("base64");
const mixed = (value: string, write: (byte: number) => string): string =>
  bytes(value)
    .map((byte, at) => (at % 2 === 0 ? write(byte) : String.fromCharCode(byte)))
    .join("");

function inBase(value: string, letters: string): string {
  let text = "";
  for (let rest = BigInt(`0x${Buffer.from(value).toString("hex")}`); rest > 0n; rest /= BigInt(letters.length))
    text = letters[Number(rest % BigInt(letters.length))] + text;
  return text;
}

function base85(value: string): string {
  const padded = Buffer.from(value.padEnd(Math.ceil(value.length / 4) * 4, "\n"));
  let text = "";
  for (let at = 0; at < padded.length; at += 4) {
    const group = padded.readUInt32BE(at);
    for (let power = 85 ** 4; power >= 1; power /= 85)
      text += String.fromCharCode(33 + (Math.floor(group / power) % 85));
  }
  return text;
}

/** One line of it, as the tool prints it. */
function uuencoded(value: string): string {
  const sign = (six: number): string => String.fromCharCode(six === 0 ? 96 : 32 + six);
  const bits = bytes(value)
    .map((byte) => byte.toString(2).padStart(8, "0"))
    .join("");
  return `${sign(value.length)}${(bits.match(/.{1,6}/g) ?? []).map((six) => sign(Number.parseInt(six.padEnd(6, "0"), 2))).join("")}`;
}

/** The platform's own tools write each form, so the redactor's form is not compared with itself. */
const encodings: Record<string, (value: string) => string> = {
  plain: (value) => value,
  base64: (value) => Buffer.from(`key=${value}\n`).toString("base64"),
  "base64 in lines": (value) => pieces(Buffer.from(`a${value}`).toString("base64"), 10).join("\n> "),
  base64url: (value) => Buffer.from(`ab${value}`).toString("base64url"),
  "base64 twice": (value) => Buffer.from(Buffer.from(value).toString("base64")).toString("base64"),
  "base64 of UTF-16LE": (value) => Buffer.from(value, "utf16le").toString("base64"),
  "base64 of UTF-16BE": (value) => Buffer.from(value, "utf16le").swap16().toString("base64"),
  "raw UTF-16": (value) => Buffer.from(value, "utf16le").toString("latin1"),
  base32: (value) => base32(Buffer.from(`x${value}y`)),
  "base32 in small letters, in lines": (value) => pieces(base32(Buffer.from(value)).toLowerCase()).join("\n# "),
  hex: (value) => Buffer.from(value).toString("hex"),
  "hex in capitals": (value) => Buffer.from(value).toString("hex").toUpperCase(),
  "hex with colons": (value) => each(value, hexOf, ":"),
  "hex with blanks and 0x": (value) => each(value, (byte) => `0x${hexOf(byte)}`, ", "),
  "hex as xxd groups": (value) => pieces(Buffer.from(value).toString("hex"), 4).join(" "),
  "\\xXX": (value) => each(value, (byte) => `\\x${hexOf(byte).toUpperCase()}`),
  "\\uXXXX": (value) => each(value, (byte) => `\\u00${hexOf(byte)}`),
  "\\u{XX}": (value) => each(value, (byte) => `\\u{${hexOf(byte)}}`),
  "U+XXXX": (value) => each(value, (byte) => `U+00${hexOf(byte)}`, " "),
  "JSON with \\u for signs": (value) => value.replace(/[^\w]/g, (sign) => `\\u00${hexOf(sign.charCodeAt(0))}`),
  "octal escapes": (value) => each(value, (byte) => `\\${byte.toString(8).padStart(3, "0")}`),
  "&#N;": (value) => each(value, (byte) => `&#${byte};`),
  "&#xN;": (value) => each(value, (byte) => `&#x${hexOf(byte)};`),
  "HTML entities for signs": (value) => value.replace(/[^\w]/g, (sign) => `&#${sign.charCodeAt(0)};`),
  "decimal bytes with commas": (value) => `[${bytes(value).join(", ")}]`,
  "decimal bytes with blanks": (value) => bytes(value).join(" "),
  "percent, mixed case": (value) =>
    each(value, (byte) => `%${byte % 2 === 0 ? hexOf(byte) : hexOf(byte).toUpperCase()}`),
  "percent for signs": (value) => encodeURIComponent(value),
  "percent twice": (value) => encodeURIComponent(encodeURIComponent(value)),
  "quoted-printable": (value) => value.replaceAll("=", "=3D"),
  "quoted-printable, all, with soft breaks": (value) =>
    pieces(
      each(value, (byte) => `=${hexOf(byte)}`),
      12,
    ).join("=\n"),
  "quoted lines": (value) =>
    pieces(value)
      .map((piece) => `> ${piece}`)
      .join("\n"),
  "table lines": (value) =>
    pieces(value)
      .map((piece) => `| ${piece} |`)
      .join("\n"),
  "comment lines": (value) =>
    pieces(value)
      .map((piece) => `# ${piece}`)
      .join("\n"),
  "a diff": (value) =>
    pieces(value)
      .map((piece) => `+ ${piece}`)
      .join("\r\n"),
  "a list": (value) =>
    pieces(value)
      .map((piece) => `- "${piece}",`)
      .join("\n"),
  "numbered lines": (value) =>
    pieces(value)
      .map((piece, at) => `${at + 8}: ${piece}`)
      .join("\n"),
  "a log with times": (value) =>
    pieces(value)
      .map((piece) => `2026-11-30T01:02:03.1234567Z ${piece}`)
      .join("\n"),
  "JSON line breaks": (value) => pieces(value).join("\\n"),
  colors: (value) => pieces(value).join("\u001b[31;1m"),
  "joined by -": (value) => [...value].join("-"),
  "joined by zero-width": (value) => [...value].join("\u200b"),
  "a JSON list": (value) => JSON.stringify([...value]),
  "shell-quoted": (value) =>
    pieces(value, 5)
      .map((piece) => `'${piece}'`)
      .join('""'),
  "a sum of strings": (value) =>
    pieces(value)
      .map((piece) => JSON.stringify(piece))
      .join(" + "),
  "JSON in JSON": (value) => JSON.stringify(JSON.stringify({ key: value })),
  reversed: (value) => [...value].reverse().join(""),
  "case-swapped": (value) =>
    value.replace(/[a-z]/gi, (letter) => (letter < "a" ? letter.toLowerCase() : letter.toUpperCase())),
  xxd: (value) => dump(value, xxd),
  "hexdump -C": (value) => dump(value, hexdump),
  "od -c": (value) =>
    pieces(value, 16)
      .map((piece, line) => `${(line * 16).toString(8).padStart(7, "0")}   ${[...piece].join("   ")}`)
      .join("\n"),
  "od -t x1": (value) =>
    pieces(value, 16)
      .map((piece, line) => `${(line * 16).toString(8).padStart(7, "0")} ${each(piece, hexOf, " ")}`)
      .join("\n"),
  "od -x": (value) =>
    pieces(value.length % 2 === 0 ? value : `${value}\n`, 16)
      .map((piece, line) => {
        const words = pieces(Buffer.from(piece).swap16().toString("hex"), 4);
        return `${(line * 16).toString(8).padStart(7, "0")} ${words.join(" ")}`;
      })
      .join("\n"),
  "&#00N;": (value) => each(value, (byte) => `&#${String(byte).padStart(4, "0")};`),
  "&#x00N;": (value) => each(value, (byte) => `&#x00${hexOf(byte)};`),
  "base64, reversed": (value) => [...Buffer.from(value).toString("base64")].reverse().join(""),
  "hex of base64": (value) => Buffer.from(Buffer.from(value).toString("base64")).toString("hex"),
  base32hex: (value) => base32hex(Buffer.from(value)),
  "chr()": (value) => each(value, (byte) => `chr(${byte})`, "+"),
  "CHAR()": (value) => each(value, (byte) => `CHAR(${byte})`, " || "),
  "full-width": (value) => [...value].map((letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)).join(""),
  "mathematical letters": (value) =>
    value.replace(/[a-z]/g, (letter) => String.fromCodePoint(0x1d41a + letter.charCodeAt(0) - 97)),
  "joined by <wbr>": (value) => pieces(value).join("<wbr>"),
  "joined by tags": (value) => pieces(value).join('</td><td class="line">'),
  "joined by &nbsp;": (value) => pieces(value).join("&nbsp;"),
  "joined by &#8203;": (value) => pieces(value).join("&#8203;"),
  "joined by &#x200B;": (value) => pieces(value).join("&#x200B;"),
  bits: (value) => each(value, (byte) => byte.toString(2).padStart(8, "0"), " "),
  "0b and bits": (value) => each(value, (byte) => `0b${byte.toString(2)}`, ", "),
  "each second character as \\x": (value) => mixed(value, (byte) => `\\x${hexOf(byte)}`),
  "each second character as \\u": (value) => mixed(value, (byte) => `\\u00${hexOf(byte)}`),
  "each second character in percent": (value) => mixed(value, (byte) => `%${hexOf(byte)}`),
  "each second character as &#N;": (value) => mixed(value, (byte) => `&#${byte};`),
  "&#N; and &#xN; in turn": (value) =>
    bytes(value)
      .map((byte, at) => (at % 2 === 0 ? `&#${byte};` : `&#x${hexOf(byte)};`))
      .join(""),
  "&amp;#N;": (value) => each(value, (byte) => `&amp;#${byte};`),
  "\\U of eight": (value) => each(value, (byte) => `\\U000000${hexOf(byte)}`),
  "\\u{0000XX}": (value) => each(value, (byte) => `\\u{0000${hexOf(byte)}}`),
  "percent three times": (value) => encodeURIComponent(encodeURIComponent(encodeURIComponent(value))),
  "escapes of style sheets": (value) => each(value, (byte) => `\\${hexOf(byte).padStart(6, "0")}`),
  "ChrW()": (value) => each(value, (byte) => `ChrW(${byte})`, " & "),
  "codes with their index": (value) => JSON.stringify(Object.fromEntries(bytes(value).map((byte, at) => [at, byte]))),
  "negative bytes": (value) => each(value, (byte) => `${byte - 256}`, ","),
  "bytes with a suffix": (value) => each(value, (byte) => `0x${hexOf(byte)}u8`, ", "),
  "little-endian words": (value) => {
    const padded = Buffer.from(value.padEnd(Math.ceil(value.length / 4) * 4, "\n")).swap32();
    return pieces(padded.toString("hex"), 8).join(" ");
  },
  "UTF-32 in hex": (value) => each(value, (byte) => `000000${hexOf(byte)}`),
  "base64 three times": (value) => toBase64(toBase64(toBase64(value))),
  "base64 of base64 of more": (value) => toBase64(`k=${toBase64(`xy${value}`)}`),
  "base64 of small letters": (value) => toBase64(value.toLowerCase()),
  "base64 of hex in capitals": (value) => toBase64(Buffer.from(value).toString("hex").toUpperCase()),
  "hex twice": (value) => Buffer.from(Buffer.from(value).toString("hex")).toString("hex"),
  "base32 of base64": (value) => base32(Buffer.from(toBase64(value))),
  "hex, reversed": (value) => [...Buffer.from(value).toString("hex")].reverse().join(""),
  ascii85: (value) => base85(`k=${value}`),
  "base58 of Bitcoin": (value) => inBase(value, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"),
  "one large number": (value) => BigInt(`0x${Buffer.from(value).toString("hex")}`).toString(),
  uuencode: (value) => uuencoded(`k=${value}`),
  "struck over, as for a printer": (value) => [...value].map((letter) => `${letter}\b${letter}`).join(""),
  "colors as they are written": (value) => pieces(value).join("\\033[31m"),
  "invisible tags": (value) =>
    [...value].map((letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join(""),
  "superscript figures and small capitals": (value) =>
    value
      .replace(/\d/g, (figure) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(figure)] as string)
      .replace(/[abcde]/g, (letter) => "ᴀʙᴄᴅᴇ"["abcde".indexOf(letter)] as string),
  "letters of other scripts": (value) =>
    value.replace(/[aeopcxKTHBM]/g, (letter) => "аеорсхКТНВМ"["aeopcxKTHBM".indexOf(letter)] as string),
};

describe("encodings-that-pass-the-redactor", () => {
  const redact = createRedactor({ secrets: [secret, "short-pw"] });

  it.each(Object.entries(encodings))("%s", (_, encode) => {
    const clean = redact(`before 12\n${encode(secret)}\nafter 34`);
    expect(clean).toContain(redactedText);
    expect(clean).toMatch(/^before 12\n/);
    expect(clean).toMatch(/\nafter 34$/);
    // Only punctuation at its ends stays.
    expect(clean.replace(redactedText, "").replaceAll(/[^A-Za-z0-9]/g, "").length).toBeLessThan(
      "before12after34".length + 24,
    );
  });

  it.each([
    ["xxd", dump(secret, xxd)],
    ["hexdump -C", dump(secret, hexdump)],
    ["xxd in a log with times", dump(secret, (...line) => stamp + xxd(...line))],
    ["hexdump -C in a log with times", dump(secret, (...line) => stamp + hexdump(...line))],
  ])("%s leaves no piece of the value readable in its text", (_, dumped) => {
    const clean = redact(dumped);
    expect(clean).not.toContain(Buffer.from(secret).toString("hex").slice(8, 12));
    for (let at = 0; at + 6 <= secret.length; at += 1) expect(clean).not.toContain(secret.slice(at, at + 6));
  });

  it("nearly every encoding within another", () => {
    const names = [
      "base64",
      "hex",
      "reversed",
      "\\xXX",
      "percent twice",
      "decimal bytes with commas",
      "quoted lines",
      "base64 of UTF-16LE",
      "JSON in JSON",
      "joined by -",
    ];
    const both = names.flatMap((one) => names.map((other) => [one, other] as const));
    const passed = both.filter(([one, other]) => {
      const within = encodings[one] as (value: string) => string;
      const around = encodings[other] as (value: string) => string;
      return !redact(around(within(secret))).includes(redactedText);
    });
    // Baton searches reversed text as it is, without decoding.
    expect(passed.filter(([, other]) => other !== "reversed")).toEqual([]);
  });

  it.each<[string, (value: string) => string]>([
    ["two halves with words between", (value) => `${value.slice(0, 16)} and then ${value.slice(16)}`],
    [
      "parts with labels",
      (value) =>
        pieces(value)
          .map((piece, at) => `part${at + 1}=${piece}`)
          .join("\n"),
    ],
    [
      "lines of JSON",
      (value) =>
        pieces(value)
          .map((piece) => JSON.stringify({ level: "info", message: piece }))
          .join("\n"),
    ],
    [
      "git blame",
      (value) =>
        pieces(value)
          .map((piece, at) => `^1a2b3c4 (Ann 2026-11-30 0${at}) ${piece}`)
          .join("\n"),
    ],
    [
      "a system's log",
      (value) =>
        pieces(value)
          .map((piece) => `Nov 30 01:02:03 host app[12]: ${piece}`)
          .join("\n"),
    ],
    ["comments of HTML", (value) => pieces(value).join("<!-- x -->")],
    [
      "links",
      (value) =>
        pieces(value)
          .map((piece) => `[${piece}](https://example.com)`)
          .join(" "),
    ],
    [
      "base64 with labels",
      (value) =>
        pieces(toBase64(value))
          .map((piece, at) => `line ${at}: ${piece}`)
          .join("\n"),
    ],
    ["hex in sentences", (value) => pieces(Buffer.from(value).toString("hex"), 10).join(", followed by ")],
    [
      "colors around each",
      (value) =>
        pieces(value)
          .map((piece) => `\u001b[38;5;196m${piece}\u001b[?25l`)
          .join(""),
    ],
  ])("%s: each piece is gone, and the words stay", (_, spread) => {
    const text = `before\n${spread(secret)}\nafter`;
    const clean = redact(text);
    expect(clean).toContain(redactedText);
    for (let at = 0; at + 7 <= secret.length; at += 1) expect(clean).not.toContain(secret.slice(at, at + 7));
    expect(clean).toMatch(/^before\n[^]*\nafter$/);
  });

  it("pieces of a value without the rest of it, and its pieces in another order, are words", () => {
    for (const text of [`${secret.slice(0, 12)} and ${secret.slice(16, 24)}`, pieces(secret).reverse().join(" then ")])
      expect(redact(text)).toBe(text);
  });

  it("a passphrase of words is found as it is, and never in a sentence", () => {
    const own = createRedactor({ secrets: ["password-for-development-db"] });
    expect(own("use password-for-development-db")).toBe("use [redacted]");
    const text = "The password for the new development of our db.";
    expect(own(text)).toBe(text);
  });

  it("a dump of something else stays as it is", () => {
    const other = dump("nothing of importance is here, and some more", hexdump);
    expect(redact(other)).toBe(other);
  });

  it("every encoding of random values, within random text", () => {
    const value = fc.stringMatching(/^[A-Za-z0-9]{6}[A-Za-z0-9+/=_.-]{10,40}[A-Za-z0-9]{6}$/);
    fc.assert(
      fc.property(
        value,
        fc.constantFrom(...Object.keys(encodings)),
        fc.string({ maxLength: 60 }),
        (own, name, around) => {
          const encoded = (encodings[name] as (text: string) => string)(own);
          const clean = createRedactor({ secrets: [own] })(`${around}\n${encoded}\n${around}`);
          expect(clean).not.toContain(encoded);
          expect(clean).toContain(redactedText);
        },
      ),
      { numRuns: 400, seed: 5 },
    );
  });

  it.each<[string, (token: string) => string]>([
    ["after an escaped line end", (token) => JSON.stringify(`a\n${token}`)],
    ["after one within JSON in JSON", (token) => JSON.stringify(JSON.stringify(`a\t${token}`))],
    ["in color", (token) => `\u001b[31m${token}\u001b[0m`],
    ["with a color in it", (token) => `${token.slice(0, 9)}\u001b[1m${token.slice(9)}`],
    ["after a color as it is written", (token) => `\\u001b[31m${token}`],
    ["after a sign in percent", (token) => `key%3D${token}`],
    ["after a sign as a reference", (token) => `key&#61;${token}`],
    ["after an escaped sign", (token) => `key\\x3d${token}`],
    ["all of it escaped", (token) => each(token, (byte) => `\\u00${hexOf(byte)}`)],
    ["in UTF-16", (token) => Buffer.from(token, "utf16le").toString("latin1")],
    ["joined by zero-width characters", (token) => [...token].join("\u200b")],
    ["after an underscore", (token) => `MY_${token}`],
  ])("a token that nobody told Baton of, %s", (_, write) => {
    const letters = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";
    for (const token of [
      `ghp_${letters}`,
      `sk-ant-api03-${letters}${letters}`,
      `npm_${letters}`,
      "AKIAIOSFODNN7ABCDEFG",
    ]) {
      const clean = redact(`before ${write(token)} after`);
      expect(clean).toContain(redactedText);
      expect(clean).not.toContain(token.slice(5, 15));
      expect(clean).toMatch(/^before .* after$/s);
    }
  });

  it.each([
    ["The quick brown fox reads 75 lines, 120 words and 0x4b bytes.\n\n1. one\n2. two"],
    ["short, PW: 12; Kx7+Qm/92vBn is only a part"],
    [`sha256 ${"ab12".repeat(16)} and 4b:78:37:2b:51`],
  ])("%j stays as it is", (text) => {
    expect(redact(text)).toBe(text);
  });

  it("short values are found as they are, never across words", () => {
    expect(redact("a short-pw b")).toBe("a [redacted] b");
    expect(redact("short pw")).toBe("short pw");
  });

  it("reads each text a few times at most, whether one value is known or fifty", () => {
    const text = "lorem ipsum 12 dolor\n".repeat(50_000);
    const values = Array.from({ length: 50 }, (_, at) => `Value-${at}-${"x7Q".repeat(8)}${at * 7919}`);
    const one = createFinder(values.slice(0, 1));
    const fifty = createFinder(values);
    expect([one(text), fifty(text)]).toEqual([[], []]);
    expect(fifty.reads()).toBe(one.reads());
    expect(fifty.reads()).toBeLessThan(text.length);
  });

  it.each([
    [
      "postgres://postgres:postgres@localhost:5432/baton",
      "services: postgres: environment: POSTGRES_USER: postgres, POSTGRES_PASSWORD: postgres, at localhost, ports 5432:5432, for baton",
    ],
    [
      "postgres://baton:baton@localhost:5432/baton",
      "The postgres server runs next to baton. Start baton, wait until localhost answers on port 5432, then open baton.",
    ],
    ["acme-2024-prod-2024", "Acme moved to Berlin in 2024. The prod cluster followed in 2024."],
    [
      "https://hooks.example.com/services/team-7/alerts-12",
      "https docs: hooks of example.com, services for team 7, alerts 12",
    ],
    [
      "postgres://application:correcthorsebatterystaple@database.internal/production",
      "postgres: the application asks database.internal; correct horse, battery and staple; then production",
    ],
  ])("a secret of ordinary words leaves ordinary text alone: %s", (secret, text) => {
    expect(createRedactor({ secrets: [secret] })(text)).toBe(text);
    expect(createRedactor({ secrets: [secret] })(`x ${secret} y`)).not.toContain(secret);
  });

  it.each(["Kx7+Qm/92vBn-Lw=Tz0RpYd4s", "p4ssw0rd-F0r-th3-b4se", "9fK2+mQ7/xZ4-bV1=nT8s"])(
    "a random value with signs is found in two halves with words between: %s",
    (secret) => {
      const halves = [secret.slice(0, secret.length / 2), secret.slice(secret.length / 2)];
      const text = createRedactor({ secrets: [secret] })(`first ${halves[0]} and then some words ${halves[1]} end`);
      expect(text).toMatch(/^first \[redacted\] and then some words \W?\[redacted\]\W? end$/);
    },
  );

  it.each([
    "if (text.startsWith('-----BEGIN PRIVATE KEY-----')) parse(text);\nMore text, and a second sentence.",
    "A file that begins with -----BEGIN RSA PRIVATE KEY----- is a key.\nNext line.",
    "Look for -----BEGIN PRIVATE KEY----- in src/adapters/model/proxy/upstreams and createPrivateKeyFromText.",
    "Then -----BEGIN PRIVATE KEY----- is read in src/Adapters/database/v2/migrations/statements.",
  ])("the first line of a key without a key hides nothing: %s", (text) => {
    expect(createRedactor({ secrets: [] })(text)).toBe(text);
  });

  it.each(["\n", "\\n", "\n> ", "\n2026-11-30T10:00:00Z ", '",\n"'])(
    "a key that a log cut off is removed: %j",
    (between) => {
      const letters = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
      const text = `x -----BEGIN PRIVATE KEY-----${between}${letters}${between}${letters.slice(4)}`;
      expect(createRedactor({ secrets: [] })(text)).not.toContain(letters.slice(8, 30));
    },
  );

  it.each([
    "\n[agent] ",
    "\napp_1  | ",
    "\nINFO ",
    "\n2026-11-30T10:00:00.123Z stdout F ",
    "<br>",
    "\\nProc-Type: 4,ENCRYPTED\\nDEK-Info: AES-128-CBC,2F\\n\\n",
    "\njob-3 / build / step 12 (worker): ",
  ])("a key that a log cut off is removed after any prefix: %j", (before) => {
    const letters = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
    for (const kept of [letters, letters.slice(0, 26)])
      expect(createRedactor({ secrets: [] })(`x -----BEGIN PRIVATE KEY-----${before}${kept}`)).toBe("x [redacted]");
  });

  it.each([
    [20, 500],
    [36, 5_000],
  ])("TS3: of random tokens of %i characters, fewer than 1 of %i read as words", (length, oneOf) => {
    let seed = 7;
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const next = (): string => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return letters[Math.floor((seed / 2 ** 32) * letters.length)] as string;
    };
    const tokens = Array.from({ length: 20_000 }, () => `sk-${Array.from({ length }, next).join("")}`);
    const kept = createRedactor({ secrets: [] })(tokens.join("\n")).match(/^sk-.*$/gm) ?? [];
    expect(kept.length).toBeLessThan(tokens.length / oneOf);
  });

  it("H6: many first lines of keys without a last one cost no more than other text", () => {
    const text = "-----BEGIN PRIVATE KEY----- is how a key begins.\n".repeat(20_000);
    const before = process.cpuUsage().user;
    expect(createRedactor({ secrets: [] })(text)).toBe(text);
    expect(process.cpuUsage().user - before).toBeLessThan(5_000_000);
  });

  it.each([
    "qzmvtkwplxhrbjdnyqcsgfzvwmtkpxrl",
    "84629173550284619273640518273645",
    "db-prod:xkqwzvtjplmrhbnydgcsf/main",
  ])("a random value of one kind of characters is found in two halves with words between: %s", (secret) => {
    const halves = [secret.slice(0, secret.length / 2), secret.slice(secret.length / 2)];
    const text = createRedactor({ secrets: [secret] })(`first ${halves[0]} and then some words ${halves[1]} end`);
    expect(text).toMatch(/^first \[redacted\] and then some words \W?\[redacted\]\W? end$/);
  });

  it("all who look for the same list share one index of its forms", () => {
    const list = ["Value-x7Qx7Qx7Q-7919"];
    const [one, other] = [createFinder(list), createFinder(list)];
    expect(one("Value-x7Qx7Qx7Q-7919")).not.toEqual([]);
    expect(one.reads()).toBeGreaterThan(0);
    expect(other.reads()).toBe(one.reads());
  });

  it.each([
    ["blanks before and after an offset", `${stamp.trimEnd()}${" ".repeat(30)}00000000${" ".repeat(400_000)}!`],
    [
      "lines with all groups and blanks",
      `00000000 ${"aa ".repeat(33)}${" ".repeat(99)}a${" ".repeat(100)}!\n`.repeat(1300),
    ],
    ["a column of text that does not end", `00000000 aa  ${"a ".repeat(200_000)}!`],
    ["blanks at the end", `00000000 aa  a${" \t\r".repeat(150_000)}!`],
  ])("H6: what begins like a line of a dump costs no more than other text: %s", (_, text) => {
    const find = createFinder([secret]);
    const before = process.cpuUsage().user;
    expect(find(text)).toEqual([]);
    // Quadratic patterns take more than ten times as long. The test counts processor time, so a busy machine does not fail
    // it.
    expect(process.cpuUsage().user - before).toBeLessThan(2_000_000);
  });
});
