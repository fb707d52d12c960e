/** What a process tells of its task: facts, from which `compose.ts` makes the words. They stand in the effect's input. */
import { z } from "zod";
import { outcomesSchema } from "./outcomes.ts";

const instructionSchema = z.object({ path: z.string(), text: z.string() });
export type ProjectInstruction = z.output<typeof instructionSchema>;

const roles = ["plan", "implement", "repair", "address", "review", "verify"] as const;

/** What one step left to another, as `handoff.ts` made it for that edge. */
export const handoffSchema = z.object({ from: z.enum(roles), title: z.string(), text: z.string() });
export type Handoff = z.output<typeof handoffSchema>;

export const factsSchema = z.object({
  thread: z.object({
    number: z.number().int(),
    kind: z.enum(["issue", "pull-request"]),
    title: z.string(),
    body: z.string(),
    author: z.string(),
    authorPermission: z.string(),
    comments: z.array(z.object({ author: z.string(), permission: z.string(), body: z.string() })),
  }),
  /** What the person who asked for the run added. */
  instructions: z.string(),
  /** `AGENTS.md` and the like, from the base commit; one text where a caller has no path. */
  projectInstructions: z.union([z.string(), z.array(instructionSchema)]),
  repository: z.object({ owner: z.string(), name: z.string() }),
  baseBranch: z.string(),
  /** The approved plan: of the runtime stratum, because every step after the planning one gets it. */
  plan: z.string().optional(),
  /** What the plan is to come to, statement by statement; who reviews or verifies answers each (`outcomes.ts`). */
  outcomes: outcomesSchema.optional(),
  /** What earlier steps left for this one. */
  handoffs: z.array(handoffSchema).optional(),
  /** One of several agents at once: the paths that are its own, and what the others do. */
  worker: z.object({ paths: z.array(z.string()), others: z.array(z.string()) }).optional(),
  /** `thread`: the process asks people what the agent asks, and starts it again with the answer. */
  questions: z.enum(["thread"]).optional(),
  /** How much a process wants changed, and said. */
  manner: z
    .object({
      change: z.enum(["smallest", "thorough"]).optional(),
      verbosity: z.enum(["brief", "full"]).optional(),
    })
    .optional(),
});
export type Facts = z.output<typeof factsSchema>;
