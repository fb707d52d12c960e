/** Characters that show nothing, and control characters. Owns: the list of them. Characters that join emoji stay. */

/** Soft hyphens, fillers, zero-width characters, bidi controls, annotation and tag characters, blanks that look like nothing. */
const invisible =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb]|[\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/u;
/** Flags of regions, joiners with a meaning between letters, selectors of ideographs: people see their effect. */
const kept =
  /\u{1f3f4}[\u{e0061}-\u{e007a}\u{e0030}-\u{e0039}]{2,6}\u{e007f}|(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gujarati}\p{Script=Gurmukhi}\p{Script=Kannada}\p{Script=Khmer}\p{Script=Malayalam}\p{Script=Oriya}\p{Script=Sinhala}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Myanmar}]\p{M}?)[\u200c\u200d](?=[\p{L}\p{M}\s]|$)|(?<=\p{Unified_Ideograph})[\ufe00-\ufe02\u{e0100}-\u{e01ef}]/u;
/** A joiner that does not join two emoji. */
const looseJoiner =
  /(?<!\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d|\u200d(?!\p{Extended_Pictographic})/u;
/** A selector of form, 15 or 16, after a character without two forms. */
const looseSelector =
  /(?<![\p{Extended_Pictographic}\p{Emoji}\u{1f1e6}-\u{1f1ff}])[\ufe0e\ufe0f]|[\ufe00-\ufe0d]|[\u{e0100}-\u{e01ef}]/u;
const keptOrRemoved = new RegExp(
  `(${kept.source})|(?:${invisible.source}|${looseJoiner.source}|${looseSelector.source})`,
  "gu",
);

/** Terminal sequences, and every control character except tab and line feed. */
const control =
  /(?:\u001b\[|\u009b)[0-?]{0,64}[ -/]{0,16}[@-~]?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c\n]{0,4096}(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]?[0-~]?|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text that needs no check: plain ASCII without control characters. */
const plain = /^[\t\n\u0020-\u007e]*$/;

export interface Stripped {
  text: string;
  invisible: number;
  control: number;
}

export function stripInvisible(text: string): Stripped {
  if (plain.test(text)) return { text, invisible: 0, control: 0 };
  let controls = 0;
  let clean = text.replace(control, () => {
    controls += 1;
    return "";
  });
  let removed = 0;
  clean = clean.replace(keptOrRemoved, (_, keep: string | undefined) => {
    if (keep === undefined) removed += 1;
    return keep ?? "";
  });
  return { text: clean, invisible: removed, control: controls };
}

const reference = /&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|([A-Za-z]{2,31}));/g;
const invisibleNames = new Set(
  "shy zwj zwnj lrm rlm ZeroWidthSpace NoBreak InvisibleComma InvisibleTimes ApplyFunction af ic it NegativeThinSpace NegativeMediumSpace NegativeThickSpace NegativeVeryThinSpace".split(
    " ",
  ),
);

/** Character references in Markdown source that would show nothing, each with its place. */
export function* invisibleReferences(source: string): Generator<{ start: number; end: number }> {
  for (const match of source.matchAll(reference)) {
    const [whole, decimal, hexadecimal, name] = match;
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? "", 16) : Number(decimal);
    const shows =
      name === undefined
        ? code > 0 && code <= 0x10ffff && stripInvisible(String.fromCodePoint(code)).text !== ""
        : !invisibleNames.has(name);
    if (!shows) yield { start: match.index, end: match.index + whole.length };
  }
}
