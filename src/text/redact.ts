/**
 * The only redactor. All outgoing text passes it: comments, checks, logs, prompts, transcripts, pull requests.
 *
 * H4 Known values are removed in the forms in which they leak (`secret-forms.ts`), whatever separates their characters:
 *    white space, punctuation, quoting, line numbers, escapes. The redactor also finds pieces with words between
 *    (`scattered.ts`), and values after decoding.
 * H5 Patterns of well-known tokens are removed even if their values are unknown, also after an escape or a color.
 * H6 The time is linear in the length of the text, for any number of values. There are few passes, each over one copy.
 */
import { decoded } from "./decoded.ts";
import { withoutLookAlikes } from "./look-alikes.ts";
import { numberViews } from "./numbers.ts";
import { PhraseIndex } from "./phrase-index.ts";
import { ScatteredIndex } from "./scattered.ts";
import { bareForms, exactForms, scatteredForms, separators } from "./secret-forms.ts";
import { matchesOf, readsAsWords, secretPlaces, vendorTokensIn } from "./token-shapes.ts";
import { type Place, viewOf } from "./views.ts";

export const redactedText = "[redacted]";

/** The redactor would remove ordinary words if it searched for shorter values. */
const secretCharactersMin = 8;
/** Lines of a long secret (a key in PEM form) count on their own. */
const lineCharactersMin = 20;
/** Without their separators, shorter values would match across ordinary words. */
const bareCharactersMin = 12;
const newLine = /\r?\n|\\n/;

export function createRedactor({ secrets }: { secrets: readonly string[] }): (text: string) => string {
  const find = createFinder(secrets);
  return (text) => removePatterns(remove(text, find(text)));
}

/** Finds the places of known values in a text, in any of their forms. */
export function createFinder(secrets: readonly string[]): ((text: string) => Place[]) & { reads(): number } {
  const find = (given: string): Place[] => {
    const { bare, isEmpty, inText } = indexOf(secrets);
    if (isEmpty) return [];
    const text = withoutLookAlikes(given);
    const found = [...inText(text), ...searchDumps(text, bare)];
    // Only if there are prefixes to skip.
    if (hasPrefixes.test(text)) found.push(...search(text, bare, prefixesAndSeparators, true));
    for (const view of decoded(text)) found.push(...inText(view.text).map(view.back));
    for (const numbers of numberViews(text)) found.push(...inText(numbers.text).map(numbers.back));
    return found;
  };
  return Object.assign(find, { reads: () => indexOf(secrets).exact.reads + indexOf(secrets).bare.reads });
}

interface SecretIndex {
  exact: PhraseIndex;
  bare: PhraseIndex;
  inText(text: string): Place[];
  isEmpty: boolean;
}

/** A key has thousands of forms, so all finders for the same list of secrets share one index. */
const indexes = new WeakMap<readonly string[], SecretIndex>();

function indexOf(secrets: readonly string[]): SecretIndex {
  const known = indexes.get(secrets);
  if (known !== undefined) return known;
  const made = createIndex(secrets);
  indexes.set(secrets, made);
  return made;
}

function createIndex(secrets: readonly string[]): SecretIndex {
  const values = secrets
    .flatMap((secret) => [secret, ...(newLine.test(secret) ? longLines(secret) : [])])
    .filter(({ length }) => length >= secretCharactersMin);
  const exact = new PhraseIndex(values.flatMap(exactForms).map(squeezed), secretCharactersMin, 5);
  const bare = new PhraseIndex(values.flatMap(bareForms), bareCharactersMin, 6);
  const scattered = new ScatteredIndex(values.flatMap(scatteredForms));
  const inBare = { find: (text: string): Place[] => [...bare.find(text), ...scattered.find(text)] };
  const inText = (text: string): Place[] => [
    ...search(text, exact, everyCut, false),
    ...search(text, inBare, separators, true),
  ];
  return { exact, bare, inText, isEmpty: values.length === 0 };
}

function longLines(secret: string): string[] {
  return secret.split(newLine).filter((line) => line.length >= lineCharactersMin && !line.startsWith("-----"));
}

/** Characters that show nothing: they split a value without changing how it reads. */
const invisible =
  "\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0";
const hiddenOnly = new RegExp(`[\\u0000${invisible}]+`, "g");
const everyCut = new RegExp(`[\\s${invisible}]+`, "g");
/**
 * Text that logs, terminals and pages put between the pieces of a value, such as line numbers, times, colors, escaped line
 * breaks and tags.
 */
const prefixes =
  "<\\/?[A-Za-z][^<>]{0,100}>|&(?:nbsp|shy|zwnj|zwj|NoBreak|ZeroWidthSpace|#0{0,8}(?:160|173|820[3-7]|8288|65279)|#[xX]0{0,8}(?:[aA]0|[aA][dD]|200[b-fB-F]|2060|[fF][eE][fF][fF]));|&#[xX]?0{0,8}(?=[1-9a-fA-F])|\\u001b\\[[0-9;]{0,20}[A-Za-z]|\\\\[nrt]|%0[AaDd]|^[^A-Za-z0-9\\n]{0,8}(?:\\d{4}-\\d\\d-\\d\\d[T ][\\d:.,]{5,20}Z?|[0-9A-Fa-f]{7,16}:?(?=[ \\t])|\\d{1,6}(?=[^A-Za-z0-9]))";
const hasPrefixes = new RegExp(prefixes, "m");
const prefixesAndSeparators = new RegExp(`${prefixes}|[^A-Za-z0-9]`, "gm");

/**
 * A line of `hexdump -C` or `xxd`: offset, bytes, the bytes as text. H6: each quantifier is bounded, or the next part begins
 * with another character.
 */
