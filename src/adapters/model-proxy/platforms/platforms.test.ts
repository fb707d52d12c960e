/**
 * The clouds behind the proxy. Their scripted services are as strict as the real ones: they check the login, and refuse what
 * they do not know.
 */
import { createHash, createHmac, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { importSPKI, jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { reserveUpTo } from "../../../../test/fakes/money.ts";
import type { Tokens } from "../../../core/vocabulary.ts";
import { readPlatforms } from "../../../environment/platform-settings.ts";
import { costOf } from "../../../money/cost.ts";
import { findPrice } from "../../../money/prices.ts";
import type { ModelGrant, ModelProvider, ModelProxy } from "../../../ports/model-proxy.ts";
import { startModelProxy, type Upstreams } from "../proxy.ts";
import { awsEvents } from "./aws-events.ts";
import { awsSignature } from "./aws-signature.ts";
import { platformOf } from "./index.ts";

interface Received {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  body: string;
}
type Answer = { status?: number; headers?: Record<string, string>; body: string | Buffer };
/** By the start of the path. The longest one that fits answers. */
type Service = Record<string, (request: Received) => Answer | Promise<Answer>>;

let url: string;
let received: Received[];
let service: Service;
let folder: string;
let proxy: ModelProxy | null;
const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
  void (async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
    const { method = "", url: path = "", headers } = incoming;
    const request = { method, path, headers, body: Buffer.concat(chunks).toString("utf8") };
    received.push(request);
    const place = Object.keys(service)
      .filter((one) => path.startsWith(one))
      .sort((one, other) => other.length - one.length)[0];
    const answer = place === undefined ? { status: 404, body: "{}" } : await service[place]?.(request);
    const { status = 200, headers: given = {}, body = "" } = answer ?? {};
    outgoing.writeHead(status, { "content-type": "application/json", ...given }).end(body);
  })();
});

