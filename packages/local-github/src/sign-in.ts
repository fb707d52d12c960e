/**
 * The web flow in which a person signs in to an App: the redirect with a code, and its exchange for a token.
 *
 * Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
 * SI1 A code works once, within 10 minutes, for the App, callback address and PKCE verifier that it was made with.
 */
import { createHash, randomBytes } from "node:crypto";
import { type Answer, notFound } from "./answer.ts";
import { createUserToken } from "./deeds/accounts.ts";
import type { Site } from "./site.ts";

interface Code {
  appId: number;
  userId: number;
  redirectUri: string;
  challenge: string | null;
  expiresAt: number;
}

interface Flow {
  /** The person in the browser. null: nobody is signed in to GitHub. */
  userId: number | null;
  codes: Map<string, Code>;
}

const flows = new WeakMap<Site, Flow>();
const codeMs = 600_000;

export function flowOf(site: Site): Flow {
  const known = flows.get(site) ?? { userId: null, codes: new Map<string, Code>() };
  flows.set(site, known);
  return known;
}

/** Null: another path. */
export function answerSignIn(site: Site, method: string, url: URL, fields: URLSearchParams): Answer | null {
  if (url.pathname === "/login/oauth/authorize" && method === "GET") return authorize(site, url.searchParams);
  if (url.pathname === "/login/oauth/access_token" && method === "POST") return exchange(site, fields);
  return null;
}

function authorize(site: Site, given: URLSearchParams): Answer {
  const app = [...site.state.apps.values()].find(({ clientId }) => clientId === given.get("client_id"));
  if (app === undefined) return notFound().answer;
  const flow = flowOf(site);
  // Without a session of GitHub, its sign-in page comes first.
  if (flow.userId === null) return { status: 302, headers: { location: `${site.origin}/login` } };
  const redirectUri = given.get("redirect_uri") ?? app.callbackUrls[0] ?? "";
  const back = (to: string, parameters: Record<string, string>): Answer => {
    const location = new URL(to);
    const state = given.get("state");
    for (const [name, value] of Object.entries({ ...parameters, ...(state === null ? {} : { state }) }))
      location.searchParams.set(name, value);
    return { status: 302, headers: { location: location.href } };
  };
  // "The redirect_uri MUST match the registered callback URL". GitHub sends the browser to the registered address with the error.
  // Source: https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-authorization-request-errors
  if (!app.callbackUrls.includes(redirectUri))
    return app.callbackUrls[0] === undefined
      ? notFound().answer
      : back(app.callbackUrls[0], { error: "redirect_uri_mismatch" });
  const code = randomBytes(10).toString("hex");
  const challenge = given.get("code_challenge_method") === "S256" ? given.get("code_challenge") : null;
  const expiresAt = site.now().getTime() + codeMs;
  flow.codes.set(code, { appId: app.id, userId: flow.userId, redirectUri, challenge, expiresAt });
  return back(redirectUri, { code });
}

/** Refusals have the status 200. */
function exchange(site: Site, given: URLSearchParams): Answer {
  const app = [...site.state.apps.values()].find(({ clientId }) => clientId === given.get("client_id"));
  // Source: https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors
  if (app === undefined || app.clientSecret !== given.get("client_secret"))
    return refusal("incorrect_client_credentials", "The client_id and/or client_secret passed are incorrect.");
  const { codes } = flowOf(site);
  const name = given.get("code") ?? "";
  const code = codes.get(name);
  codes.delete(name);
  if (code === undefined || code.appId !== app.id || code.expiresAt <= site.now().getTime() || !isProven(code, given))
    return refusal("bad_verification_code", "The code passed is incorrect or expired.");
  if ((given.get("redirect_uri") ?? code.redirectUri) !== code.redirectUri)
    return refusal(
      "redirect_uri_mismatch",
      "The redirect_uri MUST match the registered callback URL for this application.",
    );
  return answerWith({ access_token: createUserToken(site, code.userId, "ghu").value, scope: "", token_type: "bearer" });
}

function isProven({ challenge }: Code, given: URLSearchParams): boolean {
  if (challenge === null) return true;
  return (
    createHash("sha256")
      .update(given.get("code_verifier") ?? "")
      .digest("base64url") === challenge
  );
}

function refusal(error: string, description: string): Answer {
  const uri = `/apps/managing-oauth-apps/troubleshooting-oauth-app-access-token-request-errors/#${error.replaceAll("_", "-")}`;
  return answerWith({ error, error_description: description, error_uri: uri });
}

function answerWith(body: object): Answer {
  return { status: 200, body };
}
