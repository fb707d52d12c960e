/**
 * People sign in with GitHub, and act in their own name with their own permissions.
 *
 * GI1 A session is a secret in a `__Host-` cookie. The store has its hash, so that any replica knows it.
 * GI2 The answer from GitHub belongs to the browser that asked: state and PKCE verifier are in a cookie of that browser.
 * GI3 A page of another site can neither read nor act: the cookie is strict, and an action needs this origin.
 * GI4 Baton keeps no token of the person. It asks GitHub for their permission as the App, at each request.
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { authorizeUrl, personOf, type SignInApp } from "../../adapters/github/sign-in.ts";
import { isSameText } from "../../adapters/system/same-text.ts";
import { sha256 } from "../../adapters/system/sha256.ts";
import { BatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { defineValue, readValue } from "../../ports/values.ts";
import { changeValue } from "../../runner/change-value.ts";
import type { Caller } from "./caller.ts";
import { dashboardPath } from "./dashboard.ts";
import { refused, type TokenPlace } from "./tokens.ts";

export const githubPaths = ["/sign-in/github", "/sign-in/github/callback", "/sign-out"] as const;

const sessionCookie = "__Host-baton";
const askCookie = "__Host-baton-sign-in";
const askSeconds = 600;

const sessionSchema = z.object({
  hash: z.string(),
  person: z.object({ id: z.number(), login: z.string(), kind: z.enum(["user", "bot"]) }),
  expiresAt: z.number(),
});
/** Oldest first. */
const kept = defineValue("api-sessions", z.array(sessionSchema));

export interface SignInPlace extends TokenPlace {
  app: SignInApp;
  /** Address of this Baton, with `https`: a browser keeps such cookies for nothing else. */
  publicUrl: string;
}

export class GithubSignIn {
  readonly #place: SignInPlace;
  readonly #origin: string;

  constructor(place: SignInPlace) {
    this.#place = place;
    this.#origin = new URL(place.publicUrl).origin;
  }

  /** One of `githubPaths`. */
  async handle(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wanted = path === "/sign-out" ? "POST" : "GET";
    if (request.method !== wanted) throw new BatonError("BATON_PATH_UNKNOWN", `${path} answers ${wanted}.`);
    if (path === githubPaths[0]) return this.#ask(response);
    if (path === githubPaths[1]) return this.#callback(request, response);
    return this.#signOut(request, response);
  }

  /** null: the request has no session. */
  async callerOf(request: IncomingMessage): Promise<Caller | null> {
    const secret = cookieOf(request, sessionCookie);
    if (secret === null || !this.#isOwnOrigin(request)) return null;
    const hash = sha256(secret);
    const sessions = (await readValue(this.#place.store, kept)) ?? [];
    const found = sessions.find((one) => one.hash === hash && one.expiresAt > this.#place.clock.now());
    return found === undefined ? null : { kind: "person", id: `person:${found.person.id}`, person: found.person };
  }

  #ask(response: ServerResponse): void {
    const [state, verifier] = [random(), random()];
    const location = authorizeUrl(this.#place.app, { redirectUri: this.#redirectUri, state, verifier });
    // GitHub's redirect comes from another site, so this cookie is lax.
    const cookie = `${askCookie}=${state}.${verifier}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${askSeconds}`;
    response.writeHead(302, { ...secretive, location, "set-cookie": cookie });
    response.end();
  }

  async #callback(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { searchParams } = new URL(request.url ?? "/", this.#origin);
    const [state = "", verifier = ""] = (cookieOf(request, askCookie) ?? "").split(".");
    const code = searchParams.get("code") ?? "";
    // GI2
    if (state === "" || !isSameText(state, searchParams.get("state") ?? "") || code === "")
      throw refused(
        "The sign-in was not begun in this browser, or more than 10 minutes ago. Begin again at `/sign-in/github`.",
      );
    const person = await personOf(this.#place.app, { code, redirectUri: this.#redirectUri, verifier });
    if (person.kind !== "user") throw refused("Only people sign in.");
    const secret = random();
    const now = this.#place.clock.now();
    await changeValue(this.#place, kept, (before) => {
      const open = (before ?? []).filter(({ expiresAt }) => expiresAt > now);
      const own = open.filter((one) => one.person.id === person.id).slice(1 - limits.apiSessionsPerPersonMax);
      const others = open.filter((one) => one.person.id !== person.id);
      const made = { hash: sha256(secret), person, expiresAt: now + limits.apiSessionMs };
      return [...others, ...own, made].slice(-limits.apiSessionsMax);
    });
    response.writeHead(200, {
      ...secretive,
      "content-type": "text/html; charset=utf-8",
      "set-cookie": [
        `${askCookie}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`,
        `${sessionCookie}=${secret}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=${limits.apiSessionMs / 1_000}`,
      ],
    });
    // A redirect from here would still come from GitHub's site, without the strict cookie.
    response.end(signedInPage(person.login));
  }

  async #signOut(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const secret = cookieOf(request, sessionCookie);
    if (secret === null || !this.#isOwnOrigin(request)) throw refused("The request carries no session.");
    await changeValue(this.#place, kept, (before) => (before ?? []).filter(({ hash }) => hash !== sha256(secret)));
    response.writeHead(204, {
      ...secretive,
      "set-cookie": `${sessionCookie}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`,
    });
    response.end();
  }

  get #redirectUri(): string {
    return `${this.#place.publicUrl}${githubPaths[1]}`;
  }

  /** GI3. A browser sends the origin with everything but a plain GET. */
  #isOwnOrigin({ method, headers: { origin } }: IncomingMessage): boolean {
    return origin === undefined ? method === "GET" : origin === this.#origin;
  }
}

const secretive = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

/** Logins have letters, figures and hyphens only. */
function signedInPage(login: string): string {
  const name = login.replaceAll(/[^\w-]/g, "");
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${dashboardPath}"><title>Baton</title><p>@${name} is signed in. <a href="${dashboardPath}">Continue</a></p></html>`;
}

function random(): string {
  return randomBytes(32).toString("base64url");
}

/** null: there is none, or it is not of Baton's form. */
function cookieOf({ headers }: IncomingMessage, name: string): string | null {
  for (const part of (headers.cookie ?? "").split(";")) {
    const [key = "", value = ""] = part.trim().split("=", 2);
    if (key === name) return /^[\w.-]{1,200}$/.test(value) ? value : null;
  }
  return null;
}