const dumpTime = "\\d{4}-\\d\\d-\\d\\d[T ][\\d:.,]{5,20}Z?[ \\t]{1,20}";
const dumpStart = `^((?:${dumpTime})?[ \\t]{0,20}[0-9A-Fa-f]{6,16}:?[ \\t]{1,20})`;
const framedLine = "([0-9A-Fa-f][0-9A-Fa-f \\t]{1,199})\\|([^\\n]{1,64})\\|";
const plainLine = "((?:[0-9A-Fa-f]{2,8} ){0,32}[0-9A-Fa-f]{2,8}) {2,100}(?! )([^\\n]{0,63}[^ \\t\\r\\n])";
const dumpLine = new RegExp(`${dumpStart}(?:${framedLine}|${plainLine})[ \\t\\r]*$`, "gm");

/** Each column of a dump is a text of its own. The other column separates its lines. */
function searchDumps(text: string, index: PhraseIndex): Place[] {
  const columns = [new Column(), new Column()] as const;
  for (const found of text.matchAll(dumpLine)) {
    const [, start = "", listed, framed, grouped, plain] = found;
    const bytes = listed ?? grouped ?? "";
    const bytesAt = found.index + start.length;
    columns[0].add(bytes, bytesAt);
    const words = framed ?? plain ?? "";
    columns[1].add(words, text.indexOf(words, bytesAt + bytes.length));
  }
  return columns.flatMap((column) => column.search(index));
}

class Column {
  #text = "";
  readonly #places: number[] = [];

  add(piece: string, at: number): void {
    for (let offset = 0; offset < piece.length; offset += 1) {
      const letter = piece[offset] as string;
      if (!/[A-Za-z0-9]/.test(letter)) continue;
      this.#text += letter.toLowerCase();
      this.#places.push(at + offset);
    }
  }

  search(index: PhraseIndex): Place[] {
    return index
      .find(this.#text)
      .map(({ start, end }) => ({ start: this.#places[start] as number, end: (this.#places[end - 1] as number) + 1 }));
  }
}

function squeezed(text: string): string {
  return text.replace(everyCut, "");
}

/** Searches a copy of the text without the cuts. It counts places back only if it found something. */
function search(text: string, index: { find(text: string): Place[] }, cuts: RegExp, anyCase: boolean): Place[] {
  const without = text.replace(cuts, "");
  // Only ASCII letters remain, so lower case does not change the length.
  const found = index.find(anyCase ? without.toLowerCase() : without);
  if (found.length === 0) return [];
  const placeOf = placesWithout(text, cuts);
  return found.map(({ start, end }) => ({ start: placeOf(start), end: placeOf(end - 1) + 1 }));
}

/** The place in the original of a character of the text without its cuts. */
function placesWithout(text: string, cuts: RegExp): (at: number) => number {
  const places: number[] = [];
  let from = 0;
  const keep = (until: number): void => {
    for (let place = from; place < until; place += 1) places.push(place);
  };
  for (const { index, 0: cut } of text.matchAll(cuts)) {
    keep(index);
    from = index + cut.length;
  }
  keep(text.length);
  return (at) => places[at] ?? text.length;
}

function removePatterns(text: string): string {
  return remove(
    text,
    findIn(text, (shown) => [...privateKeys(shown), ...vendorTokensIn(shown), ...matchesOf(shown, secretPlaces)]),
  );
}

/** Applies `find` to a text, and to the same text without invisible characters and with its escapes decoded (H5). */
export function findIn(text: string, find: (shown: string) => Place[]): Place[] {
  const shown = viewOf(text, hiddenOnly, () => "") ?? { text, back: (place: Place) => place };
  const found = find(shown.text).map(shown.back);
  for (const view of decoded(shown.text, "escapes"))
    found.push(...find(view.text).map((place) => shown.back(view.back(place))));
  return found;
}

/** Overlapping places become one. */
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

/**
 * A key's letters: after line ends, quotes, comment marks or the key's own fields any run; after anything else, such as the
 * prefixes of logs, a run that no word or path has.
 */
const keyLetters =
  /^(?:\\[nrt]|[^A-Za-z\n]|\n|[TZ](?=[\d\s])|(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset): [^\n]{0,100}\n){0,200}[A-Za-z0-9+/=]{24}/;
const keyRun = /[A-Za-z0-9+/=]{24,400}/g;
const longRun = 40;
/** Letters that follow the first line of a cut-off key begin within so many characters. */
const keyLettersWithin = 400;

function hasKeyLetters(text: string): boolean {
  if (keyLetters.test(text)) return true;
  const runs = text.match(keyRun) ?? [];
  const isMixed = (run: string): boolean => /[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run);
  return runs.some((run) => (run.length >= longRun || isMixed(run)) && !readsAsWords(run));
}

/** From the first line of a key to its last. Without a last line, to the end of the text. */
function privateKeys(text: string): Place[] {
  const found: Place[] = [];
  // H6: once there is no last line, none follows.
  let hasEnd = true;
  for (let from = 0; ; ) {
    keyBegin.lastIndex = from;
    const begin = keyBegin.exec(text);
    if (begin === null) return found;
    const after = keyBegin.lastIndex;
    keyEnd.lastIndex = after;
    const end: RegExpExecArray | null = hasEnd ? keyEnd.exec(text) : null;
    hasEnd = end !== null;
    if (end === null && !hasKeyLetters(text.slice(after, after + keyLettersWithin))) {
      // Code that looks for a key, or a sentence about one.
      from = after;
      continue;
    }
    from = end === null ? text.length : keyEnd.lastIndex;
    found.push({ start: begin.index, end: from });
  }
}
