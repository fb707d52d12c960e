/** divide: a plan that the caller gives, carried out by several agents at once. */
import { z } from "zod";
import { type AgentOutput, defineProcess, prompts, shaSchema } from "../../src/index.ts";

const step = z.object({
  id: z.string(),
  title: z.string(),
  dependsOn: z.array(z.string()).default([]),
  scope: z.array(z.string()).default([]),
  approval: z.boolean().default(false),
});
type Step = z.output<typeof step>;
const facts = z.object({
  thread: z.object({
    number: z.number(),
    kind: z.enum(["issue", "pull-request"]),
    title: z.string(),
    body: z.string(),
    author: z.string(),
    authorPermission: z.string(),
    comments: z.array(z.object({ author: z.string(), permission: z.string(), body: z.string() })),
  }),
  instructions: z.string(),
  projectInstructions: z.string(),
  repository: z.object({ owner: z.string(), name: z.string() }),
  baseBranch: z.string(),
});

export const divide = defineProcess({
  name: "divide",
  version: 1,
  summary: "Does the steps that it is given, as many at once as can be.",
  on: ["issue"],
  stages: ["Work"],
  input: facts.extend({ steps: z.array(step), baseSha: shaSchema }),
  output: z.object({ headSha: shaSchema, undone: z.array(z.string()) }),
  verdict: ({ undone }) => ({
    name: "result",
    status: undone.length === 0 ? "passed" : "failed",
    reason: undone.length === 0 ? "All steps are done." : `Not done: ${undone.join(", ")}.`,
    evidence: [],
    children: [],
  }),

  async run(ctx, input) {
    const done = await ctx.plan<Step, AgentOutput>("work", input.steps, {
      baseSha: input.baseSha,
      outside: "ask",
      run: (branch, { step: { id, title, scope }, baseSha, conflict, beside }) =>
        branch.agent("do", {
          title,
          role: "implement",
          access: "write",
          baseSha,
          prompt: prompts.step({
            ...input,
            plan: "",
            step: { id, title },
            conflict: conflict?.paths ?? [],
            worker: { paths: scope, others: beside.map((other) => other.title) },
          }),
        }),
    });
    const undone = Object.entries(done.steps).filter(([, { outcome }]) => outcome !== "done");
    return { headSha: done.headSha, undone: undone.map(([id, { reason }]) => `${id} (${reason})`) };
  },
});
