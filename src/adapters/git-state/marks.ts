/**
 * High-water marks: how far each thread's ref had come, kept in the shared ref. Somebody who may push can set a thread's ref back.
 *
 * HM1 Each commit of a thread's ref counts one more (`position.json`). The mark moves with every push that writes to the shared ref,
 *     and with the push that frees the thread, so it costs no push of its own.
 * HM2 A ref below its mark is never worked on: what was done after it would be done again.
 */

/** Where the ref of a thread was; `sha` null: there was none. */
export interface RefPosition {
  position: number;
  sha: string | null;
}

export interface MarkRow {
  home: string;
  position: number;
  sha: string;
}

/** `unclear`: as far as the mark, but another commit. Only its history tells whether it goes on from there. */
export function judgePosition(
  found: RefPosition,
  mark: RefPosition | undefined,
): "fine" | "older" | "gone" | "unclear" {
  if (mark === undefined || mark.sha === null) return "fine";
  if (found.sha === null) return "gone";
  if (found.sha === mark.sha || found.position > mark.position) return "fine";
  return found.position < mark.position ? "older" : "unclear";
}
