/** The differences between two texts, line by line, as in a patch. Bounded. */
import { structuredPatch } from "diff";

/** A comparison that finds more changes than this takes too long, and nobody reads it. */
const editsMax = 2_000;

/** Empty: the texts are equal. `context` lines stay around each change, and `…` stands for the rest. */
export function lineDifference(before: string, after: string, context = 2): string {
  const [a, b] = [linesOf(before), linesOf(after)];
  const patch = structuredPatch("", "", a, b, "", "", { context, maxEditLength: editsMax });
  if (patch === undefined) return "The files differ and are too long to compare here.";
  const { hunks } = patch;
  const last = hunks.at(-1);
  if (last === undefined) return "";
  const rows = hunks.flatMap(({ oldStart, lines }) => (oldStart > 1 ? ["…", ...lines] : lines));
  const isWhole = last.oldStart + last.oldLines > a.split("\n").length - 1;
  return (isWhole ? rows : [...rows, "…"]).join("\n");
}

/** Every line ends, including the last. */
function linesOf(text: string): string {
  return `${text.replaceAll("\r\n", "\n").replace(/\n$/, "")}\n`;
}