beforeEach(async () => {
  received = [];
  service = {};
  proxy = null;
  folder = mkdtempSync(join(tmpdir(), "baton-platforms-"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await proxy?.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const file = (content: string | object): string => {
  const path = join(folder, "login.json");
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};

const priceUsd = (model: string, tokens: Tokens): number | null => {
  const price = findPrice(model, {})?.price ?? null;
  return price === null ? null : costOf(tokens, price);
};

/** The proxy as the operator's variables set it up. */
async function granted(
  variables: Record<string, string>,
  withJob = false,
  names: Record<string, string> | null = null,
): Promise<ModelGrant> {
  const job = withJob ? { url: `${url}/job?api-version=2`, token: "job-request-token" } : null;
  const { settings, problems } = readPlatforms({ GOOGLE_CLOUD_LOCATION: "europe-west1", ...variables }, job);
  expect(problems).toEqual([]);
  const upstreams: Upstreams = {};
  for (const [name, choice] of Object.entries(settings.services)) {
    const platform = platformOf(name as ModelProvider, choice, names ?? settings.names);
    upstreams[name as ModelProvider] = { baseUrl: "", secret: "", kind: "api-key", platform };
  }
  proxy = await startModelProxy(upstreams);
  return proxy.grant({
    priceUsd,
    reserve: reserveUpTo(5, priceUsd),
    unknownPrice: "stop",
    tokensMax: null,
    requestsMax: null,
    models: ["claude-sonnet-4-5", "gpt-5", "gemini-2.5-pro"],
    providers: null,
    onUse: () => {},
    onRefusal: () => {},
  });
}

function ask(
  grant: ModelGrant,
  provider: ModelProvider,
  path: string,
  body?: object,
  signal?: AbortSignal,
): Promise<Response> {
  const access = grant.models[provider];
  return fetch(`${access?.baseUrl}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      "x-api-key": `${access?.key}`,
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
      "anthropic-beta": "interleaved-thinking-2025-05-14, of-anthropic-alone-2026-01-01",
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  });
}

const hello = { model: "claude-sonnet-4-5", max_tokens: 10, messages: [{ role: "user", content: "Hello" }] };
const usage = { input_tokens: 100, output_tokens: 1, cache_read_input_tokens: 20, cache_creation_input_tokens: 7 };
const message = {
  type: "message",
  model: "claude-sonnet-4-5-20250929",
  content: [{ type: "text", text: "Hi" }],
  usage,
};
const events = [
  { type: "message_start", message: { model: "claude-sonnet-4-5-20250929", usage } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 9 } },
  { type: "message_stop", "amazon-bedrock-invocationMetrics": { inputTokenCount: 100 } },
];
const sse = events.map((one) => `event: ${one.type}\ndata: ${JSON.stringify(one)}\n\n`).join("");
const json = (value: unknown, status = 200): Answer => ({ status, body: JSON.stringify(value) });

/** A frame as AWS writes it, with a header of another type that a reader must skip. */
function frame(headers: Record<string, string>, payload: object): Buffer {
  const parts = Object.entries(headers).map(([name, value]) =>
    Buffer.concat([
      Buffer.from([name.length]),
      Buffer.from(name),
      Buffer.from([7, value.length >> 8, value.length & 255]),
      Buffer.from(value),
    ]),
  );
  parts.push(Buffer.concat([Buffer.from([1]), Buffer.from("n"), Buffer.from([4, 0, 0, 0, 9])]));
  const head = Buffer.concat(parts);
  const data = Buffer.from(JSON.stringify(payload));
  const whole = Buffer.alloc(16 + head.length + data.length);
  whole.writeUInt32BE(whole.length, 0);
  whole.writeUInt32BE(head.length, 4);
  whole.writeUInt32BE(crc32(whole.subarray(0, 8)), 8);
  head.copy(whole, 12);
  data.copy(whole, 12 + head.length);
  whole.writeUInt32BE(crc32(whole.subarray(0, -4)), whole.length - 4);
  return whole;
}
const chunk = (event: object): Buffer =>
  frame(
    { ":event-type": "chunk", ":content-type": "application/json", ":message-type": "event" },
    { bytes: Buffer.from(JSON.stringify(event)).toString("base64"), p: "abcdefghijklmn" },
  );

describe("AWS's own forms", () => {
  it("signs as the documentation's example does", () => {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    const signed = awsSignature(
      {
        method: "GET",
        url: new URL("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08"),
        headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
        body: "",
        region: "us-east-1",
        service: "iam",
      },
      {
        accessKeyId: "AKIDEXAMPLE",
        secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        sessionToken: null,
      },
      new Date("2015-08-30T12:36:00Z"),
    );
    expect(signed["authorization"]).toBe(
      "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    );
  });

  it("encodes the parts of a path twice, as AWS's suite has it", () => {
    // The request, its canonical form: `double-encode-path` in
    // https://github.com/smithy-lang/smithy-rs/tree/main/aws/rust-runtime/aws-sigv4/aws-signing-test-suite/v4
    const canonical = `POST
/test/%40connections/JBDvjfGEIAMCERw%253D

host:tj9n5r0m12.execute-api.us-east-1.amazonaws.com
x-amz-date:20210511T154045Z

host;x-amz-date
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`;
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, steps 2 to 4
    const hashed = createHash("sha256").update(canonical).digest("hex");
    const signing = ["20210511", "us-east-1", "service", "aws4_request"].reduce<string | Buffer>(
      (key, part) => createHmac("sha256", key).update(part).digest(),
      "AWS4notrealrnrELgWzOk3IfjzDKtFBhDby",
    );
    const signature = createHmac("sha256", signing)
      .update(`AWS4-HMAC-SHA256\n20210511T154045Z\n20210511/us-east-1/service/aws4_request\n${hashed}`)
      .digest("hex");
    const signed = awsSignature(
      {
        method: "POST",
        url: new URL("https://tj9n5r0m12.execute-api.us-east-1.amazonaws.com/test/@connections/JBDvjfGEIAMCERw%3D"),
        headers: {},
        body: "",
        region: "us-east-1",
        service: "service",
      },
      { accessKeyId: "ANOTREAL", secretAccessKey: "notrealrnrELgWzOk3IfjzDKtFBhDby", sessionToken: null },
      new Date("2021-05-11T15:40:45Z"),
    );
    expect(signed["authorization"]).toBe(
      `AWS4-HMAC-SHA256 Credential=ANOTREAL/20210511/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
    );
  });

  const whole = Buffer.concat(events.map(chunk));
  const readIn = async (bytes: Buffer, size: number): Promise<unknown[]> => {
    const pieces = (async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })();
    const found: unknown[] = [];
    for await (const { headers, payload } of awsEvents(pieces))
      found.push([headers[":event-type"], payload.toString("utf8").length]);
    return found;
  };

  it.each([1, 7, 16, 100_000])("reads its stream in pieces of %s bytes", async (size) => {
    expect(await readIn(whole, size)).toHaveLength(events.length);
  });

  it.each([
    ["a wrong byte in a payload", Buffer.from(whole).fill(0, 200, 201)],
    ["a wrong length", Buffer.concat([Buffer.from([0, 0, 255, 1]), whole.subarray(4)])],
    ["an end within a frame", whole.subarray(0, -5)],
  ])("%s is an error", async (_, bytes) => {
    await expect(readIn(bytes, 64)).rejects.toThrow(/event stream/);
  });
});

