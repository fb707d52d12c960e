/**
 * The clouds that offer the models: which service comes from which, and the login there. The names are those of the clouds' own
 * tools, so that what a machine or a job has already is enough.
 */
import { z } from "zod";
import { type PlatformChoice, type PlatformName, platformsOfService } from "../adapters/model-proxy/platforms/index.ts";
import type { ModelNames } from "../adapters/model-proxy/platforms/platform.ts";
import type { Identity } from "../adapters/model-proxy/platforms/tokens.ts";
import type { ModelProvider } from "../ports/model-proxy.ts";

const optional = z.string().trim().min(1).optional();
const address = z.url({ protocol: /^https?$/, error: "an address is expected, as https://example.com" }).optional();

export const platformVariables = {
  BATON_ANTHROPIC_PLATFORM: z
    .enum(platformsOfService.anthropic)
    .optional()
    .describe(
      "Cloud that offers Claude: `bedrock` (Amazon), `vertex` (Google) or `azure` (Microsoft Foundry). Default: Anthropic itself, or a gateway at `ANTHROPIC_BASE_URL` that speaks as Anthropic does.",
    ),
  BATON_OPENAI_PLATFORM: z
    .enum(platformsOfService.openai)
    .optional()
    .describe(
      "Cloud that offers OpenAI's models: `azure`. `OPENAI_BASE_URL` then ends in `/openai/v1`. Default: OpenAI itself, or a gateway at `OPENAI_BASE_URL` that speaks as OpenAI does.",
    ),
  BATON_GEMINI_PLATFORM: z
    .enum(platformsOfService.gemini)
    .optional()
    .describe("Cloud that offers Gemini: `vertex`. Default: the Gemini API."),
  BATON_MODEL_NAMES: optional.describe(
    'The platform\'s names of models, as JSON: `{"claude-sonnet-5-5":"us.anthropic.claude-sonnet-5-5-v1:0"}`. Other names pass unchanged. `baton.yaml` and the budget keep the names on the left.',
  ),
  AWS_REGION: optional.describe("Region of Amazon Bedrock."),
  AWS_BEARER_TOKEN_BEDROCK: optional.describe(
    "Key of Amazon Bedrock. It takes precedence over the other logins of AWS.",
  ),
  AWS_ACCESS_KEY_ID: optional.describe("Key of AWS, with `AWS_SECRET_ACCESS_KEY`."),
  AWS_SECRET_ACCESS_KEY: optional.describe("Secret of the key of AWS."),
  AWS_SESSION_TOKEN: optional.describe("Token of a key of AWS that expires."),
  AWS_ROLE_ARN: optional.describe(
    "Role that Baton takes with an identity token: from `AWS_WEB_IDENTITY_TOKEN_FILE`, or in a job of Actions with `id-token: write` from GitHub.",
  ),
  AWS_WEB_IDENTITY_TOKEN_FILE: optional.describe("File with the identity token for `AWS_ROLE_ARN`, as EKS writes it."),
  AWS_ENDPOINT_URL_STS: address.describe("Another address of AWS's token service."),
  GOOGLE_CLOUD_PROJECT: optional.describe("Project of Vertex AI."),
  GOOGLE_CLOUD_LOCATION: z
    .string()
    .trim()
    .min(1)
    .default("global")
    .describe("Place of Vertex AI: a region, `us`, `eu` or `global`."),
  GOOGLE_APPLICATION_CREDENTIALS: optional.describe(
    "File with a service account, or with an external account, as `google-github-actions/auth` writes it. Default: the account of the machine in Google's cloud.",
  ),
  AZURE_API_KEY: optional.describe("Key of the resource in Azure. It takes precedence over the logins of Entra."),
  AZURE_TENANT_ID: optional.describe("Tenant of Microsoft Entra, with `AZURE_CLIENT_ID`."),
  AZURE_CLIENT_ID: optional.describe(
    "Application of Entra that may use the models. It proves itself by `AZURE_CLIENT_SECRET`, `AZURE_FEDERATED_TOKEN_FILE`, or in a job of Actions with `id-token: write` by GitHub's token.",
  ),
  AZURE_CLIENT_SECRET: optional.describe("Secret of the application of Entra."),
  AZURE_FEDERATED_TOKEN_FILE: optional.describe("File with the identity token of the application, as AKS writes it."),
  AZURE_AUTHORITY_HOST: address.describe("Address of Entra. Default: https://login.microsoftonline.com."),
};

/** Each of these may come from a file. */
export const platformSecrets = [
  "AWS_BEARER_TOKEN_BEDROCK",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AZURE_API_KEY",
  "AZURE_CLIENT_SECRET",
] as const;

export interface PlatformSettings {
  services: Partial<Record<ModelProvider, PlatformChoice>>;
  names: ModelNames;
}

