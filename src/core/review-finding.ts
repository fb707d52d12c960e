/**
 * A finding of a review: as a reviewer reports it, and as Baton places it on a line of the change.
 *
 * Owns: the shapes in effects. Does not own: reading a reviewer's words (`prompt/findings.ts`), the check (`review/`).
 */
import { z } from "zod";

/** Worst first. */
export const findingSeverities = ["blocking", "minor", "nit"] as const;
export type FindingSeverity = (typeof findingSeverities)[number];

const reported = {
  path: z.string().min(1).max(500),
  severity: z.enum(findingSeverities),
  text: z.string().min(1).max(2_000),
};

export const reviewFindingSchema = z.strictObject({
  ...reported,
  line: z.number().int().positive().nullable().default(null),
  /** The lines at the place, letter for letter. Only reviews with comments on lines ask for them. */
  quote: z.string().max(4_000).optional(),
  /** The lines that should be there instead. */
  suggestion: z.string().max(4_000).nullable().optional(),
  /** The change deletes these lines. They are lines of the file before the change. */
  deleted: z.boolean().optional(),
});
export type ReviewFinding = z.output<typeof reviewFindingSchema>;

const sideSchema = z.enum(["LEFT", "RIGHT"]);

export const placedFindingSchema = z.object({
  path: z.string(),
  severity: z.enum(findingSeverities),
  text: z.string(),
  fingerprint: z.string(),
  side: sideSchema,
  line: z.number().int().positive(),
  /** null: the finding is about one line. */
  startLine: z.number().int().positive().nullable(),
  /** The file's text at the place. */
  quote: z.string(),
  suggestion: z.string().nullable(),
  /** False: the line did not change since the last review. */
  fresh: z.boolean(),
});
export type PlacedFinding = z.infer<typeof placedFindingSchema>;

export const otherFindingSchema = z.object({
  path: z.string(),
  line: z.number().int().positive().nullable(),
  severity: z.enum(findingSeverities),
  text: z.string(),
});
export type OtherFinding = z.infer<typeof otherFindingSchema>;

export const placementSchema = z.object({
  placed: z.array(placedFindingSchema),
  /** The quote is in the file, but GitHub accepts no comment there. */
  outside: z.array(otherFindingSchema),
  /** Not verified, and never posted. */
  left: z.array(otherFindingSchema.extend({ reason: z.string() })),
  /** Fingerprints of earlier comments whose line is no longer there. */
  gone: z.array(z.string()),
});
export type Placement = z.infer<typeof placementSchema>;

/** The comment of an earlier review, as far as its place decides whether its line is still there. */
export const earlierPlaceSchema = z.object({ fingerprint: z.string(), path: z.string(), side: sideSchema });
export type EarlierPlace = z.infer<typeof earlierPlaceSchema>;