const keys = { AWS_REGION: "eu-west-1", AWS_ACCESS_KEY_ID: "AKIATEST", AWS_SECRET_ACCESS_KEY: "s3cr3t/Key+of/AWS" };
const names = '{"claude-sonnet-4-5":"eu.anthropic.claude-sonnet-4-5-20250929-v1:0","gpt-5":"our-gpt"}';
const bedrockKnows = new Set(["anthropic_version", "anthropic_beta", "max_tokens", "messages", "system", "tools"]);

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html */
function bedrockService(answer: (stream: boolean) => Answer, isLoggedIn?: (request: Received) => boolean): Service {
  return {
    "/model/": (request) => {
      const refuse = (status: number, kind: string, text: string): Answer => ({
        status,
        headers: { "x-amzn-errortype": kind },
        body: JSON.stringify({ message: text }),
      });
      const [, id = "", operation] =
        /^\/model\/([^/]+)\/(invoke|invoke-with-response-stream)$/.exec(request.path) ?? [];
      if (!(isLoggedIn ?? isSigned)(request))
        return refuse(403, "InvalidSignatureException", "The request signature we calculated does not match");
      if (decodeURIComponent(id) !== "eu.anthropic.claude-sonnet-4-5-20250929-v1:0")
        return refuse(400, "ValidationException", "The provided model identifier is invalid.");
      const body = JSON.parse(request.body) as Record<string, unknown>;
      const extra = Object.keys(body).find((name) => !bedrockKnows.has(name));
      if (extra !== undefined)
        return refuse(
          400,
          "ValidationException",
          `Malformed input request: #: extraneous key [${extra}] is not permitted`,
        );
      if (((body["anthropic_beta"] ?? []) as string[]).some((beta) => beta !== "interleaved-thinking-2025-05-14"))
        return refuse(400, "ValidationException", "invalid beta flag");
      if (body["anthropic_version"] !== "bedrock-2023-05-31")
        return refuse(400, "ValidationException", "anthropic_version: Field required");
      return answer(operation === "invoke-with-response-stream");
    },
  };
}

