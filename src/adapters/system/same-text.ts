import { timingSafeEqual } from "node:crypto";

/** Compares a secret with what somebody sent. The time does not depend on where they differ. */
export function isSameText(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}
