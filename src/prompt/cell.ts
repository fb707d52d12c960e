/** Text of others as one cell of a table. */
import { cut } from "../thread/cut.ts";
import { neutralise } from "../thread/neutralise.ts";

export function cell(text: string, charactersMax = 1_000): string {
  return cut(neutralise(text).replaceAll("|", "\\|").replaceAll(/\s+/g, " ").trim(), charactersMax, "…");
}
