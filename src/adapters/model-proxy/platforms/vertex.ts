/**
 * Claude and Gemini on Google's Vertex AI. The address names project, place and model.
 * https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference
 */
import { readFile } from "node:fs/promises";
import { importPKCS8, SignJWT } from "jose";
import { placeFactor } from "../../../config/models.ts";
import { BatonError } from "../../../core/errors.ts";
import { normaliseModel } from "../../../money/prices.ts";
import type { ModelProvider } from "../../../ports/model-proxy.ts";
import { type Fields, fields, text } from "../../model-service/fields.ts";
import { type ModelNames, type Platform, platformName } from "./platform.ts";
import { answerOf, form, kept, type Login, noLogin } from "./tokens.ts";

export interface VertexAccess {
  project: string;
  location: string;
  /** null: the place's address. */
  baseUrl: string | null;
  /** A file with a service account or an external one. null: the machine's own account (metadata server). */
  credentialsFile: string | null;
  metadataUrl?: string;
}

const scope = "https://www.googleapis.com/auth/cloud-platform";
/** An id is a part of the address. https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude */
const idForm = /^[\w@-][\w.@-]*$/;

export function vertex(
  provider: Extract<ModelProvider, "anthropic" | "gemini">,
  access: VertexAccess,
  names: ModelNames,
  now: () => number = Date.now,
): Platform {
  const base = (access.baseUrl ?? addressOf(access.location)).replace(/\/+$/, "");
  const login = kept(() => loginOf(access, now()), now);
  const below = (version: string, publisher: string): string =>
    `${base}/${version}/projects/${access.project}/locations/${access.location}/publishers/${publisher}/models/`;
  return {
    // Gemini's are Google's own in both places.
    translatesErrors: provider === "anthropic",
    secrets: () => [login.last()].filter((one) => one !== null),
    priceFactor: (model) =>
      provider === "gemini" || access.location === "global" ? 1 : placeFactor.of(normaliseModel(model)),
    offers: (method, path) =>
      method === "POST" && (provider === "gemini" || /^\/v1\/messages(?:\/count_tokens)?$/.test(path)),
    async requestOf({ path, search, model, headers, body }) {
      const id = platformName(names, model ?? "");
      if (!idForm.test(id))
        throw new BatonError(
          "BATON_MODEL_UNKNOWN",
          `${JSON.stringify(id.slice(0, 100))} is not a model's name on Vertex AI.`,
        );
      let url: URL;
      let sent = body;
      if (provider === "gemini") {
        const [, version = "", operation = ""] = /^\/(v1\w*)\/models\/[^/:]+:(\w+)$/.exec(path) ?? [];
        url = new URL(`${below(version === "v1" ? "v1" : "v1beta1", "google")}${id}:${operation}${search}`);
      } else {
        const asked = fields(JSON.parse(body.toString("utf8")));
        const { model: _, ...rest } = asked;
        if (path === "/v1/messages") {
          const operation = asked["stream"] === true ? "streamRawPredict" : "rawPredict";
          url = new URL(`${below("v1", "anthropic")}${id}:${operation}`);
          sent = jsonOf({ ...rest, anthropic_version: "vertex-2023-10-16" });
        } else {
          url = new URL(`${below("v1", "anthropic")}count-tokens:rawPredict`);
          sent = jsonOf({ ...rest, model: id, anthropic_version: "vertex-2023-10-16" });
        }
      }
      const { "anthropic-version": __, ...others } = headers;
      return { url, headers: { ...others, authorization: `Bearer ${await login.get()}` }, body: sent };
    },
  };
}

const jsonOf = (value: Fields): Buffer => Buffer.from(JSON.stringify(value));

/** https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations */
function addressOf(location: string): string {
  if (location === "global") return "https://aiplatform.googleapis.com";
  if (location === "us" || location === "eu") return `https://aiplatform.${location}.rep.googleapis.com`;
  return `https://${location}-aiplatform.googleapis.com`;
}

