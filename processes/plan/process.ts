/** plan: writes a plan in the thread. `implement` continues from it. */
import { answerText, defineProcess, outcomesOf, renderPlan } from "../../src/index.ts";
import { effectsOf } from "../guide.ts";
import { type PlanOutput, planOutputSchema, type WorkInput, workInputSchema } from "../schema.ts";
import { makePlan, no, post, presentSha } from "../stages.ts";

export const plan = defineProcess<WorkInput, PlanOutput>({
  name: "plan",
  version: 1,
  summary: "Plans what the thread asks for, with steps and expected outcomes. Changes nothing.",
  reach: "plan-only",
  guide: {
    when: "You want to see how something would be done before anything is. `implement` then does what was planned in this thread.",
    asks: "Approval of the plan where `breakpoints.plan: ask`. Baton puts your objections into the next plan.",
    costs: "One reading step; each revision is one more.",
    effects: effectsOf("plan", "plan-question", "plan-approval", "post"),
  },
  stages: ["Plan", "Answer"],
  input: workInputSchema,
  output: planOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const planned = await makePlan(ctx, input);
    if (planned === null) return { verdict: no("The plan was rejected."), url: null, planned: null };
    const text = renderPlan(planned);
    const url = await post(ctx, input, answerText({ title: "Plan", words: text, sha: presentSha(input) }));
    const steps = planned.steps.length;
    return {
      verdict: {
        name: "result",
        status: "passed",
        reason: `Planned ${steps === 0 ? "in words" : `in ${steps} step${steps === 1 ? "" : "s"}`}; nothing was changed. \`/baton run implement\` carries it out.`,
        evidence: [{ label: "read at", value: presentSha(input) }],
        children: [],
      },
      url,
      planned: { plan: text, outcomes: outcomesOf(planned) },
    };
  },
});
