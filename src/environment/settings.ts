/** The environment as typed settings. Baton reports all problems at once, each with the allowed values. */
import { readFileSync, realpathSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { z } from "zod";
import { githubHosts } from "../adapters/github/github-hosts.ts";
import { acpManifestSchema, acpPlatform, startOf } from "../adapters/harness/acp/manifest.ts";
import type { CliSettings } from "../adapters/harness/definition.ts";
import { builtInHarnesses, type CliName, describedHarnesses } from "../adapters/harness/descriptions.ts";
import { baseUrlVariables, keyVariables } from "../adapters/harness/key-variables.ts";
import type { OwnerKeys } from "../adapters/model-proxy/upstreams.ts";
import { proxySecrets, readProxies } from "../adapters/system/proxies.ts";
import { sandboxModes } from "../config/schema.ts";
import { BatonError } from "../core/errors.ts";
import type { SandboxResources } from "../ports/sandbox.ts";
import { ownerKeysVariable, readOwnerKeys } from "./owner-keys.ts";
import {
  type PlatformEnvironment,
  type PlatformSettings,
  platformSecrets,
  platformVariables,
  readPlatforms,
} from "./platform-settings.ts";
import { withSecretFiles } from "./secret-files.ts";

const megabyte = 1024 * 1024;
const optional = z.string().trim().min(1).optional();
const fileOf = (name: string): typeof optional =>
  optional.describe(`File that holds \`${name}\`, so that no environment does. \`${name}_PATH\` is the same.`);

/** Keys, addresses and programs, as the harnesses' descriptions name them. */
function harnessVariables(): Record<string, z.ZodType<string | undefined>> {
  const words = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(", ");
  const keys = keyVariables.flatMap(({ name, kind, harnesses }) => {
    const what = kind === "apiKey" ? "Key for" : "A token of a subscription, in place of a key for";
    const described = optional.describe(`${what} ${words(harnesses)}.`);
    return [[name, described] as const, [`${name}_FILE`, fileOf(name)] as const];
  });
  const addresses = baseUrlVariables.map(
    (name) => [name, optional.describe("Another address of the service, for a gateway or proxy.")] as const,
  );
  const programs = describedHarnesses.flatMap(({ program, title }) =>
    program === null
      ? []
      : [
          [
            program.variable,
            z.string().default(program.name).describe(`Program of ${title}, by name or path.`),
          ] as const,
        ],
  );
  return Object.fromEntries([...keys, ...addresses, ...programs]);
}

function variableOf(env: object, name: string): string | undefined {
  return (env as Record<string, string | undefined>)[name];
}

function clisOf(env: object): Record<CliName, CliSettings> {
  return Object.fromEntries(
    describedHarnesses.flatMap(({ name, program, keys }) =>
      program === null || keys === null
        ? []
        : [
            [
              name,
              {
                binary: variableOf(env, program.variable) ?? program.name,
                apiKey: variableOf(env, keys.apiKey),
                login: keys.login === null ? undefined : variableOf(env, keys.login),
                baseUrl: variableOf(env, keys.baseUrl),
              },
            ],
          ],
    ),
  ) as Record<CliName, CliSettings>;
}

const portForm = "a whole number from 0 to 65535 is expected";
/** Their values stay out of printed text, even in a wrong form. */
const triggerSecret = z.string().trim().min(24, "at least 24 characters are expected").optional();
const secretNames = [
  "DATABASE_URL",
  "PRIVATE_KEY",
  "WEBHOOK_SECRET",
  "GITHUB_CLIENT_SECRET",
  "BATON_TRIGGER_SECRET",
  "BATON_TRIGGER_SECRET_PREVIOUS",
  "BATON_KEYS",
  ...platformSecrets,
];

/** The prose of each key is the reference: it generates `docs/reference/settings.md`. */
export const environmentSchema = z.object({
  APP_ID: z.coerce
    .number("the App's number is expected, as its page shows it")
    .int()
    .positive()
    .optional()
    .describe("Id of the GitHub App. Without it the set-up page is served, nothing else."),
  PRIVATE_KEY: optional.describe(
    "The App's private key: PEM, also with `\\n` for its line breaks, or the whole in base64. It takes precedence over `PRIVATE_KEY_PATH`.",
  ),
  PRIVATE_KEY_PATH: optional.describe("File that holds the private key."),
  PRIVATE_KEY_FILE: optional.describe("The same as `PRIVATE_KEY_PATH`."),
  WEBHOOK_SECRET: optional.describe("Secret that GitHub signs deliveries with. Needed beside `APP_ID`."),
  WEBHOOK_SECRET_FILE: fileOf("WEBHOOK_SECRET"),
  WEBHOOK_SECRET_PREVIOUS: optional.describe("A second secret that is taken too, while the secret is being changed."),
  WEBHOOK_SECRET_PREVIOUS_FILE: fileOf("WEBHOOK_SECRET_PREVIOUS"),
  GITHUB_CLIENT_ID: optional.describe(
    "Client id of the App, as its page shows it. With `GITHUB_CLIENT_SECRET` and an address `https` in `BATON_PUBLIC_URL`, people sign in with GitHub at `/sign-in/github`.",
  ),
  GITHUB_CLIENT_SECRET: optional.describe("A client secret of the App, from its page."),
  GITHUB_CLIENT_SECRET_FILE: fileOf("GITHUB_CLIENT_SECRET"),
  GITHUB_API_URL: z
    .url({ protocol: /^https?$/, error: "an address is expected, as https://github.example.com/api/v3" })
    .optional()
    .describe(
      "Address of GitHub's REST API. It takes precedence over `GHE_HOST`. Default without both: https://api.github.com.",
    ),
  GHE_HOST: z
    .string()
    .trim()
    .regex(/^[\w.-]+(:\d+)?$/, "a host name is expected, without https:// and path")
    .optional()
    .describe(
      "Host name of a GitHub Enterprise Server, whose API is at `https://<host>/api/v3`, or `<subdomain>.ghe.com`, whose API is at `https://api.<subdomain>.ghe.com`.",
    ),
  GHE_PROTOCOL: z.enum(["https", "http"]).default("https").describe("How `GHE_HOST` is reached."),
  BATON_WEB_URL: z
    .url({ protocol: /^https?$/, error: "an address is expected, as https://github.example.com" })
    .transform((url) => url.replace(/\/+$/, ""))
    .optional()
    .describe(
      "Address of GitHub's pages and of git, where it does not follow from `GHE_HOST` or `GITHUB_API_URL`: behind a gateway.",
    ),
  HTTPS_PROXY: optional.describe(
    "HTTP proxy for requests to `https` addresses: GitHub's API, models, git. Agents do not use it. `https_proxy` is the same.",
  ),
  HTTP_PROXY: optional.describe("The same for `http` addresses. `http_proxy` is the same."),
  NO_PROXY: optional.describe(
    "Hosts that are reached without a proxy, with commas between: `example.com` and all below it, `host:port`, or `*`. This machine always is. `no_proxy` is the same.",
  ),
  WEBHOOK_PROXY_URL: optional.describe(
    "Address of a channel, for example at smee.io, where GitHub cannot reach this machine. The set-up page registers it as the webhook. Baton only reminds you of it: forward it with smee-client.",
  ),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "an address postgres://user:password@host/name is expected")
    .optional()
    .describe(
      "A PostgreSQL server: `postgres://user:password@host/name`. Without it an embedded database in `BATON_DATA`.",
    ),
  BATON_DATA: z
    .string()
    .default(".baton")
    .describe("Folder of the embedded database, the workspaces and the kept agent sessions. One Baton a folder."),
  BATON_WORKSPACES: z
    .enum(["auto", "checkout", "overlay"])
    .default("auto")
    .describe(
      "How the App makes an agent's tree. `overlay`: a copy-on-write mount over one checkout of the base, made and removed in milliseconds however large the repository; it needs Linux and the right to mount (root, in a container `CAP_SYS_ADMIN`). `checkout`: every file written for each. `auto`: `overlay` where a trial mount works, else `checkout`; the log says which and why.",
    ),
  PORT: z.coerce
    .number(portForm)
    .int(portForm)
    .min(0, portForm)
    .max(65_535, portForm)
    .default(3000)
    .describe("Port of webhooks and health."),
  HOST: z.string().default("127.0.0.1").describe("Address to listen at; `0.0.0.0` for all."),
  DATABASE_URL_FILE: fileOf("DATABASE_URL"),
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
    .default("info")
    .describe("Lines of lower rank are not written."),
  LOG_FORMAT: z
    .enum(["json", "pretty"])
    .optional()
    .describe(
      "Form of the log of `baton start`: `json` has one object a line, `pretty` is for people. Default: `pretty` on a terminal, otherwise `json`.",
    ),
  BATON_OWNERS: z
    .string()
    .regex(/[^\s,]/, "at least one account is expected")
    .optional()
    .describe(
      "Accounts that this Baton works for, by login, with commas between. Without it all that installed the App: set it when the App is public, or anybody's runs use your keys.",
    ),
  BATON_ONBOARDING: z
    .enum(["on", "off"])
    .default("on")
    .describe(
      "`on`: a repository that gets the App also gets a pull request that sets Baton up, once. Forks, templates and archived repositories get none. `off`: only `baton onboard` and `/baton setup` open one.",
    ),
  BATON_ONBOARDING_PER_DAY: z.coerce
    .number("a whole number is expected")
    .int()
    .min(1)
    .max(500)
    .default(10)
    .describe(
      "Most of these pull requests for one account on one day (UTC). The other repositories wait for the next days.",
    ),
  BATON_AGENTS: z.coerce
    .number("a whole number is expected")
    .int()
    .min(1)
    .default(8)
    .describe(
      "Agents that work on this machine at once. Others wait, the highest priority first. An agent waits for none of lower priority, so scheduled runs and sweeps hold up nobody.",
    ),
  BATON_PUBLIC_URL: z
    .url()
    .transform((url) => url.replace(/\/+$/, ""))
    .optional()
    .describe(
      "Address at which runners reach this Baton; needed for `executor: actions`. Also the audience of their tokens.",
    ),
  BATON_TRIGGER_SECRET: triggerSecret.describe(
    "Secret that signs requests to `/triggers/<name>`, which start rules `on: http` of any repository of this App. At least 24 characters. Without it every such request is refused.",
  ),
  BATON_TRIGGER_SECRET_FILE: optional.describe("File that holds `BATON_TRIGGER_SECRET`, so that no environment does."),
  BATON_TRIGGER_SECRET_PREVIOUS: triggerSecret.describe(
    "A second secret for `/triggers/<name>`, accepted next to the first while you replace it.",
  ),
  BATON_TRIGGER_SECRET_PREVIOUS_FILE: optional.describe("File that holds `BATON_TRIGGER_SECRET_PREVIOUS`."),
  BATON_OIDC_ISSUER: z
    .url()
    .optional()
    .describe("Issuer of the tokens of jobs. Default: GitHub's own issuer, or the issuer of `GHE_HOST`."),
  ...harnessVariables(),
  BATON_KEYS: ownerKeysVariable,
  BATON_KEYS_FILE: fileOf("BATON_KEYS"),
  ...platformVariables,
  ...Object.fromEntries(platformSecrets.map((name) => [`${name}_FILE`, fileOf(name)])),
  BATON_ACP_AGENTS: z
    .string()
    .optional()
    .describe(
      'Harnesses that speak the Agent Client Protocol, by names of your own: `{"my-agent":["my-agent","--acp"]}`; `{"command":[…],"reads":false}` in place of the list for one that reads files by itself. Or manifests of the protocol\'s public registry (`agent.json`), by name or in a list: Baton starts their program and downloads nothing.',
    ),
  BATON_HARNESS_COMMAND: z
    .string()
    .optional()
    .describe('Program and arguments of the harness `command`, as a JSON list: `["my-agent","--flag"]`.'),
  BATON_SANDBOX: z
    .enum(sandboxModes)
    .default("require")
    .describe(
      "The least that agents on this machine need: `require` (no agent starts without a working sandbox), `prefer` (a sandbox if the machine has one; as root an agent then needs `off`), `off`. A repository's `sandbox` can only be stricter. Default: `require`; in a job of Actions, the input `sandbox` of the Action, by default `prefer`.",
    ),
  BATON_SANDBOX_HOSTS: z
    .string()
    .optional()
    .describe(
      "Hosts and presets that repositories may list in `sandbox.network`, with commas between. A host outside the list is an error in `baton.yaml`. Default: any public host.",
    ),
  BATON_SANDBOX_READABLE: z
    .string()
    .optional()
    .describe(
      "Further files and directories of this machine that agents may read, with commas between: absolute paths without links. Baton's own data cannot be among them. Default: none.",
    ),
  BATON_SANDBOX_MEMORY: z.coerce
    .number("megabytes are expected")
    .int()
    .min(256)
    .default(8_192)
    .describe("Most memory of one attempt, in MB, all its processes together."),
  BATON_SANDBOX_PROCESSES: z.coerce
    .number("a whole number is expected")
    .int()
    .min(32)
    .default(1_024)
    .describe("Most processes and threads of one attempt."),
  BATON_SANDBOX_DISK: z.coerce
    .number("megabytes are expected")
    .int()
    .min(256)
    .default(20_480)
    .describe("Most disk space of one attempt, in MB: worktree and scratch together."),
  BATON_REPOSITORY_COMMANDS: z
    .enum(["allow", "deny"])
    .default("deny")
    .describe(
      "Whether repositories may name programs of their own (`harness.command`, `mcp`) that run on this machine without a sandbox. Inside the sandbox they may in any case.",
    ),
});

