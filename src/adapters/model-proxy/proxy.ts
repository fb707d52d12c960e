/**
 * The models' services on loopback. An agent asks here with a token. Baton forwards the request to the service with its
 * key.
 *
 * Owns: HTTP, tokens, the allowed paths and services. Does not own: wire formats (`wires/`), counting (`grant.ts`).
 * K1 Only this file adds the key. An error in which the service repeats the key leaves without it.
 * K2 After a grant is revoked or closed, nothing of it stays open, on either side.
 * K4 Bytes of an answer pass on arrival. Nothing is held back for counting, and compressed bytes stay compressed.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { searchFee, uncountedFee } from "../../config/models.ts";
import { BatonError, type ErrorData, hasCode, toBatonError } from "../../core/errors.ts";
import { normaliseModel } from "../../money/prices.ts";
import type { GrantRequest, ModelAccesses, ModelGrant, ModelProvider, ModelProxy } from "../../ports/model-proxy.ts";
import { createRedactor } from "../../text/redact.ts";
import { type Fields, text } from "../model-service/fields.ts";
import { modelError } from "../model-service/service-error.ts";
import { providersOf } from "../model-service/services.ts";
import { proxyEnvironment } from "../system/use-proxies.ts";
import { AnswerMeter } from "./answer-meter.ts";
import { type Ask, type Call, Grant, mostSearches } from "./grant.ts";
import { inputOf } from "./input-bound.ts";
import { listedText, listModels } from "./model-list.ts";
import type { Headers, Platform, PlatformRequest } from "./platforms/platform.ts";
import { readBody, unpack } from "./request-body.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { Route, Wire } from "./wire.ts";
import { wires } from "./wires/index.ts";
import { openaiResponses } from "./wires/openai-responses.ts";

/** A service and its key. */
export interface Upstream {
  baseUrl: string;
  secret: string;
  kind: "api-key" | "login";
  /** The cloud that offers the service. Absent: the models' maker, or a gateway that speaks as it does. */
  platform?: Platform;
}

export type Upstreams = Partial<Record<ModelProvider, Upstream>>;

/** The path of each service, as its clients expect it. OpenAI's clients expect an address with the version. */
const prefixes: Record<ModelProvider, string> = { anthropic: "/anthropic", openai: "/openai/v1", gemini: "/gemini" };
export const defaultBaseUrls: Record<ModelProvider, string> = {
  anthropic: "https://api.anthropic.com",
  openai: "https://api.openai.com/v1",
  gemini: "https://generativelanguage.googleapis.com",
};
const providers = Object.keys(prefixes) as ModelProvider[];

const errorBytesMax = 256 * 1024;
/** Longer than clients keep theirs. Otherwise a request could meet a connection that is closing. */
const keepAliveTimeoutMs = 120_000;

/** Headers of one connection, or about the identity of the agent. The service does not need them. */
const heldBack = new Set([
  "accept-encoding",
  "api-key",
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "keep-alive",
  "openai-organization",
  "openai-project",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "x-api-key",
  "x-goog-api-key",
  "x-goog-user-project",
]);
const notReturned = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "set-cookie",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const unboundedSearches =
  "the service charges for each search in the web and knows no bound, so no budget can hold (`budget.unknownPrice: stop`). Go on without the search tool.";

