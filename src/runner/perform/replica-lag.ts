/**
 * GitHub answers reads from replicas: what was made a moment ago may not be there yet.
 *
 * A 404 soon after an effect was asked for is therefore tried again; later it is believed.
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
