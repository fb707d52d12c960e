/**
 * Signing a person in with GitHub: the App's web flow with PKCE. Baton asks only who the person is, and keeps no token.
 *
 * Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
 */
import { createHash } from "node:crypto";
import { z } from "zod";
import { BatonError } from "../../core/errors.ts";
import { product } from "../../core/product.ts";
import type { GithubUser } from "../../ports/github.ts";

export interface SignInApp {
  clientId: string;
  clientSecret: string;
  /** Of GitHub. */
  webUrl: string;
  apiUrl: string;
}

const answerMs = 10_000;
const tokenSchema = z.union([
  z.object({ access_token: z.string().min(1) }),
  z.object({ error: z.string(), error_description: z.string().default("") }),
]);
const userSchema = z.object({ id: z.number().int().positive(), login: z.string().min(1), type: z.string() });

export function authorizeUrl(
  { clientId, webUrl }: Pick<SignInApp, "clientId" | "webUrl">,
  given: { redirectUri: string; state: string; verifier: string },
): string {
  const url = new URL(`${webUrl}/login/oauth/authorize`);
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: given.redirectUri,
    state: given.state,
    code_challenge: createHash("sha256").update(given.verifier).digest("base64url"),
    code_challenge_method: "S256",
  }).toString();
  return url.href;
}

/** The person who accepted. */
export async function personOf(
  { clientId, clientSecret, webUrl, apiUrl }: SignInApp,
  given: { code: string; redirectUri: string; verifier: string },
): Promise<GithubUser> {
  const answer = tokenSchema.safeParse(
    await ask(`${webUrl}/login/oauth/access_token`, {
      method: "POST",
      headers: { accept: "application/json", "content-type": "application/json" },
      body: JSON.stringify({
        client_id: clientId,
        client_secret: clientSecret,
        code: given.code,
        redirect_uri: given.redirectUri,
        code_verifier: given.verifier,
      }),
    }),
  ).data;
  if (answer === undefined)
    throw new BatonError("BATON_GITHUB_UNAVAILABLE", "GitHub answered a sign-in in another form.");
  // GitHub answers a refusal with 200.
  if ("error" in answer)
    throw new BatonError(
      "BATON_TOKEN_REFUSED",
      `GitHub refused the sign-in: ${answer.error_description || answer.error}`,
    );
  const user = userSchema.safeParse(
    await ask(`${apiUrl}/user`, {
      headers: { authorization: `Bearer ${answer.access_token}`, accept: "application/json" },
    }),
  ).data;
  if (user === undefined) throw new BatonError("BATON_GITHUB_UNAVAILABLE", "GitHub did not say who signed in.");
  return { id: user.id, login: user.login, kind: user.type === "User" ? "user" : "bot" };
}

async function ask(url: string, request: RequestInit): Promise<unknown> {
  const headers = { ...(request.headers as Record<string, string>), "user-agent": `baton/${product.version}` };
  try {
    const response = await fetch(url, {
      ...request,
      headers,
      redirect: "error",
      signal: AbortSignal.timeout(answerMs),
    });
    return await response.json();
  } catch (cause) {
    throw new BatonError("BATON_GITHUB_UNAVAILABLE", "GitHub could not be asked who signed in.", { cause });
  }
}
