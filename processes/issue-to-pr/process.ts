/** issue-to-pr: an issue becomes a reviewed pull request with green checks. */
import { defineProcess, outcomesOf, prompts, renderPlan } from "../../src/index.ts";
import { effectsOf, untilApprovedEffects } from "../guide.ts";
import { type WorkInput, type WorkOutput, workInputSchema, workOutputSchema } from "../schema.ts";
import { begin, ended, makePlan, no, protectedPathsAllowed, publish, untilApproved, write } from "../stages.ts";

export const issueToPr = defineProcess<WorkInput, WorkOutput>({
  name: "issue-to-pr",
  version: 1,
  summary: "Plans and implements an issue, opens a pull request, repairs its checks, waits for a review.",
  on: ["issue"],
  guide: {
    when: "You want an issue done, from the plan to a reviewed pull request.",
    asks: "Approval of the plan (`breakpoints.plan: ask`), of protected paths, and a review.",
    costs: "A planning and an implementing step; each repair and each round of review is one more.",
    effects: effectsOf("plan", "plan-question", "plan-approval", "implement", ...untilApprovedEffects),
  },
  stages: ["Plan", "Implement", "Publish", "Checks", "Review", "Finish"],
  input: workInputSchema,
  output: workOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const plan = await makePlan(ctx, input);
    if (plan === null) return ended(null, no("The plan was rejected, so nothing was changed."));
    const work = begin(input, renderPlan(plan), outcomesOf(plan));
    const changed = await write(ctx, input, work, {
      name: "implement",
      title: "Implement the plan",
      stage: "Implement",
      prompt: prompts.implement({ ...input, plan: work.plan, outcomes: work.outcomes }),
    });
    if (!changed)
      return ended(
        work,
        no(
          "The agent changed nothing, so there is nothing to review. Say more precisely what to do, or choose another model.",
        ),
      );
    if (!(await protectedPathsAllowed(ctx, input, work)))
      return ended(work, no("Protected paths were changed and nobody allowed it, so nothing was published."));
    await publish(ctx, input, work);
    return untilApproved(ctx, input, work);
  },
});
