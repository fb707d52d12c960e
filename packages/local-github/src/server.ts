/**
 * From a connection to an answer, in order: git, pages or API, then faults, caller, limits, route, ETag and log.
 *
 * V1 Every API exchange is logged and passed to `onExchange`, including those that a fault cut off.
 * V2 A fault that cuts off before the work leaves no trace in the state. `commit-then-drop` leaves all of it.
 */
import { createHash, randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { type Actor, authenticate, canSee, credentialFrom, demand, doerOf, loginOf } from "./access.ts";
import { type Answer, badCredentials, notFound, Refusal } from "./answer.ts";
import type { ActorKind, Exchange, LogEntry } from "./exchange.ts";
import type { ArmedFault, FaultDesk } from "./faults.ts";
import { admitGit, answerHook, parseGitCall, serveGit } from "./git-http.ts";
import { callerKey, type RateLimits, secondaryLimit } from "./rate-limits.ts";
import { type ApiRequest, type Context, matchRoute, type RepositoryContext, type Route } from "./route.ts";
import type { PushedRef } from "./rules.ts";
import { answerSignIn } from "./sign-in.ts";
import type { Site, View } from "./site.ts";
import { findRepository, type Repository } from "./state.ts";

export interface ServerParts {
  site: Site;
  routes: Route[];
  faults: FaultDesk;
  limits: RateLimits;
  log: LogEntry[];
  onRequest: (request: { method: string; path: string }) => Promise<void> | undefined;
  onExchange: (exchange: Exchange) => void;
  /** HTML and plain text for people. Null when no page has the path. */
  pages: (site: Site, path: string) => Promise<Answer | null>;
  /** A form of these pages. Null when no form has the path. */
  speak: (site: Site, path: string, fields: URLSearchParams) => Answer | null;
}

const bodyBytesMax = 25 * 1024 * 1024;

export async function serve(parts: ServerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", parts.site.origin);
  const git = parseGitCall(request.method ?? "GET", url);
  try {
    if (git !== null) await answerGit(parts, { call: git, request, response, url });
    else await answerHttp(parts, { request, response, url });
  } catch (error) {
    // The fake's own fault. It is loud, so that no test mistakes it for GitHub's.
    if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
    response.end(error instanceof Error ? error.stack : String(error));
    throw error;
  }
}

type GitGiven = {
  call: NonNullable<ReturnType<typeof parseGitCall>>;
  request: IncomingMessage;
  response: ServerResponse;
  url: URL;
};

async function answerGit(parts: ServerParts, given: GitGiven): Promise<void> {
  const { site, log } = parts;
  const { request, response, url } = given;
  const method = request.method ?? "GET";
  const hits = parts.faults.take({ method, path: url.pathname });
  const entry: LogEntry = {
    at: site.now().toISOString(),
    method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    body: null,
    status: 0,
    actor: "anonymous",
    login: null,
    fault: hits[0]?.kind ?? null,
  };
  log.push(entry);
  await parts.onRequest({ method, path: url.pathname });
  await slow(hits);
  if (hits.some((hit) => hit.kind === "drop")) {
    request.socket.destroy();
    return;
  }
  try {
    const refused = refusalOf(hits);
    if (refused !== null) throw refused;
    const { actor, repository } = admitGit(site, given.call, request.headers.authorization);
    entry.actor = actor.kind;
    entry.login = loginOf(site.state, actor);
    const silent = hits.some((hit) => hit.kind === "commit-then-drop");
    entry.status = await serveGit(site, { ...given, actor, repository, silent });
    if (silent) request.socket.destroy();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    entry.status = error.answer.status;
    request.resume();
    response.writeHead(error.answer.status, { "content-type": "text/plain", ...error.answer.headers });
    response.end(`${error.message}\n`);
  }
}

async function answerHttp(
  parts: ServerParts,
  given: { request: IncomingMessage; response: ServerResponse; url: URL },
): Promise<void> {
  const { request, response, url } = given;
  const path = url.pathname.replace(/^\/api\/v3(?=\/|$)|^\/api(?=\/graphql$)/, "");
  if (url.pathname.startsWith("/login/oauth/")) {
    const fields = fieldsOf(request, await readText(request));
    send(response, answerSignIn(parts.site, request.method ?? "GET", url, fields) ?? notFound().answer, {});
    return;
  }
  const isApi = path !== url.pathname || path === "/rate_limit" || matchesAny(parts.routes, path);
  const wantsPage = !isApi || (request.headers.accept ?? "").includes("text/html");
  if (wantsPage && request.method === "GET") {
    const page = await parts.pages(parts.site, url.pathname);
    if (page !== null) {
      send(response, page, {});
      return;
    }
  }
  const isForm = (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  if (!isApi && isForm && request.method === "POST" && parts.site.player !== null) {
    send(response, answerForm(parts, url.pathname, await readText(request)), {});
    return;
  }
  const asked = await readRequest(request, { path, url });
  const words = answerHook(parts.site, url.pathname, asked.body as PushedRef[]);
  if (words !== null) {
    response.end(words);
    return;
  }
  await answerApi(parts, { asked, request, response });
}

/** A form, or an object of texts in JSON. */
function fieldsOf({ headers }: IncomingMessage, text: string): URLSearchParams {
  if (!(headers["content-type"] ?? "").startsWith("application/json")) return new URLSearchParams(text);
  const given = Object.entries((parseBody(text) ?? {}) as Record<string, unknown>);
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
}

function answerForm({ site, speak }: ServerParts, path: string, text: string): Answer {
  try {
    return speak(site, path, new URLSearchParams(text)) ?? notFound().answer;
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown.answer;
    throw thrown;
  }
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= bodyBytesMax) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function matchesAny(routes: Route[], path: string): boolean {
  return routes.some((one) => one.pattern.test(path));
}

async function readRequest(request: IncomingMessage, given: { path: string; url: URL }): Promise<ApiRequest> {
  const text = await readText(request);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    method: request.method ?? "GET",
    path: given.path === "" ? "/" : given.path,
    query: given.url.searchParams,
    headers,
    body: parseBody(text),
    url: given.url,
  };
}

/** `undefined` stands for invalid JSON. The route answers 400. */
function parseBody(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function answerApi(
  parts: ServerParts,
  given: { asked: ApiRequest; request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const { asked, request, response } = given;
  const { site } = parts;
  const hits = parts.faults.take({ method: asked.method, path: asked.path });
  const fault = hits[0]?.kind ?? null;
  await parts.onRequest({ method: asked.method, path: asked.path });
  await slow(hits);
  const cut = hits.some((hit) => hit.kind === "drop");
  const caller = whoCalls(site, asked);
  const answer: Answer = cut ? { status: 0 } : await decide(parts, { asked, hits, caller });
  const finished = cut ? answer : conditional(parts, { asked, answer, caller });
  const limits = caller.actor === null ? {} : parts.limits.headers(callerKey(caller.actor));
  const headers = {
    ...limits,
    "x-github-media-type": "github.v3; format=json",
    "x-github-request-id": randomUUID().toUpperCase(),
    ...finished.headers,
  };
  const kind: ActorKind = caller.actor?.kind ?? "invalid";
  parts.log.push({
    at: site.now().toISOString(),
    method: asked.method,
    path: asked.path,
    query: Object.fromEntries(asked.query),
    body: asked.body ?? null,
    status: finished.status,
    actor: kind,
    login: caller.actor === null ? null : loginOf(site.state, caller.actor),
    fault,
  });
  parts.onExchange({
    kind: "api",
    request: {
      method: asked.method,
      path: asked.path,
      query: Object.fromEntries(asked.query),
      headers: asked.headers,
      body: asked.body ?? null,
    },
    response: {
      status: finished.status,
      headers,
      body: finished.raw === undefined ? (finished.body ?? null) : finished.raw.bytes.toString(),
    },
    fault,
  });
  if (cut || hits.some((hit) => hit.kind === "commit-then-drop")) request.socket.destroy();
  else send(response, finished, headers);
}

interface Caller {
  actor: Actor | null;
  refusal: Refusal | null;
}

function whoCalls(site: Site, asked: ApiRequest): Caller {
  try {
    const header = asked.headers["authorization"];
    const actor = authenticate(site, header);
    // An App's token for a person has at most the rights that both have. Here it only says who the person is.
    if (credentialFrom(header)?.startsWith("ghu_") === true && asked.path !== "/user")
      return { actor: null, refusal: new Refusal(403, "Resource not accessible by integration") };
    return { actor, refusal: null };
  } catch (error) {
    if (error instanceof Refusal) return { actor: null, refusal: error };
    throw error;
  }
}

async function decide(
  parts: ServerParts,
  given: { asked: ApiRequest; hits: ArmedFault[]; caller: Caller },
): Promise<Answer> {
  const { asked, hits, caller } = given;
  try {
    const refused = refusalOf(hits) ?? caller.refusal;
    if (refused !== null) throw refused;
    if (caller.actor === null) throw badCredentials();
    if (asked.body === undefined) throw new Refusal(400, "Problems parsing JSON");
    if (asked.headers["user-agent"] === undefined) throw new Refusal(403, "Request forbidden by administrative rules.");
    const key = callerKey(caller.actor);
    if (asked.path === "/rate_limit") return rateLimit(parts, key);
    const tokens = asked.path.endsWith("/access_tokens");
    parts.limits.count(key, asked.method !== "GET" && asked.method !== "HEAD" && !tokens);
    const past = hits.find((hit) => hit.kind === "stale-read")?.past ?? null;
    const view: View =
      past === null ? parts.site : { state: past, origin: parts.site.origin, apiUrl: parts.site.apiUrl };
    return await run(parts, { asked, actor: caller.actor, view });
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

async function run(parts: ServerParts, given: { asked: ApiRequest; actor: Actor; view: View }): Promise<Answer> {
  const { asked, actor, view } = given;
  const { site } = parts;
  const byId = /^\/repositories\/(\d+)(\/.+)$/.exec(asked.path);
  const path = byId === null ? asked.path : pathByName(view, Number(byId[1]), byId[2] ?? "");
  const method = asked.method === "HEAD" ? "GET" : asked.method;
  const found = matchRoute(parts.routes, method, path);
  if (found === null) throw notFound();
  const { route, params } = found;
  const context: Context = { site, view, request: asked, actor, params };
  if (route.need === "app" && actor.kind !== "app") {
    throw new Refusal(401, "A JSON web token could not be decoded");
  }
  if (route.need === "app" || route.need === "anyone") return route.handle(context as RepositoryContext);
  const repository = repositoryOf(view, params);
  if (repository === null || !seen(view, actor, repository)) throw notFound();
  demand(view.state, actor, { repository, need: route.need, role: route.role });
  // Source: https://github.com/r-universe-org/help/issues/247 (403 and its words)
  if (repository.archived && method !== "GET") throw new Refusal(403, "Repository was archived so is read-only.");
  const doer = actor.kind === "anonymous" ? { accountId: -1, appId: null } : doerOf(actor);
  return route.handle({ ...context, repository, doer });
}

/** An App's JWT gets the answer that it is the wrong key. Others get "not found". */
function seen(view: View, actor: Actor, repository: Repository): boolean {
  return actor.kind === "app" || canSee(view.state, actor, repository);
}

function repositoryOf(view: View, params: Record<string, string>): Repository | null {
  return findRepository(view.state, params["owner"] ?? "", params["repo"] ?? "") ?? null;
}

/** `/repositories/:id/...` works for everything below a repository. */
function pathByName(view: View, id: number, rest: string): string {
  const repository = view.state.repositories.get(id);
  if (repository === undefined) throw notFound();
  const owner = view.state.accounts.get(repository.ownerId)?.login ?? "";
  return `/repos/${owner}/${repository.name}${rest}`;
}

function rateLimit(parts: ServerParts, key: string): Answer {
  const core = parts.limits.figures(key);
  const search = { limit: 30, used: 0, remaining: 30, reset: core.reset };
  const graphql = { limit: 5000, used: 0, remaining: 5000, reset: core.reset };
  return { status: 200, body: { resources: { core, search, graphql }, rate: core } };
}

async function slow(hits: ArmedFault[]): Promise<void> {
  for (const hit of hits) if (hit.kind === "latency") await delay(hit.delayMs ?? 100);
}

function refusalOf(hits: ArmedFault[]): Refusal | null {
  for (const hit of hits) {
    if (hit.kind === "secondary-limit") return secondaryLimit(hit.retryAfterSeconds ?? 60);
    if (hit.kind !== "status") continue;
    const status = hit.status ?? 503;
    const headers = hit.retryAfterSeconds === undefined ? {} : { "retry-after": String(hit.retryAfterSeconds) };
    return new Refusal(status, hit.message ?? (status >= 500 ? "Server Error" : "API rate limit exceeded"), {
      headers,
    });
  }
  return null;
}

/** ETag and 304, as on every read of GitHub. */
function conditional(parts: ServerParts, given: { asked: ApiRequest; answer: Answer; caller: Caller }): Answer {
  const { asked, answer, caller } = given;
  if (asked.method !== "GET" || answer.status !== 200) return answer;
  const bytes = answer.raw?.bytes ?? JSON.stringify(answer.body);
  const etag = `W/"${createHash("sha256").update(bytes).digest("hex")}"`;
  const headers = { ...answer.headers, etag, "cache-control": "private, max-age=60, s-maxage=60" };
  if (asked.headers["if-none-match"] !== etag) return { ...answer, headers };
  if (caller.actor !== null) parts.limits.refund(callerKey(caller.actor));
  return { status: 304, headers };
}

function send(response: ServerResponse, answer: Answer, headers: Record<string, string>): void {
  const type = answer.raw?.type ?? "application/json; charset=utf-8";
  const bytes = answer.raw?.bytes ?? (answer.body === undefined ? null : Buffer.from(JSON.stringify(answer.body)));
  const described = bytes === null ? {} : { "content-type": type, "content-length": String(bytes.length) };
  response.writeHead(answer.status, { ...headers, ...answer.headers, ...described });
  response.end(bytes ?? undefined);
}
