/** When another attempt is due: pure arithmetic over the policy of an effect and the error of its last attempt. */
import type { EffectKind, RetryPolicy } from "./effect.ts";
import { type ErrorData, errorCatalogue } from "./errors.ts";

/** Workers try again what may pass by itself; people, facts and time are waited for, not tried. */
export const defaultRetry: Record<EffectKind, RetryPolicy> = {
  agent: { attemptsMax: 3, pauseMs: 5_000, pauseMaxMs: 120_000 },
  shell: { attemptsMax: 2, pauseMs: 2_000, pauseMaxMs: 60_000 },
  join: { attemptsMax: 3, pauseMs: 2_000, pauseMaxMs: 60_000 },
  // GitHub can be down for an hour; a publish is an ensure, so patience costs nothing.
  publish: { attemptsMax: 12, pauseMs: 2_000, pauseMaxMs: 600_000 },
  base: { attemptsMax: 12, pauseMs: 2_000, pauseMaxMs: 600_000 },
  gate: { attemptsMax: 12, pauseMs: 2_000, pauseMaxMs: 600_000 },
  breakpoint: { attemptsMax: 12, pauseMs: 2_000, pauseMaxMs: 600_000 },
  ask: { attemptsMax: 1, pauseMs: 0, pauseMaxMs: 0 },
  sleep: { attemptsMax: 1, pauseMs: 0, pauseMaxMs: 0 },
  subprocess: { attemptsMax: 1, pauseMs: 0, pauseMaxMs: 0 },
};

/** Pause before attempt `attempt + 1`, or null when there is none. A `retry-after` from outside is obeyed, never shortened. */
export function retryPauseMs(policy: RetryPolicy, attempt: number, error: ErrorData): number | null {
  if (errorCatalogue[error.code].treatment !== "retryable") return null;
  if (attempt >= policy.attemptsMax) return null;
  const backoff = Math.min(policy.pauseMaxMs, policy.pauseMs * 2 ** (attempt - 1));
  return Math.max(backoff, error.retryAfterMs ?? 0);
}
