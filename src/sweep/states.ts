/**
 * What becomes of findings over sweeps.
 *
 * ST1 What was rejected or ignored is not proposed again, unless the code at its place changed.
 * ST2 What is not found any more is fixed; found again, it is new.
 */
import { z } from "zod";
import { type Finding, findingSchema } from "../core/finding.ts";

const findingStates = ["new", "proposed", "accepted", "rejected", "ignored", "fixed"] as const;

export const knownFindingSchema = findingSchema.extend({
  state: z.enum(findingStates),
  /** Milliseconds since the epoch. */
  since: z.number(),
  pullRequest: z.number().int().positive().nullable(),
});
export type KnownFinding = z.infer<typeof knownFindingSchema>;

const lagging: ReadonlySet<string> = new Set(["alerts", "flaky"]);
const lagMs = 7 * 86_400_000;

/** All that is known after a sweep of these detectors. Those of other detectors stay as they are. */
export function afterSweep(
  known: readonly KnownFinding[],
  found: readonly Finding[],
  { detectors, now }: { detectors: readonly string[]; now: number },
): KnownFinding[] {
  const before = new Map(known.map((one) => [one.fingerprint, one]));
  const present = new Set(found.map(({ fingerprint }) => fingerprint));
  const rest = known.filter(({ fingerprint }) => !present.has(fingerprint));
  // A rejected finding whose code changed has another name: it is a new one.
  return [
    ...found.map((one): KnownFinding => {
      const old = before.get(one.fingerprint);
      if (old === undefined) return { ...one, state: "new", since: now, pullRequest: null };
      // What GitHub itself judges follows a merge only after a while.
      const mayLag = old.state === "accepted" && lagging.has(one.detector) && now - old.since < lagMs;
      if ((old.state === "fixed" || old.state === "accepted") && !mayLag)
        return { ...one, state: "new", since: now, pullRequest: null };
      return { ...old, ...one };
    }),
    ...rest.map((one): KnownFinding => {
      const isGone = detectors.includes(one.detector) && (one.state === "new" || one.state === "proposed");
      return isGone ? { ...one, state: "fixed", since: now } : one;
    }),
  ];
}

export type ProposalEnd = "merged" | "closed";

/** Findings of a proposal that people decided about. */
export function afterProposal(
  known: readonly KnownFinding[],
  fingerprints: readonly string[],
  { state, pullRequest, now }: { state: "proposed" | "accepted" | "rejected"; pullRequest: number | null; now: number },
): KnownFinding[] {
  const meant = new Set(fingerprints);
  return known.map((one) => (meant.has(one.fingerprint) ? { ...one, state, pullRequest, since: now } : one));
}
