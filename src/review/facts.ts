/** The facts of a review that the command gathers once: the settings, and what Baton said here before. */
import { z } from "zod";
import { findingSeverities, otherFindingSchema } from "../core/review-finding.ts";
import { shaSchema } from "../core/vocabulary.ts";

/** A finding as Baton posted it. A later run of the same pull request reads it from the journal. */
export const postedFindingSchema = z.object({
  fingerprint: z.string(),
  path: z.string(),
  side: z.enum(["LEFT", "RIGHT"]),
  line: z.number().int().positive(),
  severity: z.enum(findingSeverities),
  text: z.string(),
});
export type PostedFinding = z.infer<typeof postedFindingSchema>;

export const earlierFindingSchema = postedFindingSchema.extend({
  /** In GraphQL. null: people deleted the thread. */
  threadId: z.string().nullable(),
  /** `closed`: people resolved, rejected or deleted it, or its cause is gone. It never comes back. */
  state: z.enum(["open", "closed"]),
});
export type EarlierFinding = z.infer<typeof earlierFindingSchema>;

export const reviewFactsSchema = z.object({
  /** The head that Baton reviewed last. null: it reviews the whole change. */
  since: shaSchema.nullable(),
  /** Baton's last review here. */
  reviewId: z.number().int().nullable(),
  earlier: z.array(earlierFindingSchema),
  /** Findings outside of the changed lines, of the review of `since`. They have no thread. */
  outside: z.array(otherFindingSchema).default([]),
  event: z.enum(["comment", "request-changes"]),
  /** Most comments of Baton that stand on the pull request at once. */
  comments: z.number().int().positive(),
  nits: z.boolean(),
  /** null: nobody looks a second time. */
  secondLookUsd: z.number().positive().nullable(),
  /** From `baton.yaml` of the base branch. */
  instructions: z.array(z.object({ paths: z.array(z.string()), text: z.string() })),
  gate: z.enum(["off", "advisory", "required"]),
  /** A person's decision about this head. null: there is none. */
  override: z.object({ by: z.string(), reason: z.string() }).nullable().default(null),
});
export type ReviewFacts = z.infer<typeof reviewFactsSchema>;

/** For a later run: the reviewed head, Baton's review, and every finding that it ever posted here. */
export const reviewedSchema = z.object({
  sha: shaSchema,
  reviewId: z.number().int().nullable(),
  findings: z.array(postedFindingSchema),
  outside: z.array(otherFindingSchema),
  /** False: some findings are beyond the bound, so the next review reads everything again. */
  complete: z.boolean(),
  /** The blocking findings that stand, and their list for the check. */
  blocking: z.number().int().nonnegative(),
  list: z.string(),
});
export type Reviewed = z.infer<typeof reviewedSchema>;

/** Kept for later runs. The oldest go first. */
export const postedMax = 300;
