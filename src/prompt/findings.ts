/**
 * Findings of a review as structure: place, severity, problem.
 *
 * Owns: their shape, reading them strictly, showing them. Does not own: the reviewer, or the place of a comment (`src/review`).
 * FN1 If findings are unreadable, the review counts as unread, never as a review without findings.
 */
import { z } from "zod";
import { type FindingSeverity, type ReviewFinding, reviewFindingSchema } from "../core/review-finding.ts";
import { cell } from "./cell.ts";
import { lastJsonBlock } from "./json-block.ts";

export type Finding = ReviewFinding;
export const findingsSchema = z.array(reviewFindingSchema).max(50);

/** The reviewer's word about a comment of an earlier review. */
const saidSchema = z.strictObject({ id: z.string().max(60), fixed: z.boolean() });

const end = (example: string): string =>
  [
    "End with a fenced block marked `json` that holds your findings, the worst first, for example:",
    "```json",
    example,
    "```",
  ].join("\n");

export const findingsFormat = [
  end(
    '{"findings": [{"path": "src/cart.ts", "line": 12, "severity": "blocking", "text": "An empty cart throws: `reduce` has no initial value."}]}',
  ),
  "`severity` is `blocking` for what must not be merged, else `minor`. Without findings the list is empty.",
].join("\n");

/** For findings that become comments on lines of the change. */
export function lineFindingsFormat({ nits, earlier }: { nits: boolean; earlier: boolean }): string {
  const said = earlier ? ', "earlier": [{"id": "e1", "fixed": true}]' : "";
  return [
    end(
      `{"findings": [{"path": "src/cart.ts", "line": 12, "quote": "  return prices.reduce(add);", "severity": "blocking", "text": "An empty cart throws: \`reduce\` has no initial value.", "suggestion": "  return prices.reduce(add, 0);"}]${said}}`,
    ),
    '`line` is the number of the first line of `quote`, in the file as it is with the change. `quote` repeats the lines at the place letter for letter, with their indentation: one line where one is enough, at most ten. Baton drops a finding whose quote is not in the file. For lines that the change deletes, write `"deleted": true`, and take path, number and quote from the file before the change.',
    "`suggestion` is optional: the lines that should be there instead of `quote`, complete and ready to be applied. Leave it out where the fix is not certain, or not only there. Two findings about one place are one finding.",
    `\`severity\` is \`blocking\` for what must not be merged, \`minor\` for other faults${nits ? ", `nit` for taste that costs the next reader" : ". Leave out matters of taste"}. Without findings the list is empty.`,
    ...(earlier
      ? [
          "`earlier` answers each comment of the earlier review that is listed above, by its id: whether its cause is gone.",
        ]
      : []),
  ].join("\n");
}

/** `words` is the text around the block. `answered`: a block of answers comes after it. null: there is no readable block. */
export function readFindings(
  whole: string,
  { answered }: { answered: boolean },
): { words: string; findings: Finding[] | null; earlier: { id: string; fixed: boolean }[] } {
  const text = answered ? (lastJsonBlock(whole)?.rest ?? whole) : whole;
  const found = lastJsonBlock(text);
  const parsed = z
    .strictObject({ findings: findingsSchema, earlier: z.array(saidSchema).max(300).default([]) })
    .safeParse(found?.value ?? null);
  return {
    words: (found?.rest ?? text).trim(),
    findings: parsed.data?.findings ?? null,
    earlier: parsed.data?.earlier ?? [],
  };
}

const marks: Record<FindingSeverity, string> = { blocking: "⛔ blocking", minor: "minor", nit: "nit" };

export function renderFindings(findings: readonly Finding[]): string {
  if (findings.length === 0) return "No findings.";
  return [
    "| | Where | Finding |",
    "|---|---|---|",
    ...findings.map(
      ({ path, line, severity, text }) =>
        `| ${marks[severity]} | ${cell(line === null ? path : `${path}:${line}`)} | ${cell(text)} |`,
    ),
  ].join("\n");
}