export type PlatformEnvironment = z.output<z.ZodObject<typeof platformVariables>> & {
  ANTHROPIC_BASE_URL?: string | undefined;
  OPENAI_BASE_URL?: string | undefined;
  GOOGLE_GEMINI_BASE_URL?: string | undefined;
};

/** `job`: where a job of Actions gets a token of its identity. */
export function readPlatforms(
  env: PlatformEnvironment,
  job: Identity["job"],
): { settings: PlatformSettings; problems: string[] } {
  const problems: string[] = [];
  const services: PlatformSettings["services"] = {};
  const choices: [ModelProvider, PlatformName | undefined, string | undefined, string][] = [
    ["anthropic", env.BATON_ANTHROPIC_PLATFORM, env.ANTHROPIC_BASE_URL, "ANTHROPIC_BASE_URL"],
    ["openai", env.BATON_OPENAI_PLATFORM, env.OPENAI_BASE_URL, "OPENAI_BASE_URL"],
    ["gemini", env.BATON_GEMINI_PLATFORM, env.GOOGLE_GEMINI_BASE_URL, "GOOGLE_GEMINI_BASE_URL"],
  ];
  for (const [service, platform, baseUrl, variable] of choices) {
    if (platform === undefined) continue;
    const found = choiceOf(platform, { env, job, baseUrl, variable });
    if (typeof found === "string") problems.push(`BATON_${service.toUpperCase()}_PLATFORM is "${platform}": ${found}`);
    else services[service] = found;
  }
  return { settings: { services, names: namesOf(env.BATON_MODEL_NAMES, problems) }, problems };
}

interface Given {
  env: PlatformEnvironment;
  job: Identity["job"];
  baseUrl: string | undefined;
  variable: string;
}

/** A text says what is missing. */
function choiceOf(platform: PlatformName, given: Given): PlatformChoice | string {
  switch (platform) {
    case "bedrock":
      return bedrockOf(given);
    case "vertex":
      return vertexOf(given);
    case "azure":
      return azureOf(given);
  }
}

function bedrockOf({ env, job, baseUrl }: Given): PlatformChoice | string {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (region === undefined) return "AWS_REGION is missing";
  const bearer = env.AWS_BEARER_TOKEN_BEDROCK ?? null;
  const keys =
    accessKeyId === undefined || secretAccessKey === undefined
      ? null
      : { accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN ?? null };
  const identity = { file: env.AWS_WEB_IDENTITY_TOKEN_FILE ?? null, job };
  const role =
    env.AWS_ROLE_ARN === undefined || (identity.file === null && job === null)
      ? null
      : { arn: env.AWS_ROLE_ARN, identity, stsUrl: env.AWS_ENDPOINT_URL_STS ?? null };
  if (bearer === null && keys === null && role === null)
    return "AWS_BEARER_TOKEN_BEDROCK, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, or AWS_ROLE_ARN with an identity token is missing";
  return { platform: "bedrock", access: { region, baseUrl: baseUrl ?? null, bearer, keys, role } };
}

function vertexOf({ env, baseUrl }: Given): PlatformChoice | string {
  const { GOOGLE_CLOUD_PROJECT: project, GOOGLE_CLOUD_LOCATION: location } = env;
  if (project === undefined) return "GOOGLE_CLOUD_PROJECT is missing";
  const credentialsFile = env.GOOGLE_APPLICATION_CREDENTIALS ?? null;
  return { platform: "vertex", access: { project, location, baseUrl: baseUrl ?? null, credentialsFile } };
}

function azureOf({ env, job, baseUrl, variable }: Given): PlatformChoice | string {
  if (baseUrl === undefined) return `${variable} is missing: the address of your resource`;
  const { AZURE_TENANT_ID: tenant, AZURE_CLIENT_ID: client } = env;
  const secret = env.AZURE_CLIENT_SECRET ?? null;
  const identity = { file: env.AZURE_FEDERATED_TOKEN_FILE ?? null, job };
  const proves = secret !== null || identity.file !== null || job !== null;
  const authority = env.AZURE_AUTHORITY_HOST ?? "https://login.microsoftonline.com";
  const entra =
    tenant === undefined || client === undefined || !proves ? null : { tenant, client, secret, identity, authority };
  const apiKey = env.AZURE_API_KEY ?? null;
  if (apiKey === null && entra === null)
    return "AZURE_API_KEY is missing, or AZURE_TENANT_ID and AZURE_CLIENT_ID with a secret or an identity token";
  return { platform: "azure", access: { baseUrl, apiKey, entra } };
}

const namesSchema = z.record(z.string(), z.string().regex(/^[\w.:/@+-]{1,300}$/));

function namesOf(text: string | undefined, problems: string[]): ModelNames {
  if (text === undefined) return {};
  try {
    return namesSchema.parse(JSON.parse(text));
  } catch {
    problems.push(
      `BATON_MODEL_NAMES is ${JSON.stringify(text.slice(0, 500))}: JSON like {"name":"name there"} is expected`,
    );
    return {};
  }
}
