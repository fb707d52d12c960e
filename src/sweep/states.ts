/**
 * The states of findings over sweeps.
 *
 * ST1 A sweep does not propose a rejected or ignored finding again, unless the code at its place changed.
 * ST2 A finding that a sweep no longer finds is fixed. If a sweep finds it again, it is new.
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

/** A finding of a proposal whose sweep has not ended well, so that no sweep has remembered it. */
export const decidedFindingSchema = z.object({
  fingerprint: z.string(),
  state: z.enum(["proposed", "rejected"]),
  pullRequest: z.number().int().positive(),
});
type DecidedFinding = z.infer<typeof decidedFindingSchema>;

const lagging: ReadonlySet<string> = new Set(["alerts", "flaky"]);
const lagMs = 7 * 86_400_000;

/** All knowledge after a sweep of these detectors. Findings of other detectors stay unchanged. */
export function afterSweep(
  known: readonly KnownFinding[],
  found: readonly Finding[],
  {
    detectors,
    now,
    decided = [],
  }: { detectors: readonly string[]; now: number; decided?: readonly DecidedFinding[] | undefined },
): KnownFinding[] {
  const decisions = new Map(decided.map(({ fingerprint, ...rest }) => [fingerprint, rest]));
  const before = new Map(known.map((one) => [one.fingerprint, one]));
  const present = new Set(found.map(({ fingerprint }) => fingerprint));
  const rest = known.filter(({ fingerprint }) => !present.has(fingerprint));
  // A rejected finding whose code changed has another name, so it is new.
  return [
    ...found.map((one): KnownFinding => {
      const old = before.get(one.fingerprint);
      if (old === undefined)
        return { ...one, state: "new", since: now, pullRequest: null, ...decisions.get(one.fingerprint) };
      // GitHub's own reports follow a merge only after a while.
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
