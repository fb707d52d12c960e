/**
 * Inputs and outputs of the processes of this folder. The command that begins a run gathers the facts, and the run's journal
 * keeps them.
 */
import { z } from "zod";
import {
  findingsSchema,
  outcomeAnswerSchema,
  outcomesSchema,
  reviewedSchema,
  reviewFactsSchema,
  shaSchema,
  verdictSchema,
} from "../src/index.ts";

const authoredSchema = z.object({ author: z.string(), permission: z.string(), body: z.string() });

const plannedSchema = z.object({ plan: z.string(), outcomes: outcomesSchema });

export const workInputSchema = z.object({
  /** The thread of the request: title, body, comments. Untrusted text. */
  thread: z.object({
    number: z.number().int().positive(),
    kind: z.enum(["issue", "pull-request"]),
    title: z.string(),
    body: z.string(),
    author: z.string(),
    authorPermission: z.string(),
    comments: z.array(authoredSchema),
    /** The schedule that began it. Absent: a person asked in the thread. */
    schedule: z.string().optional(),
  }),
  /** Free text after the command. */
  instructions: z.string(),
  repository: z.object({ owner: z.string(), name: z.string() }),
  baseBranch: z.string(),
  baseSha: shaSchema,
  /** The branch of the work, and its current head if it exists. */
  branch: z.string(),
  branchSha: shaSchema.nullable(),
  /** AGENTS.md and the like, from the base commit. */
  projectInstructions: z.union([z.string(), z.array(z.object({ path: z.string(), text: z.string() }))]),
  /** Names from the command. Without them, the configured defaults count. */
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
  /** The plan of an earlier run of the thread, for processes that continue from it. */
  planned: plannedSchema.nullable().optional(),
  /** A plan needs readable steps. Absent in runs of an older Baton, which continued without steps. */
  planSteps: z.literal("required").optional(),
  /** Texts of the pull request and its commits accumulate. Absent in runs of an older Baton, which replaced them. */
  texts: z.literal("accumulate").optional(),
  /** Earlier requests for changes. They are the run's task, not an answer to its own question. */
  reviewIds: z.array(z.number().int()).optional(),
  /** The pull request of the run. null: the run has to open it. */
  pullRequest: z.number().int().positive().nullable(),
  /** Files and folders that the run is about. Absent: the whole repository. */
  paths: z.array(z.string()).optional(),
  /** A comment at a line of the pull request, in whose thread the answer goes. Absent: the thread of the run. */
  replyTo: z.number().int().positive().optional(),
  /** For the process `review`. Absent in runs of an older Baton, and where no comments on lines are possible. */
  review: reviewFactsSchema.optional(),
  /** Differences from Baton's usual behavior in this repository. The thread shows them. */
  notes: z.array(z.string()).optional(),
});
export type WorkInput = z.infer<typeof workInputSchema>;

export const workOutputSchema = z.object({
  verdict: verdictSchema,
  pullRequest: z.number().int().nullable(),
  headSha: shaSchema.nullable(),
  merged: z.boolean(),
  approvedBy: z.string().nullable(),
  /** For later runs of the same thread. */
  planned: plannedSchema.optional(),
});
export type WorkOutput = z.infer<typeof workOutputSchema>;

/** The findings of a read-only process, and the comment with them. */
const foundSchema = z.object({ verdict: verdictSchema, url: z.string().nullable() });

export const exploreOutputSchema = foundSchema.extend({ answer: z.string() });
export type ExploreOutput = z.infer<typeof exploreOutputSchema>;

/** `planned`: null if a person rejected the plan. */
export const planOutputSchema = foundSchema.extend({ planned: plannedSchema.nullable() });
export type PlanOutput = z.infer<typeof planOutputSchema>;

export const reviewOutputSchema = foundSchema.extend({
  findings: findingsSchema.nullable(),
  answers: z.array(outcomeAnswerSchema),
  /** For later reviews of the same pull request. */
  reviewed: reviewedSchema.optional(),
});
export type ReviewOutput = z.infer<typeof reviewOutputSchema>;

export const verifyOutputSchema = foundSchema.extend({ answers: z.array(outcomeAnswerSchema) });
export type VerifyOutput = z.infer<typeof verifyOutputSchema>;
