import { z } from "zod";
import { shaSchema } from "../../core/vocabulary.ts";
import { factsSchema } from "../facts.ts";
import { findingsFormat, lineFindingsFormat } from "../findings.ts";
import { answersFormat } from "../outcomes.ts";
import { inline, verbatim } from "../quote.ts";
import { defineTask } from "../task.ts";
import { now } from "./report.ts";

/** For findings that become comments on lines. Absent: they become a list in one comment. */
const linesSchema = z.object({
  /** The head of the review before. null: the whole change counts. */
  since: shaSchema.nullable(),
  nits: z.boolean(),
  /** Comments of the earlier review that still stand. */
  open: z.array(z.object({ id: z.string(), path: z.string(), line: z.number().int(), text: z.string() })),
  /** Findings that people resolved or rejected. */
  closed: z.array(z.object({ path: z.string(), text: z.string() })),
  /** The repository's own words for reviewers, from the base branch. */
  instructions: z.array(z.object({ paths: z.array(z.string()), text: z.string() })),
});

export type ReviewLines = z.output<typeof linesSchema>;

const textMax = 500;
const closedMax = 50;
const instructionMax = 4_000;

/** A review of a change by an agent that did not write it. */
export const review = defineTask({
  name: "review",
  facts: factsSchema.extend({ baseSha: shaSchema, headSha: shaSchema, lines: linesSchema.optional() }),
  write: ({ headSha, baseBranch, outcomes = [], lines }) => [
    ...(lines === undefined ? [] : before(lines)),
    now(
      [
        `Change nothing. Review the change of this pull request, as shown under "The change": from ${
          lines?.since == null
            ? `where it left ${inline(baseBranch)}`
            : `\`${lines.since}\`, which you reviewed before,`
        } to \`${headSha}\`. The files that you have here are as they are with it.`,
        "Read the code around it, too. Look for what is wrong: faults, missing cases, broken callers, security, data that gets lost, tests that could not fail. Name taste only where it costs the next reader. Check each finding against the code before you name it; none is a good result.",
        "Begin with two or three sentences on what the change does and whether it does what was asked.",
      ].join("\n\n"),
    ),
    {
      name: "findings",
      heading: "How to end",
      body:
        lines === undefined ? findingsFormat : lineFindingsFormat({ nits: lines.nits, earlier: lines.open.length > 0 }),
    },
    {
      name: "answers",
      heading: "Then, as the very last",
      body: answersFormat(outcomes).replace("End with", "After the findings, end with"),
    },
  ],
});

function before({ open, closed, instructions }: ReviewLines) {
  return [
    {
      name: "review-instructions",
      heading: "What this repository asks of reviewers",
      body: instructions
        .map(({ paths, text }) => {
          const about = paths.length === 0 ? "For every file" : `For ${paths.map((path) => inline(path)).join(", ")}`;
          return `${about}:\n${verbatim(text, instructionMax)}`;
        })
        .join("\n\n"),
    },
    {
      name: "earlier-comments",
      heading: "Your comments of before that still stand",
      body:
        open.length === 0
          ? ""
          : `Do not repeat them as findings.\n${open.map(({ id, path, line, text }) => `- ${id}: ${inline(path)}, line ${line}: ${inline(text, textMax)}`).join("\n")}`,
    },
    {
      name: "closed-comments",
      heading: "Findings that people closed",
      body:
        closed.length === 0
          ? ""
          : `Do not name them again.\n${closed
              .slice(-closedMax)
              .map(({ path, text }) => `- ${inline(path)}: ${inline(text, textMax)}`)
              .join("\n")}`,
    },
  ];
}
