/** A hostile model service, and an agent with forbidden requests: the real proxy between the two. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { gzipSync } from "node:zlib";
import { AnswerMeter } from "../../../../src/adapters/model-proxy/answer-meter.ts";
import { startModelProxy } from "../../../../src/adapters/model-proxy/proxy.ts";
import { anthropicMessages } from "../../../../src/adapters/model-proxy/wires/anthropic-messages.ts";
import type { Tokens } from "../../../../src/core/vocabulary.ts";
import { costOf } from "../../../../src/money/cost.ts";
import { findPrice } from "../../../../src/money/prices.ts";
import type { GrantRequest, ModelGrant, ModelProxy } from "../../../../src/ports/model-proxy.ts";
import { reserveUpTo } from "../../../fakes/money.ts";
import { type Cause, defineCause, shared } from "../cause.ts";

const key = "sk-the-real-key-Zx81/+Qm=0123456789";
const model = "claude-sonnet-4-5";

interface Asked {
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}
type Answer = (asked: Asked, outgoing: ServerResponse) => void;

interface Service {
  proxy: ModelProxy;
  servers: Server[];
  /** The service itself: an agent without the proxy would ask it. */
  url: string;
  received: Asked[];
  answers: Map<string, Answer>;
}

/** The path of each input has its own name, so that many inputs can run at once. */
const nameIn = (url: string): string => /input=(\d+)/.exec(url)?.[1] ?? "";

const service = shared<Service>(
  async () => {
    const received: Asked[] = [];
    const answers = new Map<string, Answer>();
    const upstream = createServer((incoming, outgoing) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const asked = {
          url: incoming.url ?? "",
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        };
        received.push(asked);
        (answers.get(nameIn(asked.url)) ?? plainAnswer)(asked, outgoing);
      });
      incoming.on("error", () => outgoing.destroy());
    });
    await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    const proxy = await startModelProxy({
      anthropic: { baseUrl: url, secret: key, kind: "api-key" },
      openai: { baseUrl: `${url}/v1`, secret: key, kind: "api-key" },
      gemini: { baseUrl: url, secret: key, kind: "api-key" },
    });
    return { proxy, servers: [upstream], url, received, answers };
  },
  async ({ proxy, servers }) => {
    await proxy.close();
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  },
);

const message = (usage: object | null): string =>
  JSON.stringify({
    type: "message",
    model,
    content: [{ type: "text", text: "x".repeat(400) }],
    ...(usage === null ? {} : { usage }),
  });
const plainAnswer: Answer = (_, outgoing) => {
  outgoing.writeHead(200, { "content-type": "application/json" }).end(message({ input_tokens: 3, output_tokens: 4 }));
};

const priceUsd = (name: string, tokens: Tokens): number | null => {
  const price = findPrice(name, {})?.price ?? null;
  return price === null ? null : costOf(tokens, price);
};

