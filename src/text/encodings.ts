/** Forms in which a secret leaks, made without the host's help: pure folders have no Buffer. */

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

/** Without padding. */
function base64(bytes: readonly number[]): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = (byteAt(bytes, at) << 16) | (byteAt(bytes, at + 1) << 8) | byteAt(bytes, at + 2);
    text += alphabet.charAt(group >> 18) + alphabet.charAt((group >> 12) & 63);
    if (left > 1) text += alphabet.charAt((group >> 6) & 63);
    if (left > 2) text += alphabet.charAt(group & 63);
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

/** Base64 of any longer text holds a value at one of three alignments; these are the parts that do not depend on the rest. */
export function base64Parts(bytes: readonly number[]): string[] {
  return [0, 1, 2].map((shift) => {
    const encoded = base64([...Array.from({ length: shift }, () => 0), ...bytes]);
    const from = Math.ceil((shift * 4) / 3);
    const bitsAfter = ((shift + bytes.length) * 8) % 6;
    return encoded.slice(from, bitsAfter === 0 ? undefined : -1);
  });
}

/** The same for base32, which has five alignments. */
export function base32Parts(bytes: readonly number[], letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"): string[] {
  return [0, 1, 2, 3, 4].map((shift) => {
    let [text, bits, held] = ["", shift * 8, 0];
    // The zero bytes before the value give letters that are cut off; the last of them may share a letter with it.
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

/** Big end first. */
export function utf16(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)).flatMap((unit) => [unit >> 8, unit & 255]);
}