export interface SandboxSettings {
  mode: (typeof sandboxModes)[number];
  /** null: any public host. */
  hosts: string[] | null;
  /** Further paths that agents may read, absolute. */
  readable: string[];
  resources: SandboxResources;
}

export interface AppSettings {
  app: { id: number; privateKey: string; secrets: string[] } | null;
  githubApiUrl: string;
  /** The App as a client of GitHub. null: nobody signs in with GitHub. */
  client: { id: string; secret: string } | null;
  /** The address of GitHub's pages, and of git. */
  githubWebUrl: string;
  /** Logins of the accounts that Baton serves, in lower case. null: all accounts that installed the App. */
  owners: string[] | null;
  /** The first pull request in repositories that get the App. */
  onboarding: { atInstall: boolean; perDay: number };
  /** For `/triggers/<name>`, the current secret first. */
  triggerSecrets: string[];
  /** The most agents that work here at once. */
  agents: number;
  /** The address at which runners reach this Baton. null: none. */
  publicUrl: string | null;
  /** The issuer of job tokens. */
  oidcIssuer: string;
  databaseUrl: string | null;
  dataDir: string;
  workspaces: "auto" | "checkout" | "overlay";
  port: number;
  host: string;
  logLevel: string;
  /** null: by the place where the log goes. */
  logFormat: "json" | "pretty" | null;
  sandbox: SandboxSettings;
  /** The settings of each CLI, by the harness's name, and further settings. */
  harness: Record<CliName, CliSettings> & {
    acp: Record<
      string,
      { command: string[]; reads?: boolean | undefined; install?: string; keys?: Record<string, string> }
    >;
    command: string[];
    repositoryCommands: boolean;
    platforms: PlatformSettings;
    ownerKeys: OwnerKeys;
  };
  /** Values that must never leave Baton. */
  secrets: string[];
}

