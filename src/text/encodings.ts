/** Forms in which a secret leaks. Pure folders have no Buffer, so this file makes them itself. */

export function utf8(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text.toWellFormed()) {
    const code = character.codePointAt(0) as number;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return bytes;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/** The alphabet of `uuencode`: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/uuencode.html. */
const unixAlphabet = Array.from({ length: 64 }, (_, six) => (six === 0 ? "`" : String.fromCharCode(32 + six))).join("");

/** Without padding. */
function base64(bytes: readonly number[], letters: string): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = (byteAt(bytes, at) << 16) | (byteAt(bytes, at + 1) << 8) | byteAt(bytes, at + 2);
    text += letters.charAt(group >> 18) + letters.charAt((group >> 12) & 63);
    if (left > 1) text += letters.charAt((group >> 6) & 63);
    if (left > 2) text += letters.charAt(group & 63);
  }
  return text;
}

const byteAt = (bytes: readonly number[], at: number): number => bytes[at] ?? 0;

const hexadecimal = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function hex(bytes: readonly number[]): string {
  let text = "";
  for (const byte of bytes) text += hexadecimal[byte] as string;
  return text;
}

/** Base64 of any longer text holds a value at one of three alignments. These parts do not depend on the rest of the text. */
export function base64Parts(bytes: readonly number[], letters = alphabet): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = base64([...Array.from({ length: shift }, () => 0), ...bytes], letters);
    const from = Math.ceil((shift * 4) / 3);
    const bitsAfter = ((shift + bytes.length) * 8) % 6;
    return encoded.slice(from, bitsAfter === 0 ? undefined : -1);
  });
}

/** The same parts for base32, which has five alignments. */
export function base32Parts(bytes: readonly number[], letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"): string[] {
  return [0, 1, 2, 3, 4].map((shift) => {
    let [text, bits, held] = ["", shift * 8, 0];
    // The zero bytes before the value give letters that are cut off. The last of these letters may share bits with the
    // value.
    let skip = Math.ceil((shift * 8) / 5);
    while (bits >= 5) {
      bits -= 5;
      skip -= 1;
    }
    for (const byte of bytes) {
      held = (held << 8) | byte;
      bits += 8;
      while (bits >= 5) {
        bits -= 5;
        if (skip > 0) skip -= 1;
        else text += letters.charAt((held >> bits) & 31);
      }
      held &= 31;
    }
    return text;
  });
}

export function unixParts(bytes: readonly number[]): string[] {
  return base64Parts(bytes, unixAlphabet);
}

/** ASCII85, Z85 and Python's `b85encode`: four bytes are five digits, so a value has one of four alignments. */
const alphabets85 = [
  Array.from({ length: 85 }, (_, digit) => String.fromCharCode(33 + digit)).join(""),
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#",
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~",
] as const;

export function base85Parts(bytes: readonly number[]): string[] {
  return alphabets85.flatMap((letters) =>
    [0, 1, 2, 3].map((from) => {
      let text = "";
      for (let at = from; at + 4 <= bytes.length; at += 4) {
        const [first = 0, second = 0, third = 0, fourth = 0] = bytes.slice(at, at + 4);
        let group = ((first * 256 + second) * 256 + third) * 256 + fourth;
        let digits = "";
        for (let count = 0; count < 5; count += 1) {
          digits = letters[group % 85] + digits;
          group = Math.floor(group / 85);
        }
        text += digits;
      }
      return text;
    }),
  );
}

/** The bytes as one number, in the digits of Bitcoin's base58, base62, base36 and decimals. */
const alphabetsOfNumbers = [
  "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz",
  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
  "0123456789abcdefghijklmnopqrstuvwxyz",
  "0123456789",
] as const;
/** Tools write longer values in groups. */
const numberBytesMax = 256;

export function asNumbers(bytes: readonly number[]): string[] {
  if (bytes.length > numberBytesMax) return [];
  return alphabetsOfNumbers.map((letters) => {
    const base = BigInt(letters.length);
    let text = "";
    for (let rest = BigInt(`0x0${hex(bytes)}`); rest > 0n; rest /= base) text = letters[Number(rest % base)] + text;
    return text;
  });
}

/** Big-endian. */
export function utf16(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)).flatMap((unit) => [unit >> 8, unit & 255]);
}
