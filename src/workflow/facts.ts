/** The input of a run of a YAML process: the facts of any run in a thread, and its inputs. */
import { z } from "zod";
import { jsonSchema, shaSchema } from "../core/vocabulary.ts";
import { factsSchema as promptFactsSchema } from "../prompt/facts.ts";

/** Loose: it passes on further facts that a child run needs. */
export const factsSchema = z.looseObject({
  ...promptFactsSchema.pick({
    thread: true,
    instructions: true,
    projectInstructions: true,
    repository: true,
    baseBranch: true,
    paths: true,
  }).shape,
  baseSha: shaSchema,
  branch: z.string(),
  branchSha: shaSchema.nullable(),
  choice: z.object({ harness: z.string().optional(), model: z.string().optional() }),
  settings: z.looseObject({
    planBreakpoint: z.enum(["ask", "auto"]),
    reviewBreakpoint: z.enum(["ask", "auto"]),
    protectedPaths: z.array(z.string()),
    protectedPathsBreakpoint: z.enum(["ask", "deny"]),
    checksTimeoutMs: z.number().positive(),
    reviewers: z.array(z.string()),
    teams: z.array(z.string()),
  }),
  pullRequest: z.number().int().positive().nullable(),
  /** Absent in runs of an older Baton: all commits have the thread's title as their subject. */
  texts: z.literal("accumulate").optional(),
  inputs: z.record(z.string(), jsonSchema).default({}),
});
export type ProcessFacts = z.output<typeof factsSchema>;