const listOf = (text: string | undefined): string[] => text?.split(/[\s,]+/).filter((entry) => entry !== "") ?? [];

function readableProblem(path: string, dataDir: string): string[] {
  const told = (why: string): string[] => [`BATON_SANDBOX_READABLE has ${JSON.stringify(path)}: ${why}`];
  if (!isAbsolute(path)) return told("an absolute path is expected");
  const isBelow = (one: string, other: string): boolean => !/^\.\.(?:\/|$)/.test(relative(other, one));
  const [shown, own] = [realPathOf(resolve(path)), realPathOf(resolve(dataDir))];
  return isBelow(shown, own) || isBelow(own, shown) ? told("Baton's own data are there, which no agent may see") : [];
}

export function readSettings(environment: Record<string, string | undefined>): AppSettings {
  const files = withSecretFiles(environment);
  const given = Object.fromEntries(
    Object.entries(files.environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = environmentSchema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => {
        const name = String(path[0]);
        return `${name} is ${secretNames.includes(name) ? "not of its form" : JSON.stringify(given[name])}: ${message}`;
      });
  const env = parsed.data;
  problems.push(...files.problems);
  const keyPath = given["PRIVATE_KEY_PATH"] ?? given["PRIVATE_KEY_FILE"];
  if (given["APP_ID"] !== undefined) {
    if (given["PRIVATE_KEY"] === undefined && keyPath === undefined)
      problems.push("PRIVATE_KEY or PRIVATE_KEY_PATH is missing beside APP_ID");
    if (given["WEBHOOK_SECRET"] === undefined && !files.problems.some((text) => text.startsWith("WEBHOOK_SECRET_")))
      problems.push("WEBHOOK_SECRET is missing beside APP_ID: without it no delivery can be trusted");
  }
  if (env?.GITHUB_CLIENT_ID !== undefined && env.GITHUB_CLIENT_SECRET === undefined)
    problems.push("GITHUB_CLIENT_SECRET is missing beside GITHUB_CLIENT_ID");
  if (env?.GITHUB_CLIENT_ID !== undefined && env.BATON_PUBLIC_URL?.startsWith("https://") !== true)
    problems.push("BATON_PUBLIC_URL is not an address `https`: without it nobody can sign in with GITHUB_CLIENT_ID");
  const readable = listOf(env?.BATON_SANDBOX_READABLE);
  if (env !== undefined) problems.push(...readable.flatMap((path) => readableProblem(path, env.BATON_DATA)));
  const platforms = env === undefined ? null : readPlatforms(env as PlatformEnvironment, jobOf(environment));
  const ownerKeys = readOwnerKeys(env?.BATON_KEYS);
  problems.push(...(platforms?.problems ?? []), ...(ownerKeys.problem === null ? [] : [ownerKeys.problem]));
  if (env === undefined || platforms === null || problems.length > 0)
    throw new BatonError("BATON_SETTINGS_INVALID", problems.join("\n"));
  const privateKey = env.APP_ID === undefined ? null : readPrivateKey(env.PRIVATE_KEY, keyPath);
  const hosts = githubHosts({
    host: env.GHE_HOST,
    protocol: env.GHE_PROTOCOL,
    apiUrl: env.GITHUB_API_URL,
    webUrl: env.BATON_WEB_URL,
    issuer: env.BATON_OIDC_ISSUER,
  });
  const secrets = [env.WEBHOOK_SECRET, env.WEBHOOK_SECRET_PREVIOUS].filter((secret) => secret !== undefined);
  const { BATON_TRIGGER_SECRET: trigger, BATON_TRIGGER_SECRET_PREVIOUS: previous } = env;
  const triggerSecrets = trigger === undefined ? [] : [trigger, ...(previous === undefined ? [] : [previous])];
  return {
    app: env.APP_ID === undefined || privateKey === null ? null : { id: env.APP_ID, privateKey, secrets },
    githubApiUrl: hosts.apiUrl,
    githubWebUrl: hosts.webUrl,
    client:
      env.GITHUB_CLIENT_ID === undefined || env.GITHUB_CLIENT_SECRET === undefined
        ? null
        : { id: env.GITHUB_CLIENT_ID, secret: env.GITHUB_CLIENT_SECRET },
    owners:
      env.BATON_OWNERS?.split(",")
        .map((login) => login.trim().toLowerCase())
        .filter((login) => login !== "") ?? null,
    onboarding: { atInstall: env.BATON_ONBOARDING === "on", perDay: env.BATON_ONBOARDING_PER_DAY },
    triggerSecrets,
    agents: env.BATON_AGENTS,
    publicUrl: env.BATON_PUBLIC_URL ?? null,
    oidcIssuer: hosts.issuer,
    databaseUrl: env.DATABASE_URL ?? null,
    dataDir: realPathOf(resolve(env.BATON_DATA)),
    workspaces: env.BATON_WORKSPACES,
    port: env.PORT,
    host: env.HOST,
    logLevel: env.LOG_LEVEL,
    logFormat: env.LOG_FORMAT ?? null,
    sandbox: {
      mode: env.BATON_SANDBOX,
      hosts: env.BATON_SANDBOX_HOSTS === undefined ? null : listOf(env.BATON_SANDBOX_HOSTS),
      readable: readable.map((path) => resolve(path)),
      resources: {
        memoryBytesMax: env.BATON_SANDBOX_MEMORY * megabyte,
        processesMax: env.BATON_SANDBOX_PROCESSES,
        diskBytesMax: env.BATON_SANDBOX_DISK * megabyte,
      },
    },
    harness: {
      ...clisOf(env),
      acp: readAgents(env.BATON_ACP_AGENTS),
      command: readCommand(env.BATON_HARNESS_COMMAND),
      repositoryCommands: env.BATON_REPOSITORY_COMMANDS === "allow",
      platforms: platforms.settings,
      ownerKeys: ownerKeys.keys,
    },
    secrets: [
      ...secrets,
      trigger,
      previous,
      privateKey,
      env.GITHUB_CLIENT_SECRET,
      ...keyVariables.map(({ name }) => variableOf(env, name)),
      ...platformSecrets.map((name) => variableOf(env, name)),
      ...Object.values(ownerKeys.keys).flatMap((keys) => Object.values(keys)),
      env.DATABASE_URL,
      ...proxySecrets(readProxies(environment)),
    ].filter((value): value is string => typeof value === "string"),
  };
}

/** Runners set both in a job with `id-token: write`. */
function jobOf({
  ACTIONS_ID_TOKEN_REQUEST_URL: url,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: token,
}: Record<string, string | undefined>): { url: string; token: string } | null {
  return url === undefined || url === "" || token === undefined || token === "" ? null : { url, token };
}

/** The sandbox binds no path that contains a link. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Baton creates it at the start.
    const parent = dirname(path);
    return parent === path ? path : join(realPathOf(parent), basename(path));
  }
}

function readPrivateKey(inline: string | undefined, path: string | undefined): string {
  // Environments often cannot hold line breaks, so Baton also accepts escaped ones and base64.
  const text = inline !== undefined ? inline.replaceAll("\\n", "\n") : readKeyFile(path ?? "");
  const key = text.includes("-----BEGIN") ? text : Buffer.from(text, "base64").toString("utf8");
  if (!key.includes("-----BEGIN"))
    throw new BatonError("BATON_SETTINGS_INVALID", "PRIVATE_KEY is not a PEM key, nor one in base64.");
  return key;
}

function readKeyFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw new BatonError("BATON_SETTINGS_INVALID", `PRIVATE_KEY_PATH is "${path}", which cannot be read.`, {
      cause: thrown,
    });
  }
}

const agentName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,40}$/)
  .refine((one) => !builtInHarnesses.includes(one), "the name of one of Baton's own harnesses");
const agentCommand = z.array(z.string().min(1)).min(1);
const agentsMax = 30;

/** A manifest of the public registry, as a command on this machine. */
const agentOfManifest = acpManifestSchema.transform((manifest, context) => {
  const start = startOf(manifest, acpPlatform(process.platform, process.arch));
  if (start !== null) return start;
  context.addIssue(`the agent "${manifest.id}" has no distribution for ${process.platform} on ${process.arch}`);
  return z.NEVER;
});
const agentSchema = z.union([
  agentCommand.transform((command) => ({ command })),
  z.strictObject({ command: agentCommand, reads: z.boolean().optional() }),
  agentOfManifest,
]);
/** Only manifests have their own names. */
const listedAgents = z.array(z.looseObject({ id: agentName })).transform((list, context) => {
  const names = list.map(({ id }) => id);
  if (new Set(names).size < names.length) context.addIssue("an id is there twice");
  return Object.fromEntries(list.map((one) => [one.id, one]));
});
const agentsSchema = z
  .union([listedAgents.pipe(z.record(agentName, agentOfManifest)), z.record(agentName, agentSchema)])
  .refine((agents) => Object.keys(agents).length <= agentsMax, `at most ${agentsMax} agents are expected`);

function readAgents(text: string | undefined): AppSettings["harness"]["acp"] {
  if (text === undefined) return {};
  try {
    return agentsSchema.parse(JSON.parse(text));
  } catch (thrown) {
    throw new BatonError(
      "BATON_SETTINGS_INVALID",
      `BATON_ACP_AGENTS is ${JSON.stringify(text.slice(0, 500))}: JSON like {"my-agent":["my-agent","--acp"]}, or manifests of the protocol's registry (\`agent.json\`) by name or in a list, with names in small letters that are none of ${builtInHarnesses.join(", ")}.${manifestProblem(text)}`,
      { cause: thrown },
    );
  }
}

/** The problem of the first invalid manifest, if the text was meant as manifests. */
function manifestProblem(text: string): string {
  const given =
    z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).safeParse(parsedOrNull(text)).data ?? [];
  const meant = Object.values(given).filter((one) => typeof one === "object" && one !== null && "distribution" in one);
  for (const one of meant) {
    const { error } = agentOfManifest.safeParse(one);
    if (error !== undefined) return ` Found: ${z.prettifyError(error).replaceAll(/\s+/g, " ").slice(0, 500)}`;
  }
  return "";
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function readCommand(text: string | undefined): string[] {
  if (text === undefined) return [];
  try {
    return z.array(z.string()).min(1).parse(JSON.parse(text));
  } catch (thrown) {
    throw new BatonError(
      "BATON_SETTINGS_INVALID",
      `BATON_HARNESS_COMMAND is ${JSON.stringify(text)}: a JSON list like ["my-agent","--flag"].`,
      { cause: thrown },
    );
  }
}
