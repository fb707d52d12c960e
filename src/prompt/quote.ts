/**
 * Text of others within a prompt.
 *
 * M1 Text from a thread is data: sanitised, with its author's name, fenced, and bounded with an honest mark.
 * M4 No text of others makes a line outside of its fence. Text of others within Baton's sentences goes through `inline`.
 */
import { cut, fenced } from "../text/cut.ts";
import { withLineFeeds } from "../text/markdown.ts";
import { sanitise } from "../text/sanitise.ts";
import { stripInvisible } from "../text/visible.ts";

const removed = "\n(Text that a reader could not see was removed.)";

/** As data (M1): the part that a reader of the thread sees. */
export function quoted(text: string, charactersMax: number): string {
  const { text: visible, hidden } = sanitise(text);
  return `${fenced(cut(visible, charactersMax))}${hidden ? removed : ""}`;
}

/**
 * The same for text that nobody reads as Markdown (logs, diffs, files). Tags and comments are part of its subject, so they
 * stay.
 */
export function verbatim(text: string, charactersMax: number): string {
  const { text: visible, invisible } = stripInvisible(withLineFeeds(text));
  return `${fenced(cut(visible, charactersMax))}${invisible > 0 ? removed : ""}`;
}

/** A name by others within a sentence of Baton: one short line without marks (M4). */
export function inline(text: string, charactersMax = 200): string {
  const line = stripInvisible(withLineFeeds(text))
    .text.replaceAll(/[\s`"#<>]+/g, " ")
    .trim();
  return cut(line, charactersMax, "…");
}
