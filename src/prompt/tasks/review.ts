import { shaSchema } from "../../core/vocabulary.ts";
import { factsSchema } from "../facts.ts";
import { findingsFormat } from "../findings.ts";
import { answersFormat } from "../outcomes.ts";
import { inline } from "../quote.ts";
import { defineTask } from "../task.ts";
import { now } from "./report.ts";

/** A review of a change by an agent that did not write it. */
export const review = defineTask({
  name: "review",
  facts: factsSchema.extend({ baseSha: shaSchema, headSha: shaSchema }),
  write: ({ headSha, baseBranch, outcomes = [] }) => [
    now(
      [
        `Change nothing. Review the change of this pull request, as shown under "The change": from where it left ${inline(baseBranch)} to \`${headSha}\`. The files that you have here are as they are with it.`,
        "Read the code around it, too. Look for what is wrong: faults, missing cases, broken callers, security, data that gets lost, tests that could not fail. Name taste only where it costs the next reader. Check each finding against the code before you name it; none is a good result.",
        "Begin with two or three sentences on what the change does and whether it does what was asked.",
      ].join("\n\n"),
    ),
    { name: "findings", heading: "How to end", body: findingsFormat },
    {
      name: "answers",
      heading: "Then, as the very last",
      body: answersFormat(outcomes).replace("End with", "After the findings, end with"),
    },
  ],
});
