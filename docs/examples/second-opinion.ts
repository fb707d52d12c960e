/** second-opinion: two agents plan at once, a person chooses, the choice stands in the thread. */
import { z } from "zod";
import { defineProcess, type ProcessContext, shaSchema } from "../../src/index.ts";

const inputSchema = z.object({
  thread: z.object({ number: z.number().int(), title: z.string(), body: z.string() }),
  instructions: z.string(),
  baseSha: shaSchema,
});
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
        body: `### careful\n\n${plans.careful}\n\n### bold\n\n${plans.bold}`,
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

async function plan(ctx: ProcessContext, { thread, instructions, baseSha }: Input, manner: string): Promise<string> {
  const planned = await ctx.agent(
    "plan",
    {
      title: "Plan",
      stage: "Plan",
      role: "plan",
      access: "read-only",
      baseSha,
      prompt: {
        system: `You plan a change and change nothing. ${manner}`,
        user: `# ${thread.title}\n\n${thread.body}\n\n${instructions}`,
      },
    },
    { timeoutMs: 20 * 60_000, retry: { attemptsMax: 2 } },
  );
  return planned.text;
}
