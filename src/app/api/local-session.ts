/**
 * Signing in on the machine of Baton: a link that the terminal prints, once for each browser. The browser then acts as the
 * operator, who may do the same on the command line.
 *
 * OL1 A link works once, for 5 minutes. Its session ends after 12 hours, or with the process.
 * OL2 Only a browser on this machine has a session: both ends of the connection are loopback addresses, the name that it asks
 *     for too, and no proxy is between.
 * OL3 A page of another site can neither read nor act: the cookie is strict, and an action needs this origin.
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { userInfo } from "node:os";
import { sha256 } from "../../adapters/system/sha256.ts";
import { BatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Caller } from "./caller.ts";
import { dashboardPath } from "./dashboard.ts";
import { refused } from "./tokens.ts";

export const signInPath = "/sign-in";
const cookieName = "baton_session";
const linksMax = 20;
const sessionsMax = 50;

export class LocalSessions {
  readonly #clock: Clock;
  /** Hashes of secrets, with the end of each. */
  readonly #links = new Map<string, number>();
  readonly #sessions = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `url`: the address of this Baton. */
  link(url: string): string {
    if (!isLoopbackName(new URL(url).hostname))
      throw new BatonError(
        "BATON_INPUT_INVALID",
        `This Baton listens at ${url}, which other machines may reach. A link works only for \`HOST=127.0.0.1\`. Elsewhere, use a token.`,
      );
    return `${url}${signInPath}?code=${this.#add(this.#links, limits.apiLinkMs, linksMax)}`;
  }

  /** OL1. Answers the request for a link. */
  open(request: IncomingMessage, response: ServerResponse): void {
    const code = new URL(request.url ?? "/", "http://baton").searchParams.get("code") ?? "";
    if (request.method !== "GET" || !isHere(request) || !this.#holds(this.#links, code))
      throw refused(
        "The link does not hold: it was used, is older than 5 minutes, or is of another Baton. Print a new one: `baton open`.",
      );
    this.#links.delete(sha256(code));
    const session = this.#add(this.#sessions, limits.apiSessionMs, sessionsMax);
    response.writeHead(303, {
      location: dashboardPath,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "set-cookie": `${cookieName}=${session}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${limits.apiSessionMs / 1_000}`,
    });
    response.end();
  }

  /** null: the request has no session. */
  callerOf(request: IncomingMessage): Caller | null {
    const session = new RegExp(`(?:^|; *)${cookieName}=([\\w-]{1,100})`).exec(request.headers.cookie ?? "")?.[1];
    if (session === undefined || !isHere(request) || !isOwnOrigin(request) || !this.#holds(this.#sessions, session))
      return null;
    const login = `${userInfo().username} (browser)`;
    return { kind: "operator", id: `operator:${sha256(session).slice(0, 12)}`, person: { id: 0, login, kind: "user" } };
  }

  #add(all: Map<string, number>, ms: number, max: number): string {
    const made = randomBytes(32).toString("base64url");
    const now = this.#clock.now();
    for (const [hash, until] of all) if (until <= now || all.size >= max) all.delete(hash);
    all.set(sha256(made), now + ms);
    return made;
  }

  #holds(all: ReadonlyMap<string, number>, secret: string): boolean {
    return (all.get(sha256(secret)) ?? 0) > this.#clock.now();
  }
}

/** OL2. The name keeps out a page whose own name leads to this machine. */
function isHere({ socket, headers }: IncomingMessage): boolean {
  const isProxied = Object.keys(headers).some((name) => name === "forwarded" || name.startsWith("x-forwarded-"));
  return (
    !isProxied &&
    isLoopback(socket.remoteAddress) &&
    isLoopback(socket.localAddress) &&
    isLoopbackName(hostOf(headers.host))
  );
}

/** OL3. A browser sends the origin with everything but a plain GET. */
function isOwnOrigin({ method, headers: { origin, host } }: IncomingMessage): boolean {
  return origin === undefined ? method === "GET" : origin === `http://${host}`;
}

function isLoopback(address: string | undefined): boolean {
  return address === "::1" || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(address ?? "");
}

function isLoopbackName(name: string): boolean {
  return name === "localhost" || name === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(name);
}

function hostOf(host: string | undefined): string {
  return (host ?? "").replace(/:\d+$/, "");
}