function isSigned({ method, path, headers, body }: Received): boolean {
  const given = String(headers.authorization);
  const time = String(headers["x-amz-date"]);
  const at = new Date(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  const signedNames = /SignedHeaders=([^,]+)/.exec(given)?.[1]?.split(";") ?? [];
  const own = signedNames.filter((name) => name !== "host" && !name.startsWith("x-amz-"));
  const token = headers["x-amz-security-token"];
  const expected = awsSignature(
    {
      method,
      url: new URL(path, url),
      headers: Object.fromEntries(own.map((name) => [name, String(headers[name])])),
      body,
      region: "eu-west-1",
      service: "bedrock",
    },
    {
      accessKeyId: "AKIATEST",
      secretAccessKey: keys.AWS_SECRET_ACCESS_KEY,
      sessionToken: token === undefined ? null : String(token),
    },
    at,
  );
  return Math.abs(Date.now() - at.getTime()) < 15 * 60_000 && given === expected["authorization"];
}

const onBedrock = (): Record<string, string> => ({
  BATON_ANTHROPIC_PLATFORM: "bedrock",
  BATON_MODEL_NAMES: names,
  ANTHROPIC_BASE_URL: url,
  ...keys,
});
const binary = (...frames: Buffer[]): Answer => ({
  headers: { "content-type": "application/vnd.amazon.eventstream" },
  body: Buffer.concat(frames),
});

describe("Claude on Amazon Bedrock", () => {
  it("a stream comes as the agent knows it, and is counted by the name that it asked for", async () => {
    service = bedrockService((stream) => (stream ? binary(...events.map(chunk)) : json(message)));
    const grant = await granted(onBedrock());
    const response = await ask(grant, "anthropic", "/v1/messages", {
      ...hello,
      stream: true,
      metadata: { user_id: "u" },
    });
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(await response.text()).toBe(sse);
    await grant.revoke();
    expect(grant.uses()).toMatchObject([
      { requests: 1, estimated: 0, tokens: { input: 100, output: 9, cacheRead: 20 } },
    ]);
    expect(JSON.parse(received[0]?.body ?? "")).toMatchObject({
      anthropic_beta: ["interleaved-thinking-2025-05-14"],
    });
    expect(grant.models.anthropic).toMatchObject({ onPlatform: true });
    expect(JSON.stringify(grant.models)).not.toContain(keys.AWS_SECRET_ACCESS_KEY);
  });

  it("an answer as a whole, and a session of expiring keys", async () => {
    service = bedrockService(() => json(message));
    const grant = await granted({ ...onBedrock(), AWS_SESSION_TOKEN: "session-token" });
    expect(await (await ask(grant, "anthropic", "/v1/messages", hello)).json()).toEqual(message);
    expect(received[0]?.headers["x-amz-security-token"]).toBe("session-token");
  });

  it("a key of Bedrock itself", async () => {
    service = bedrockService(
      () => json(message),
      ({ headers }) => headers.authorization === "Bearer bedrock-key-1234",
    );
    const grant = await granted({ ...onBedrock(), AWS_BEARER_TOKEN_BEDROCK: "bedrock-key-1234" });
    expect((await ask(grant, "anthropic", "/v1/messages", hello)).status).toBe(200);
  });

  it.each([
    ["a quota", 429, "ThrottlingException", 429, "rate_limit_error"],
    ["a fault of the model", 424, "ModelErrorException", 503, "api_error"],
    ["no access to the model", 403, "AccessDeniedException", 403, "permission_error"],
  ])("%s is an error that the agent understands", async (_, status, kind, shown, type) => {
    service = bedrockService(() => ({
      status,
      headers: { "x-amzn-errortype": kind },
      body: JSON.stringify({ message: `Too much. ${keys.AWS_SECRET_ACCESS_KEY}` }),
    }));
    const response = await ask(await granted(onBedrock()), "anthropic", "/v1/messages", hello);
    expect(response.status).toBe(shown);
    const body = await response.text();
    expect(JSON.parse(body)).toEqual({ type: "error", error: { type, message: expect.stringContaining("Too much.") } });
    expect(body).not.toContain(keys.AWS_SECRET_ACCESS_KEY);
  });

  it("an error within the stream is one of the agent's, and a broken stream is cut, and both cost what came", async () => {
    const fault = frame(
      { ":exception-type": "throttlingException", ":message-type": "exception" },
      { message: "Slow down." },
    );
    service = bedrockService(() => binary(chunk(events[0] as object), fault));
    const grant = await granted(onBedrock());
    const text = await (await ask(grant, "anthropic", "/v1/messages", { ...hello, stream: true })).text();
    expect(text).toContain('"type":"overloaded_error","message":"throttlingException: Slow down."');
    service = bedrockService(() => binary(chunk(events[0] as object), chunk(events[1] as object).fill(0, 60, 61)));
    const cut = await ask(grant, "anthropic", "/v1/messages", { ...hello, stream: true });
    await expect(cut.text()).rejects.toThrow();
    await grant.revoke();
    expect(grant.uses()[0]).toMatchObject({ requests: 2, tokens: { input: expect.toSatisfy((n) => n >= 200) } });
  });

  it("an error in the middle of an answer costs the words before it", async () => {
    const long = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "words ".repeat(2_000) } };
    const fault = frame({ ":exception-type": "internalServerException", ":message-type": "exception" }, {});
    service = bedrockService(() => binary(chunk(events[0] as object), chunk(long), fault));
    const grant = await granted(onBedrock());
    await (await ask(grant, "anthropic", "/v1/messages", { ...hello, stream: true })).text();
    await grant.revoke();
    expect(grant.uses()).toMatchObject([{ requests: 1, estimated: 1, tokens: { input: 100, output: 3_000 } }]);
  });

  it.each([
    ["eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 1.1],
    ["anthropic.claude-sonnet-4-5-20250929-v1:0", 1.1],
    ["global.anthropic.claude-sonnet-4-5-20250929-v1:0", 1],
  ])("%s costs %s of the maker's price", async (id, factor) => {
    service = { "/model/": () => json(message) };
    const grant = await granted({ ...onBedrock(), BATON_MODEL_NAMES: `{"claude-sonnet-4-5":"${id}"}` });
    await (await ask(grant, "anthropic", "/v1/messages", hello)).text();
    await grant.revoke();
    expect(grant.uses()[0]?.priceFactor ?? 1).toBe(factor);
  });

  it("what Bedrock does not have is not found, and costs the step no patience", async () => {
    const grant = await granted(onBedrock());
    for (let turn = 0; turn < 40; turn += 1)
      expect((await ask(grant, "anthropic", "/v1/messages/count_tokens", hello)).status).toBe(404);
    expect(grant.stopReason()).toBeNull();
    expect(received).toEqual([]);
  });
});

