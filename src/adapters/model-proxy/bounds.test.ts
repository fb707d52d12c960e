/** G1, G2, K5: before a request is sent, its highest cost is known and reserved. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  json,
  type ModelService,
  priceUsd,
  type Received,
  startModelService,
} from "../../../test/fakes/model-service.ts";
import { noTokens } from "../../core/vocabulary.ts";
import type { ModelProvider, RequestMoney } from "../../ports/model-proxy.ts";
import { retryAfterMs } from "./retry-after.ts";

const sonnet = "claude-sonnet-5-5";
const gpt = "gpt-6.1-sol";
const flash = "gemini-3.8-flash";

let service: ModelService;
beforeEach(async () => {
  service = await startModelService();
});
afterEach(() => service.close());

interface Form {
  wire: string;
  provider: ModelProvider;
  model: string;
  path: string;
  body(limit: number | null): object;
  limitOf(request: Received | undefined): number | undefined;
  answer(output: number): object;
}

const config = (request: Received | undefined): Record<string, number> =>
  (request?.body["generationConfig"] ?? {}) as Record<string, number>;

const forms: Form[] = [
  {
    wire: "Messages",
    provider: "anthropic",
    model: sonnet,
    path: "/v1/messages",
    body: (limit) => ({ model: sonnet, messages: [], ...(limit === null ? {} : { max_tokens: limit }) }),
    limitOf: (request) => request?.body["max_tokens"] as number | undefined,
    answer: (output) => ({ type: "message", model: sonnet, usage: { input_tokens: 10, output_tokens: output } }),
  },
  {
    wire: "Responses",
    provider: "openai",
    model: gpt,
    path: "/responses",
    body: (limit) => ({ model: gpt, input: "Hello", ...(limit === null ? {} : { max_output_tokens: limit }) }),
    limitOf: (request) => request?.body["max_output_tokens"] as number | undefined,
    answer: (output) => ({ object: "response", model: gpt, usage: { input_tokens: 10, output_tokens: output } }),
  },
  {
    wire: "Chat Completions",
    provider: "openai",
    model: gpt,
    path: "/chat/completions",
    body: (limit) => ({ model: gpt, messages: [], ...(limit === null ? {} : { max_completion_tokens: limit }) }),
    limitOf: (request) => request?.body["max_completion_tokens"] as number | undefined,
    answer: (output) => ({ model: gpt, choices: [], usage: { prompt_tokens: 10, completion_tokens: output } }),
  },
  {
    wire: "Chat Completions by the older name",
    provider: "openai",
    model: gpt,
    path: "/chat/completions",
    body: (limit) => ({ model: gpt, messages: [], max_tokens: limit ?? 90_000 }),
    limitOf: (request) => request?.body["max_tokens"] as number | undefined,
    answer: (output) => ({ model: gpt, choices: [], usage: { prompt_tokens: 10, completion_tokens: output } }),
  },
  {
    wire: "Gemini",
    provider: "gemini",
    model: flash,
    path: `/v1beta/models/${flash}:generateContent`,
    body: (limit) => ({ contents: [], ...(limit === null ? {} : { generationConfig: { maxOutputTokens: limit } }) }),
    limitOf: (request) => config(request)["maxOutputTokens"],
    answer: (output) => ({
      candidates: [{ finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: 10, candidatesTokenCount: output },
    }),
  },
  {
    wire: "Gemini in snake case",
    provider: "gemini",
    model: flash,
    path: `/v1beta/models/${flash}:streamGenerateContent`,
    body: (limit) => ({ contents: [], generation_config: { max_output_tokens: limit ?? 60_000 } }),
    limitOf: (request) => config(request)["maxOutputTokens"],
    answer: (output) => ({
      candidates: [{ finishReason: "STOP" }],
      usageMetadata: { promptTokenCount: 10, candidatesTokenCount: output },
    }),
  },
];

const outputUsd = (model: string, output: number): number => priceUsd(model, { ...noTokens, output }) ?? 0;

describe("harnesses-and-models: an answer is bounded before it is asked for", () => {
  it.each(forms)("$wire: a limit of 60,000 tokens is lowered to the money", async (form) => {
    service.answers((request, outgoing) => json(outgoing, 200, form.answer(form.limitOf(request) ?? 1e6)));
    const grant = service.grant(0.1);
    expect((await service.ask(grant, form.provider, form.path, form.body(60_000))).status).toBe(200);
    await grant.revoke();
    const limit = form.limitOf(service.received[0]) ?? 0;
    expect(limit).toBeGreaterThan(1_024);
    expect(outputUsd(form.model, limit)).toBeLessThan(0.1);
    const [use] = grant.uses();
    expect(use?.tokens.output).toBe(limit);
    expect(priceUsd(form.model, use?.tokens ?? noTokens)).toBeLessThanOrEqual(0.1);
  });

  it.each(forms)("$wire: a limit that the money covers stays as it is", async (form) => {
    const grant = service.grant(5);
    await service.ask(grant, form.provider, form.path, form.body(2_000));
    expect(form.limitOf(service.received[0])).toBe(2_000);
  });

  it.each(forms.filter(({ body, wire }) => wire !== "Gemini in snake case" && !("max_tokens" in body(null))))(
    "$wire: without a limit the model's own holds while the money covers it, and is lowered after",
    async (form) => {
      await service.ask(service.grant(5), form.provider, form.path, form.body(null));
      await service.ask(service.grant(0.1), form.provider, form.path, form.body(null));
      const [first, second] = service.received.map((request) => form.limitOf(request));
      if (form.provider !== "anthropic") expect(first).toBeUndefined();
      expect(outputUsd(form.model, second ?? 1e9)).toBeLessThan(0.1);
    },
  );

  it.each([
    ["1,000 USD of a model without a price", "own-model", "allow", undefined],
    ["a limit below what is useful", sonnet, "stop", 402],
  ] as const)("%s", async (_, model, unknownPrice, status) => {
    const grant = service.grant(0.011, { unknownPrice });
    const response = await service.ask(grant, "anthropic", "/v1/messages", { model, max_tokens: 9_000, messages: [] });
    expect(response.status).toBe(status ?? 200);
  });

  it.each([
    [{ type: "enabled", budget_tokens: 8_000 }, 16_000],
    [{ type: "enabled", budget_tokens: 20_000 }, 64_000],
  ])("a limit that does not exceed the thinking %j stops the attempt, with what is needed", async (thinking, limit) => {
    const grant = service.grant(0.07);
    const body = { model: sonnet, max_tokens: limit, thinking, messages: [] };
    expect((await service.ask(grant, "anthropic", "/v1/messages", body)).status).toBe(402);
    expect(service.received).toEqual([]);
    const reason = grant.stopReason();
    expect(reason?.code).toBe("BATON_BUDGET_EXCEEDED");
    expect(Number(reason?.details?.["neededUsd"])).toBeGreaterThan(outputUsd(sonnet, thinking.budget_tokens));
  });

  it("several answers at once are bounded together", async () => {
    const grant = service.grant(0.1);
    await service.ask(grant, "openai", "/chat/completions", { model: gpt, messages: [], n: 4 });
    const limit = service.received[0]?.body["max_completion_tokens"] as number;
    expect(outputUsd(gpt, 4 * limit)).toBeLessThan(0.1);
  });

  it("a path without a limit is asked only with money for the model's longest answer", async () => {
    const body = { model: gpt, input: "Hello" };
    expect((await service.ask(service.grant(0.5), "openai", "/responses/compact", body)).status).toBe(402);
    expect((await service.ask(service.grant(5), "openai", "/responses/compact", body)).status).toBe(200);
    expect(service.received[0]?.body).toEqual(body);
  });

  it.each([
    ["a stored conversation", "openai", "/responses", { model: gpt, input: "x", previous_response_id: "resp_1" }],
    ["a stored cache", "gemini", `/v1beta/models/${flash}:generateContent`, { contents: [], cachedContent: "c/1" }],
    [
      "a file elsewhere",
      "openai",
      "/responses",
      { model: gpt, input: [{ content: [{ type: "input_file", file_id: "f" }] }] },
    ],
    [
      "a search by the service",
      "anthropic",
      "/v1/messages",
      { model: sonnet, messages: [], tools: [{ type: "web_search_20250305", name: "web_search" }] },
    ],
  ] as const)("%s is reserved as the whole window", async (_, provider, path, body) => {
    expect((await service.ask(service.grant(1), provider, path, body)).status).toBe(402);
    expect((await service.ask(service.grant(9), provider, path, body)).status).toBe(200);
  });

  it("what an earlier request has in common with this one is known, and only the rest counts by its bytes", async () => {
    const asked: RequestMoney[] = [];
    const grant = service.grant(5, {
      reserve: async (request) => {
        asked.push(request);
        return request.wantUsd;
      },
    });
    service.answers((_, outgoing) =>
      json(outgoing, 200, { type: "message", model: sonnet, usage: { input_tokens: 25_000, output_tokens: 5 } }),
    );
    const first = { role: "user", content: "word ".repeat(20_000) };
    const body = (...messages: object[]) => ({ model: sonnet, max_tokens: 1_000, messages, system: "s".repeat(500) });
    await service.ask(grant, "anthropic", "/v1/messages", body(first));
    await service.ask(grant, "anthropic", "/v1/messages", body(first, { role: "user", content: "and then" }));
    const [one, two] = asked.map(({ wantUsd }) => wantUsd);
    expect(one).toBeGreaterThan((100_000 * 2.5) / 1e6);
    expect(two).toBeLessThan((40_000 * 2.5) / 1e6);
    expect(two).toBeGreaterThan((25_000 * 2.5) / 1e6);
  });

  it("an hour in the cache is reserved, and counted, at its price", async () => {
    const usage = {
      input_tokens: 3,
      output_tokens: 4,
      cache_creation_input_tokens: 1_000,
      cache_creation: { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 600 },
    };
    service.answers((_, outgoing) => json(outgoing, 200, { type: "message", model: sonnet, usage }));
    const asked: RequestMoney[] = [];
    const reserve = async (request: RequestMoney) => {
      asked.push(request);
      return request.wantUsd;
    };
    const grant = service.grant(5, { reserve });
    for (const ttl of ["5m", "1h"]) {
      const content = [{ type: "text", text: "x".repeat(50_000), cache_control: { type: "ephemeral", ttl } }];
      const other = service.grant(5, { reserve });
      const body = { model: sonnet, max_tokens: 10, messages: [{ role: "user", content }] };
      await service.ask(other, "anthropic", "/v1/messages", body);
      await service.ask(grant, "anthropic", "/v1/messages", body);
    }
    const [short = 0, , long = 0] = asked.map(({ wantUsd }) => wantUsd);
    expect(long / short).toBeCloseTo(1.6, 2);
    expect(grant.uses()).toMatchObject([{ tokens: { cacheWrite: 2 * 1_360 } }]);
  });

  it("nothing is sent before its money is reserved", async () => {
    const reserved = Promise.withResolvers<number | null>();
    const asking = Promise.withResolvers<void>();
    const grant = service.grant(5, {
      reserve: () => {
        asking.resolve();
        return reserved.promise;
      },
    });
    const answer = service.ask(grant, "anthropic", "/v1/messages", forms[0]?.body(100) ?? {});
    await asking.promise;
    expect(service.received).toEqual([]);
    reserved.resolve(1);
    expect((await answer).status).toBe(200);
    expect(service.received).toHaveLength(1);
  });
});

describe("harnesses-and-models: requests in flight count once", () => {
  /** Answers only when all requests that may pass have arrived. */
  function held() {
    const waiting: { request: Received; outgoing: ServerResponse }[] = [];
    service.answers((request, outgoing) => void waiting.push({ request, outgoing }));
    return waiting;
  }
  const until = async (reached: () => boolean): Promise<void> => {
    while (!reached()) await new Promise((resolve) => setImmediate(resolve));
  };

  it.each(forms.slice(0, 3))("$wire: of 20 at once, answered as long as allowed, the money is enough", async (form) => {
    const waiting = held();
    const grant = service.grant(0.1);
    const statuses: number[] = [];
    const asking = Array.from({ length: 20 }, async () => {
      const response = await service.ask(grant, form.provider, form.path, form.body(60_000)).catch(() => null);
      statuses.push(response?.status ?? 0);
    });
    await until(() => statuses.length + waiting.length >= 20);
    for (const { request, outgoing } of waiting) json(outgoing, 200, form.answer(form.limitOf(request) ?? 1e6));
    await Promise.all(asking);
    await grant.revoke();
    expect(waiting.length).toBeGreaterThan(0);
    const spent = grant.uses().reduce((sum, { model, tokens }) => sum + (priceUsd(model, tokens) ?? 0), 0);
    expect(spent).toBeLessThanOrEqual(0.1);
  });

  it.each([
    [8, 4, 2],
    [3, 3, 1],
    [6, 2, 3],
  ])("%i turns are enough for %i at once, %i times", async (requestsMax, atOnce, times) => {
    service.answers((_, outgoing) => json(outgoing, 200, forms[0]?.answer(5)));
    const grant = service.grant(5, { requestsMax });
    const body = forms[0]?.body(10) ?? {};
    for (let time = 0; time < times; time += 1) {
      const all = Array.from({ length: atOnce }, () => service.ask(grant, "anthropic", "/v1/messages", body));
      expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array.from({ length: atOnce }, () => 200));
    }
    expect((await service.ask(grant, "anthropic", "/v1/messages", body)).status).toBe(402);
    expect(grant.stopReason()?.code).toBe("BATON_HARNESS_TURNS");
  });

  it.each([20_000, 50_000])("`tokensMax` %i counts what is under way", async (tokensMax) => {
    const waiting = held();
    const grant = service.grant(50, { tokensMax });
    const statuses: number[] = [];
    const asking = Array.from({ length: 10 }, async () => {
      const response = await service.ask(grant, "anthropic", "/v1/messages", forms[0]?.body(10_000) ?? {});
      statuses.push(response.status);
    });
    await until(() => statuses.length + waiting.length >= 10);
    for (const { request, outgoing } of waiting)
      json(outgoing, 200, forms[0]?.answer(request.body["max_tokens"] as number));
    await Promise.all(asking);
    const [use] = grant.uses();
    expect((use?.tokens.input ?? 0) + (use?.tokens.output ?? 0)).toBeLessThanOrEqual(tokensMax);
    expect(grant.stopReason()?.code).toBe("BATON_HARNESS_TOKENS");
  });
});