/** `own`: by `owner` or `owner/name` in lower case. The most exact one holds. */
export async function startModelProxy(
  general: Upstreams,
  own: Readonly<Record<string, Upstreams>> = {},
): Promise<ModelProxy> {
  const upstreamsOf = ({ repository = "" }: GrantRequest): Upstreams => {
    const name = repository.toLowerCase();
    return { ...general, ...ownOf(own, name.split("/")[0] ?? ""), ...ownOf(own, name) };
  };
  const grants = new Map<string, Grant>();
  const kept = { keepAlive: true, proxyEnv: proxyEnvironment() };
  const agents = { http: new HttpAgent(kept), https: new HttpsAgent(kept) };
  const server = createServer((incoming, outgoing) => {
    serve({ upstreamsOf, grants, agents }, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.keepAliveTimeout = keepAliveTimeoutMs;
  // Model answers may take any time. The attempt has its own timeout.
  server.timeout = 0;
  // A broken connection that nobody reads is the client's problem.
  server.on("clientError", (_, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  // The proxy serves attempts. It does not keep a process running by itself.
  server.unref();
  const { port } = server.address() as AddressInfo;
  const known = providers.filter((provider) => general[provider] !== undefined);
  let closed = false;
  return {
    providers: known,
    grant(request: GrantRequest): ModelGrant {
      if (closed) throw new BatonError("BATON_INTERNAL", "The model proxy is closed.");
      const grant = new Grant(request);
      // Unlike any service's key, so that nobody mistakes it for a leak. Nobody can guess 256 bits.
      const token = `baton-${randomBytes(32).toString("base64url")}`;
      grants.set(token, grant);
      const models: ModelAccesses = {};
      const upstreams = upstreamsOf(request);
      for (const provider of providers) {
        const upstream = upstreams[provider];
        if (upstream !== undefined && (request.providers?.includes(provider) ?? true))
          models[provider] = {
            baseUrl: `http://127.0.0.1:${port}${prefixes[provider]}`,
            key: token,
            kind: upstream.kind,
            ...(upstream.platform === undefined ? {} : { onPlatform: true as const }),
          };
      }
      return {
        models,
        uses: () => grant.uses(),
        stopped: grant.stopped,
        stopReason: () => grant.stopReason(),
        refusal: () => grant.refusal(),
        async revoke() {
          grants.delete(token);
          await grant.revoke();
        },
      };
    },
    async close() {
      closed = true;
      const all = [...grants.values()];
      grants.clear();
      await Promise.all(all.map((grant) => grant.revoke()));
      const ended = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      agents.http.destroy();
      agents.https.destroy();
      await ended;
    },
  };
}

const ownOf = (own: Readonly<Record<string, Upstreams>>, place: string): Upstreams =>
  Object.hasOwn(own, place) ? (own[place] as Upstreams) : {};

interface World {
  upstreamsOf(request: GrantRequest): Upstreams;
  grants: Map<string, Grant>;
  agents: { http: HttpAgent; https: HttpsAgent };
}

interface Asked {
  provider: ModelProvider;
  upstream: Upstream;
  wire: Wire;
  route: Route;
  grant: Grant;
  /** Below the service's address, without the query. */
  path: string;
  search: string;
  /** null: the request names none. */
  model: string | null;
}

async function serve(world: World, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? "/", "http://127.0.0.1");
  const method = incoming.method ?? "GET";
  const provider = providers.find((one) => url.pathname.startsWith(`${prefixes[one]}/`));
  const spoken = wires.find((wire) => wire.provider === provider) ?? openaiResponses;
  const grant = world.grants.get(tokenOf(incoming.headers, url));
  const refuse = (wire: Wire, status: number, message: string): void => {
    grant?.refused(message);
    incoming.resume();
    answer(outgoing, status, wire.error(status, `Baton: ${message}`));
  };
  if (grant === undefined) return refuse(spoken, 401, "this token is not known, or its step has ended.");
  const upstream = provider === undefined ? undefined : world.upstreamsOf(grant.request)[provider];
  if (provider === undefined || upstream === undefined || !(grant.request.providers?.includes(provider) ?? true))
    return refuse(spoken, 404, `${url.pathname} is not a service that this step may use.`);
  const path = url.pathname.slice(prefixes[provider].length);
  const found = wires
    .filter((one) => one.provider === provider)
    .map((wire) => ({ wire, route: wire.route(method, path) }))
    .find((one): one is { wire: Wire; route: Route } => one.route !== null);
  if (found === undefined) return refuse(spoken, 404, `${method} ${path} is not allowed.`);
  const { wire, route } = found;
  const read = await readBody(incoming);
  if (!read.ok) return refuse(wire, read.status, read.message);
  const model = route.model ?? text(read.body["model"]);
  const { models } = grant.request;
  if (route.metered && model === null) return refuse(wire, 400, "the request names no model.");
  if (model !== null && models !== null && !models.includes(model))
    return refuse(wire, 403, `the model "${model}" is not allowed here; allowed: ${models.join(", ")}.`);
  url.searchParams.delete("key");
  const asked: Asked = { provider, upstream, wire, route, grant, path, search: url.search, model };
  if (upstream.platform?.offers(method, path) === false)
    return answer(outgoing, 404, wire.error(404, `Baton: the models' platform has no ${method} ${path}.`));
  if (!route.metered || model === null) return forward(world, asked, incoming, outgoing, read.bytes, null);
  const objection = wire.prepare(read.body);
  if (objection !== null) return refuse(wire, 400, objection);
  const uncounted = uncountedFee(providersOf[provider], wire.extras(read.body));
  if (uncounted !== null && grant.request.unknownPrice === "stop")
    return refuse(
      wire,
      400,
      `\`${uncounted.name}\` costs ${uncounted.what}, which no answer counts, so no budget can hold (\`budget.unknownPrice: stop\`). Go on without it.`,
    );
  // Serialized again, so that Baton sends exactly what it checked, even where a name was given twice.
  const output = wire.output(read.body, path);
  const input = inputOf(model, read.body, Buffer.from(JSON.stringify(read.body)), output.serverTools);
  const fee = output.searches === null ? null : searchFee(providersOf[provider], normaliseModel(model));
  const priceFactor = upstream.platform?.priceFactor(model) ?? 1;
  const ask: Ask = { model, input, output, fee, priceFactor };
  if (mostSearches(ask) === null && grant.request.unknownPrice === "stop") return refuse(wire, 400, unboundedSearches);
  const reserved = await grant
    .reserve(ask)
    .catch((thrown: unknown): ErrorData => toBatonError(thrown, "BATON_INTERNAL").toData());
  if ("code" in reserved) {
    grant.stop(reserved);
    return refuse(wire, 402, reserved.message);
  }
  return forward(world, asked, incoming, outgoing, Buffer.from(JSON.stringify(read.body)), { ask, reserved });
}

/** Forwards the request and returns the answer. Counts a request that costs something. */
async function forward(
  world: World,
  asked: Asked,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  body: Buffer,
  metered: Pick<Call, "ask" | "reserved"> | null,
): Promise<void> {
  const { grant, upstream, wire } = asked;
  if (grant.revoked) return answer(outgoing, 401, wire.error(401, "Baton: the step has ended."));
  // The client disconnected during the reservation. Nothing was sent, so nothing is used.
  if (outgoing.destroyed) return metered === null ? undefined : grant.release(metered.reserved);
  const stop = new AbortController();
  let left = false;
  outgoing.once("close", () => {
    if (outgoing.writableFinished) return;
    left = true;
    stop.abort();
  });
  const ended = Promise.withResolvers<void>();
  const call: Call | null =
    metered === null ? null : { ...metered, reading: null, abort: () => outgoing.destroy(), done: ended.promise };
  if (call !== null) grant.begin(call);
  let sent = false;
  let answered = false;
  let cut: "service" | "client" | null = "client";
  try {
    const request = await requestOf(asked, incoming, body);
    // The login at a platform takes its time.
    if (left) return;
    const response = await send(world, request, incoming.method, stop.signal);
    const status = statusOf(response, upstream);
    if (status < 200 || status > 299) {
      const said = await readError(response, asked, status);
      if (call !== null) {
        const message = messageOf(said);
        const isUnknown = modelError(status, message).code === "BATON_MODEL_UNKNOWN";
        const isListed = isUnknown && upstream.platform === undefined;
        const listed = isListed ? await listModels(asked.provider, upstream, credentials(asked, {})) : [];
        const pauseMs = retryAfterMs(response.headers, said, Date.now());
        grant.failed(call, status, message, pauseMs, listedText(call.ask.model, listed));
      }
      // An agent must not follow the service to another address.
      if (status < 400) return answer(outgoing, 502, wire.error(502, `Baton: the service answered ${status}.`));
      outgoing.writeHead(status, { ...returned(response.headers), "content-length": said.length });
      outgoing.end(said);
      return;
    }
    answered = true;
    const translated = upstream.platform?.answerOf?.(response.headers) ?? null;
    const shown = translated?.headers ?? response.headers;
    outgoing.writeHead(status, returned(shown));
    outgoing.flushHeaders();
    const meter = call === null ? null : new AnswerMeter(wire, shown, (reading) => grant.read(call, reading));
    cut = await pass(response, outgoing, meter, translated?.read ?? null);
    if (call !== null && meter !== null) call.reading = await meter.end();
    if (cut === null) outgoing.end();
    else outgoing.destroy();
  } catch (thrown) {
    // As below: a request that did not go out whole costs nothing.
    sent = thrown instanceof Unanswered;
    if (left) return;
    const message = thrown instanceof Error ? thrown.message : "no answer";
    // Nothing was sent. A refused login stays refused, and so does a name that the platform cannot have.
    const refused = hasCode(thrown, "BATON_HARNESS_AUTH") ? 401 : hasCode(thrown, "BATON_MODEL_UNKNOWN") ? 404 : null;
    if (refused !== null) {
      if (call !== null) grant.failed(call, refused, message);
      return answer(outgoing, refused, wire.error(refused, message));
    }
    // The service had the whole request and may have begun to answer.
    if (thrown instanceof Unanswered) [answered, cut] = [true, "service"];
    else if (call !== null) grant.failed(call, 503, message);
    answer(outgoing, 502, wire.error(502, `Baton: the service could not be reached (${message}).`));
  } finally {
    // grant.G2: also for a client that did not wait for the answer.
    if (call !== null && (answered || (left && sent))) grant.settle(call, cut);
    else if (call !== null && left) grant.dropped(call);
    ended.resolve();
  }
}

/** Resolves with the side that ended it early. Null when it came whole. */
async function pass(
  response: IncomingMessage,
  outgoing: ServerResponse,
  meter: AnswerMeter | null,
  read: ((stream: AsyncIterable<Buffer>) => AsyncIterable<Buffer>) | null,
): Promise<"service" | "client" | null> {
  const stream = response as AsyncIterable<Buffer>;
  try {
    for await (const chunk of read === null ? stream : read(stream)) {
      meter?.take(chunk);
      if (outgoing.destroyed) return "client";
      if (!outgoing.write(chunk)) await Promise.race([once(outgoing, "drain"), once(outgoing, "close")]);
    }
  } catch {
    return outgoing.destroyed ? "client" : "service";
  }
  if (outgoing.destroyed) return "client";
  return response.complete ? null : "service";
}

async function send(
  world: World,
  { url, headers, body: sent }: PlatformRequest,
  method: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const secure = url.protocol === "https:";
  if (method !== "GET") headers["content-length"] = `${sent.length}`;
  const attempt = (): Promise<{ response: IncomingMessage } | { error: Error; reused: boolean; sent: boolean }> =>
    new Promise((resolve) => {
      const options = {
        method,
        headers,
        signal,
        agent: secure ? world.agents.https : world.agents.http,
      };
      const request = secure ? httpsRequest(url, options) : httpRequest(url, options);
      request.once("response", (response) => resolve({ response }));
      request.on("error", (error) => resolve({ error, reused: request.reusedSocket, sent: request.writableFinished }));
      request.end(method === "GET" ? undefined : sent);
    });
  let result = await attempt();
  // A kept connection that the service closed meanwhile delivered nothing, so Baton opens another one. A request that
  // left whole may already cost money.
  if ("error" in result && result.reused && !result.sent && !signal.aborted) result = await attempt();
  if ("error" in result) throw result.sent ? new Unanswered(result.error.message) : result.error;
  return result.response;
}

async function requestOf(
  { upstream, provider, path, search, model }: Asked,
  incoming: IncomingMessage,
  body: Buffer,
): Promise<PlatformRequest> {
  const headers: Headers = {};
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined && !heldBack.has(name)) headers[name] = value;
  if (upstream.platform !== undefined) {
    const method = incoming.method ?? "GET";
    const request = await upstream.platform.requestOf({ method, path, search, model, headers, body });
    // An answer in a language that Baton translates is not compressed.
    return { ...request, headers: { ...request.headers, "accept-encoding": "identity" } };
  }
  const url = new URL(upstream.baseUrl.replace(/\/+$/, "") + path + search);
  Object.assign(headers, credentials({ provider, upstream }, headers), {
    "accept-encoding": acceptEncoding(incoming.headers),
  });
  return { url, headers, body };
}

/** The connection broke after the whole request had gone out. */
class Unanswered extends Error {}

function credentials(
  { provider, upstream }: Pick<Asked, "provider" | "upstream">,
  headers: Headers,
): Record<string, string> {
  const { secret, kind } = upstream;
  switch (provider) {
    case "anthropic": {
      if (kind === "api-key") return { "x-api-key": secret };
      const betas = [headers["anthropic-beta"] ?? []].flat().flatMap((beta) => beta.split(/\s*,\s*/));
      return {
        authorization: `Bearer ${secret}`,
        "anthropic-beta": [...new Set([...betas, "oauth-2025-04-20"])].join(","),
      };
    }
    case "openai":
      return { authorization: `Bearer ${secret}` };
    case "gemini":
      return { "x-goog-api-key": secret };
  }
}

/** Only encodings that Baton can read, too. */
function acceptEncoding(headers: IncomingHttpHeaders): string {
  const wanted = `${headers["accept-encoding"] ?? ""}`.split(",").map((part) => part.trim().split(";")[0] ?? "");
  const both = wanted.filter((name) => ["gzip", "deflate", "br", "zstd"].includes(name));
  return both.length === 0 ? "identity" : both.join(", ");
}

function returned(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !notReturned.has(name)) kept[name] = value;
  return kept;
}

function tokenOf(headers: IncomingHttpHeaders, url: URL): string {
  const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  const named = headers["x-api-key"] ?? headers["x-goog-api-key"];
  return bearer ?? (typeof named === "string" ? named : (url.searchParams.get("key") ?? ""));
}

function answer(outgoing: ServerResponse, status: number, body: object): void {
  if (outgoing.headersSent || outgoing.destroyed) {
    outgoing.destroy();
    return;
  }
  const bytes = Buffer.from(JSON.stringify(body));
  outgoing.writeHead(status, { "content-type": "application/json", "content-length": bytes.length });
  outgoing.end(bytes);
}

/** Clients know no other error of a platform. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html */
function statusOf({ statusCode = 502 }: IncomingMessage, { platform }: Upstream): number {
  return platform !== undefined && (statusCode === 408 || statusCode === 424) ? 503 : statusCode;
}

/** Short, and without the key (K1). A platform's own error becomes one of the service. */
async function readError(
  response: IncomingMessage,
  { upstream: { secret, platform }, wire }: Asked,
  status: number,
): Promise<Buffer> {
  if (platform === undefined) return withoutSecrets(response, [secret]);
  const said = await withoutSecrets(response, platform.secrets());
  if (!platform.translatesErrors) return said;
  response.headers["content-type"] = "application/json";
  return Buffer.from(JSON.stringify(wire.error(status, messageOf(said))));
}

async function withoutSecrets(response: IncomingMessage, secrets: readonly string[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= errorBytesMax) chunks.push(chunk);
  }
  const { "content-encoding": encoding } = response.headers;
  delete response.headers["content-encoding"];
  const whole = await unpack(Buffer.concat(chunks), encoding).catch(() => Buffer.alloc(0));
  const text = secrets.reduce((said, secret) => said.replaceAll(secret, "[key]"), whole.toString("utf8"));
  const redact = createRedactor({ secrets });
  // Services escape repeated text, in HTML even single characters of it.
  const resolved = text.replace(/&#(?:(\d{1,3})|x([0-9a-f]{1,2}));/gi, (_, decimal: string | undefined, hex: string) =>
    String.fromCodePoint(decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)),
  );
  return Buffer.from(redact(secrets.some((secret) => resolved.includes(secret)) ? resolved : text));
}

const messageCharactersMax = 200;

function messageOf(body: Buffer): string {
  try {
    const value = JSON.parse(body.toString("utf8")) as Fields;
    const said = Array.isArray(value) ? (value[0] as Fields) : value;
    const error = said["error"] as Fields | undefined;
    // AWS has the message alone.
    return (text(error?.["message"]) ?? text(said["message"]) ?? "").slice(0, messageCharactersMax);
  } catch {
    return "";
  }
}
