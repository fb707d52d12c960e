/**
 * The HTTP API below `/api/v1`: a request to its row of `table.ts`, its handler, and its answer. The worker's protocol has its
 * own door (`effects-api.ts`).
 *
 * AV1 Nothing is anonymous. Baton reads neither query nor body before it knows the caller.
 * AV2 Every refusal is a problem detail with a code of the catalog. Words of faults are for the log.
 * AV3 Time, size and number of requests are bounded, per client.
 * AV4 A request that changes something happens once (`keys.ts`).
 */
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { z } from "zod";
import { BatonError, hasCode, toBatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import { parseInput } from "../../process/process.ts";
import { readBody } from "../read-body.ts";
import { Access, type Caller, hasScope } from "./caller.ts";
import { answerDashboard, answerSignInPage, dashboardPath } from "./dashboard.ts";
import { EventStreams } from "./event-stream.ts";
import { type GithubSignIn, githubPaths } from "./github-sign-in.ts";
import { type ApiParts, type Asked, handlers } from "./handlers.ts";
import { once } from "./keys.ts";
import { type LocalSessions, signInPath } from "./local-session.ts";
import { Metrics } from "./metrics.ts";
import { problemOf } from "./problem.ts";
import { Rates } from "./rates.ts";
import { Repositories } from "./repositories.ts";
import { type Given, type Route, type RouteName, routeNames, routes } from "./table.ts";
import { refused, type Token, Tokens } from "./tokens.ts";

const apiPath = "/api/v1/";
const metricsPath = "/metrics";

/** The worker's protocol is below the same path, and asked first. */
export function isApiPath(path: string): boolean {
  return (
    path.startsWith(apiPath) || path === metricsPath || path === signInPath || isGithubPath(path) || isPagePath(path)
  );
}

function isPagePath(path: string): boolean {
  return path === dashboardPath || path.startsWith(`${dashboardPath}/`);
}

function isGithubPath(path: string): boolean {
  return (githubPaths as readonly string[]).includes(path);
}

export interface Api {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Ends the streams, so that the server can close. */
  close(): void;
}

interface Compiled {
  name: RouteName;
  row: Route;
  pattern: RegExp;
  names: string[];
}

const compiled: readonly Compiled[] = routeNames.map((name) => {
  const row: Route = routes[name];
  const names = [...row.path.matchAll(/\{(\w+)\}/g)].map(([, one = ""]) => one);
  return { name, row, names, pattern: new RegExp(`^${row.path.replaceAll(/\{\w+\}/g, "([^/]+)")}$`) };
});

/** How people sign in. */
interface SignIns {
  /** On this machine. Absent: nobody can. */
  local?: LocalSessions;
  /** Absent: the operator set no client of GitHub. */
  github?: GithubSignIn | null;
}

export function openApi(parts: Omit<ApiParts, "repositories">, { local, github = null }: SignIns = {}): Api {
  const { dependencies } = parts;
  const { store, clock, log } = dependencies;
  const tokens = new Tokens({ store, clock });
  const rates = new Rates(clock);
  const whole: ApiParts = { ...parts, repositories: new Repositories(dependencies.github, clock) };
  const metrics = new Metrics(parts);
  const streams = new EventStreams(whole, metrics);

  const tokenOf = async (request: IncomingMessage): Promise<Token> => {
    const from = `refused ${request.socket.remoteAddress ?? ""}`;
    try {
      return await tokens.verify(bearerOf(request));
    } catch (thrown) {
      if (hasCode(thrown, "BATON_TOKEN_REFUSED"))
        rates.demand(from, limits.apiRefusalsPerMinuteMax, "refused requests");
      throw thrown;
    }
  };

  const callerOf = async (request: IncomingMessage): Promise<Caller> =>
    local?.callerOf(request) ?? (await github?.callerOf(request)) ?? callerFor(await tokenOf(request));

  const answerMetrics = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { id, scope } = await tokenOf(request);
    if (scope !== "metrics")
      throw new BatonError(
        "BATON_POLICY_DENIED",
        "`/metrics` needs a token with the scope `metrics`: it is about all repositories.",
      );
    rates.demand(`requests ${id}`, limits.apiRequestsPerMinuteMax, "requests");
    const { type, text } = await metrics.text(streams.size);
    response.writeHead(200, { ...always, "content-type": type });
    response.end(text);
  };

  /** A page is for people, so a token opens none. */
  const answerPage = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    const caller = local?.callerOf(request) ?? (await github?.callerOf(request)) ?? null;
    if (request.method !== "GET") throw new BatonError("BATON_PATH_UNKNOWN", `${path.slice(0, 100)} answers GET.`);
    if (caller === null) return answerSignInPage(response, { github: github !== null });
    if (!answerDashboard(path, response))
      throw new BatonError("BATON_PATH_UNKNOWN", `There is no page ${path.slice(0, 100)}.`);
  };

  const answer = async (
    request: IncomingMessage,
    response: ServerResponse,
    note: (route: string) => void,
  ): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://baton");
    if (url.pathname === metricsPath) return answerMetrics(request, response);
    if (url.pathname === signInPath && local !== undefined) return local.open(request, response);
    if (isGithubPath(url.pathname)) {
      // AV3: each of these may ask GitHub.
      rates.demand(`sign-in ${request.socket.remoteAddress ?? ""}`, limits.apiSignInsPerMinuteMax, "sign-ins");
      if (github === null)
        throw new BatonError("BATON_PATH_UNKNOWN", "Nobody can sign in with GitHub here: GITHUB_CLIENT_ID is not set.");
      return github.handle(url.pathname, request, response);
    }
    if (isPagePath(url.pathname)) return answerPage(request, response, url.pathname);
    const caller = await callerOf(request);
    const { name, row, at } = find(request.method ?? "", url.pathname);
    note(name);
    if (!hasScope(caller, row.scope))
      throw new BatonError(
        "BATON_POLICY_DENIED",
        `The token has not the scope \`${row.scope}\`, which this request needs.`,
      );
    rates.demand(`requests ${caller.id}`, limits.apiRequestsPerMinuteMax, "requests");
    const query = parseInput("The query", row.query, queryOf(url.searchParams));
    const given = { at: parseInput("The path", row.at, at), query };
    const access = new Access(dependencies, caller);
    if (row.isStream === true)
      return streams.open(request, response, {
        access,
        query: query as Given<"streamEvents">["query"],
        isStillValid: async () => hasCaller(await callerOf(request).catch(nullIfRefused), caller),
      });
    const handler = handlers[name as keyof typeof handlers] as (asked: Asked, given: unknown) => Promise<unknown>;
    if (row.method === "GET") {
      const found = await handler({ ...whole, access, operationKey: "", isRepeated: false }, { ...given, body: {} });
      return send(request, response, found);
    }
    rates.demand(`writes ${caller.id}`, limits.apiWritesPerMinuteMax, "requests that change something");
    const text = await bodyOf(request);
    const body = parseInput("The body", row.body as z.ZodType, parsed(text));
    const key = headerOf(request, "idempotency-key");
    const changed = await once(
      { store, clock },
      { caller: caller.id, key, request: `${row.method} ${url.pathname}\n${text}` },
      (keyed) => handler({ ...whole, access, ...keyed }, { ...given, body }),
    );
    log.info("A request through the API was carried out", { route: name, caller: caller.id, path: url.pathname });
    send(request, response, changed);
  };

  return {
    async handle(request, response) {
      const began = performance.now();
      let route = "none";
      response.once("close", () => metrics.answered(route, response.statusCode, performance.now() - began));
      try {
        await answer(request, response, (name) => {
          route = name;
        });
      } catch (thrown) {
        const error = toBatonError(thrown);
        if (error.code === "BATON_INTERNAL")
          log.error("A request to the API failed", { path: request.url ?? "", error });
        refuse(request, response, error);
      }
    },
    close: () => streams.close(),
  };
}