describe("harnesses-and-models: what cannot be seen on the way is charged at the limit when the answer is cut", () => {
  const frame = (...events: object[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  const start = { type: "message_start", message: { model: sonnet, usage: { input_tokens: 100, output_tokens: 1 } } };
  const words = { type: "content_block_delta", delta: { type: "text_delta", text: "x".repeat(400) } };
  const thought = { type: "content_block_start", content_block: { type: "redacted_thinking" } };
  const plain = { model: sonnet, max_tokens: 5_000, stream: true, messages: [] };
  const search = [{ type: "web_search_20250305", name: "web_search" }];
  const gemini = {
    candidates: [{ content: { parts: [{ text: "x".repeat(400) }] } }],
    usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 100 },
  };
  it.each<[string, ModelProvider, string, object, object[], number]>([
    ["only words: by their length", "anthropic", "/v1/messages", plain, [start, words], 100],
    [
      "thinking was asked for",
      "anthropic",
      "/v1/messages",
      { ...plain, thinking: { type: "adaptive" } },
      [start, words],
      5_000,
    ],
    ["it thought without being asked", "anthropic", "/v1/messages", plain, [start, thought, words], 5_000],
    ["the service searches", "anthropic", "/v1/messages", { ...plain, tools: search }, [start, words], 5_000],
    ["nothing was said", "anthropic", "/v1/messages", plain, [], 5_000],
    [
      "OpenAI hides its reasoning",
      "openai",
      "/responses",
      { model: gpt, stream: true, input: "x", max_output_tokens: 4_000 },
      [{ type: "response.output_text.delta", delta: "x" }],
      4_000,
    ],
    [
      "so does its older form",
      "openai",
      "/chat/completions",
      { model: gpt, stream: true, messages: [], max_completion_tokens: 3_000 },
      [{ choices: [{ delta: { content: "x" } }] }],
      3_000,
    ],
    [
      "Gemini thinks",
      "gemini",
      `/v1beta/models/${flash}:streamGenerateContent?alt=sse`,
      { contents: [], generationConfig: { maxOutputTokens: 2_000 } },
      [gemini],
      2_000,
    ],
    [
      "Gemini does not think",
      "gemini",
      `/v1beta/models/${flash}:streamGenerateContent?alt=sse`,
      { contents: [], generationConfig: { maxOutputTokens: 2_000, thinkingConfig: { thinkingBudget: 0 } } },
      [gemini],
      100,
    ],
  ])("%s", async (_, provider, path, body, events, output) => {
    const arrived = Promise.withResolvers<ServerResponse>();
    service.answers((request, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      outgoing.flushHeaders();
      if (events.length > 0) outgoing.write(frame(...events));
      void request;
      arrived.resolve(outgoing);
    });
    const hangUp = new AbortController();
    const grant = service.grant(20);
    const response = await service.ask(grant, provider, path, body, hangUp.signal);
    const outgoing = await arrived.promise;
    if (events.length > 0) await response.body?.getReader().read();
    hangUp.abort();
    await once(outgoing, "close");
    await grant.revoke();
    expect(grant.uses()).toMatchObject([{ requests: 1, estimated: 1, tokens: { output } }]);
  });

  it("a connection that breaks after the whole question counts as an answer that was cut", async () => {
    service.answers((_, outgoing) => void outgoing.socket?.destroy());
    const grant = service.grant(5);
    const response = await service.ask(grant, "anthropic", "/v1/messages", plain);
    expect(response.status).toBe(502);
    await grant.revoke();
    expect(grant.uses()).toMatchObject([{ estimated: 1, tokens: { output: 5_000 } }]);
  });
});

describe("harnesses-and-models: the model that the request names counts", () => {
  it.each([
    ["its price, not that of what the service says", "claude-opus-5-5", "claude-haiku-5-5", "claude-opus-5-5"],
    ["also where the service names a dearer one", "claude-haiku-5-5", "claude-opus-5-5", "claude-haiku-5-5"],
    ["also where the service names one that nobody knows", sonnet, "internal-7", sonnet],
  ])("%s", async (_, asked, said, counted) => {
    service.answers((_request, outgoing) =>
      json(outgoing, 200, { type: "message", model: said, usage: { input_tokens: 3, output_tokens: 4 } }),
    );
    const grant = service.grant(5);
    await service.ask(grant, "anthropic", "/v1/messages", { model: asked, max_tokens: 100, messages: [] });
    expect(grant.uses()).toMatchObject([{ model: counted, requests: 1 }]);
  });

  it.each([
    ["anthropic", "/v1/messages", { model: "claude-unheard-of", messages: [] }],
    ["openai", "/responses", { model: "gpt-unheard-of", input: "x" }],
    ["gemini", "/v1beta/models/gemini-unheard-of:generateContent", { contents: [] }],
  ] as const)("without a price it is refused at its first request: %s", async (provider, path, body) => {
    const grant = service.grant(5);
    expect((await service.ask(grant, provider, path, body)).status).toBe(402);
    expect(service.received).toEqual([]);
    expect(grant.stopReason()).toMatchObject({
      code: "BATON_PRICE_UNKNOWN",
      message: expect.stringContaining("unheard-of"),
    });
  });
});

describe("harnesses-and-models: errors of the service have names of their own", () => {
  const error = (status: number, message: string, headers = {}) =>
    service.answers((request, outgoing) =>
      request.method === "GET"
        ? json(outgoing, 200, { data: [{ id: "claude-opus-5-5" }, { id: "claude-sonnet-5-5" }, { id: "<b>x" }] })
        : json(outgoing, status, { type: "error", error: { type: "x", message } }, headers),
    );
  const askSonnet = (grant: ReturnType<ModelService["grant"]>) =>
    service.ask(grant, "anthropic", "/v1/messages", { model: "claude-sonnet-4-5", max_tokens: 10, messages: [] });

  it.each([
    [404, "model: claude-sonnet-4-5"],
    [400, "The model `claude-sonnet-4-5` has been deprecated"],
    [404, "models/claude-sonnet-4-5 is not found for API version v1beta, or is not supported for generateContent."],
    [403, "Project `p` does not have access to model `x` (model_not_found)"],
  ])("%i %s: unknown, with the models that the service lists, after two in a row", async (status, message) => {
    error(status, message);
    const grant = service.grant(5);
    expect((await askSonnet(grant)).status).toBe(status);
    expect(grant.stopReason()).toBeNull();
    expect(grant.refusal()).toMatchObject({ code: "BATON_MODEL_UNKNOWN" });
    await askSonnet(grant);
    const reason = grant.stopReason();
    expect(reason?.code).toBe("BATON_MODEL_UNKNOWN");
    expect(reason?.message).toContain('"claude-sonnet-4-5"');
    expect(reason?.message).toContain("The service lists: claude-sonnet-5-5, claude-opus-5-5.");
    expect(service.received.filter(({ method }) => method === "GET")[0]?.headers["x-api-key"]).toBeDefined();
  });

  it.each([
    [400, "prompt is too long: 210000 tokens > 200000 maximum"],
    [400, "Your input exceeds the context window of this model. Please adjust your input and try again."],
    [400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."],
    [413, "Request exceeds the maximum size"],
  ])("%i %s: too long", async (status, message) => {
    error(status, message);
    const grant = service.grant(5);
    await askSonnet(grant);
    expect(grant.refusal()?.code).toBe("BATON_PROMPT_TOO_LONG");
    service.answers((_, outgoing) => json(outgoing, 200, forms[0]?.answer(4)));
    await askSonnet(grant);
    expect(grant.refusal()).toBeNull();
  });

  it.each([
    [{ "retry-after": "120" }, 120_000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after-ms": "1500" }, 1_500],
    [{ "retry-after": "86400" }, 3_600_000],
    [{ "retry-after": "soon" }, 30_000],
    [{ "retry-after": "-5" }, 30_000],
    [{ "retry-after": "1e9" }, 30_000],
  ])("retry-after %j is obeyed: %i ms", async (headers, pauseMs) => {
    error(429, "slow down", headers);
    const grant = service.grant(5);
    await askSonnet(grant);
    expect(grant.refusal()).toMatchObject({ code: "BATON_HARNESS_QUOTA", retryAfterMs: pauseMs });
  });

  it("retry-after as a date, and as a detail of Gemini's error", () => {
    const now = Date.UTC(2026, 10, 30, 12, 0, 0);
    const detail = (retryDelay: string) => Buffer.from(JSON.stringify([{ error: { details: [{ retryDelay }] } }]));
    expect(retryAfterMs({ "retry-after": "Mon, 30 Nov 2026 12:01:30 GMT" }, Buffer.alloc(0), now)).toBe(90_000);
    expect(retryAfterMs({ "retry-after": "Mon, 30 Nov 2026 11:00:00 GMT" }, Buffer.alloc(0), now)).toBe(0);
    expect(retryAfterMs({}, detail("37.5s"), now)).toBe(37_500);
    expect(retryAfterMs({ "retry-after": "60" }, detail("5s"), now)).toBe(60_000);
    expect(retryAfterMs({}, detail("never"), now)).toBeNull();
  });
});

describe("fees: searches in the web are reserved, bounded and counted", () => {
  interface Search {
    provider: ModelProvider;
    model: string;
    path: string;
    feeUsd: number;
    body(limit: number | null): object;
    limitOf(body: Record<string, unknown>): unknown;
    answer(searches: number): object;
  }
  const usage = { input_tokens: 10, output_tokens: 5 };
  const anthropicTool = (limit: number | null) => ({
    type: "web_search_20260209",
    name: "web_search",
    ...(limit === null ? {} : { max_uses: limit }),
  });
  const call = (type: string) => ({ type: "web_search_call", action: { type } });
  const messages: Search = {
    provider: "anthropic",
    model: sonnet,
    path: "/v1/messages",
    feeUsd: 0.01,
    body: (limit) => ({ model: sonnet, max_tokens: 100, messages: [], tools: [anthropicTool(limit)] }),
    limitOf: ({ tools }) => (tools as { max_uses?: number }[])[0]?.max_uses,
    answer: (searches) => ({
      type: "message",
      model: sonnet,
      usage: { ...usage, server_tool_use: { web_search_requests: searches } },
    }),
  };
  const responses: Search = {
    provider: "openai",
    model: gpt,
    path: "/responses",
    feeUsd: 0.01,
    body: (limit) => ({
      model: gpt,
      input: "x",
      max_output_tokens: 100,
      tools: [{ type: "web_search" }],
      ...(limit === null ? {} : { max_tool_calls: limit }),
    }),
    limitOf: ({ max_tool_calls }) => max_tool_calls,
    answer: (searches) => ({
      object: "response",
      model: gpt,
      usage,
      output: [call("open_page"), ...Array.from({ length: searches }, () => call("search"))],
    }),
  };
  it.each([messages, responses])("$path: three searches cost three fees next to the tokens", async (search) => {
    service.answers((_, outgoing) => json(outgoing, 200, search.answer(3)));
    const grant = service.grant(20);
    expect((await service.ask(grant, search.provider, search.path, search.body(null))).status).toBe(200);
    expect(grant.uses()).toMatchObject([{ feesUsd: expect.closeTo(3 * search.feeUsd, 9) }]);
    expect(search.limitOf(service.received[0]?.body ?? {})).toBe(10);
  });

  it.each([messages, responses])("$path: a bound of its own stays, and is lowered to the money", async (search) => {
    const input = priceUsd(search.model, { ...noTokens, cacheWrite: 1_100_000 }) ?? 0;
    const output = priceUsd(search.model, { ...noTokens, output: 100 }) ?? 0;
    await service.ask(service.grant(20), search.provider, search.path, search.body(4));
    await service.ask(
      service.grant(input + output + 2.5 * search.feeUsd),
      search.provider,
      search.path,
      search.body(4),
    );
    const refused = service.grant(input + output + 0.5 * search.feeUsd);
    expect((await service.ask(refused, search.provider, search.path, search.body(4))).status).toBe(402);
    expect(service.received.map(({ body }) => search.limitOf(body))).toEqual([4, 2]);
    expect(refused.stopReason()?.code).toBe("BATON_BUDGET_EXCEEDED");
  });

  it("Chat Completions: a model that searches is charged one fee for each answer", async () => {
    const body = { model: "gpt-4.1", messages: [], max_completion_tokens: 10, web_search_options: {} };
    service.answers((_, outgoing) =>
      json(outgoing, 200, { model: "gpt-4.1", choices: [{}], usage: { prompt_tokens: 1, completion_tokens: 1 } }),
    );
    const grant = service.grant(20);
    await service.ask(grant, "openai", "/chat/completions", body);
    await service.ask(grant, "openai", "/chat/completions", { ...body, web_search_options: null });
    expect(grant.uses()).toMatchObject([{ requests: 2, feesUsd: 0.025 }]);
  });

  const gemini = (model: string) => `/v1beta/models/${model}:generateContent`;
  const grounded = (...webSearchQueries: string[]) => ({
    candidates: [{ finishReason: "STOP", groundingMetadata: { webSearchQueries } }],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5 },
  });

  it.each([{ googleSearch: {} }, { google_search: {} }, { googleMaps: {} }])(
    "Gemini knows no bound: %j is refused, and the attempt goes on",
    async (tool) => {
      const grant = service.grant(20);
      const response = await service.ask(grant, "gemini", gemini(flash), { contents: [], tools: [tool] });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain("budget.unknownPrice");
      expect(service.received).toEqual([]);
      expect(grant.stopReason()).toBeNull();
    },
  );

  it.each([
    [flash, ["a", "", "b", "a"], 2 * 0.014],
    [flash, [], undefined],
    ["gemini-2.5-flash", ["a", "b"], 0.035],
    ["gemini-2.5-flash", [], undefined],
  ])("%s with the queries %j costs %s USD where it is let through", async (model, queries, feesUsd) => {
    service.answers((_, outgoing) => json(outgoing, 200, grounded(...queries)));
    const grant = service.grant(20, { unknownPrice: "allow" });
    await service.ask(grant, "gemini", gemini(model), { contents: [], tools: [{ googleSearch: {} }] });
    expect(grant.uses()[0]?.feesUsd).toEqual(feesUsd === undefined ? undefined : expect.closeTo(feesUsd, 9));
  });

  it("an answer that is cut is charged all searches that it could make", async () => {
    service.answers((_, outgoing) => void outgoing.socket?.destroy());
    for (const search of [messages, responses]) {
      const grant = service.grant(20);
      await service.ask(grant, search.provider, search.path, search.body(7));
      await grant.revoke();
      expect(grant.uses()).toMatchObject([{ estimated: 1, feesUsd: expect.closeTo(7 * search.feeUsd, 9) }]);
    }
  });

  it("a stream says its searches one by one, and again at its end", async () => {
    const item = { type: "response.output_item.done", item: call("search") };
    const end = { type: "response.completed", response: responses.answer(2) };
    service.answers((_, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      outgoing.end([item, item, end].map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""));
    });
    const grant = service.grant(20);
    await (await service.ask(grant, "openai", "/responses", responses.body(5))).text();
    expect(grant.uses()).toMatchObject([{ requests: 1, estimated: 0, feesUsd: 0.02 }]);
  });
});

describe("`attemptTokens` is not passed by one request", () => {
  const plain = (max_tokens: number, text = "") => ({
    model: sonnet,
    max_tokens,
    messages: [{ role: "user", content: text }],
  });
  const answer = (input: number) =>
    service.answers((request, outgoing) =>
      json(outgoing, 200, {
        type: "message",
        model: sonnet,
        usage: { input_tokens: input, output_tokens: request.body["max_tokens"] },
      }),
    );

  it.each([
    [8_000, 32_000],
    [5_000, 6_000],
    [100_000, 128_000],
  ])("of %i tokens an answer of %i is lowered to what the question leaves", async (tokensMax, limit) => {
    answer(150);
    const grant = service.grant(50, { tokensMax });
    expect((await service.ask(grant, "anthropic", "/v1/messages", plain(limit, "x".repeat(500)))).status).toBe(200);
    expect(service.received[0]?.body["max_tokens"]).toBeLessThan(tokensMax - 500);
    const [use] = grant.uses();
    expect((use?.tokens.input ?? 0) + (use?.tokens.output ?? 0)).toBeLessThanOrEqual(tokensMax);
  });

  it.each([3_000, 20_000])("of %i tokens a question that may need more is not asked", async (tokensMax) => {
    const grant = service.grant(50, { tokensMax });
    expect((await service.ask(grant, "anthropic", "/v1/messages", plain(2_000, "x".repeat(tokensMax)))).status).toBe(
      402,
    );
    expect(service.received).toEqual([]);
    expect(grant.stopReason()).toMatchObject({
      code: "BATON_HARNESS_TOKENS",
      message: expect.stringMatching(/^The tokens of this step are used: 0 of \d+, and the next request may need \d+ /),
    });
  });

  it("the last request before the limit is the last", async () => {
    answer(2_000);
    const grant = service.grant(50, { tokensMax: 12_000 });
    const statuses: number[] = [];
    for (let asked = 0; asked < 6; asked += 1)
      statuses.push(
        (await service.ask(grant, "anthropic", "/v1/messages", plain(1_500, "x".repeat(2_000 + asked)))).status,
      );
    expect(statuses.lastIndexOf(200)).toBeLessThan(statuses.indexOf(402));
    const [use] = grant.uses();
    expect((use?.tokens.input ?? 0) + (use?.tokens.output ?? 0)).toBeLessThanOrEqual(12_000);
  });
});

describe("fees that no answer counts are refused by name, not paid in silence", () => {
  const message = { model: sonnet, max_tokens: 10, messages: [] };
  const response = { model: "gpt-6.1-sol", max_output_tokens: 100, input: "x" };
  const chat = { model: "gpt-4.1", max_completion_tokens: 10, messages: [] };
  const path = `/v1beta/models/${flash}:generateContent`;
  const contents = { contents: [], generationConfig: { maxOutputTokens: 10 } };
  const container = { type: "shell", environment: { type: "container_auto" } };
  type Case = [string, ModelProvider, string, object];
  it.each<Case>([
    [
      "tool code_execution_20250825",
      "anthropic",
      "/v1/messages",
      { ...message, tools: [{ type: "code_execution_20250825" }] },
    ],
    [
      "tool advisor_20260301",
      "anthropic",
      "/v1/messages",
      { ...message, tools: [{ type: "advisor_20260301", model: "x" }] },
    ],
    ["speed fast", "anthropic", "/v1/messages", { ...message, speed: "fast" }],
    ["inference_geo us", "anthropic", "/v1/messages", { ...message, inference_geo: "us" }],
    ["tool code_interpreter", "openai", "/responses", { ...response, tools: [{ type: "code_interpreter" }] }],
    ["tool shell", "openai", "/responses", { ...response, tools: [container] }],
    [
      "tool image_generation",
      "openai",
      "/responses",
      { ...response, input: [{ tools: [{ type: "image_generation" }] }] },
    ],
    ["tool hosted_browser", "openai", "/responses", { ...response, tools: [{ type: "hosted_browser" }] }],
    ["service_tier priority", "openai", "/responses", { ...response, service_tier: "priority" }],
    ["service_tier fast", "openai", "/chat/completions", { ...chat, service_tier: "fast" }],
    ["service_tier ultrafast", "openai", "/responses", { ...response, service_tier: "ultrafast" }],
    ["service_tier priority", "gemini", path, { ...contents, service_tier: "priority" }],
    ["service_tier service_tier_priority", "gemini", path, { ...contents, serviceTier: "SERVICE_TIER_PRIORITY" }],
  ])("%s of %s", async (name, provider, where, body) => {
    const grant = service.grant(20);
    const refused = await service.ask(grant, provider, where, body);
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain(name);
    expect([service.received.length, grant.stopReason(), grant.uses()]).toEqual([0, null, []]);
    service.answers((_, outgoing) => json(outgoing, 200, {}));
    const allowed = await service.ask(service.grant(20, { unknownPrice: "allow" }), provider, where, body);
    expect([allowed.status, service.received.length]).toEqual([200, 1]);
  });

  it.each<Case>([
    [
      "the client's own shell",
      "openai",
      "/responses",
      { ...response, tools: [{ type: "shell" }, { type: "local_shell" }] },
    ],
    ["a function", "openai", "/responses", { ...response, tools: [{ type: "function", name: "code_interpreter" }] }],
    ["the ordinary tiers", "openai", "/responses", { ...response, service_tier: "default" }],
    ["no tier", "openai", "/chat/completions", { ...chat, service_tier: null }],
    [
      "a tool of the client",
      "anthropic",
      "/v1/messages",
      { ...message, tools: [{ name: "advisor" }, { type: "bash_20250124" }] },
    ],
    ["ordinary speed", "anthropic", "/v1/messages", { ...message, speed: "standard", inference_geo: "global" }],
    ["a standard tier", "gemini", path, { ...contents, service_tier: "SERVICE_TIER_STANDARD" }],
  ])("%s passes", async (_, provider, where, body) => {
    service.answers((_request, outgoing) => json(outgoing, 200, {}));
    expect((await service.ask(service.grant(20), provider, where, body)).status).toBe(200);
  });
});
