/**
 * Text as numbers: lists of codes in any base, one byte or several each, with any separators. Examples are
 * `[75, 120]`, `ChrW(75) & ChrW(120)`, `{"0":75,"1":120}` or the words of a dump.
 */
import { listOf, type View } from "./views.ts";

/** A shorter list holds no value that Baton searches for. */
const numbersMin = 8;
const figure = /\d\d|[A-Fa-f]\d|\d[A-Fa-f]/g;

export function* numberViews(text: string): Generator<View> {
  if ((text.match(figure)?.length ?? 0) < numbersMin) return;
  for (const { pattern, codes } of kinds) {
    const view = listOf(text, pattern, ({ 1: digits = "" }) => codes(digits));
    if (view.text.length >= numbersMin) yield view;
  }
  for (const from of [0, 1]) {
    let count = from;
    // An index precedes each of them.
    const view = listOf(text, /-?\d{1,10}/g, ({ 0: digits }) => (count++ % 2 === 0 ? "" : characterOf(Number(digits))));
    if (view.text.length >= numbersMin) yield view;
  }
}

const kinds: readonly { pattern: RegExp; codes(digits: string): string }[] = [
  { pattern: /(-?(?<![0-9A-Fa-f])\d{1,3})(?![0-9A-Fa-f])/g, codes: (digits) => characterOf(Number(digits)) },
  {
    pattern: /(?<![0-9A-Za-z])(?:0x|x|u|U\+)?0{0,6}([0-9A-Fa-f]{2})(?![0-9A-Fa-g])/g,
    codes: (digits) => characterOf(Number.parseInt(digits, 16)),
  },
  { pattern: /(?<![0-9])(?:0o?)?([0-7]{2,3})(?![0-9])/g, codes: (digits) => characterOf(Number.parseInt(digits, 8)) },
  { pattern: /(?<![01])([01]{6,8})(?![0-9])/g, codes: (digits) => characterOf(Number.parseInt(digits, 2)) },
  {
    pattern: /(?<![0-9A-Za-z])(?:0x)?((?:[0-9A-Fa-f]{8}){1,2})(?![0-9A-Za-z])/g,
    codes: (digits) => word(digits, false),
  },
  {
    pattern: /(?<![0-9A-Za-z])(?:0x)?((?:[0-9A-Fa-f]{8}){1,2})(?![0-9A-Za-z])/g,
    codes: (digits) => word(digits, true),
  },
  {
    pattern: /(?<![0-9A-Za-z])(\d{9,10})(?![0-9A-Za-z])/g,
    codes: (digits) => word(Number(digits).toString(16).padStart(8, "0"), false),
  },
  {
    pattern: /(?<![0-9A-Za-z])(\d{9,10})(?![0-9A-Za-z])/g,
    codes: (digits) => word(Number(digits).toString(16).padStart(8, "0"), true),
  },
];

/** In a language without unsigned bytes, bytes above 127 are negative. No value that Baton searches for has them. */
function characterOf(code: number): string {
  const byte = code < 0 ? code + 256 : code;
  return byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "";
}

function word(digits: string, little: boolean): string {
  const bytes = (digits.match(/../g) ?? []).map((two) => characterOf(Number.parseInt(two, 16)));
  return (little ? bytes.reverse() : bytes).join("");
}
