/**
 * Claude on Amazon Bedrock, by InvokeModel: `POST /model/<id>/invoke`, and `invoke-with-response-stream` for a stream.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
 *
 * Traps: the body names neither model nor streaming, and a field that Bedrock does not know is an error. The names of betas are
 * in the body. A stream is AWS's own binary one. An error may come within it, after status 200.
 */
import { placeFactor } from "../../../config/models.ts";
import { normaliseModel } from "../../../money/prices.ts";
import { type Fields, fields, text } from "../../model-service/fields.ts";
import { awsEvents } from "./aws-events.ts";
import { type AwsKeys, awsSignature } from "./aws-signature.ts";
import { type ModelNames, type Platform, platformName } from "./platform.ts";
import { form, type Identity, identityToken, kept, noLogin, textOf } from "./tokens.ts";

export interface BedrockAccess {
  region: string;
  /** The address of an endpoint in a private network. null: Baton uses the address of the region. */
  baseUrl: string | null;
  /** A key of Bedrock itself. null: requests are signed. */
  bearer: string | null;
  /** null: Baton takes the role. */
  keys: AwsKeys | null;
  role: { arn: string; identity: Identity; stsUrl: string | null } | null;
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html */
const known = new Set([
  "max_tokens",
  "messages",
  "output_config",
  "stop_sequences",
  "system",
  "temperature",
  "thinking",
  "tool_choice",
  "tools",
  "top_k",
  "top_p",
]);

/** The same page lists them. Another name is an error there. */
const betas = new Set([
  "computer-use-2025-01-24",
  "context-1m-2025-08-07",
  "context-management-2025-06-27",
  "dev-full-thinking-2025-05-14",
  "effort-2025-11-24",
  "fine-grained-tool-streaming-2025-05-14",
  "interleaved-thinking-2025-05-14",
  "output-128k-2025-02-19",
  "token-efficient-tools-2025-02-19",
  "tool-examples-2025-10-29",
  "tool-search-tool-2025-10-19",
]);

export function bedrock(access: BedrockAccess, names: ModelNames, now: () => number = Date.now): Platform {
  const { region, bearer, keys, role } = access;
  const base = access.baseUrl ?? `https://bedrock-runtime.${region}.amazonaws.com`;
  const assumed = kept(async () => {
    if (role === null) throw noLogin("neither AWS_BEARER_TOKEN_BEDROCK nor AWS_ACCESS_KEY_ID nor AWS_ROLE_ARN is set");
    return assumeRole(role, region);
  }, now);
  return {
    translatesErrors: true,
    secrets: () => {
      const last = keys ?? assumed.last();
      return [bearer, last?.secretAccessKey, last?.sessionToken].filter(
        (one): one is string => typeof one === "string",
      );
    },
    // https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
    priceFactor: (model) =>
      platformName(names, model).startsWith("global.") ? 1 : placeFactor.of(normaliseModel(model)),
    offers: (method, path) => method === "POST" && path === "/v1/messages",
    async requestOf({ method, model, headers, body }) {
      const asked = fields(JSON.parse(body.toString("utf8")));
      const operation = asked["stream"] === true ? "invoke-with-response-stream" : "invoke";
      const id = encodeURIComponent(platformName(names, model ?? ""));
      const url = new URL(`${base.replace(/\/+$/, "")}/model/${id}/${operation}`);
      const sent = Buffer.from(JSON.stringify(bodyOf(asked, headers["anthropic-beta"])));
      const own = { "content-type": "application/json", accept: "application/json" };
      const login =
        bearer === null
          ? awsSignature(
              { method, url, headers: own, body: sent, region, service: "bedrock" },
              keys ?? (await assumed.get()),
              new Date(now()),
            )
          : { authorization: `Bearer ${bearer}` };
      return { url, headers: { ...own, ...login }, body: sent };
    },
    answerOf(headers) {
      if (!`${headers["content-type"]}`.startsWith("application/vnd.amazon.eventstream")) return null;
      return { headers: { ...headers, "content-type": "text/event-stream" }, read: serverSentEvents };
    },
  };
}

function bodyOf(asked: Fields, wanted: string | string[] | undefined): Fields {
  const names = [wanted ?? []].flat().flatMap((list) => list.split(",").map((name) => name.trim()));
  const used = names.filter((name) => betas.has(name));
  return {
    anthropic_version: "bedrock-2023-05-31",
    ...Object.fromEntries(Object.entries(asked).filter(([name]) => known.has(name))),
    ...(used.length === 0 ? {} : { anthropic_beta: used }),
  };
}

/** Each chunk holds one event of the Messages API. */
async function* serverSentEvents(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const { headers, payload } of awsEvents(stream)) {
    const content = fields(JSON.parse(payload.toString("utf8")));
    if (headers[":message-type"] === "event") {
      const bytes = text(content["bytes"]);
      if (bytes !== null) yield event(Buffer.from(bytes, "base64").toString("utf8"));
      continue;
    }
    // https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ResponseStream.html
    const kind = headers[":exception-type"] ?? headers[":error-code"] ?? "unknown";
    const type = /throttling|unavailable/i.test(kind) ? "overloaded_error" : "api_error";
    const message = text(content["message"]) ?? headers[":error-message"] ?? kind;
    yield event(JSON.stringify({ type: "error", error: { type, message: `${kind}: ${message}` } }));
    return;
  }
}

function event(json: string): Buffer {
  const type = text(fields(JSON.parse(json))["type"]) ?? "message";
  return Buffer.from(`event: ${type}\ndata: ${json}\n\n`);
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
async function assumeRole(
  { arn, identity, stsUrl }: NonNullable<BedrockAccess["role"]>,
  region: string,
): Promise<{ value: AwsKeys; expiresAt: number }> {
  const answer = await textOf(
    stsUrl ?? `https://sts.${region}.amazonaws.com/`,
    form({
      Action: "AssumeRoleWithWebIdentity",
      Version: "2011-06-15",
      RoleArn: arn,
      RoleSessionName: "baton",
      WebIdentityToken: await identityToken(identity, "sts.amazonaws.com"),
    }),
  );
  const part = (name: string): string => {
    const value = new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer)?.[1];
    if (value === undefined) throw noLogin(`STS gave no ${name}`);
    return value;
  };
  return {
    value: {
      accessKeyId: part("AccessKeyId"),
      secretAccessKey: part("SecretAccessKey"),
      sessionToken: part("SessionToken"),
    },
    expiresAt: Date.parse(part("Expiration")),
  };
}
