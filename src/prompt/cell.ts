/** Text of others as one cell of a table. */
import { neutraliseLineWithin } from "../thread/neutralise.ts";
import { pipesEscaped } from "../thread/render/format.ts";

export function cell(text: string, charactersMax = 1_000): string {
  return pipesEscaped(neutraliseLineWithin(text, charactersMax)).trim();
}
