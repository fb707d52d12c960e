/** What a run of the process `sweep` begins with, and what it leaves to the next. */
import { z } from "zod";
import { findingSchema, severities } from "../core/finding.ts";
import { knownFindingSchema } from "./states.ts";

export const sweepFactsSchema = z.object({
  known: z.array(knownFindingSchema),
  /** By detector, oldest first: what people made of its proposals. */
  ends: z.record(z.string(), z.array(z.enum(["merged", "closed"]))),
  openPullRequests: z.number().int().nonnegative(),
  /** Fingerprints that people ticked to be proposed: these first. Absent in runs of an older Baton. */
  wanted: z.array(z.string()).optional(),
  detectors: z.array(
    z.object({
      use: z.string(),
      command: z.string().nullable(),
      report: z.string().nullable(),
      /** Absent in runs of an older Baton. */
      rules: z
        .array(
          z.object({
            id: z.string(),
            text: z.string().nullable(),
            regex: z.string().nullable(),
            ast: z.string().nullable().optional(),
            message: z.string(),
            severity: z.enum(severities),
            paths: z.array(z.string()),
          }),
        )
        .optional(),
      ask: z.string().nullable().optional(),
      paths: z.array(z.string()).optional(),
      maxUsd: z.number().optional(),
    }),
  ),
  /** Most lines of a proposal. Absent in runs of an older Baton. */
  changedLinesMax: z.number().int().optional(),
  /** What sweeps may still spend today and this month, by their own limits; null: nothing bounds them. */
  leftUsd: z.number().nullable().optional(),
  /** Results of detectors over the same files may be used again. Absent in runs of an older Baton. */
  reuses: z.boolean().optional(),
  openPullRequestsMax: z.number().int(),
  findingsMax: z.number().int(),
});
export type SweepFacts = z.infer<typeof sweepFactsSchema>;

export const sweepResultSchema = z.object({
  /** Everything that was found, proposed or not. */
  found: z.array(findingSchema),
  /** Detectors that ran and whose report was read. */
  ran: z.array(z.string()),
  /** Fingerprints of what the pull request is about. */
  chosen: z.array(z.string()),
  pullRequest: z.number().int().nullable(),
  /** What detectors could not do. */
  notes: z.array(z.string()).optional(),
});
export type SweepResult = z.infer<typeof sweepResultSchema>;
