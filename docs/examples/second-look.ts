/** second-look: an agent that did not do the work answers, statement by statement, what is to hold of it. */
import { z } from "zod";
import {
  defineProcess,
  outcomesSchema,
  outcomesVerdict,
  type PromptFacts,
  promptFactsSchema,
  prompts,
  readAnswers,
  renderOutcomes,
  shaSchema,
  verdictSchema,
} from "../../src/index.ts";

const inputSchema = promptFactsSchema.extend({ baseSha: shaSchema, outcomes: outcomesSchema.min(1) });
type Input = PromptFacts & z.infer<typeof inputSchema>;

export const secondLook = defineProcess({
  name: "second-look",
  version: 1,
  summary: "Answers what is to hold, with evidence.",
  stages: ["Look"],
  input: inputSchema,
  output: z.object({ verdict: verdictSchema }),
  verdict: ({ verdict }) => verdict,

  async run(ctx, input: Input) {
    const looked = await ctx.agent("look", {
      title: "Look at it",
      stage: "Look",
      role: "verify",
      access: "read-only",
      baseSha: input.baseSha,
      prompt: prompts.custom({ ...input, work: "Find out whether what is expected holds.", ending: "answers" }),
    });
    const read = readAnswers(looked.text, input.outcomes);
    await ctx.publish("show", {
      title: "Show the answers",
      stage: "Look",
      publish: {
        operation: "comment",
        number: input.thread.number,
        body: renderOutcomes(read.answers, looked.harness),
      },
    });
    return { verdict: outcomesVerdict(read, looked.harness) };
  },

  onInstructionsLoaded: ({ instructions, role }) =>
    role === "verify"
      ? [
          ...instructions,
          { name: "doubt", stratum: "turn", text: "## Doubt\n\nWhat cannot be shown to hold does not hold." },
        ]
      : undefined,
});