async function granted(change: Partial<GrantRequest> = {}): Promise<ModelGrant> {
  return (await service()).proxy.grant({
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

let inputs = 0;
const hello = { model, max_tokens: 10, messages: [{ role: "user", content: "Hello" }] };

/** One question of an agent, to which the service answers `answer`, through the proxy or directly. */
async function ask(
  grant: ModelGrant,
  answer: Answer,
  guarded: boolean,
  change: { headers?: Record<string, string>; body?: string; path?: string } = {},
): Promise<{ status: number; text: string; headers: Headers; name: string }> {
  const { url, answers } = await service();
  const name = `${++inputs}`;
  answers.set(name, answer);
  const access = grant.models.anthropic;
  const response = await fetch(`${guarded ? access?.baseUrl : url}${change.path ?? "/v1/messages"}?input=${name}`, {
    method: "POST",
    redirect: "follow",
    headers: {
      "x-api-key": guarded ? (access?.key ?? "") : key,
      "content-type": "application/json",
      ...change.headers,
    },
    body: change.body ?? JSON.stringify(hello),
    signal: AbortSignal.timeout(20_000),
  });
  return { status: response.status, text: await response.text().catch(() => ""), headers: response.headers, name };
}

const encodings: Record<string, (text: string) => string> = {
  plain: (text) => text,
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  "JSON with slashes": (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
  URL: encodeURIComponent,
  base64: (text) => Buffer.from(text).toString("base64"),
  hex: (text) => Buffer.from(text).toString("hex"),
  HTML: (text) => text.replaceAll("/", "&#47;").replaceAll("+", "&#43;"),
};
const repeated = defineCause<{ status: number; encoding: string; packed: boolean; around: string }>({
  name: "service that repeats the key in its error",
  surface: "model service",
  guard: "src/adapters/model-proxy/proxy.ts K1: an error leaves without the key",
  fixed: [
    { status: 401, encoding: "plain", packed: false, around: "invalid x-api-key" },
    { status: 400, encoding: "JSON", packed: true, around: "bad" },
  ],
  draw: (draw) => ({
    status: draw.one([400, 401, 403, 404, 429, 500, 503, 529]),
    encoding: draw.one(Object.keys(encodings)),
    packed: draw.flip(),
    around: draw.word(),
  }),
  async attack({ status, encoding, packed, around }, guarded) {
    const grant = await granted();
    const shown = encodings[encoding]?.(key) ?? key;
    const answer: Answer = (_, outgoing) => {
      const bytes = Buffer.from(`{"error":{"message":"${around} ${shown}"}}`);
      outgoing.writeHead(status, {
        "content-type": "application/json",
        ...(packed ? { "content-encoding": "gzip" } : {}),
      });
      outgoing.end(packed ? gzipSync(bytes) : bytes);
    };
    const { text } = await ask(grant, answer, guarded);
    await grant.revoke();
    return Object.values(encodings).some((encode) => text.includes(encode(key))) ? "the agent reads the key" : null;
  },
  atOnce: 6,
});

const redirects = defineCause<{ status: number; host: string }>({
  name: "service that sends the agent elsewhere",
  surface: "model service",
  guard: "src/adapters/model-proxy/proxy.ts: a redirect is answered 502, without its address",
  fixed: [{ status: 302, host: "evil" }],
  draw: (draw) => ({ status: draw.one([300, 301, 302, 303, 307, 308]), host: draw.word() }),
  async attack({ status, host }, guarded) {
    const grant = await granted();
    const { url } = await service();
    const { text, status: got } = await ask(
      grant,
      ({ url: asked }, outgoing) => {
        if (asked.includes("elsewhere")) return void outgoing.end(`followed to ${host}`);
        outgoing.writeHead(status, { location: `${url}/elsewhere-${host}?input=${nameIn(asked)}` }).end("moved");
      },
      guarded,
    );
    await grant.revoke();
    return text.includes("followed") ? "followed" : guarded && got !== 502 ? `answered ${got}` : null;
  },
  atOnce: 6,
});

const events = (list: readonly object[]): string => list.map((one) => `data: ${JSON.stringify(one)}\n\n`).join("");
interface Usage {
  what: "none" | "falls" | "zero" | "negative" | "text" | "cut";
  input: number;
  output: number;
  stream: boolean;
}
/** The guard off: the same reader gets only the service's last word, and silence counts as nothing. */
async function lastWord(heard: string): Promise<Pick<Tokens, "input" | "output">> {
  const words = heard.split("\n\n").filter((one) => one.includes('"usage"'));
  const last = words.at(-1) ?? "";
  const type = last.startsWith("data:") ? "text/event-stream" : "application/json";
  const meter = new AnswerMeter(anthropicMessages, { "content-type": type });
  meter.take(Buffer.from(`${last}\n\n`));
  return (await meter.end()).tokens ?? { input: 0, output: 0 };
}

const usages = defineCause<Usage>({
  name: "service that hides what an answer used",
  surface: "model service",
  guard: "src/adapters/model-proxy/grant.ts G2: by length where nothing is said; counts only grow",
  fixed: [
    { what: "none", input: 0, output: 0, stream: false },
    { what: "falls", input: 900, output: 400, stream: true },
    { what: "cut", input: 0, output: 0, stream: true },
  ],
  draw: (draw) => ({
    what: draw.one(["none", "falls", "negative", "text", "cut"]),
    input: draw.whole(500, 5_000),
    output: draw.whole(100, 900),
    stream: draw.flip(),
  }),
  async attack({ what, input, output, stream }, guarded) {
    const grant = await granted();
    const text = "word ".repeat(200);
    const said =
      what === "negative"
        ? { input_tokens: -input, output_tokens: -output }
        : what === "text"
          ? { input_tokens: `${input}`, output_tokens: "many" }
          : null;
    const falling = what === "falls";
    const answer: Answer = (_, outgoing) => {
      if (!stream && !falling && what !== "cut") {
        outgoing.writeHead(200, { "content-type": "application/json" });
        outgoing.end(
          JSON.stringify({
            type: "message",
            model,
            content: [{ type: "text", text }],
            ...(said === null ? {} : { usage: said }),
          }),
        );
        return;
      }
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      const body = events([
        {
          type: "message_start",
          message: {
            model,
            ...(falling ? { usage: { input_tokens: input, output_tokens: 1 } } : said === null ? {} : { usage: said }),
          },
        },
        { type: "content_block_delta", delta: { type: "text_delta", text } },
        ...(falling
          ? [{ type: "message_delta", delta: {}, usage: { input_tokens: input, output_tokens: output } }]
          : []),
        ...(falling ? [{ type: "message_delta", delta: {}, usage: { input_tokens: 1, output_tokens: 1 } }] : []),
      ]);
      outgoing.write(body, () =>
        what === "cut" ? outgoing.destroy() : outgoing.end(events([{ type: "message_stop" }])),
      );
    };
    const heard = await ask(grant, answer, guarded).catch(() => null);
    const used = guarded ? grant.uses() : [{ tokens: await lastWord(heard?.text ?? "") }];
    await grant.revoke();
    const total = used.reduce((sum, { tokens }) => sum + tokens.input + tokens.output, 0);
    // At least the count before it fell, or the weight of the text.
    const least = falling ? input + output : Math.floor(text.length / 4);
    return total < least ? `${total} tokens counted, ${least} were used` : null;
  },
  atOnce: 6,
});

const endless = defineCause<{ chunk: string; type: string }>({
  name: "answer that never ends",
  surface: "model service",
  guard: "src/adapters/model-proxy/proxy.ts K2: with the attempt everything that is open is cut",
  fixed: [{ chunk: "data: {}\n\n", type: "text/event-stream" }],
  draw: (draw) => ({
    chunk: draw
      .one(["data: {}\n\n", ": ping\n\n", `${draw.word(40)}`, " ", "\n", `data: ${draw.word()}\n`])
      .repeat(draw.whole(1, 50)),
    type: draw.one(["text/event-stream", "application/json", "text/plain"]),
  }),
  async attack({ chunk, type }, guarded) {
    const grant = await granted();
    let open = true;
    const flowing = Promise.withResolvers<void>();
    const pending = ask(
      grant,
      (_, outgoing) => {
        outgoing.writeHead(200, { "content-type": type });
        const more = (): void => {
          if (!open || outgoing.destroyed) return;
          if (outgoing.write(chunk)) setImmediate(more);
          else outgoing.once("drain", more);
          flowing.resolve();
        };
        outgoing.once("close", () => {
          open = false;
        });
        more();
      },
      guarded,
    ).catch(() => null);
    await flowing.promise;
    await grant.revoke();
    const ended = await Promise.race([
      pending.then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), guarded ? 5_000 : 200)),
    ]);
    open = false;
    const { servers } = await service();
    if (!ended) servers[0]?.closeAllConnections();
    await pending;
    return ended ? null : "the answer goes on after the attempt";
  },
});

const bombs = defineCause<{ megabytes: number; fill: string }>({
  name: "packed request that grows when it is unpacked",
  surface: "agent",
  guard: "src/adapters/model-proxy/request-body.ts: unpacked sizes are bounded",
  fixed: [{ megabytes: 41, fill: " " }],
  draw: (draw) => ({ megabytes: draw.whole(41, 46), fill: draw.one([" ", "\n", "\t", "0", "[", '"']) }),
  async attack({ megabytes, fill }, guarded) {
    const bytes = gzipSync(Buffer.alloc(megabytes * 1024 * 1024, fill), { level: 1 });
    const grant = await granted();
    const access = grant.models.anthropic;
    const { url } = await service();
    const response = await fetch(`${guarded ? access?.baseUrl : url}/v1/messages?input=${++inputs}`, {
      method: "POST",
      headers: { "x-api-key": access?.key ?? "", "content-type": "application/json", "content-encoding": "gzip" },
      body: bytes,
    });
    await response.text();
    await grant.revoke();
    return response.status < 400 ? "taken" : null;
  },
  slow: true,
});

const otherModels = defineCause<string>({
  name: "model that the step may not ask",
  surface: "agent",
  guard: "src/adapters/model-proxy/proxy.ts: the name that is checked is the name that is sent",
  fixed: [
    `{"model":"${model}","model":"claude-opus-4-5","messages":[]}`,
    '{"model":"claude-opus-4-5","messages":[]}',
    '{"messages":[]}',
  ],
  draw(draw) {
    const other = draw.one([
      "claude-opus-4-5",
      "claude-opus-4-1",
      `${model}-x`,
      model.toUpperCase(),
      ` ${model}`,
      `${model}\u0000`,
      draw.word(9),
    ]);
    const name = JSON.stringify(other);
    return draw.one([
      `{"model":${name},"messages":[]}`,
      `{"model":"${model}","model":${name},"messages":[]}`,
      `{"model":[${name}],"messages":[]}`,
      `{"model":{"toString":${name}},"messages":[]}`,
      `{"model":null,"messages":[]}`,
      `{"Model":${name},"messages":[],"x":${draw.whole(1, 999)}}`,
      `{"model":${name},"m\\u006fdel":${name}}`,
    ]);
  },
  async attack(body, guarded) {
    const grant = await granted({ models: [model] });
    const { name, status } = await ask(grant, plainAnswer, guarded, { body });
    await grant.revoke();
    const { received } = await service();
    const asked = received.filter(({ url }) => nameIn(url) === name);
    const names = asked.map((one) => (JSON.parse(one.body) as { model?: unknown }).model);
    return names.some((one) => one !== model) ? `asked for ${JSON.stringify(names)}, answered ${status}` : null;
  },
  atOnce: 6,
});

/** A request as bytes, which nothing on the way normalizes. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let said = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
    socket.setTimeout(3_000, () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      said += chunk.toString("latin1");
      if (/\r\n\r\n[\s\S]/.test(said) || said.length > 4_000) socket.end();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(said));
  });
}

const portOf = (url: string | undefined): number => Number(new URL(url ?? "http://x").port);

const paths = defineCause<string>({
  name: "path beyond what the wire allows",
  surface: "agent",
  guard: "src/adapters/model-proxy/wires: only named routes are passed on",
  fixed: [
    "POST /anthropic/v1/files",
    "POST /anthropic/v1/messages/../files",
    "GET http://evil.example/anthropic/v1/models/../../admin",
    "POST /anthropic//evil.example/v1/messages",
  ],
  draw(draw) {
    const method = draw.one(["POST", "GET", "PUT", "DELETE", "PATCH"]);
    const dots = draw.one(["..", "%2e%2e", "%2E.", "..%2f", "..;", "..\\"]);
    const goal = draw.one(["files", "admin/keys", "organizations", "batches", "fine_tuning/jobs", draw.word()]);
    return `${method} ${draw.one([
      `/anthropic/v1/${goal}`,
      `/anthropic/v1/messages/${dots}/${goal}`,
      `/anthropic/v1/messages%2f${dots}%2f${goal}`,
      `/openai/v1/${goal}`,
      `/openai/v1/responses/${draw.word()}/${goal}`,
      `/gemini/v1beta/models/${draw.word()}:${draw.one(["batchGenerateContent", "delete", draw.word()])}`,
      `/gemini/v1beta/${goal}`,
      `//${draw.word()}.example/v1/messages`,
      `/anthropic/@evil.example/v1/${goal}`,
      `http://evil.example/anthropic/v1/${goal}`,
    ])}`;
  },
  async attack(line, guarded) {
    const grant = await granted();
    const { received, url } = await service();
    const access = grant.models.anthropic;
    const name = `${++inputs}`;
    const [method = "", target = ""] = line.split(" ");
    const body = JSON.stringify(hello);
    const stripped = guarded
      ? target
      : target.replace(/^(?:http:\/\/evil\.example)?\/(?:anthropic|openai\/v1|gemini)/, "");
    const head = [
      `${method} ${stripped}${stripped.includes("?") ? "&" : "?"}input=${name} HTTP/1.1`,
      "host: 127.0.0.1",
      `x-api-key: ${access?.key}`,
      "content-type: application/json",
      ...(method === "GET" ? [] : [`content-length: ${body.length}`]),
      "connection: close",
    ];
    await raw(portOf(guarded ? access?.baseUrl : url), `${head.join("\r\n")}\r\n\r\n${method === "GET" ? "" : body}`);
    await grant.revoke();
    const reached = received.filter((one) => nameIn(one.url) === name);
    return reached.length === 0 ? null : `the service was asked for ${reached[0]?.url}`;
  },
  atOnce: 6,
});

interface Token {
  how: "none" | "made up" | "revoked" | "other provider" | "query" | "key";
  text: string;
}
const tokens = defineCause<Token>({
  name: "token of nobody, or of another attempt",
  surface: "agent",
  guard: "src/adapters/model-proxy/proxy.ts K2: a token is good for one attempt, its services and its time",
  fixed: [
    { how: "none", text: "" },
    { how: "revoked", text: "" },
    { how: "other provider", text: "" },
    { how: "key", text: key },
  ],
  draw: (draw) => ({
    how: draw.one(["made up", "made up", "revoked", "other provider", "query"]),
    text: `baton-${draw.word(43)}`,
  }),
  async attack({ how, text }, guarded) {
    const grant = await granted(how === "other provider" ? { providers: ["openai"] } : {});
    const reference = await granted();
    const { received, url } = await service();
    const good = grant.models.openai?.key ?? "";
    if (how === "revoked") await grant.revoke();
    const token = how === "revoked" || how === "other provider" ? good : text;
    const base = guarded ? (reference.models.anthropic?.baseUrl ?? "") : url;
    const name = `${++inputs}`;
    const response = await fetch(`${base}/v1/messages?input=${name}${how === "query" ? `&key=${token}` : ""}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(how === "query" || how === "none" ? {} : { "x-api-key": token }),
      },
      body: JSON.stringify(hello),
    });
    await response.text();
    await Promise.all([grant.revoke(), reference.revoke()]);
    return received.some((one) => nameIn(one.url) === name) ? `the service was asked, ${response.status}` : null;
  },
  atOnce: 6,
});

const smuggled: readonly (readonly [string, string])[] = [
  ["authorization", "Bearer stolen"],
  ["cookie", "session=stolen"],
  ["openai-organization", "org-stolen"],
  ["x-goog-api-key", "stolen"],
  ["api-key", "stolen"],
  ["proxy-authorization", "Basic stolen"],
  ["forwarded", "for=stolen"],
  ["x-goog-user-project", "stolen"],
  ["openai-project", "stolen"],
];
const headers = defineCause<{ headers: Record<string, string> }>({
  name: "headers that name another account",
  surface: "agent",
  guard: "src/adapters/model-proxy/proxy.ts: headers about who asks are Baton's",
  fixed: [{ headers: { cookie: "session=stolen" } }],
  draw: (draw) => ({
    headers: Object.fromEntries(
      draw
        .shuffled(smuggled)
        .slice(0, draw.whole(1, 4))
        .map(([name, value]) => [name, `${value}-${draw.word(3)}`]),
    ),
  }),
  async attack({ headers: given }, guarded) {
    const grant = await granted();
    // The token goes into the header that is not smuggled.
    const own = "authorization" in given ? { authorization: `Bearer ${grant.models.anthropic?.key}` } : {};
    const sent = guarded ? { ...given, ...own } : given;
    const { name } = await ask(grant, plainAnswer, guarded, { headers: sent });
    await grant.revoke();
    const { received } = await service();
    const reached = received.filter((one) => nameIn(one.url) === name);
    const leaked = reached
      .flatMap((one) => Object.values(one.headers))
      .filter((value) => String(value).includes("stolen"));
    return leaked.length > 0 ? `the service got ${leaked.join(", ")}` : null;
  },
  atOnce: 6,
});

interface Smuggle {
  kind: "both" | "twice" | "obsolete fold" | "chunk";
  path: string;
}
const requests = defineCause<Smuggle>({
  name: "request hidden in another request",
  surface: "agent",
  guard: "src/adapters/model-proxy/proxy.ts: a body is read whole and written again with its own length",
  fixed: [{ kind: "both", path: "files" }],
  draw: (draw) => ({
    kind: draw.one(["both", "twice", "obsolete fold", "chunk"]),
    path: `${draw.one(["files", "admin", "batches"])}-${draw.word()}`,
  }),
  async attack({ kind, path }, guarded) {
    const grant = await granted();
    const { received, url } = await service();
    const access = grant.models.anthropic;
    const name = `${++inputs}`;
    const hidden = `POST /v1/${path}?input=${name} HTTP/1.1\r\nhost: x\r\nx-api-key: ${access?.key}\r\ncontent-length: 2\r\n\r\n{}`;
    const body = JSON.stringify(hello);
    const lengths = {
      both: `content-length: ${body.length + hidden.length}\r\ntransfer-encoding: chunked`,
      twice: `content-length: ${body.length}\r\ncontent-length: ${body.length + hidden.length}`,
      "obsolete fold": `content-length:\r\n ${body.length}`,
      chunk: "transfer-encoding: chunked",
    }[kind];
    const chunked =
      kind === "both" || kind === "chunk"
        ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n${hidden}`
        : `${body}${hidden}`;
    const prefix = guarded ? "/anthropic" : "";
    await raw(
      portOf(guarded ? access?.baseUrl : url),
      `POST ${prefix}/v1/messages?outer=1 HTTP/1.1\r\nhost: x\r\nx-api-key: ${access?.key}\r\ncontent-type: application/json\r\n${lengths}\r\n\r\n${chunked}`,
    );
    await grant.revoke();
    const reached = received.filter((one) => nameIn(one.url) === name);
    return reached.length === 0 ? null : `the service was asked for ${reached[0]?.url}`;
  },
  atOnce: 6,
});

/** Requests that pass although no money is left. */
const spent = defineCause<{ limitUsd: number; times: number; tokensMax: number | null; requestsMax: number | null }>({
  name: "questions after the budget is used",
  surface: "agent",
  guard: "src/adapters/model-proxy/grant.ts G1: a request is let through only below the budget",
  fixed: [{ limitUsd: 0, times: 3, tokensMax: null, requestsMax: null }],
  draw: (draw) =>
    draw.one([
      { limitUsd: draw.whole(1, 60) / 1_000_000, times: draw.whole(2, 6), tokensMax: null, requestsMax: null },
      { limitUsd: 5, times: draw.whole(3, 6), tokensMax: draw.whole(1, 7), requestsMax: null },
      { limitUsd: 5, times: draw.whole(4, 8), tokensMax: null, requestsMax: draw.whole(1, 3) },
    ]),
  async attack({ limitUsd, times, tokensMax, requestsMax }, guarded) {
    const grant = await granted({ reserve: reserveUpTo(limitUsd, priceUsd), tokensMax, requestsMax });
    const names: string[] = [];
    for (let index = 0; index < times; index += 1) names.push((await ask(grant, plainAnswer, guarded)).name);
    await grant.revoke();
    const { received } = await service();
    const reached = received.filter((one) => names.includes(nameIn(one.url))).length;
    const each = priceUsd(model, { input: 3, output: 4, cacheRead: 0, cacheWrite: 0 }) ?? 0;
    const most = Math.min(
      requestsMax ?? times,
      tokensMax === null ? times : Math.ceil(tokensMax / 7),
      Math.ceil(limitUsd / each),
    );
    return reached > most ? `${reached} of ${times} reached the service; ${most} may` : null;
  },
  atOnce: 4,
});

export const modelCauses: readonly Cause[] = [
  repeated,
  redirects,
  usages,
  endless,
  bombs,
  otherModels,
  paths,
  tokens,
  headers,
  requests,
  spent,
];
