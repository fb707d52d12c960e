/** address-review: works on the branch of an existing pull request: what was asked for, until checks are green and a person approves. */
import { defineProcess } from "../../src/index.ts";
import { type WorkInput, type WorkOutput, workInputSchema, workOutputSchema } from "../schema.ts";
import { addressReview, begin, ended, no, untilApproved } from "../stages.ts";

export const addressReviewProcess = defineProcess<WorkInput, WorkOutput>({
  name: "address-review",
  version: 1,
  summary:
    "Works on a pull request's own branch: addresses what the thread and you ask for, repairs its checks, waits for your review.",
  stages: ["Address", "Publish", "Checks", "Review", "Finish"],
  input: workInputSchema,
  output: workOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const asked = input.instructions.trim() || "Address the open review comments of this pull request.";
    const work = begin(input, asked);
    if (!(await addressReview(ctx, input, work, asked)))
      return ended(work, no("The agent changed nothing that may be published. Say more precisely what to do."));
    return untilApproved(ctx, input, work);
  },
});
