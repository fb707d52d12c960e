/** second-opinion: two agents plan at once, a person chooses, the choice stands in the thread. */
import { z } from "zod";
import {
  defineProcess,
  neutralise,
  type ProcessContext,
  promptFactsSchema,
  prompts,
  shaSchema,
} from "../../src/index.ts";

const inputSchema = promptFactsSchema.extend({ baseSha: shaSchema });
type Input = z.infer<typeof inputSchema>;

export const secondOpinion = defineProcess({
  name: "second-opinion",
  version: 1,
  summary: "Two agents plan, you choose.",
  stages: ["Plan", "Choose"],
  input: inputSchema,
  output: z.object({ chosen: z.string(), by: z.string() }),
  verdict: ({ chosen, by }) => ({
    name: "result",
    status: "passed",
    reason: `@${by} chose the ${chosen} plan.`,
    evidence: [],
    children: [],
  }),

  async run(ctx, input) {
    const plans = await ctx.parallel("plans", {
      careful: (branch) => plan(branch, input, "Change as little as possible."),
      bold: (branch) => plan(branch, input, "Solve the cause, even where that changes more."),
    });
    await ctx.publish("show", {
      title: "Show both plans",
      stage: "Choose",
      publish: {
        operation: "comment",
        number: input.thread.number,
        // Words of agents who read the thread: nobody is to be pinged by them.
        body: `### careful\n\n${neutralise(plans.careful)}\n\n### bold\n\n${neutralise(plans.bold)}`,
      },
    });
    const { answer, by } = await ctx.ask("choice", {
      title: "Choose a plan",
      stage: "Choose",
      question: "Which plan: careful or bold?",
      answerKind: "choice",
      choices: ["careful", "bold"],
    });
    return { chosen: answer, by: by.login };
  },
});

/** The words are the process's own; the thread goes in as facts, which Baton cleans, labels and quotes. */
async function plan(ctx: ProcessContext, input: Input, manner: string): Promise<string> {
  const planned = await ctx.agent(
    "plan",
    {
      title: "Plan",
      stage: "Plan",
      role: "plan",
      access: "read-only",
      baseSha: input.baseSha,
      prompt: prompts.custom({
        ...input,
        work: `Write a plan of at most 40 lines: which files change and how, which tests show it. ${manner}`,
        ending: "own",
      }),
    },
    { timeoutMs: 20 * 60_000, retry: { attemptsMax: 2 } },
  );
  return planned.text;
}
