/**
 * High-water marks: the last position of each thread's ref, kept in the shared ref. Anyone with push access can set a
 * thread's ref back.
 *
 * HM1 Each commit of a thread's ref counts one up (`position.json`). The mark moves with every push to the shared ref,
 *     and with the push that frees the thread. It needs no push of its own.
 * HM2 Baton never works on a ref below its mark, because it would repeat later work.
 */

/** The position of a thread's ref. `sha` null: there was no ref. */
export interface RefPosition {
  position: number;
  sha: string | null;
}

export interface MarkRow {
  home: string;
  position: number;
  sha: string;
}

/** `unclear`: as far as the mark, but another commit. Only its history tells whether it continues from the mark. */
export function judgePosition(
  found: RefPosition,
  mark: RefPosition | undefined,
): "fine" | "older" | "gone" | "unclear" {
  if (mark === undefined || mark.sha === null) return "fine";
  if (found.sha === null) return "gone";
  if (found.sha === mark.sha || found.position > mark.position) return "fine";
  return found.position < mark.position ? "older" : "unclear";
}
