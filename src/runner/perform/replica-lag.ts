/**
 * GitHub answers reads from replicas, which may lack objects that were created a moment ago.
 *
 * So Baton retries a 404 that comes soon after the effect's request. A later 404 is final.
 */
import { BatonError } from "../../core/errors.ts";
import type { EffectState } from "../../core/state.ts";

const lagMs = 60_000;
const pauseMs = 2_000;

export function afterLag(error: BatonError, effect: Pick<EffectState, "requestedAt">, now: number): BatonError {
  if (error.code !== "BATON_GITHUB_NOT_FOUND" || now >= effect.requestedAt + lagMs) return error;
  return new BatonError("BATON_GITHUB_UNAVAILABLE", `${error.message}, perhaps not yet; trying again`, {
    cause: error,
    retryAfterMs: pauseMs,
  });
}
