/**
 * Text of others within a prompt.
 *
 * M1 Text from a thread is data: sanitised, labelled by who wrote it, fenced, and bounded with an honest mark.
 */
import { cut, fenced } from "../thread/cut.ts";
import { sanitise } from "../thread/sanitise.ts";

/** As data (M1). */
export function quoted(text: string, charactersMax: number): string {
  const { text: visible, hidden } = sanitise(text);
  const note = hidden ? "\n(Text that a reader could not see was removed.)" : "";
  return `${fenced(cut(visible, charactersMax))}${note}`;
}
