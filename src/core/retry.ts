/** When another attempt is due: pure arithmetic over an effect's policy and its last attempt's error. */
import type { EffectKind, RetryPolicy } from "./effect.ts";
import { type ErrorData, errorCatalogue } from "./errors.ts";

/** Workers retry errors that may pass. For people, facts and time, Baton waits and does not retry. */
export const defaultRetry: Record<EffectKind, RetryPolicy> = {
  agent: { attemptsMax: 3, pauseMs: 5_000, pauseMaxMs: 120_000 },
  shell: { attemptsMax: 2, pauseMs: 2_000, pauseMaxMs: 60_000 },
  join: { attemptsMax: 3, pauseMs: 2_000, pauseMaxMs: 60_000 },
  // GitHub can be down for an hour. A publish is an ensure, so waiting costs nothing.
  publish: { attemptsMax: 12, pauseMs: 2_000, pauseMaxMs: 600_000 },
  base: { attemptsMax: 12, pauseMs: 2_000, pauseMaxMs: 600_000 },
  place: { attemptsMax: 3, pauseMs: 2_000, pauseMaxMs: 60_000 },
  gate: { attemptsMax: 12, pauseMs: 2_000, pauseMaxMs: 600_000 },
  breakpoint: { attemptsMax: 12, pauseMs: 2_000, pauseMaxMs: 600_000 },
  ask: { attemptsMax: 1, pauseMs: 0, pauseMaxMs: 0 },
  sleep: { attemptsMax: 1, pauseMs: 0, pauseMaxMs: 0 },
  subprocess: { attemptsMax: 1, pauseMs: 0, pauseMaxMs: 0 },
};

/**
 * Pause before attempt `attempt + 1`. null: there is no further attempt. Baton obeys a `retry-after` from outside and
 * never shortens it.
 */
export function retryPauseMs(policy: RetryPolicy, attempt: number, error: ErrorData): number | null {
  if (errorCatalogue[error.code].treatment !== "retryable") return null;
  if (attempt >= policy.attemptsMax) return null;
  const backoff = Math.min(policy.pauseMaxMs, policy.pauseMs * 2 ** (attempt - 1));
  return Math.max(backoff, error.retryAfterMs ?? 0);
}