async function loginOf({ credentialsFile, metadataUrl }: VertexAccess, now: number): Promise<Login<string>> {
  if (credentialsFile === null) return ofMachine(metadataUrl, now);
  const credentials = fields(JSON.parse(await readFile(credentialsFile, "utf8")));
  switch (credentials["type"]) {
    case "service_account":
      return ofServiceAccount(credentials, now);
    case "external_account":
      return ofExternalAccount(credentials, now);
    default:
      throw noLogin(
        `GOOGLE_APPLICATION_CREDENTIALS is of the type ${JSON.stringify(credentials["type"])}; "service_account" or "external_account" is expected`,
      );
  }
}

function tokenOf(answer: Fields, now: number): Login<string> {
  const token = text(answer["access_token"]);
  if (token === null) throw noLogin("Google gave no access token");
  return { value: token, expiresAt: now + Number(answer["expires_in"] ?? 300) * 1_000 };
}

/** https://cloud.google.com/compute/docs/metadata/querying-metadata */
async function ofMachine(url = "http://metadata.google.internal", now: number): Promise<Login<string>> {
  const path = "/computeMetadata/v1/instance/service-accounts/default/token";
  return tokenOf(await answerOf(`${url}${path}`, { headers: { "metadata-flavor": "Google" } }), now);
}

/** https://developers.google.com/identity/protocols/oauth2/service-account#httprest */
async function ofServiceAccount(credentials: Fields, now: number): Promise<Login<string>> {
  const need = (name: string): string => needed(credentials, name);
  const key = await importPKCS8(need("private_key"), "RS256");
  const url = need("token_uri");
  const seconds = Math.floor(now / 1_000);
  const assertion = await new SignJWT({ scope })
    .setProtectedHeader({ alg: "RS256", typ: "JWT", kid: text(credentials["private_key_id"]) ?? "" })
    .setIssuer(need("client_email"))
    .setAudience(url)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + 3_600)
    .sign(key);
  return tokenOf(
    await answerOf(url, form({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion })),
    now,
  );
}

/**
 * Workload identity federation, as `google-github-actions/auth` and GKE write it: https://google.aip.dev/auth/4117.
 * The identity comes from a file or an address.
 */
async function ofExternalAccount(credentials: Fields, now: number): Promise<Login<string>> {
  const need = (name: string): string => needed(credentials, name);
  const exchanged = tokenOf(
    await answerOf(
      need("token_url"),
      form({
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        requested_token_type: "urn:ietf:params:oauth:token-type:access_token",
        audience: need("audience"),
        scope,
        subject_token_type: need("subject_token_type"),
        subject_token: await subjectOf(fields(credentials["credential_source"])),
      }),
    ),
    now,
  );
  const account = text(credentials["service_account_impersonation_url"]);
  if (account === null) return exchanged;
  const answer = await answerOf(account, {
    method: "POST",
    headers: { authorization: `Bearer ${exchanged.value}`, "content-type": "application/json" },
    body: JSON.stringify({ scope: [scope] }),
  });
  const token = text(answer["accessToken"]);
  if (token === null) throw noLogin("Google gave no access token for the service account");
  return { value: token, expiresAt: Date.parse(text(answer["expireTime"]) ?? "") || now + 300_000 };
}

async function subjectOf(source: Fields): Promise<string> {
  const format = fields(source["format"]);
  const field = format["type"] === "json" ? text(format["subject_token_field_name"]) : null;
  const file = text(source["file"]);
  const url = text(source["url"]);
  if (file !== null) {
    const content = (await readFile(file, "utf8")).trim();
    return field === null ? content : needed(fields(JSON.parse(content)), field);
  }
  if (url === null) throw noLogin("`credential_source` names neither a file nor an address");
  const headers = Object.fromEntries(
    Object.entries(fields(source["headers"])).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value]] : [],
    ),
  );
  if (field === null) throw noLogin("`credential_source.format` of an address is `json` with a field name");
  return needed(await answerOf(url, { headers }), field);
}

function needed(values: Fields, name: string): string {
  const value = text(values[name]);
  if (value === null) throw noLogin(`the credentials hold no \`${name}\``);
  return value;
}
