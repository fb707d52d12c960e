/**
 * Characters that read as letters or digits of ASCII. Every place in the text stays the same, because Baton pads longer
 * characters.
 *
 * The normal form gives compatibility forms. This file lists the rest, other scripts and signs without a normal form:
 * https://www.unicode.org/Public/security/latest/confusables.txt.
 */
import { zeroWidthSpace } from "./defuse.ts";

const listed = new Map<string, string>();
const pairs = (others: string, letters: string): void =>
  Array.from(others).forEach((other, at) => listed.set(other, letters[at] as string));
// Cyrillic, Greek, Armenian and Cherokee.
pairs("АВСЕНІЈКМОРԚЅТԜХҮаԁеһіјӏоԛрсѕԝхуҽ", "ABCEHIJKMOPQSTWXYadehijloqpcswxye");
pairs("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧανοριυχκτѵ", "ABEZHIKMNOPTYXavopiuxktv");
pairs("ՍՕօցոսհ", "UOognuh");
// Small capitals, letters of phonetics.
pairs("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢɑɡɩ", "abcdefghijklmnopqrstuvwyzagi");
const rows: readonly [from: number, first: string, count: number][] = [
  // White on black, circled and squared letters, flags, and letters with brackets.
  [0x1f150, "A", 26],
  [0x1f170, "A", 26],
  [0x1f1e6, "A", 26],
  [0x249c, "a", 26],
  [0x1f110, "A", 26],
  [0x2474, "1", 9],
  [0x2776, "1", 9],
  [0x2780, "1", 9],
  [0x278a, "1", 9],
  [0x24f5, "1", 9],
];
for (const [from, first, count] of rows)
  for (let index = 0; index < count; index += 1)
    listed.set(String.fromCodePoint(from + index), String.fromCharCode(first.charCodeAt(0) + index));

/** Blocks that hold such characters. Baton does not compute the normal form of others. */
const candidates =
  /[\u00aa\u00b2\u00b3\u00b9\u00ba\u017f\u0250-\u02ff\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u1d00-\u1dbf\u2070-\u209f\u2100-\u218f\u2460-\u24ff\u2776-\u2793\u2c60-\u2c7f\ua720-\ua7ff\uff01-\uff5e]|\ud835[\udc00-\udfff]|\ud83c[\udd00-\uddff]/g;

/** Tags show nothing, and each stands for an ASCII character. Alone they only separate. */
const tags = /(?:\udb40[\udc20-\udc7e]){8,}/g;

export function withoutLookAlikes(text: string): string {
  return text
    .replace(candidates, (letter) => {
      const plain = listed.get(letter) ?? letter.normalize("NFKC");
      return /^[\x21-\x7e]$/.test(plain) ? plain.padEnd(letter.length, zeroWidthSpace) : letter;
    })
    .replace(tags, (run) =>
      run.replace(
        /\udb40([\udc20-\udc7e])/g,
        (_, low: string) => `${String.fromCharCode(low.charCodeAt(0) - 0xdc00)}${zeroWidthSpace}`,
      ),
    );
}
