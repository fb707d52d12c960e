/**
 * Prompts in strata: stable (the same for every run), then what the run brings. Equal facts give byte-identical text.
 *
 * M1 Text from a thread is data: sanitised, labelled by who wrote it, fenced, and bounded with an honest mark.
 */
import { cut, fenced } from "../thread/cut.ts";
import { sanitise } from "../thread/sanitise.ts";

export interface Section {
  heading: string;
  body: string;
}

export function compose(sections: (Section | null)[]): string {
  return sections
    .filter((section): section is Section => section !== null && section.body.trim() !== "")
    .map(({ heading, body }) => `## ${heading}\n\n${body.trim()}`)
    .join("\n\n");
}

/** Text of others as data (M1). */
export function quoted(text: string, charactersMax: number): string {
  const { text: visible, hidden } = sanitise(text);
  const note = hidden ? "\n(Text that a reader could not see was removed.)" : "";
  return `${fenced(cut(visible, charactersMax))}${note}`;
}
