/** What the processes of this folder take and give. Facts are gathered by the command that begins the run and kept in its journal. */
import { z } from "zod";
import { shaSchema, verdictSchema } from "../src/index.ts";

const authoredSchema = z.object({ author: z.string(), permission: z.string(), body: z.string() });

export const workInputSchema = z.object({
  /** The thread that asks: title, body, comments. Untrusted text. */
  thread: z.object({
    number: z.number().int().positive(),
    kind: z.enum(["issue", "pull-request"]),
    title: z.string(),
    body: z.string(),
    author: z.string(),
    authorPermission: z.string(),
    comments: z.array(authoredSchema),
  }),
  /** Free text after the command. */
  instructions: z.string(),
  repository: z.object({ owner: z.string(), name: z.string() }),
  baseBranch: z.string(),
  baseSha: shaSchema,
  /** The branch that the work goes to, and its present head where it exists. */
  branch: z.string(),
  branchSha: shaSchema.nullable(),
  /** AGENTS.md and the like, from the base commit. */
  projectInstructions: z.union([z.string(), z.array(z.object({ path: z.string(), text: z.string() }))]),
  /** Names given in the command; without them the configured defaults. */
  choice: z.object({ harness: z.string().optional(), model: z.string().optional() }),
  settings: z.object({
    planBreakpoint: z.enum(["ask", "auto"]),
    reviewBreakpoint: z.enum(["ask", "auto"]),
    protectedPaths: z.array(z.string()),
    protectedPathsBreakpoint: z.enum(["ask", "deny"]),
    repairAttempts: z.number().int().nonnegative(),
    reviewRounds: z.number().int().nonnegative(),
    checksTimeoutMs: z.number().positive(),
    merge: z.enum(["auto", "manual"]),
    mergeMethod: z.enum(["merge", "squash", "rebase"]),
    reviewers: z.array(z.string()),
    teams: z.array(z.string()),
  }),
  /** The pull request that the run works on; null when it is to be opened. */
  pullRequest: z.number().int().positive().nullable(),
});
export type WorkInput = z.infer<typeof workInputSchema>;

export const workOutputSchema = z.object({
  verdict: verdictSchema,
  pullRequest: z.number().int().nullable(),
  headSha: shaSchema.nullable(),
  merged: z.boolean(),
  approvedBy: z.string().nullable(),
});
export type WorkOutput = z.infer<typeof workOutputSchema>;
