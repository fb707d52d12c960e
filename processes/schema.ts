/** What the processes of this folder take and give. Facts are gathered by the command that begins the run and kept in its journal. */
import { z } from "zod";
import { findingsSchema, outcomeAnswerSchema, outcomesSchema, shaSchema, verdictSchema } from "../src/index.ts";

const authoredSchema = z.object({ author: z.string(), permission: z.string(), body: z.string() });

const plannedSchema = z.object({ plan: z.string(), outcomes: outcomesSchema });

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
    /** The schedule that began it; absent: somebody asked in the thread. */
    schedule: z.string().optional(),
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
  /** What an earlier run of the thread planned, for those that go on from it. */
  planned: plannedSchema.nullable().optional(),
  /** A plan needs steps that can be read. Absent in runs that began under an older Baton, which went on without steps. */
  planSteps: z.literal("required").optional(),
  /** Requests for changes that were there before: the run's task, and no answer to its own question. */
  reviewIds: z.array(z.number().int()).optional(),
  /** The pull request that the run works on; null when it is to be opened. */
  pullRequest: z.number().int().positive().nullable(),
  /** What Baton does otherwise than usual in this repository; the thread shows it. */
  notes: z.array(z.string()).optional(),
});
export type WorkInput = z.infer<typeof workInputSchema>;

export const workOutputSchema = z.object({
  verdict: verdictSchema,
  pullRequest: z.number().int().nullable(),
  headSha: shaSchema.nullable(),
  merged: z.boolean(),
  approvedBy: z.string().nullable(),
  /** For runs of the same thread after it. */
  planned: plannedSchema.optional(),
});
export type WorkOutput = z.infer<typeof workOutputSchema>;

/** Of those that only read: what they found, and the comment that says it. */
const foundSchema = z.object({ verdict: verdictSchema, url: z.string().nullable() });

export const exploreOutputSchema = foundSchema.extend({ answer: z.string() });
export type ExploreOutput = z.infer<typeof exploreOutputSchema>;

/** `planned`: null where the plan was rejected. */
export const planOutputSchema = foundSchema.extend({ planned: plannedSchema.nullable() });
export type PlanOutput = z.infer<typeof planOutputSchema>;

export const reviewOutputSchema = foundSchema.extend({
  findings: findingsSchema.nullable(),
  answers: z.array(outcomeAnswerSchema),
});
export type ReviewOutput = z.infer<typeof reviewOutputSchema>;

export const verifyOutputSchema = foundSchema.extend({ answers: z.array(outcomeAnswerSchema) });
export type VerifyOutput = z.infer<typeof verifyOutputSchema>;
