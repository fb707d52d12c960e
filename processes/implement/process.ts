/** implement: an issue becomes a draft pull request with green checks. People do the rest. */
import { defineProcess, prompts } from "../../src/index.ts";
import { effectsOf } from "../guide.ts";
import { type WorkInput, type WorkOutput, workInputSchema, workOutputSchema } from "../schema.ts";
import { begin, ended, makeChecksGreen, no, protectedPathsAllowed, publish, write } from "../stages.ts";

export const implement = defineProcess<WorkInput, WorkOutput>({
  name: "implement",
  version: 1,
  summary: "Implements an issue, by the plan of this thread where there is one, up to a draft with green checks.",
  on: ["issue"],
  guide: {
    when: "You know what you want, or `plan` has said it, and take the review into your own hands.",
    asks: "Approval of protected paths.",
    costs: "One writing step; each repair is one more.",
    effects: effectsOf("implement", "protected-paths", "push", "pull-request", "checks", "repair", "refresh"),
  },
  stages: ["Implement", "Publish", "Checks"],
  input: workInputSchema,
  output: workOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const planned = input.planned ?? { plan: "", outcomes: [] };
    const work = begin(input, planned.plan, planned.outcomes);
    const changed = await write(ctx, input, work, {
      name: "implement",
      title: planned.plan === "" ? "Implement what is asked for" : "Implement the plan",
      stage: "Implement",
      prompt: prompts.implement({ ...input, plan: work.plan, outcomes: work.outcomes }),
    });
    if (!changed) return ended(work, no("The agent changed nothing. Say more precisely what to do."));
    if (!(await protectedPathsAllowed(ctx, input, work)))
      return ended(work, no("Protected paths were changed and nobody allowed it, so nothing was published."));
    await publish(ctx, input, work, { draft: true });
    const checks = await makeChecksGreen(ctx, input, work);
    if (checks.status !== "passed") return ended(work, checks);
    return ended(work, {
      name: "result",
      status: "passed",
      reason: `The draft #${work.pullRequest} has green checks; review and merge are yours.`,
      evidence: [
        { label: "pull request", value: `#${work.pullRequest}` },
        { label: "head", value: work.headSha },
      ],
      children: [checks],
    });
  },
});
