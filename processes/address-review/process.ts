/**
 * address-review: works on the branch of an existing pull request. It makes the requested changes until checks are green and
 * a person approves.
 */
import { defineProcess } from "../../src/index.ts";
import { effectsOf } from "../guide.ts";
import { type WorkInput, type WorkOutput, workInputSchema, workOutputSchema } from "../schema.ts";
import { addressReview, begin, ended, no, untilApproved } from "../stages.ts";

export const addressReviewProcess = defineProcess<WorkInput, WorkOutput>({
  name: "address-review",
  version: 1,
  summary:
    "Works on a pull request's own branch: addresses the reviews, the thread, and the command, repairs its checks, waits for a review.",
  on: ["pull-request"],
  guide: {
    when: "A pull request has comments or a review to answer, or you want something of it changed.",
    asks: "Approval of protected paths, and a review.",
    costs: "A step for what is asked; each repair and each round of review is one more.",
    effects: effectsOf("address", "protected-paths", "push", "checks", "repair", "request-review", "review", "merge"),
  },
  stages: ["Address", "Publish", "Checks", "Review", "Finish"],
  input: workInputSchema,
  output: workOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const asked = input.instructions.trim() || "Address the open review comments of this pull request.";
    const work = begin(input, asked);
    if (!(await addressReview(ctx, input, work, asked, "Address")))
      return ended(work, no("The agent changed nothing that may be published. Say more precisely what to do."));
    return untilApproved(ctx, input, work);
  },
});
