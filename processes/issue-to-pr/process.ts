/** issue-to-pr: an issue becomes a reviewed pull request with green checks. */
import {
  defineProcess,
  outcomesOf,
  type Plan,
  type ProcessContext,
  parsePlan,
  prompts,
  renderPlan,
} from "../../src/index.ts";
import { type WorkInput, type WorkOutput, workInputSchema, workOutputSchema } from "../schema.ts";
import { begin, chosen, ended, no, protectedPathsAllowed, publish, untilApproved, write } from "../stages.ts";

export const issueToPr = defineProcess<WorkInput, WorkOutput>({
  name: "issue-to-pr",
  version: 1,
  summary: "Plans and implements an issue, opens a pull request, repairs its checks, waits for your review.",
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

/** A plan in words and steps; a person approves it where `breakpoints.plan: ask`. null: rejected. */
async function makePlan(ctx: ProcessContext, input: WorkInput): Promise<Plan | null> {
  let feedback = "";
  for (;;) {
    const planned = await ctx.agent("plan", {
      title: feedback === "" ? "Plan the change" : "Revise the plan",
      stage: "Plan",
      role: "plan",
      access: "read-only",
      baseSha: input.branchSha ?? input.baseSha,
      prompt: prompts.plan({ ...input, feedback }),
      ...chosen(input),
    });
    const plan = parsePlan(planned.text);
    if (input.settings.planBreakpoint === "auto") return plan;
    const answer = await ctx.breakpoint("plan-approval", {
      title: "Approve the plan",
      stage: "Plan",
      kind: "plan",
      subject: { text: renderPlan(plan) },
    });
    if (answer.decision === "approved") return plan;
    if (answer.decision === "rejected") return null;
    feedback = answer.feedback;
  }
}
