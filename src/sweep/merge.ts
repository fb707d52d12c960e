/** What two sweeps know of the same findings. */
import type { KnownFinding } from "./states.ts";

/** A decision of people outweighs what a sweep saw or did; a proposal is there whatever another sweep saw. */
const weights: Readonly<Record<KnownFinding["state"], number>> = {
  new: 0,
  fixed: 1,
  proposed: 2,
  accepted: 3,
  rejected: 3,
  ignored: 3,
};

/**
 * Finding by finding. `mine`: of a sweep that began at `began`, and knew what was kept then. What changed since then it did not
 * know: the weightier one stays, and of two equal ones the newer.
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
