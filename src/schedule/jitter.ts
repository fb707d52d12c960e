/** Spreads repositories with one cron expression over some minutes. A seed always gives the same delay. */
import { hash32 } from "../core/text-hash.ts";

/** Whole seconds in [0, `minutes`), in milliseconds. */
export function jitterMs(seed: string, minutes: number): number {
  const seconds = Math.floor(minutes * 60);
  return seconds <= 0 ? 0 : (hash32(seed) % seconds) * 1_000;
}
