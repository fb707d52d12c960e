/** Text of others as one cell of a table. */

import { pipesEscaped } from "../text/format.ts";
import { neutraliseLineWithin } from "../text/neutralise.ts";

export function cell(text: string, charactersMax = 1_000): string {
  return pipesEscaped(neutraliseLineWithin(text, charactersMax)).trim();
}
