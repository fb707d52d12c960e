/** Merges the knowledge of two sweeps about the same findings. */
import type { KnownFinding } from "./states.ts";

/** A person's decision outweighs the result of a sweep. A proposal exists, whatever another sweep saw. */
const weights: Readonly<Record<KnownFinding["state"], number>> = {
  new: 0,
  fixed: 1,
  proposed: 2,
  accepted: 3,
  rejected: 3,
  ignored: 3,
};

/**
 * Merges finding by finding. `mine` comes from a sweep that began at `began` with the values kept then. That sweep did not
 * know later changes. The weightier state stays, and the newer of two equal ones.
 */
export function mergeKnown(
  kept: readonly KnownFinding[],
  mine: readonly KnownFinding[],
  began: number,
): KnownFinding[] {
  const merged = new Map(kept.map((one) => [one.fingerprint, one]));
  for (const one of mine) {
    const other = merged.get(one.fingerprint);
    if (other === undefined || other.since <= began || outweighs(one, other)) merged.set(one.fingerprint, one);
  }
  return [...merged.values()];
}

function outweighs(one: KnownFinding, other: KnownFinding): boolean {
  const difference = weights[one.state] - weights[other.state];
  return difference === 0 ? one.since >= other.since : difference > 0;
}
