/** explore: answers a question about the code in the thread. */
import { answerText, defineProcess, prompts } from "../../src/index.ts";
import { effectsOf } from "../guide.ts";
import { type ExploreOutput, exploreOutputSchema, type WorkInput, workInputSchema } from "../schema.ts";
import { chosen, no, post, presentSha } from "../stages.ts";

export const explore = defineProcess<WorkInput, ExploreOutput>({
  name: "explore",
  version: 1,
  summary: "Answers a question about the code in the thread. Changes nothing.",
  reach: "read-only",
  guide: {
    when: "You want to know how something works, where it stands or what a change would touch, before you decide.",
    asks: "Nothing.",
    costs: "One reading step.",
    effects: effectsOf("explore", "post"),
  },
  stages: ["Explore", "Answer"],
  input: workInputSchema,
  output: exploreOutputSchema,
  verdict: ({ verdict }) => verdict,

  async run(ctx, input) {
    const sha = presentSha(input);
    const found = await ctx.agent("explore", {
      title: "Look for the answer",
      stage: "Explore",
      role: "plan",
      access: "read-only",
      baseSha: sha,
      prompt: prompts.explore(input),
      ...chosen(input),
    });
    const answer = found.text.trim();
    if (answer === "") return { verdict: no("The agent answered nothing."), url: null, answer };
    const url = await post(ctx, input, answerText({ title: "Answer", words: answer, by: found, sha }));
    return {
      verdict: {
        name: "result",
        status: "passed",
        reason: "Answered in the thread; nothing was changed.",
        evidence: [{ label: "read at", value: sha }],
        children: [],
      },
      url,
      answer,
    };
  },
});
