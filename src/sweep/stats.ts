/** The results of a repository's proposals, by detector. People read them, and they limit a detector's proposals. */
import { z } from "zod";
import type { ProposalEnd } from "./states.ts";
import { type Throttle, throttle } from "./throttle.ts";

export const proposalSchema = z.object({
  runId: z.string(),
  detector: z.string(),
  pullRequest: z.number().int().positive(),
  /** Findings that it fixes. */
  fingerprints: z.array(z.string()),
  /** Milliseconds since the epoch. */
  at: z.number(),
  /** null: people have not decided. */
  end: z.enum(["merged", "closed"]).nullable(),
  endedAt: z.number().nullable(),
  /** The cost of the whole run. */
  costUsd: z.number(),
});
export type Proposal = z.infer<typeof proposalSchema>;

export interface SweepStats {
  detector: string;
  proposals: number;
  open: number;
  merged: number;
  closed: number;
  /** The median. null: people decided nothing. */
  decisionMs: number | null;
  costUsd: number;
  /** All costs, divided by the number of merged changes. null: none was merged. */
  costPerMergedUsd: number | null;
  throttle: Throttle;
}

/** Oldest decision first. `since`: when somebody resumed the detector, if ever. */
export function endsOf(proposals: readonly Proposal[], detector: string, since = 0): ProposalEnd[] {
  return proposals
    .filter((one) => one.detector === detector && one.end !== null && (one.endedAt ?? 0) > since)
    .toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0) || a.pullRequest - b.pullRequest)
    .flatMap(({ end }) => (end === null ? [] : [end]));
}

export function sweepStats(
  proposals: readonly Proposal[],
  resumedAt: (detector: string) => number = () => 0,
): SweepStats[] {
  const detectors = [...new Set(proposals.map(({ detector }) => detector))].sort();
  return detectors.map((detector) => {
    const own = proposals.filter((one) => one.detector === detector);
    const merged = own.filter(({ end }) => end === "merged").length;
    const decided = own
      .flatMap(({ at, endedAt }) => (endedAt === null ? [] : [Math.max(0, endedAt - at)]))
      .toSorted((a, b) => a - b);
    const costUsd = own.reduce((sum, one) => sum + one.costUsd, 0);
    return {
      detector,
      proposals: own.length,
      open: own.filter(({ end }) => end === null).length,
      merged,
      closed: own.filter(({ end }) => end === "closed").length,
      decisionMs: decided[Math.floor((decided.length - 1) / 2)] ?? null,
      costUsd,
      costPerMergedUsd: merged === 0 ? null : costUsd / merged,
      throttle: throttle(detector, endsOf(proposals, detector, resumedAt(detector))),
    };
  });
}