describe("a role by an identity token", () => {
  const role = {
    AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/baton",
    AWS_ACCESS_KEY_ID: "",
    AWS_SECRET_ACCESS_KEY: "",
  };
  const set = (variables: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  /** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
  const sts = (identity: string): Service => ({
    "/sts": ({ body }) => {
      const form = new URLSearchParams(body);
      const isGood = form.get("WebIdentityToken") === identity && form.get("RoleArn") === role.AWS_ROLE_ARN;
      if (form.get("Action") !== "AssumeRoleWithWebIdentity" || form.get("Version") !== "2011-06-15" || !isGood)
        return {
          status: 400,
          headers: { "content-type": "text/xml" },
          body: `<ErrorResponse><Error><Type>Sender</Type><Code>InvalidIdentityToken</Code><Message>${identity}</Message></Error></ErrorResponse>`,
        };
      const until = new Date(Date.now() + 3_600_000).toISOString();
      return {
        headers: { "content-type": "text/xml" },
        body: `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><SessionToken>of-the-role</SessionToken><SecretAccessKey>${keys.AWS_SECRET_ACCESS_KEY}</SecretAccessKey><Expiration>${until}</Expiration><AccessKeyId>AKIATEST</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
      };
    },
  });
  /** https://docs.github.com/en/actions/reference/security/oidc */
  const job = (token: string, audience: string): Service => ({
    "/job": ({ headers, path }) =>
      headers.authorization === "Bearer job-request-token" &&
      new URL(path, url).searchParams.get("audience") === audience
        ? json({ value: token })
        : json({}, 401),
  });
  const calls = (place: string): number => received.filter(({ path }) => path.startsWith(place)).length;

  it("of a file: the keys of the role are fetched once, and every request has them", async () => {
    service = { ...bedrockService(() => json(message)), ...sts("token-of-the-pod") };
    const variables = {
      ...onBedrock(),
      ...role,
      AWS_ENDPOINT_URL_STS: `${url}/sts`,
      AWS_WEB_IDENTITY_TOKEN_FILE: file("token-of-the-pod\n"),
    };
    const grant = await granted(set(variables));
    const answers = await Promise.all([1, 2, 3].map(() => ask(grant, "anthropic", "/v1/messages", hello)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(calls("/sts")).toBe(1);
    expect(received.at(-1)?.headers["x-amz-security-token"]).toBe("of-the-role");
  });

  it("of a job of Actions", async () => {
    service = {
      ...bedrockService(() => json(message)),
      ...sts("token-of-the-job"),
      ...job("token-of-the-job", "sts.amazonaws.com"),
    };
    const grant = await granted(set({ ...onBedrock(), ...role, AWS_ENDPOINT_URL_STS: `${url}/sts` }), true);
    expect((await ask(grant, "anthropic", "/v1/messages", hello)).status).toBe(200);
  });

  it("that is refused ends the step, and the reason does not repeat it; one that cannot be asked now is tried again", async () => {
    service = sts("another-token");
    const variables = {
      ...onBedrock(),
      ...role,
      AWS_ENDPOINT_URL_STS: `${url}/sts`,
      AWS_WEB_IDENTITY_TOKEN_FILE: file("token-of-the-pod"),
    };
    const grant = await granted(set(variables));
    const first = await ask(grant, "anthropic", "/v1/messages", hello);
    expect([first.status, await first.text()]).toEqual([
      401,
      expect.stringMatching(/answered 400 InvalidIdentityToken/),
    ]);
    expect((await ask(grant, "anthropic", "/v1/messages", hello)).status).toBe(401);
    expect(grant.stopReason()).toMatchObject({ code: "BATON_HARNESS_AUTH" });
    service = { "/sts": () => ({ status: 503, body: "" }) };
    await proxy?.close();
    const other = await granted(set(variables));
    expect((await ask(other, "anthropic", "/v1/messages", hello)).status).toBe(502);
    expect(other.stopReason()).toBeNull();
    service = { ...bedrockService(() => json(message)), ...sts("token-of-the-pod") };
    expect((await ask(other, "anthropic", "/v1/messages", hello)).status).toBe(200);
  });

  it.each([
    ["that nobody can read", "soon"],
    ["in the past", new Date(0).toISOString()],
    ["in a minute", new Date(Date.now() + 60_000).toISOString()],
  ])("LT2: keys with an end %s serve more than one request", async (_, until) => {
    const answer = sts("token-of-the-pod")["/sts"] as Service[string];
    service = {
      ...bedrockService(() => json(message)),
      "/sts": async (request) => {
        const { body, ...rest } = await answer(request);
        const text = typeof body === "string" ? body : "";
        return { ...rest, body: text.replace(/<Expiration>[^<]*/, `<Expiration>${until}`) };
      },
    };
    const login = { AWS_ENDPOINT_URL_STS: `${url}/sts`, AWS_WEB_IDENTITY_TOKEN_FILE: file("token-of-the-pod") };
    const grant = await granted(set({ ...onBedrock(), ...role, ...login }));
    for (let turn = 0; turn < 3; turn += 1)
      expect((await ask(grant, "anthropic", "/v1/messages", hello)).status).toBe(200);
    expect(calls("/sts")).toBe(1);
  });

  it("a client that leaves during the login pays nothing", async () => {
    const asked = Promise.withResolvers<void>();
    const login = Promise.withResolvers<void>();
    const answer = sts("token-of-the-pod")["/sts"] as Service[string];
    service = {
      ...bedrockService(() => json(message)),
      "/sts": async (request) => {
        asked.resolve();
        await login.promise;
        return answer(request);
      },
    };
    const variables = { AWS_ENDPOINT_URL_STS: `${url}/sts`, AWS_WEB_IDENTITY_TOKEN_FILE: file("token-of-the-pod") };
    const grant = await granted(set({ ...onBedrock(), ...role, ...variables }));
    const left = new AbortController();
    const request = ask(grant, "anthropic", "/v1/messages", hello, left.signal);
    await asked.promise;
    left.abort();
    await expect(request).rejects.toThrow();
    login.resolve();
    await grant.revoke();
    expect(grant.uses()).toEqual([]);
    expect(calls("/model")).toBe(0);
  });

  it("opens Azure, too", async () => {
    service = {
      ...job("token-of-the-job", "api://AzureADTokenExchange"),
      "/entra/our-tenant/oauth2/v2.0/token": ({ body }) => {
        const form = Object.fromEntries(new URLSearchParams(body));
        const isGood =
          form["client_assertion"] === "token-of-the-job" &&
          form["client_assertion_type"] === "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" &&
          form["grant_type"] === "client_credentials" &&
          form["client_id"] === "our-app" &&
          form["scope"] === "https://ai.azure.com/.default";
        return isGood
          ? json({ access_token: "entra-token", expires_in: 3599 })
          : json({ error: "invalid_client" }, 401);
      },
      "/openai/v1/responses": ({ headers, body }) =>
        headers.authorization === "Bearer entra-token" && (JSON.parse(body) as { model: string }).model === "our-gpt"
          ? json({
              object: "response",
              model: "gpt-5-2025-08-07",
              output: [],
              usage: { input_tokens: 5, output_tokens: 2 },
            })
          : json({ error: { code: "401", message: "Access denied" } }, 401),
    };
    const grant = await granted(
      {
        BATON_OPENAI_PLATFORM: "azure",
        OPENAI_BASE_URL: `${url}/openai/v1/`,
        BATON_MODEL_NAMES: names,
        AZURE_TENANT_ID: "our-tenant",
        AZURE_CLIENT_ID: "our-app",
        AZURE_AUTHORITY_HOST: `${url}/entra`,
      },
      true,
    );
    const body = { model: "gpt-5", input: "Hello", max_output_tokens: 20 };
    expect((await ask(grant, "openai", "/responses", body)).status).toBe(200);
    expect(calls("/entra")).toBe(1);
    expect(calls("/job")).toBe(1);
  });
});

const vertexVariables = (): Record<string, string> => ({ GOOGLE_CLOUD_PROJECT: "our-project" });
const place = "/v1/projects/our-project/locations/europe-west1/publishers/anthropic/models/";

describe("models on Vertex AI", () => {
  /** https://developers.google.com/identity/protocols/oauth2/service-account#httprest */
  const account = () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    service["/token"] = async ({ body }) => {
      const form = new URLSearchParams(body);
      const { payload } = await jwtVerify(form.get("assertion") ?? "", await importSPKI(publicKey, "RS256"), {
        audience: `${url}/token`,
        issuer: "baton@our-project.iam.gserviceaccount.com",
      });
      const isGood =
        form.get("grant_type") === "urn:ietf:params:oauth:grant-type:jwt-bearer" &&
        payload["scope"] === "https://www.googleapis.com/auth/cloud-platform";
      return isGood
        ? json({ access_token: "ya29.google-token", expires_in: 3599 })
        : json({ error: "invalid_grant" }, 400);
    };
    return file({
      type: "service_account",
      client_email: "baton@our-project.iam.gserviceaccount.com",
      private_key: privateKey,
      private_key_id: "key-1",
      token_uri: `${url}/token`,
    });
  };
  const onlyWith =
    (token: string, answer: (request: Received) => Answer) =>
    (request: Received): Answer =>
      request.headers.authorization === `Bearer ${token}`
        ? answer(request)
        : json(
            [
              {
                error: {
                  code: 401,
                  message: "Request had invalid authentication credentials.",
                  status: "UNAUTHENTICATED",
                },
              },
            ],
            401,
          );

  it("Claude: the address names the model, the body the version", async () => {
    const credentials = account();
    const checked = onlyWith("ya29.google-token", ({ path, body, headers }) => {
      const { model, anthropic_version, stream } = JSON.parse(body) as Record<string, unknown>;
      if (path.endsWith("count-tokens:rawPredict"))
        return model === "claude-sonnet-4-5@20250929" ? json({ input_tokens: 12 }) : json({}, 400);
      if (
        model !== undefined ||
        anthropic_version !== "vertex-2023-10-16" ||
        headers["anthropic-version"] !== undefined
      )
        return json(
          { type: "error", error: { type: "invalid_request_error", message: "model: Extra inputs are not permitted" } },
          400,
        );
      return stream === true ? { headers: { "content-type": "text/event-stream" }, body: sse } : json(message);
    });
    service[`${place}claude-sonnet-4-5@20250929:rawPredict`] = checked;
    service[`${place}claude-sonnet-4-5@20250929:streamRawPredict`] = checked;
    service[`${place}count-tokens:rawPredict`] = checked;
    const grant = await granted({
      ...vertexVariables(),
      BATON_ANTHROPIC_PLATFORM: "vertex",
      BATON_MODEL_NAMES: '{"claude-sonnet-4-5":"claude-sonnet-4-5@20250929"}',
      ANTHROPIC_BASE_URL: url,
      GOOGLE_APPLICATION_CREDENTIALS: credentials,
    });
    expect(await (await ask(grant, "anthropic", "/v1/messages", hello)).json()).toEqual(message);
    expect(await (await ask(grant, "anthropic", "/v1/messages", { ...hello, stream: true })).text()).toBe(sse);
    expect(await (await ask(grant, "anthropic", "/v1/messages/count_tokens", hello)).json()).toEqual({
      input_tokens: 12,
    });
    expect((await ask(grant, "anthropic", "/v1/models")).status).toBe(404);
    await grant.revoke();
    expect(grant.uses()).toMatchObject([{ requests: 2, estimated: 0, priceFactor: 1.1 }]);
    expect(received.filter(({ path }) => path === "/token")).toHaveLength(1);
  });

  /** https://google.aip.dev/auth/4117, as `google-github-actions/auth` writes it. */
  it("Gemini: by an identity of a job that Google trusts, for a service account", async () => {
    service["/oidc"] = ({ headers }) =>
      headers.authorization === "Bearer of-the-runner" ? json({ value: "token-of-the-job" }) : json({}, 401);
    service["/sts"] = ({ body }) => {
      const form = new URLSearchParams(body);
      return form.get("subject_token") === "token-of-the-job" && form.get("audience") === "//iam.googleapis.com/pool"
        ? json({ access_token: "federated", expires_in: 3600 })
        : json({ error: "invalid_grant" }, 400);
    };
    service["/impersonate"] = onlyWith("federated", () =>
      json({ accessToken: "ya29.of-the-account", expireTime: new Date(Date.now() + 3_600_000).toISOString() }),
    );
    const gemini = place.replace("/v1/", "/v1beta1/").replace("anthropic", "google");
    const answer = {
      candidates: [{ content: { parts: [{ text: "Hi" }] }, finishReason: "STOP" }],
      modelVersion: "gemini-2.5-pro",
      usageMetadata: { promptTokenCount: 4, candidatesTokenCount: 2 },
    };
    service[`${gemini}gemini-2.5-pro:streamGenerateContent?alt=sse`] = onlyWith("ya29.of-the-account", () => ({
      headers: { "content-type": "text/event-stream" },
      body: `data: ${JSON.stringify(answer)}\n\n`,
    }));
    const grant = await granted({
      ...vertexVariables(),
      BATON_GEMINI_PLATFORM: "vertex",
      GOOGLE_GEMINI_BASE_URL: url,
      GOOGLE_APPLICATION_CREDENTIALS: file({
        type: "external_account",
        audience: "//iam.googleapis.com/pool",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        token_url: `${url}/sts`,
        service_account_impersonation_url: `${url}/impersonate`,
        credential_source: {
          url: `${url}/oidc`,
          headers: { Authorization: "Bearer of-the-runner" },
          format: { type: "json", subject_token_field_name: "value" },
        },
      }),
    });
    const body = { contents: [{ parts: [{ text: "Hello" }] }], generationConfig: { maxOutputTokens: 20 } };
    const response = await ask(grant, "gemini", "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse", body);
    expect([response.status, await response.text()]).toEqual([200, `data: ${JSON.stringify(answer)}\n\n`]);
    await grant.revoke();
    expect(grant.uses()).toMatchObject([{ model: "gemini-2.5-pro", tokens: { input: 4, output: 2 } }]);
  });

  it.each(["../../other/publishers/anthropic/models/x", "x:rawPredict?y=", "..", "a/b"])(
    "%s is no model, and nothing is sent",
    async (id) => {
      const grant = await granted(
        {
          ...vertexVariables(),
          BATON_ANTHROPIC_PLATFORM: "vertex",
          ANTHROPIC_BASE_URL: url,
          GOOGLE_APPLICATION_CREDENTIALS: account(),
        },
        false,
        { "claude-sonnet-4-5": id },
      );
      const response = await ask(grant, "anthropic", "/v1/messages", hello);
      expect([response.status, await response.text()]).toEqual([404, expect.stringContaining("not a model's name")]);
      expect(received).toEqual([]);
    },
  );

  it("a login of a person is refused with its type, and nothing is sent", async () => {
    const grant = await granted({
      ...vertexVariables(),
      BATON_ANTHROPIC_PLATFORM: "vertex",
      ANTHROPIC_BASE_URL: url,
      GOOGLE_APPLICATION_CREDENTIALS: file({ type: "authorized_user", refresh_token: "of-a-person" }),
    });
    const response = await ask(grant, "anthropic", "/v1/messages", hello);
    expect([response.status, await response.text()]).toEqual([401, expect.stringContaining('"authorized_user\\"')]);
    expect(received).toEqual([]);
  });
});

describe("models on Azure, by a key", () => {
  it.each<[ModelProvider, string, object, Record<string, string>]>([
    ["anthropic", "/anthropic/v1/messages", hello, { BATON_ANTHROPIC_PLATFORM: "azure" }],
    [
      "openai",
      "/openai/v1/chat/completions",
      { model: "gpt-5", max_tokens: 20, messages: [] },
      { BATON_OPENAI_PLATFORM: "azure" },
    ],
  ])("%s", async (provider, path, body, variables) => {
    service[path] = ({ headers, body: sent }) =>
      headers["api-key"] === "azure-key-123456" &&
      headers.authorization === undefined &&
      headers["x-api-key"] === undefined
        ? json({
            ...message,
            object: "chat.completion",
            choices: [],
            model: (JSON.parse(sent) as { model: string }).model,
          })
        : json(
            { error: { code: "401", message: "Access denied due to invalid subscription key azure-key-123456" } },
            401,
          );
    const addresses = { ANTHROPIC_BASE_URL: `${url}/anthropic`, OPENAI_BASE_URL: `${url}/openai/v1` };
    const named = { BATON_MODEL_NAMES: '{"claude-sonnet-4-5":"our-claude","gpt-5":"our-gpt"}' };
    const grant = await granted({ ...variables, ...addresses, ...named, AZURE_API_KEY: "azure-key-123456" });
    const below = path.replace(/^\/(?:anthropic|openai\/v1)/, "");
    const answer = (await (await ask(grant, provider, below, body)).json()) as { model: string };
    expect(answer.model).toMatch(/^our-/);
    service[path] = () => json({ error: { code: "401", message: "Access denied: azure-key-123456" } }, 401);
    expect(await (await ask(grant, provider, below, body)).text()).not.toContain("azure-key-123456");
  });
});

describe("settings", () => {
  const base = { GOOGLE_CLOUD_LOCATION: "global" };
  it.each<[Record<string, string>, string]>([
    [{ BATON_ANTHROPIC_PLATFORM: "bedrock" }, 'BATON_ANTHROPIC_PLATFORM is "bedrock": AWS_REGION is missing'],
    [{ BATON_ANTHROPIC_PLATFORM: "bedrock", AWS_REGION: "x" }, "AWS_BEARER_TOKEN_BEDROCK"],
    [
      { BATON_ANTHROPIC_PLATFORM: "bedrock", AWS_REGION: "x", AWS_ROLE_ARN: "arn" },
      "with an identity token is missing",
    ],
    [{ BATON_GEMINI_PLATFORM: "vertex" }, "GOOGLE_CLOUD_PROJECT is missing"],
    [{ BATON_OPENAI_PLATFORM: "azure", AZURE_API_KEY: "k" }, "OPENAI_BASE_URL is missing"],
    [
      { BATON_OPENAI_PLATFORM: "azure", OPENAI_BASE_URL: "https://a", AZURE_TENANT_ID: "t" },
      "AZURE_API_KEY is missing",
    ],
    [{ BATON_MODEL_NAMES: '{"a":1}' }, "BATON_MODEL_NAMES"],
  ])("%j: what is missing is said at the start", (variables, problem) => {
    expect(readPlatforms({ ...base, ...variables }, null).problems.join("\n")).toContain(problem);
  });

  it.each([
    ["global", "https://aiplatform.googleapis.com"],
    ["eu", "https://aiplatform.eu.rep.googleapis.com"],
    ["us-east5", "https://us-east5-aiplatform.googleapis.com"],
  ])("the place %s has its own address", async (location, host) => {
    const platform = platformOf(
      "gemini",
      {
        platform: "vertex",
        access: { project: "p", location, baseUrl: null, credentialsFile: null, metadataUrl: url },
      },
      {},
    );
    service["/computeMetadata/v1/instance/service-accounts/default/token"] = ({ headers }) =>
      headers["metadata-flavor"] === "Google"
        ? json({ access_token: "of-the-machine", expires_in: 600 })
        : json({}, 403);
    const request = await platform.requestOf({
      method: "POST",
      path: "/v1beta/models/gemini-2.5-pro:countTokens",
      search: "",
      model: "gemini-2.5-pro",
      headers: {},
      body: Buffer.from("{}"),
    });
    expect(request.url.href).toMatch(
      `${host}/v1beta1/projects/p/locations/${location}/publishers/google/models/gemini-2.5-pro:countTokens`,
    );
    expect(request.headers["authorization"]).toBe("Bearer of-the-machine");
  });
});
