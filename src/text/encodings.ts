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
    const [first = 0, second = 0, third = 0] = bytes.slice(at, at + 3);
    const group = (first << 16) | (second << 8) | third;
    const sixes = [group >> 18, (group >> 12) & 63, (group >> 6) & 63, group & 63];
    text += sixes
      .slice(0, Math.min(3, bytes.length - at) + 1)
      .map((six) => alphabet[six])
      .join("");
  }
  return text;
}

export function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
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
    const bits = [...Array.from({ length: shift }, () => 0), ...bytes].map((byte) => byte.toString(2).padStart(8, "0"));
    const whole = bits.join("").match(/.{5}/g) ?? [];
    return whole
      .slice(Math.ceil((shift * 8) / 5))
      .map((five) => letters[Number.parseInt(five, 2)])
      .join("");
  });
}

/** Big end first. */
export function utf16(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at)).flatMap((unit) => [unit >> 8, unit & 255]);
}
