/**
 * Finds many known phrases in a text in one pass, whatever their number.
 *
 * PI1 Baton reads the text only at every `stride`-th place. A phrase has at least `phraseMin` characters, so one of its
 *     parts of `partLength` characters begins at such a place.
 */
export interface Found {
  start: number;
  end: number;
}

export class PhraseIndex {
  readonly #partLength: number;
  readonly #stride: number;
  readonly #parts = new Map<string, { phrase: string; offset: number }[]>();
  /** The number of places read over all texts. The cost grows with it. */
  reads = 0;

  constructor(phrases: Iterable<string>, phraseMin: number, partLength: number) {
    this.#partLength = partLength;
    this.#stride = phraseMin - partLength + 1;
    for (const phrase of new Set(phrases)) {
      if (phrase.length < phraseMin) continue;
      for (let offset = 0; offset < this.#stride; offset += 1) {
        const part = phrase.slice(offset, offset + partLength);
        const known = this.#parts.get(part);
        if (known === undefined) this.#parts.set(part, [{ phrase, offset }]);
        else known.push({ phrase, offset });
      }
    }
  }

  find(text: string): Found[] {
    const found: Found[] = [];
    if (this.#parts.size === 0) return found;
    const last = text.length - this.#partLength;
    for (let at = 0; at <= last; at += this.#stride) {
      this.reads += 1;
      const candidates = this.#parts.get(text.slice(at, at + this.#partLength));
      if (candidates === undefined) continue;
      for (const { phrase, offset } of candidates) {
        const start = at - offset;
        if (start >= 0 && text.startsWith(phrase, start)) found.push({ start, end: start + phrase.length });
      }
    }
    return found;
  }
}
