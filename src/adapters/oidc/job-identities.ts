/**
 * Verifies the tokens of GitHub Actions jobs against GitHub's published keys.
 * Claims: https://docs.github.com/actions/concepts/security/openid-connect
 */
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import { z } from "zod";
import { BatonError } from "../../core/errors.ts";
import type { JobIdentities, JobIdentity } from "../../ports/job-identity.ts";

const claimsSchema = z.object({
  repository: z.string(),
  repository_id: z.coerce.number().int().positive(),
  run_id: z.coerce.string(),
  workflow_ref: z.string(),
});

const clockToleranceSeconds = 30;
/** GitHub's tokens live a few minutes. An older one is a copy. */
const ageMax = "15m";

/** A token's claims about its job. `verify` checks that they are true. */
export function identityOf(payload: unknown): JobIdentity {
  const claims = claimsSchema.parse(payload);
  return {
    repositoryId: claims.repository_id,
    repository: claims.repository,
    workflowRunId: claims.run_id,
    workflowRef: claims.workflow_ref,
  };
}

export function createJobIdentities({ issuer, audience }: { issuer: string; audience: string }): JobIdentities {
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks`));
  return {
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer,
          audience,
          algorithms: ["RS256"],
          clockTolerance: clockToleranceSeconds,
          maxTokenAge: ageMax,
        });
        return identityOf(payload);
      } catch (thrown) {
        const why = thrown instanceof Error ? thrown.message : String(thrown);
        if (!isOfToken(thrown))
          throw new BatonError("BATON_GITHUB_UNAVAILABLE", `The keys of ${issuer} could not be read: ${why}`, {
            cause: thrown,
          });
        throw new BatonError("BATON_WORKER_REFUSED", `The job's token does not hold: ${why}`, { cause: thrown });
      }
    },
  };
}

/** False: the keys were unavailable, which says nothing about the token. The next try may find them. */
function isOfToken(thrown: unknown): boolean {
  if (thrown instanceof z.ZodError) return true;
  if (!(thrown instanceof errors.JOSEError)) return false;
  // An unavailable key set throws a plain error of the base class, without a code of its own.
  return !(
    thrown instanceof errors.JWKSTimeout ||
    thrown instanceof errors.JWKSInvalid ||
    thrown.code === errors.JOSEError.code
  );
}
