/**
 * Finds a known value in pieces, with other words between them: labels, the prefixes of logs, tags, a sentence.
 *
 * SP1 The whole value must be there, in order. Each piece has 4 characters or more and is near the one before. Only forms
 *     of random values are searched (`scatteredForms`), so ordinary words never match.
 * SP2 The time is linear. Baton reads each place once, and the start of a value costs no more than its length allows.
 */
import type { Place } from "./views.ts";

const pieceMin = 4;
const formMin = 16;
/** The longest distance to the next piece, in letters and digits. */
const gapMax = 400;
const piecesMax = 64;

export class ScatteredIndex {
  readonly #byHead = new Map<string, string[]>();
  /** Two characters of each head, which rule out most places. */
  readonly #starts = new Uint8Array(65_536);

  /** `forms`: letters and digits, in lower case. */
  constructor(forms: Iterable<string>) {
    for (const form of new Set(forms)) {
      if (form.length < formMin) continue;
      const head = form.slice(0, pieceMin);
      this.#byHead.set(head, [...(this.#byHead.get(head) ?? []), form]);
      this.#starts[keyAt(form, 0)] = 1;
    }
  }

  /** Finds each piece by itself. The text between the pieces stays. */
  find(text: string): Place[] {
    if (this.#byHead.size === 0) return [];
    const found: Place[] = [];
    const last = text.length - pieceMin;
    for (let at = 0; at <= last; at += 1) {
      if (this.#starts[keyAt(text, at)] === 0) continue;
      for (const form of this.#byHead.get(text.slice(at, at + pieceMin)) ?? []) found.push(...piecesOf(form, text, at));
    }
    return found;
  }
}

function keyAt(text: string, at: number): number {
  return ((text.charCodeAt(at) << 8) ^ text.charCodeAt(at + 1)) & 0xffff;
}

/** Empty: a part of the value is missing. */
function piecesOf(form: string, text: string, from: number): Place[] {
  const pieces: Place[] = [];
  let done = 0;
  for (let at = from; ; ) {
    let end = at;
    while (done < form.length && text[end] === form[done]) {
      end += 1;
      done += 1;
    }
    pieces.push({ start: at, end });
    // The rest is too short to be recognized, and too short to reveal anything.
    if (form.length - done < pieceMin) return pieces;
    if (pieces.length === piecesMax) return [];
    const next = text.slice(end, end + gapMax).indexOf(form.slice(done, done + pieceMin));
    if (next === -1) return [];
    at = end + next;
  }
}
