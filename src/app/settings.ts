/** The environment as typed settings. All problems are told at once, each with what is allowed. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { BatonError } from "../core/errors.ts";

const optional = z.string().trim().min(1).optional();

const environmentSchema = z.object({
  APP_ID: z.coerce.number().int().positive().optional(),
  PRIVATE_KEY: optional,
  PRIVATE_KEY_PATH: optional,
  WEBHOOK_SECRET: optional,
  WEBHOOK_SECRET_PREVIOUS: optional,
  GITHUB_API_URL: z.url().optional(),
  GHE_HOST: optional,
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "a postgres:// address")
    .optional(),
  BATON_DATA: z.string().default(".baton"),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  HOST: z.string().default("127.0.0.1"),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
  ANTHROPIC_API_KEY: optional,
  ANTHROPIC_BASE_URL: optional,
  CLAUDE_CODE_OAUTH_TOKEN: optional,
  OPENAI_API_KEY: optional,
  OPENAI_BASE_URL: optional,
  BATON_CLAUDE_BINARY: z.string().default("claude"),
  BATON_CODEX_BINARY: z.string().default("codex"),
  /** Program and arguments of the harness `command`, as a JSON list. The operator's word, not a repository's. */
  BATON_HARNESS_COMMAND: z.string().optional(),
  /** Whether repositories may name their own program by `harness.command`: it runs on this machine. */
  BATON_REPOSITORY_COMMANDS: z.enum(["allow", "deny"]).default("deny"),
});

export interface AppSettings {
  app: { id: number; privateKey: string; secrets: string[] } | null;
  githubApiUrl: string;
  databaseUrl: string | null;
  dataDir: string;
  port: number;
  host: string;
  logLevel: string;
  harness: {
    claude: { binary: string; apiKey: string | undefined; baseUrl: string | undefined; oauthToken: string | undefined };
    codex: { binary: string; apiKey: string | undefined; baseUrl: string | undefined };
    command: string[];
    repositoryCommands: boolean;
  };
  /** Values that must never leave. */
  secrets: string[];
}

export function readSettings(environment: Record<string, string | undefined>): AppSettings {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = environmentSchema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map(
        ({ path, message }) => `${path.join(".")} is ${JSON.stringify(given[String(path[0])])}: ${message}`,
      );
  const env = parsed.data;
  if (given["APP_ID"] !== undefined) {
    if (given["PRIVATE_KEY"] === undefined && given["PRIVATE_KEY_PATH"] === undefined)
      problems.push("PRIVATE_KEY or PRIVATE_KEY_PATH is missing beside APP_ID");
    if (given["WEBHOOK_SECRET"] === undefined)
      problems.push("WEBHOOK_SECRET is missing beside APP_ID: without it no delivery can be trusted");
  }
  if (env === undefined || problems.length > 0) throw new BatonError("BATON_SETTINGS_INVALID", problems.join("\n"));
  const privateKey = env.APP_ID === undefined ? null : readPrivateKey(env.PRIVATE_KEY, env.PRIVATE_KEY_PATH);
  const secrets = [env.WEBHOOK_SECRET, env.WEBHOOK_SECRET_PREVIOUS].filter((secret) => secret !== undefined);
  return {
    app: env.APP_ID === undefined || privateKey === null ? null : { id: env.APP_ID, privateKey, secrets },
    githubApiUrl:
      env.GITHUB_API_URL ?? (env.GHE_HOST === undefined ? "https://api.github.com" : `https://${env.GHE_HOST}/api/v3`),
    databaseUrl: env.DATABASE_URL ?? null,
    dataDir: resolve(env.BATON_DATA),
    port: env.PORT,
    host: env.HOST,
    logLevel: env.LOG_LEVEL,
    harness: {
      claude: {
        binary: env.BATON_CLAUDE_BINARY,
        apiKey: env.ANTHROPIC_API_KEY,
        baseUrl: env.ANTHROPIC_BASE_URL,
        oauthToken: env.CLAUDE_CODE_OAUTH_TOKEN,
      },
      codex: { binary: env.BATON_CODEX_BINARY, apiKey: env.OPENAI_API_KEY, baseUrl: env.OPENAI_BASE_URL },
      command: readCommand(env.BATON_HARNESS_COMMAND),
      repositoryCommands: env.BATON_REPOSITORY_COMMANDS === "allow",
    },
    secrets: [
      ...secrets,
      privateKey,
      env.ANTHROPIC_API_KEY,
      env.CLAUDE_CODE_OAUTH_TOKEN,
      env.OPENAI_API_KEY,
      env.DATABASE_URL,
    ].filter((value): value is string => typeof value === "string"),
  };
}

function readPrivateKey(inline: string | undefined, path: string | undefined): string {
  // Environments often cannot hold line breaks: escaped ones and base64 are taken too.
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
