/**
 * Identifies the caller and checks permissions: tokens, App JWTs, grants of installations, roles of people.
 *
 * A1 An unknown, expired or revoked token is 401, even where no token is needed.
 * A2 A caller gets 404 for an invisible resource, and 403 for a forbidden action on a visible resource.
 * A3 Local GitHub refuses a grant that the installation lacks, even in a public repository. A manifest with too few
 *    permissions therefore fails here before it fails on GitHub.
 */
import { verify } from "node:crypto";
import { badCredentials, notFound, Refusal } from "./answer.ts";
import type { Site } from "./site.ts";
import {
  type App,
  accountOf,
  atLeast,
  covers,
  type Grants,
  type Installation,
  type Repository,
  type Role,
  roleOf,
  type State,
} from "./state.ts";

export type Actor =
  | { kind: "anonymous" }
  | { kind: "user"; userId: number }
  | { kind: "app"; app: App }
  | { kind: "installation"; app: App; installation: Installation; grants: Grants; repositoryIds: number[] | null };

/** The account that acts, and the App through which it acts. */
export interface Doer {
  accountId: number;
  appId: number | null;
  /** Set for an App's token without `workflows: write`. */
  mayNotWriteWorkflows?: boolean;
}

export function doerOf(actor: Actor): Doer {
  switch (actor.kind) {
    case "user":
      return { accountId: actor.userId, appId: null };
    case "installation": {
      const mayNotWriteWorkflows = actor.grants["workflows"] !== "write";
      return { accountId: actor.app.botId, appId: actor.app.id, mayNotWriteWorkflows };
    }
    case "app":
      return { accountId: actor.app.botId, appId: actor.app.id };
    case "anonymous":
      throw new Refusal(401, "Requires authentication");
  }
}

export function loginOf(state: State, actor: Actor): string | null {
  if (actor.kind === "anonymous") return null;
  return accountOf(state, doerOf(actor).accountId).login;
}

/** `Authorization: token x`, `bearer x`, or the password of `basic`. The scheme may have any case. */
export function credentialFrom(header: string | undefined): string | null {
  const match = /^(token|bearer|basic)\s+(\S+)\s*$/i.exec(header ?? "");
  if (match === null) return null;
  const [, scheme = "", value = ""] = match;
  if (scheme.toLowerCase() !== "basic") return value;
  const decoded = Buffer.from(value, "base64").toString();
  const colon = decoded.indexOf(":");
  const [name, password] = colon < 0 ? [decoded, ""] : [decoded.slice(0, colon), decoded.slice(colon + 1)];
  return password === "" || password === "x-oauth-basic" ? name : password;
}

export function authenticate(site: Site, header: string | undefined): Actor {
  if (header === undefined || header === "") return { kind: "anonymous" };
  const credential = credentialFrom(header);
  if (credential === null) throw badCredentials();
  if (credential.split(".").length === 3) return { kind: "app", app: verifyJwt(site, credential) };
  const token = site.state.tokens.get(credential);
  if (token === undefined) throw badCredentials();
  if (token.expiresAt !== null && Date.parse(token.expiresAt) <= site.now().getTime()) throw badCredentials();
  if (token.userId !== null) return { kind: "user", userId: token.userId };
  const installation = site.state.installations.get(token.installationId ?? -1);
  const app = site.state.apps.get(installation?.appId ?? -1);
  if (installation === undefined || app === undefined) throw badCredentials();
  if (installation.suspendedAt !== null) throw new Refusal(403, "This installation has been suspended");
  return { kind: "installation", app, installation, grants: token.grants ?? {}, repositoryIds: token.repositoryIds };
}

/** GitHub: RS256, `iss` is the App id or client id, `exp` at most 10 minutes ahead. */
const jwtLifetimeSecondsMax = 600;
const clockDriftSeconds = 60;

function verifyJwt(site: Site, token: string): App {
  const undecodable = new Refusal(401, "A JSON web token could not be decoded");
  const [head = "", body = "", signature = ""] = token.split(".");
  const header = decodePart(head);
  const claims = decodePart(body);
  if (header === null || claims === null || header["alg"] !== "RS256") throw undecodable;
  const issuer = String(claims["iss"]);
  const app = [...site.state.apps.values()].find((one) => String(one.id) === issuer || one.clientId === issuer);
  if (app === undefined) throw new Refusal(404, "Integration not found");
  const signed = Buffer.from(`${head}.${body}`);
  if (!verify("RSA-SHA256", signed, app.publicKeyPem, Buffer.from(signature, "base64url"))) throw undecodable;
  const now = Math.floor(site.now().getTime() / 1000);
  const expires = claims["exp"];
  if (typeof expires !== "number") throw new Refusal(401, "Missing 'expiration time' claim ('exp') in assertion");
  if (expires <= now) throw new Refusal(401, "'Expiration time' claim ('exp') must be a numeric value in the future");
  if (expires > now + jwtLifetimeSecondsMax) {
    throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future");
  }
  const issued = claims["iat"];
  if (typeof issued === "number" && issued > now + clockDriftSeconds) {
    throw new Refusal(401, "'Issued at' claim ('iat') must be an Integer representing the time of issue");
  }
  return app;
}

function decodePart(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** For example `issues:write`. `|` separates alternatives. */
export type Need = string;

export interface Demand {
  need: Need;
  /** The role that a person needs in the repository for the same action. */
  role: Role;
}

function meets(grants: Grants, need: Need): boolean {
  return need.split("|").some((one) => {
    const [area = "", level = "read"] = one.split(":");
    const granted = area === "metadata" ? "read" : grants[area];
    return granted === "write" || (granted === "read" && level === "read");
  });
}

export function isWrite(need: Need): boolean {
  return need.includes(":write");
}

/** Returns when the actor may. Throws 401, 403 or 404 otherwise. */
export function demand(state: State, actor: Actor, wanted: Demand & { repository: Repository }): void {
  const { repository, need, role } = wanted;
  const accepted = need.split("|").map((one) => one.replace(":", "="));
  const denied = () =>
    new Refusal(403, "Resource not accessible by integration", {
      headers: { "x-accepted-github-permissions": accepted.join("; ") },
    });
  switch (actor.kind) {
    case "app":
      throw denied();
    case "anonymous":
      if (repository.private) throw notFound();
      if (isWrite(need)) throw new Refusal(401, "Requires authentication");
      return;
    case "user": {
      const has = roleOf(state, repository, actor.userId);
      if (has === "none") throw notFound();
      if (!atLeast(has, role)) throw new Refusal(403, "Must have admin rights to Repository.");
      return;
    }
    case "installation": {
      const reached =
        covers(actor.installation, repository) &&
        (actor.repositoryIds === null || actor.repositoryIds.includes(repository.id));
      if (!reached && repository.private) throw notFound();
      if (!reached && isWrite(need)) throw denied();
      if (reached && !meets(actor.grants, need)) throw denied();
    }
  }
}

export function canSee(state: State, actor: Actor, repository: Repository): boolean {
  try {
    demand(state, actor, { repository, need: "metadata:read", role: "read" });
    return true;
  } catch {
    return false;
  }
}
