/**
 * A text as another reader would decode it. Each of its characters knows its piece of the original.
 * Owns: places. Does not own: the decoding (`decoded.ts`, `numbers.ts`).
 */
export interface Place {
  start: number;
  end: number;
}

export interface View {
  text: string;
  /** From a place in `text` to one in the original. */
  back(place: Place): Place;
}

/** A replaced piece of the original: its place there, and the place and length of the new text. */
interface Mark {
  from: number;
  until: number;
  at: number;
  length: number;
}

/** null: nothing changed. `write` returns null for a piece that stays as it is. */
export function viewOf(
  original: string,
  pattern: RegExp,
  write: (found: RegExpMatchArray) => string | null,
): View | null {
  const marks: Mark[] = [];
  let text = "";
  let from = 0;
  for (const match of original.matchAll(pattern)) {
    const written = write(match);
    if (written === null) continue;
    text += original.slice(from, match.index);
    from = match.index + match[0].length;
    marks.push({ from: match.index, until: from, at: text.length, length: written.length });
    text += written;
  }
  if (marks.length === 0) return null;
  return { text: text + original.slice(from), back: (place) => backOf(marks, place) };
}

/** Only the text that `write` returns for each match, without the text between the matches. */
export function listOf(original: string, pattern: RegExp, write: (found: RegExpMatchArray) => string): View {
  const marks: Mark[] = [];
  let text = "";
  for (const match of original.matchAll(pattern)) {
    const written = write(match);
    if (written === "") continue;
    marks.push({
      from: match.index,
      until: match.index + match[0].length,
      at: text.length,
      length: written.length,
    });
    text += written;
  }
  return { text, back: (place) => backOf(marks, place) };
}

function backOf(marks: readonly Mark[], { start, end }: Place): Place {
  return { start: pieceAt(marks, start).start, end: pieceAt(marks, Math.max(start, end - 1)).end };
}

/** The piece of the original that one character of the text stands for. */
function pieceAt(marks: readonly Mark[], at: number): Place {
  let [low, high] = [0, marks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((marks[middle] as Mark).at <= at) low = middle + 1;
    else high = middle;
  }
  const mark = marks[low - 1];
  if (mark === undefined) return { start: at, end: at + 1 };
  if (at < mark.at + mark.length) return { start: mark.from, end: mark.until };
  const start = mark.until + (at - mark.at - mark.length);
  return { start, end: start + 1 };
}

/** One view over another: places go back through both. */
export function over(outer: View, inner: View): View {
  return { text: inner.text, back: (place) => outer.back(inner.back(place)) };
}