function callerFor({ scope, person, ...token }: Token): Caller {
  if (scope === "metrics" || person === null) throw refused("The token is for `GET /metrics` only.");
  const { id, name, repositories, owners } = token;
  return { kind: "token", id, name, scope, person, repositories, owners };
}

function hasCaller(now: Caller | null, before: Caller): boolean {
  return now?.id === before.id;
}

function nullIfRefused(thrown: unknown): null {
  if (hasCode(thrown, "BATON_TOKEN_REFUSED")) return null;
  throw thrown;
}

function find(method: string, path: string): { name: RouteName; row: Route; at: Record<string, string> } {
  const fitting = compiled.flatMap((one) => {
    const match = one.pattern.exec(path);
    return match === null ? [] : [{ ...one, values: match.slice(1) }];
  });
  // A fixed word takes precedence over a name, as the table has it.
  const found = fitting.find(({ row }) => row.method === method);
  if (found !== undefined) {
    const { name, row, names, values } = found;
    return { name, row, at: Object.fromEntries(names.map((one, index) => [one, decoded(values[index] ?? "")])) };
  }
  const methods = [...new Set(fitting.map(({ row }) => row.method))];
  throw new BatonError(
    "BATON_PATH_UNKNOWN",
    `There is no ${method.slice(0, 20)} ${path.slice(0, 100)}.${methods.length === 0 ? "" : ` This path answers ${methods.join(" and ")}.`}`,
  );
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (thrown) {
    throw new BatonError("BATON_PAYLOAD_INVALID", `"${part.slice(0, 60)}" is not percent-encoded UTF-8.`, {
      cause: thrown,
    });
  }
}

