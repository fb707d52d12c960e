/**
 * Findings of a review as structure: place, severity, problem.
 *
 * Owns: their shape, reading them strictly, showing them. Does not own: who reviews.
 * FN1 If findings are unreadable, the review counts as unread, never as a review without findings.
 */
import { z } from "zod";
import { cell } from "./cell.ts";
import { lastJsonBlock } from "./json-block.ts";

const findingSchema = z.strictObject({
  path: z.string().min(1).max(500),
  line: z.number().int().positive().nullable().default(null),
  severity: z.enum(["blocking", "minor"]),
  text: z.string().min(1).max(2_000),
});
export type Finding = z.output<typeof findingSchema>;
export const findingsSchema = z.array(findingSchema).max(50);

export const findingsFormat = [
  "End with a fenced block marked `json` that holds your findings, the worst first, for example:",
  "```json",
  '{"findings": [{"path": "src/cart.ts", "line": 12, "severity": "blocking", "text": "An empty cart throws: `reduce` has no initial value."}]}',
  "```",
  "`severity` is `blocking` for what must not be merged, else `minor`. Without findings the list is empty.",
].join("\n");

/** `words` is the text around the block. `answered`: a block of answers comes after it. null: there is no readable block. */
export function readFindings(
  whole: string,
  { answered }: { answered: boolean },
): { words: string; findings: Finding[] | null } {
  const text = answered ? (lastJsonBlock(whole)?.rest ?? whole) : whole;
  const found = lastJsonBlock(text);
  const parsed = z.strictObject({ findings: findingsSchema }).safeParse(found?.value ?? null);
  return { words: (found?.rest ?? text).trim(), findings: parsed.data?.findings ?? null };
}

export function renderFindings(findings: readonly Finding[]): string {
  if (findings.length === 0) return "No findings.";
  return [
    "| | Where | Finding |",
    "|---|---|---|",
    ...findings.map(
      ({ path, line, severity, text }) =>
        `| ${severity === "blocking" ? "⛔ blocking" : "minor"} | ${cell(line === null ? path : `${path}:${line}`)} | ${cell(text)} |`,
    ),
  ].join("\n");
}
