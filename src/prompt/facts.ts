/** A process's facts about its task, from which `compose.ts` makes the words. The effect's input holds them. */
import { z } from "zod";
import { outcomesSchema } from "./outcomes.ts";

const instructionSchema = z.object({ path: z.string(), text: z.string() });
export type ProjectInstruction = z.output<typeof instructionSchema>;

const roles = ["plan", "implement", "repair", "address", "review", "verify"] as const;

/** The result of one step for another, as `handoff.ts` made it for that edge. */
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
  /** Words that the person added who asked for the run. */
  instructions: z.string(),
  /** `AGENTS.md` and similar files, from the base commit. One text if a caller has no path. */
  projectInstructions: z.union([z.string(), z.array(instructionSchema)]),
  repository: z.object({ owner: z.string(), name: z.string() }),
  baseBranch: z.string(),
  /** The approved plan, in the runtime stratum, because every step after planning gets it. */
  plan: z.string().optional(),
  /** The expected outcomes of the plan. A reviewer or verifier answers each (`outcomes.ts`). */
  outcomes: outcomesSchema.optional(),
  /** Results of earlier steps for this one. */
  handoffs: z.array(handoffSchema).optional(),
  /** Files and folders that the run is about. Absent: the whole repository. */
  paths: z.array(z.string()).optional(),
  /** One of several agents at once: the paths of this agent, and the work of the others. */
  worker: z.object({ paths: z.array(z.string()), others: z.array(z.string()) }).optional(),
  /** `thread`: the process forwards the agent's questions to people, and starts the agent again with the answer. */
  questions: z.enum(["thread"]).optional(),
  /** How much a process wants changed, and reported. */
  manner: z
    .object({
      change: z.enum(["smallest", "thorough"]).optional(),
      verbosity: z.enum(["brief", "full"]).optional(),
    })
    .optional(),
});
export type Facts = z.output<typeof factsSchema>;