/** Each parameter once: a filter has one value. */
function queryOf(given: URLSearchParams): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of given) {
    if (Object.hasOwn(query, name))
      throw new BatonError(
        "BATON_INPUT_INVALID",
        `The query has \`${name.slice(0, 40)}\` ${given.getAll(name).length} times. Send it once.`,
      );
    query[name] = value;
  }
  return query;
}

function bearerOf(request: IncomingMessage): string {
  const token = /^Bearer (\S{1,500})$/i.exec(headerOf(request, "authorization") ?? "")?.[1];
  if (token === undefined) throw refused("The request carries no `Authorization: Bearer` token.");
  return token;
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const type = headerOf(request, "content-type") ?? "";
  if (!/^application\/json(?:;|$)/i.test(type))
    throw new BatonError("BATON_PAYLOAD_INVALID", "The body must be JSON, with `Content-Type: application/json`.");
  const bounds = { what: "request", bytesMax: limits.apiBodyBytesMax, deadlineMs: limits.apiBodyMs };
  return (await readBody(request, bounds)).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text === "" ? "{}" : text);
  } catch (thrown) {
    throw new BatonError("BATON_PAYLOAD_INVALID", "The body is not JSON.", { cause: thrown });
  }
}

const always = { "cache-control": "private, no-cache", "x-content-type-options": "nosniff" };

function send(request: IncomingMessage, response: ServerResponse, value: unknown): void {
  const text = JSON.stringify(value);
  const etag = `"${createHash("sha256").update(text).digest("base64url")}"`;
  const known = (headerOf(request, "if-none-match") ?? "").split(",").map((one) => one.trim().replace(/^W\//, ""));
  if (request.method === "GET" && known.includes(etag)) {
    response.writeHead(304, { ...always, etag });
    response.end();
    return;
  }
  response.writeHead(200, {
    ...always,
    "content-type": "application/json",
    ...(request.method === "GET" ? { etag } : {}),
  });
  response.end(text);
}

function refuse(request: IncomingMessage, response: ServerResponse, error: BatonError): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const problem = problemOf(error);
  const retryMs = error.retryAfterMs ?? (problem.status === 503 ? 5_000 : null);
  response.writeHead(problem.status, {
    ...always,
    "content-type": "application/problem+json",
    ...(retryMs === null ? {} : { "retry-after": `${Math.max(1, Math.ceil(retryMs / 1_000))}` }),
    ...(problem.status === 401 ? { "www-authenticate": 'Bearer realm="Baton"' } : {}),
    // Baton does not want the rest of the body.
    ...(request.complete ? {} : { connection: "close" }),
  });
  response.end(JSON.stringify(problem));
}
