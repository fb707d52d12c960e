import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { reserveUpTo } from "../../../test/fakes/money.ts";
import type { Tokens } from "../../core/vocabulary.ts";
import { costOf } from "../../money/cost.ts";
import { findPrice } from "../../money/prices.ts";
import type { GrantRequest, ModelGrant, ModelProvider, ModelProxy } from "../../ports/model-proxy.ts";
import { failuresInARowMax, refusalsMax } from "./grant.ts";
import { startModelProxy } from "./proxy.ts";

const secret = "sk-the-real-key-0123456789";

interface Received {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

type Answerer = (request: Received, outgoing: ServerResponse, incoming: IncomingMessage) => unknown;

/** The service. Each test sets its answers. It keeps the requests that reached it. */
async function startUpstream() {
  const received: Received[] = [];
  let answerer: Answerer = (_, outgoing) => outgoing.end();
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
      const { method = "", url = "", headers } = incoming;
      const request = { method, url, headers, body: Buffer.concat(chunks).toString("utf8") };
      received.push(request);
      answerer(request, outgoing, incoming);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    received,
    answers(next: Answerer) {
      answerer = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const json = (outgoing: ServerResponse, status: number, body: unknown): void => {
  outgoing.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
};
const frames = (...events: object[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");

let upstream: Awaited<ReturnType<typeof startUpstream>>;
let proxy: ModelProxy;

beforeEach(async () => {
  upstream = await startUpstream();
  proxy = await startModelProxy({
    anthropic: { baseUrl: upstream.url, secret, kind: "api-key" },
    openai: { baseUrl: `${upstream.url}/v1`, secret, kind: "api-key" },
    gemini: { baseUrl: `${upstream.url}/`, secret, kind: "api-key" },
  });
});
afterEach(async () => {
  await proxy.close();
  await upstream.close();
});

const priceUsd = (model: string, tokens: Tokens): number | null => {
  const price = findPrice(model, {})?.price ?? null;
  return price === null ? null : costOf(tokens, price);
};

function granted(change: Partial<GrantRequest> = {}): ModelGrant {
  return proxy.grant({
    priceUsd,
    reserve: reserveUpTo(5, priceUsd),
    unknownPrice: "allow",
    tokensMax: null,
    requestsMax: null,
    models: null,
    providers: null,
    onUse: () => {},
    onRefusal: () => {},
    ...change,
  });
}

const sonnet = "claude-sonnet-4-5";
const hello = { max_tokens: 10, messages: [{ role: "user", content: "Hello" }] };

function ask(
  grant: ModelGrant,
  provider: ModelProvider,
  path: string,
  body: object | undefined,
  init: RequestInit = {},
): Promise<Response> {
  const access = grant.models[provider];
  return fetch(`${access?.baseUrl}${path}`, {
    method: body === undefined ? "GET" : "POST",
    ...init,
    headers: { authorization: `Bearer ${access?.key}`, "content-type": "application/json", ...init.headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

const anthropicStream = (model: string): object[] => [
  {
    type: "message_start",
    message: {
      model,
      usage: { input_tokens: 100, output_tokens: 1, cache_read_input_tokens: 20, cache_creation_input_tokens: 7 },
    },
  },
  { type: "content_block_delta", delta: { type: "text_delta", text: "Grüße" } },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 42 } },
  { type: "message_stop" },
];
const geminiPiece = (candidates: number, finishReason?: string) => ({
  modelVersion: "gemini-3-pro",
  candidates: [{ content: { parts: [{ text: "abcd" }] }, ...(finishReason === undefined ? {} : { finishReason }) }],
  usageMetadata: {
    promptTokenCount: 120,
    cachedContentTokenCount: 20,
    candidatesTokenCount: candidates,
    thoughtsTokenCount: 12,
  },
});

const metered: {
  what: string;
  provider: ModelProvider;
  path: string;
  body: object;
  upstreamPath: string;
  answer: string;
  type: string;
  model: string;
  tokens: Tokens;
}[] = [
  {
    what: "Messages, streamed; the dated name is the one that was asked for",
    provider: "anthropic",
    path: "/v1/messages?beta=true",
    body: { model: sonnet, stream: true, ...hello },
    upstreamPath: "/v1/messages?beta=true",
    answer: frames(...anthropicStream(`${sonnet}-20250929`)),
    type: "text/event-stream",
    model: sonnet,
    tokens: { input: 100, output: 42, cacheRead: 20, cacheWrite: 7 },
  },
  {
    what: "Messages, whole",
    provider: "anthropic",
    path: "/v1/messages",
    body: { model: sonnet, ...hello },
    upstreamPath: "/v1/messages",
    answer: JSON.stringify({
      type: "message",
      model: sonnet,
      content: [],
      usage: { input_tokens: 3, output_tokens: 4 },
    }),
    type: "application/json",
    model: sonnet,
    tokens: { input: 3, output: 4, cacheRead: 0, cacheWrite: 0 },
  },
  {
    what: "Responses, streamed: the cached part is not counted as input",
    provider: "openai",
    path: "/responses",
    body: { model: "gpt-5-codex", stream: true, input: "Hello" },
    upstreamPath: "/v1/responses",
    answer: frames(
      { type: "response.created", response: { model: "gpt-5-codex", usage: null } },
      { type: "response.output_text.delta", delta: "Hi" },
      {
        type: "response.completed",
        response: {
          object: "response",
          model: "gpt-5-codex",
          usage: { input_tokens: 100, input_tokens_details: { cached_tokens: 60 }, output_tokens: 9 },
        },
      },
    ),
    type: "text/event-stream",
    model: "gpt-5-codex",
    tokens: { input: 40, output: 9, cacheRead: 60, cacheWrite: 0 },
  },
  {
    what: "Responses, whole",
    provider: "openai",
    path: "/responses",
    body: { model: "gpt-5", input: "Hello" },
    upstreamPath: "/v1/responses",
    answer: JSON.stringify({ object: "response", model: "gpt-5", usage: { input_tokens: 8, output_tokens: 9 } }),
    type: "application/json",
    model: "gpt-5",
    tokens: { input: 8, output: 9, cacheRead: 0, cacheWrite: 0 },
  },
  {
    what: "Chat Completions, streamed",
    provider: "openai",
    path: "/chat/completions",
    body: { model: "gpt-5", stream: true, messages: [] },
    upstreamPath: "/v1/chat/completions",
    answer: `${frames(
      { model: "gpt-5", choices: [{ delta: { content: "Hi" } }], usage: null },
      {
        model: "gpt-5",
        choices: [],
        usage: { prompt_tokens: 50, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 10 } },
      },
    )}data: [DONE]\n\n`,
    type: "text/event-stream",
    model: "gpt-5",
    tokens: { input: 40, output: 5, cacheRead: 10, cacheWrite: 0 },
  },
  {
    what: "Gemini, as events: the last piece counts, thoughts are output",
    provider: "gemini",
    path: "/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse&key=abc",
    body: { contents: [] },
    upstreamPath: "/v1beta/models/gemini-3-pro:streamGenerateContent?alt=sse",
    answer: frames(geminiPiece(3), geminiPiece(8, "STOP")),
    type: "text/event-stream",
    model: "gemini-3-pro",
    tokens: { input: 100, output: 20, cacheRead: 20, cacheWrite: 0 },
  },
  {
    what: "Gemini, as one list",
    provider: "gemini",
    path: "/v1beta/models/gemini-3-pro:streamGenerateContent",
    body: { contents: [] },
    upstreamPath: "/v1beta/models/gemini-3-pro:streamGenerateContent",
    answer: JSON.stringify([geminiPiece(3), geminiPiece(8, "STOP")]),
    type: "application/json",
    model: "gemini-3-pro",
    tokens: { input: 100, output: 20, cacheRead: 20, cacheWrite: 0 },
  },
];

describe("counts and passes on", () => {
  it.each(metered)("$what", async ({ provider, path, body, upstreamPath, answer, type, model, tokens }) => {
    upstream.answers((_, outgoing) => outgoing.writeHead(200, { "content-type": type }).end(answer));
    const grant = granted();
    const response = await ask(grant, provider, path, body);
    expect(await response.text()).toBe(answer);
    expect(response.headers.get("content-type")).toBe(type);
    await grant.revoke();
    expect(grant.uses()).toEqual([{ model, tokens, requests: 1, estimated: 0 }]);
    const [reached] = upstream.received;
    expect(reached?.url).toBe(upstreamPath);
    expect(JSON.parse(reached?.body ?? "")).toMatchObject(body);
  });

  it.each([
    ["anthropic", "/v1/messages", "x-api-key", secret],
    ["openai", "/responses", "authorization", `Bearer ${secret}`],
    ["gemini", "/v1beta/models/m:generateContent", "x-goog-api-key", secret],
  ] as const)(
    "K1: %s gets the real key in place of the token, and no header about the agent",
    async (provider, path, header, value) => {
      const grant = granted();
      const token = grant.models[provider]?.key ?? "";
      const headers = { "x-api-key": token, "x-goog-api-key": token, cookie: "a=b", "anthropic-version": "2023-06-01" };
      await ask(grant, provider, path, { model: "m" }, { headers });
      const [reached] = upstream.received;
      expect(reached?.headers[header]).toBe(value);
      expect(reached?.headers["anthropic-version"]).toBe("2023-06-01");
      expect(JSON.stringify(reached)).not.toContain(token);
      expect(reached?.headers.cookie).toBeUndefined();
      expect(reached?.headers.host).toBe(new URL(upstream.url).host);
    },
  );

  it("a login goes on as a bearer with the beta that it needs", async () => {
    const other = await startModelProxy({ anthropic: { baseUrl: upstream.url, secret, kind: "login" } });
    try {
      const grant = other.grant({ ...grantOfAll });
      expect(grant.models.anthropic?.kind).toBe("login");
      await ask(grant, "anthropic", "/v1/messages", { model: sonnet }, { headers: { "anthropic-beta": "a, b" } });
      const [reached] = upstream.received;
      expect(reached?.headers.authorization).toBe(`Bearer ${secret}`);
      expect(reached?.headers["anthropic-beta"]).toBe("a,b,oauth-2025-04-20");
    } finally {
      await other.close();
    }
  });

  it("K4: each piece of a stream arrives before the next is sent", async () => {
    let go: (() => void) | null = null;
    upstream.answers(async (_, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      for (const event of anthropicStream(sonnet)) {
        outgoing.write(frames(event));
        await new Promise<void>((resolve) => {
          go = resolve;
        });
      }
      outgoing.end();
    });
    const used: Tokens[] = [];
    const grant = granted({ onUse: ({ tokens }) => used.push(tokens) });
    const response = await ask(grant, "anthropic", "/v1/messages", { model: sonnet, stream: true });
    let pieces = 0;
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      expect(Buffer.from(piece).toString()).toBe(frames(anthropicStream(sonnet)[pieces] as object));
      // The input is known with the first piece, while the answer still runs.
      if (pieces === 0) expect(used.map(({ input }) => input)).toEqual([100]);
      pieces += 1;
      (go as (() => void) | null)?.();
    }
    expect(pieces).toBe(4);
    expect(used.at(-1)).toEqual({ input: 100, output: 42, cacheRead: 20, cacheWrite: 7 });
  });

  it.each(["text/event-stream", "application/json"])(
    "a compressed answer (%s) stays compressed and is counted",
    async (type) => {
      const plain =
        type === "application/json"
          ? JSON.stringify({ type: "message", model: sonnet, usage: { input_tokens: 100, output_tokens: 42 } })
          : frames(...anthropicStream(sonnet));
      upstream.answers((_, outgoing) =>
        outgoing.writeHead(200, { "content-type": type, "content-encoding": "gzip" }).end(gzipSync(plain)),
      );
      const grant = granted();
      const response = await ask(grant, "anthropic", "/v1/messages", { model: sonnet });
      expect(response.headers.get("content-encoding")).toBe("gzip");
      expect(await response.text()).toBe(plain);
      await grant.revoke();
      expect(grant.uses()).toMatchObject([{ tokens: { input: 100, output: 42 }, estimated: 0 }]);
    },
  );

  it("a compressed request is understood", async () => {
    upstream.answers((_, outgoing) =>
      json(outgoing, 200, { object: "response", usage: { input_tokens: 1, output_tokens: 1 } }),
    );
    const grant = granted({ models: ["gpt-5"] });
    const access = grant.models.openai;
    const response = await fetch(`${access?.baseUrl}/responses`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${access?.key}`,
        "content-encoding": "zstd",
        "content-type": "application/json",
      },
      body: zstdCompressSync(JSON.stringify({ model: "gpt-5", input: "Hello" })),
    });
    expect(response.status).toBe(200);
    expect(upstream.received[0]).toMatchObject({ body: '{"model":"gpt-5","input":"Hello"}' });
    expect(upstream.received[0]?.headers["content-encoding"]).toBeUndefined();
  });

  it("a stream of Chat Completions is made to say what it used", async () => {
    const grant = granted();
    await ask(grant, "openai", "/chat/completions", { model: "gpt-5", stream: true, stream_options: { x: 1 } });
    expect(JSON.parse(upstream.received[0]?.body ?? "")).toMatchObject({
      stream_options: { x: 1, include_usage: true },
    });
  });

  it("counting tokens and lists of models are let through, and cost nothing", async () => {
    upstream.answers((_, outgoing) => json(outgoing, 200, { input_tokens: 12 }));
    const grant = granted({ reserve: reserveUpTo(0, priceUsd) });
    expect((await ask(grant, "anthropic", "/v1/messages/count_tokens", { model: sonnet })).status).toBe(200);
    expect((await ask(grant, "openai", "/models", undefined)).status).toBe(200);
    expect(grant.uses()).toEqual([]);
  });
});

const grantOfAll: GrantRequest = {
  priceUsd,
  reserve: reserveUpTo(5, priceUsd),
  unknownPrice: "allow",
  tokensMax: null,
  requestsMax: null,
  models: null,
  providers: null,
  onUse: () => {},
  onRefusal: () => {},
};

describe("refuses", () => {
  const refusals: [string, ModelProvider, string, object | undefined, Partial<GrantRequest>, number, unknown][] = [
    [
      "another path",
      "anthropic",
      "/v1/files",
      { model: sonnet },
      {},
      404,
      { type: "error", error: { type: "not_found_error" } },
    ],
    [
      "a way out of the path",
      "openai",
      "/responses/../../v1/files",
      { model: "gpt-5" },
      {},
      404,
      { error: { code: "not_found" } },
    ],
    [
      "another method",
      "gemini",
      "/v1beta/models/m:generateContent",
      undefined,
      {},
      404,
      { error: { status: "NOT_FOUND" } },
    ],
    [
      "another model",
      "anthropic",
      "/v1/messages",
      { model: "claude-opus-4-1" },
      { models: [sonnet] },
      403,
      { error: { type: "permission_error" } },
    ],
    [
      "another model in the path",
      "gemini",
      "/v1beta/models/m:generateContent",
      {},
      { models: ["n"] },
      403,
      { error: { status: "PERMISSION_DENIED" } },
    ],
    ["no model", "openai", "/chat/completions", {}, {}, 400, { error: { type: "invalid_request_error" } }],
    ["an answer in the background", "openai", "/responses", { model: "gpt-5", background: true }, {}, 400, {}],
    [
      "used money, as Anthropic says it",
      "anthropic",
      "/v1/messages",
      { model: sonnet },
      { reserve: reserveUpTo(0, priceUsd) },
      402,
      { type: "error", error: { type: "billing_error" } },
    ],
    [
      "used money, as OpenAI says it",
      "openai",
      "/responses",
      { model: "gpt-5" },
      { reserve: reserveUpTo(0, priceUsd) },
      402,
      { error: { type: "insufficient_quota", code: "insufficient_quota" } },
    ],
    [
      "used money, as Gemini says it",
      "gemini",
      "/v1beta/models/gemini-3.8-flash:generateContent",
      {},
      { reserve: reserveUpTo(0, priceUsd) },
      402,
      { error: { code: 402, status: "RESOURCE_EXHAUSTED" } },
    ],
    [
      "used tokens",
      "anthropic",
      "/v1/messages",
      { model: sonnet },
      { tokensMax: 0 },
      402,
      { error: { type: "billing_error" } },
    ],
    [
      "used turns",
      "openai",
      "/responses",
      { model: "gpt-5-codex" },
      { requestsMax: 0 },
      402,
      { error: { code: "insufficient_quota" } },
    ],
  ];
  it.each(refusals)("%s, and asks the service nothing", async (_, provider, path, body, change, status, shape) => {
    const grant = granted(change);
    const response = await ask(grant, provider, path, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject(shape as object);
    expect(upstream.received).toEqual([]);
    const used =
      change.tokensMax === 0
        ? "BATON_HARNESS_TOKENS"
        : change.requestsMax === 0
          ? "BATON_HARNESS_TURNS"
          : "BATON_BUDGET_EXCEEDED";
    expect(grant.stopReason()?.code).toBe(status === 402 ? used : undefined);
  });

  it("a service that is not of this step", async () => {
    const grant = granted({ providers: ["openai"] });
    expect(Object.keys(grant.models)).toEqual(["openai"]);
    const access = grant.models.openai;
    const elsewhere = access?.baseUrl.replace("/openai/v1", "/anthropic/v1/messages") ?? "";
    const response = await fetch(elsewhere, {
      method: "POST",
      headers: { "x-api-key": access?.key ?? "" },
      body: "{}",
    });
    expect(response.status).toBe(404);
    expect(upstream.received).toEqual([]);
  });

  it.each(["", "Bearer nonsense", `Bearer ${secret}`])("a token that it did not give: %j", async (authorization) => {
    const grant = granted();
    const response = await ask(grant, "anthropic", "/v1/messages", { model: sonnet }, { headers: { authorization } });
    expect(response.status).toBe(401);
    expect(upstream.received).toEqual([]);
  });

  it("K2: a token whose step has ended", async () => {
    const grant = granted();
    await grant.revoke();
    expect((await ask(grant, "anthropic", "/v1/messages", { model: sonnet })).status).toBe(401);
    expect(upstream.received).toEqual([]);
  });

  it("the request after the one that used the budget up", async () => {
    upstream.answers((_, outgoing) =>
      json(outgoing, 200, { type: "message", model: sonnet, usage: { input_tokens: 100_000, output_tokens: 0 } }),
    );
    const grant = granted({ reserve: reserveUpTo(0.3, priceUsd) });
    const statuses: number[] = [];
    for (let asked = 0; asked < 3; asked += 1) {
      const response = await ask(grant, "anthropic", "/v1/messages", { model: sonnet });
      statuses.push(response.status);
      await response.text();
    }
    expect(statuses).toEqual([200, 402, 402]);
    expect(upstream.received).toHaveLength(1);
    expect(grant.stopped.aborted).toBe(true);
  });

  it("G1: a request beside others that will use the rest up", async () => {
    const waiting: ServerResponse[] = [];
    let arrived: (() => void) | null = null;
    const first = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    upstream.answers((_, outgoing) => {
      waiting.push(outgoing);
      arrived?.();
    });
    const grant = granted({ reserve: reserveUpTo(0.5, priceUsd) });
    // 100,000 bytes are at most 100,000 tokens: 0.375 USD, written to the cache.
    const long = { model: sonnet, messages: [{ role: "user", content: "x".repeat(100_000) }] };
    const one = ask(grant, "anthropic", "/v1/messages", long);
    await first;
    expect((await ask(grant, "anthropic", "/v1/messages", long)).status).toBe(402);
    json(waiting[0] as ServerResponse, 200, {
      type: "message",
      model: sonnet,
      usage: { input_tokens: 1, output_tokens: 1 },
    });
    expect((await one).status).toBe(200);
  });

  it("an agent that goes on asking for what it may not is stopped", async () => {
    const grant = granted();
    for (let asked = 0; asked < refusalsMax; asked += 1) await (await ask(grant, "anthropic", "/v1/x", {})).text();
    expect(grant.stopReason()?.code).toBe("BATON_HARNESS_CRASHED");
  });
});

describe("errors of the service", () => {
  it.each([
    [429, failuresInARowMax, "BATON_HARNESS_QUOTA"],
    [529, failuresInARowMax, "BATON_HARNESS_UNAVAILABLE"],
    [400, failuresInARowMax, "BATON_HARNESS_CRASHED"],
    [401, 2, "BATON_HARNESS_AUTH"],
  ])("G3: %i passes through and ends the step after %i in a row", async (status, times, code) => {
    upstream.answers((_, outgoing) => {
      outgoing.writeHead(status, { "content-type": "application/json", "retry-after": "7" });
      outgoing.end(JSON.stringify({ type: "error", error: { type: "x", message: `no, ${secret}` } }));
    });
    const refusals: number[] = [];
    const grant = granted({ onRefusal: ({ inARow }) => refusals.push(inARow) });
    for (let asked = 1; asked <= times; asked += 1) {
      expect(grant.stopped.aborted).toBe(false);
      const response = await ask(grant, "anthropic", "/v1/messages", { model: sonnet });
      expect([response.status, response.headers.get("retry-after")]).toEqual([status, "7"]);
      // K1: even where the service repeats the key.
      expect(await response.text()).toBe('{"type":"error","error":{"type":"x","message":"no, [key]"}}');
    }
    expect(refusals).toEqual(Array.from({ length: times }, (_, index) => index + 1));
    expect(grant.stopReason()?.code).toBe(code);
    expect(grant.stopReason()?.message).not.toContain(secret);
    expect(grant.uses()).toEqual([]);
  });

  it("an answer in between begins the count anew", async () => {
    let asked = 0;
    upstream.answers((_, outgoing) => {
      asked += 1;
      json(outgoing, asked % failuresInARowMax === 0 ? 200 : 500, { type: "message", usage: { input_tokens: 1 } });
    });
    const grant = granted();
    for (let one = 0; one < 3 * failuresInARowMax; one += 1)
      await (await ask(grant, "anthropic", "/v1/messages", { model: sonnet })).text();
    expect(grant.stopped.aborted).toBe(false);
  });

  it("a service that is not there answers as 502 in the wire's own form", async () => {
    await upstream.close();
    const grant = granted();
    const response = await ask(grant, "openai", "/responses", { model: "gpt-5" });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { type: "server_error" } });
    upstream = await startUpstream();
  });

  it("a redirect leads nowhere", async () => {
    upstream.answers((_, outgoing) => outgoing.writeHead(302, { location: "http://elsewhere.invalid/" }).end());
    const response = await ask(granted(), "anthropic", "/v1/messages", { model: sonnet }, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([502, null]);
  });
});

describe("what is cut", () => {
  const half = frames(...anthropicStream(sonnet).slice(0, 1), {
    type: "content_block_delta",
    delta: { text: "x".repeat(4_000) },
  });

  it("G2: a client that hangs up is counted by what it got, and the service is let go", async () => {
    const let_go = Promise.withResolvers<void>();
    upstream.answers((_, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" }).write(half);
      outgoing.once("close", () => let_go.resolve());
    });
    const hangUp = new AbortController();
    const grant = granted();
    const response = await ask(
      grant,
      "anthropic",
      "/v1/messages",
      { model: sonnet, stream: true },
      { signal: hangUp.signal },
    );
    await response.body?.getReader().read();
    hangUp.abort();
    await let_go.promise;
    await grant.revoke();
    expect(grant.uses()).toEqual([
      { model: sonnet, tokens: { input: 100, output: 1_000, cacheRead: 20, cacheWrite: 7 }, requests: 1, estimated: 1 },
    ]);
  });

  it("G2: a client that does not wait for the first word pays for its question", async () => {
    const arrived = Promise.withResolvers<ServerResponse>();
    upstream.answers((_, outgoing) => arrived.resolve(outgoing));
    const hangUp = new AbortController();
    const grant = granted();
    const asking = ask(
      grant,
      "openai",
      "/responses",
      { model: "gpt-5", input: "x".repeat(4_000) },
      { signal: hangUp.signal },
    );
    const outgoing = await arrived.promise;
    hangUp.abort();
    await expect(asking).rejects.toThrow("aborted");
    await once(outgoing, "close");
    await grant.revoke();
    const [use] = grant.uses();
    expect(use).toMatchObject({ model: "gpt-5", estimated: 1 });
    expect(use?.tokens.input).toBeGreaterThan(1_000);
  });

  it("G2: a client that leaves before its question went out whole pays nothing", async () => {
    const met = Promise.withResolvers<Socket>();
    // It never answers the handshake, so nothing of the question goes out.
    const deaf = createTcpServer((socket) => met.resolve(socket)).listen(0, "127.0.0.1");
    await once(deaf, "listening");
    const { port } = deaf.address() as AddressInfo;
    const other = await startModelProxy({ openai: { baseUrl: `https://127.0.0.1:${port}`, secret, kind: "api-key" } });
    try {
      const grant = other.grant({ ...grantOfAll });
      const hangUp = new AbortController();
      const { signal } = hangUp;
      const asking = ask(grant, "openai", "/responses", { model: "gpt-5", input: "x".repeat(4_000) }, { signal });
      const socket = await met.promise;
      hangUp.abort();
      await expect(asking).rejects.toThrow("aborted");
      await once(socket.resume(), "close");
      await grant.revoke();
      expect(grant.uses()).toEqual([]);
    } finally {
      await other.close();
      deaf.close();
    }
  });

  it("a service that breaks off is seen as that, and counted", async () => {
    upstream.answers((_, outgoing, incoming) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      outgoing.write(half, () => incoming.socket.destroy());
    });
    const grant = granted();
    const response = await ask(grant, "anthropic", "/v1/messages", { model: sonnet, stream: true });
    await expect(response.text()).rejects.toThrow("terminated");
    await grant.revoke();
    expect(grant.uses()).toMatchObject([{ tokens: { input: 100, output: 1_000 }, estimated: 1 }]);
  });

  it.each(["revoke", "close"] as const)("K2: %s cuts what runs, on both sides", async (how) => {
    const let_go = Promise.withResolvers<void>();
    upstream.answers((_, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" }).write(half);
      outgoing.once("close", () => let_go.resolve());
    });
    const grant = granted();
    const response = await ask(grant, "anthropic", "/v1/messages", { model: sonnet, stream: true });
    const reader = response.body?.getReader();
    await reader?.read();
    await (how === "revoke" ? grant.revoke() : proxy.close());
    await expect(reader?.read()).rejects.toThrow();
    await let_go.promise;
    expect(grant.uses()).toMatchObject([{ tokens: { input: 100 }, requests: 1 }]);
    if (how === "close") {
      const connections = await new Promise((resolve) => upstream.server.getConnections((_, count) => resolve(count)));
      expect(connections).toBe(0);
      await expect(ask(grant, "anthropic", "/v1/messages", {})).rejects.toThrow("fetch failed");
      proxy = await startModelProxy({});
    }
  });
});
