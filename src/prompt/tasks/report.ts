import type { Facts } from "../facts.ts";
import { answersFormat } from "../outcomes.ts";
import type { Written } from "../section.ts";

/** The end, for people and later steps. `handoff.ts` splits it. */
export const report: Written = {
  name: "report",
  heading: "At the end",
  body: [
    "End with a short report for the reviewer, in these sections, a few lines each:",
    "### Title",
    "### Intent",
    "### Decisions",
    "### Discoveries",
    "### Risks",
    "### Verification",
    "### Next",
    "Under Title write one line that says what changes, in the form of this repository's own commit subjects. Under Verification name the commands that you ran and what they showed. Claim nothing that you did not see. Leave out Discoveries and Next where there are none.",
  ].join("\n"),
};

export function now(body: string): Written {
  return { name: "now", heading: "What to do now", body };
}

/**
 * For an agent that reviews or verifies: it must answer each expected outcome (`outcomes.ts` reads the answers). Empty if
 * there are none.
 */
export function answers({ outcomes = [] }: Pick<Facts, "outcomes">): Written {
  return { name: "answers", heading: "The answers", body: answersFormat(outcomes) };
}
