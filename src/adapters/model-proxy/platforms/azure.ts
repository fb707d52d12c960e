/**
 * Models on Azure: OpenAI's by the version 1 API, Claude in Microsoft Foundry. The language is the maker's own. The name of the
 * model is the name of a deployment.
 * https://learn.microsoft.com/en-us/azure/ai-foundry/openai/api-version-lifecycle
 * https://platform.claude.com/docs/en/build-with-claude/claude-in-microsoft-foundry
 */
import { fields, text } from "../../model-service/fields.ts";
import { type ModelNames, type Platform, platformName } from "./platform.ts";
import { answerOf, form, type Identity, identityToken, kept, noLogin } from "./tokens.ts";

export interface AzureAccess {
  /** `https://<resource>.openai.azure.com/openai/v1` or `https://<resource>.services.ai.azure.com/anthropic`. */
  baseUrl: string;
  /** null: a token of Microsoft Entra. */
  apiKey: string | null;
  entra: { tenant: string; client: string; secret: string | null; identity: Identity; authority: string } | null;
}

const scope = "https://ai.azure.com/.default";

export function azure(
  { baseUrl, apiKey, entra }: AzureAccess,
  names: ModelNames,
  now: () => number = Date.now,
): Platform {
  const login = kept(async () => {
    if (entra === null) throw noLogin("neither AZURE_API_KEY nor AZURE_TENANT_ID with AZURE_CLIENT_ID is set");
    return entraToken(entra, now());
  }, now);
  return {
    translatesErrors: false,
    secrets: () => [apiKey, entra?.secret ?? null, login.last()].filter((one) => one !== null),
    priceFactor: () => 1,
    // OpenAI's list of models has deployments. Foundry has none of Claude's.
    offers: (method, path) => method === "POST" || !path.startsWith("/v1/"),
    async requestOf({ method, path, search, model, headers, body }) {
      const url = new URL(`${baseUrl.replace(/\/+$/, "")}${path}${search}`);
      const own = apiKey === null ? { authorization: `Bearer ${await login.get()}` } : { "api-key": apiKey };
      return { url, headers: { ...headers, ...own }, body: method === "POST" ? renamed(body, model, names) : body };
    },
  };
}

function renamed(body: Buffer, model: string | null, names: ModelNames): Buffer {
  const name = model === null ? null : platformName(names, model);
  if (name === null || name === model) return body;
  return Buffer.from(JSON.stringify({ ...fields(JSON.parse(body.toString("utf8"))), model: name }));
}

/** https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow */
async function entraToken(
  { tenant, client, secret, identity, authority }: NonNullable<AzureAccess["entra"]>,
  now: number,
): Promise<{ value: string; expiresAt: number }> {
  const proof: Record<string, string> =
    secret === null
      ? {
          client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
          client_assertion: await identityToken(identity, "api://AzureADTokenExchange"),
        }
      : { client_secret: secret };
  const answer = await answerOf(
    `${authority.replace(/\/+$/, "")}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`,
    form({ grant_type: "client_credentials", client_id: client, scope, ...proof }),
  );
  const token = text(answer["access_token"]);
  if (token === null) throw noLogin("Microsoft Entra gave no access token");
  return { value: token, expiresAt: now + Number(answer["expires_in"] ?? 300) * 1_000 };
}
