/** The input of a run of the process `sweep`, and its output for the next one. */
import { z } from "zod";
import { findingSchema, severities } from "../core/finding.ts";
import { decidedFindingSchema, knownFindingSchema } from "./states.ts";

export const sweepFactsSchema = z.object({
  known: z.array(knownFindingSchema),
  /** By detector, oldest first: people's decisions about its proposals. */
  ends: z.record(z.string(), z.array(z.enum(["merged", "closed"]))),
  openPullRequests: z.number().int().nonnegative(),
  /** Open and closed proposals that no sweep remembers. Absent in runs of an older Baton. */
  decided: z.array(decidedFindingSchema).optional(),
  /** Fingerprints of findings that people ticked, which come first. Absent in runs of an older Baton. */
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
      /** How long its result counts for the same files. Absent in runs of an older Baton. */
      reuseMs: z.number().optional(),
    }),
  ),
  /** Most lines of a proposal. Absent in runs of an older Baton. */
  changedLinesMax: z.number().int().optional(),
  /** The money that sweeps may still spend today and this month, by their own limits. null: there is no bound. */
  leftUsd: z.number().nullable().optional(),
  /** Whether Baton may use results of detectors over the same files again. Absent in runs of an older Baton. */
  reuses: z.boolean().optional(),
  openPullRequestsMax: z.number().int(),
  findingsMax: z.number().int(),
});
export type SweepFacts = z.infer<typeof sweepFactsSchema>;

export const sweepResultSchema = z.object({
  /** All findings, proposed or not. */
  found: z.array(findingSchema),
  /** Detectors that ran and gave a readable report. */
  ran: z.array(z.string()),
  /** Fingerprints of the pull request's findings. */
  chosen: z.array(z.string()),
  pullRequest: z.number().int().nullable(),
  /** Problems of detectors. */
  notes: z.array(z.string()).optional(),
});
export type SweepResult = z.infer<typeof sweepResultSchema>;
