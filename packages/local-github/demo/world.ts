/** A whole world on this machine: the local GitHub, a repository, people, and a real Baton behind its real door. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandHarness } from "../../../src/adapters/harness/command/harness.ts";
import { unmountBelow } from "../../../src/adapters/workspace/mounts.ts";
import { openApi } from "../../../src/app/api/serve.ts";
import { webhookPath } from "../../../src/app/door.ts";
import { type RunningServer, startServer } from "../../../src/app/server.ts";
import { type AppSettings, readSettings } from "../../../src/environment/settings.ts";
import type { Harness } from "../../../src/ports/harness.ts";
import type { AgentSandbox } from "../../../src/ports/sandbox.ts";
import type { ProcessRegistry } from "../../../src/process/process.ts";
import { type Baton, startBaton } from "../../../src/wire.ts";
import { type LocalGithub, type LocalGithubOptions, startLocalGithub } from "../src/local-github.ts";
import { sampleFiles, sampleIssue, sampleScript } from "./sample.ts";

export const agentPath = fileURLToPath(new URL("./scripted-agent.mjs", import.meta.url));
const webhookSecret = "a-secret-of-this-demo";
export const repositoryName = "acme/shop";

/**
 * Environment variable with the path of a data directory that has an empty database. Creating a database takes seconds,
 * copying takes none.
 */
export const databaseTemplate = "BATON_WORLD_TEMPLATE";

/** Environment variable with options of Node for the CI of a world. Tests save a process for each file of tests. */
const ciOptions = "BATON_WORLD_CI_OPTIONS";

export interface WorldOptions {
  files?: Record<string, string>;
  script?: Record<string, object[]>;
  /** `baton.yaml`. Its harness is `command` unless it names another. */
  config?: string;
  ci?: boolean;
  logLevel?: string;
  github?: LocalGithubOptions;
  databaseUrl?: string;
  /** False: its Baton keeps its state elsewhere. */
  database?: false;
  /** Lets `harness.command` of the repository take precedence over the scripted agent. */
  repositoryCommands?: boolean;
  /** Permissions of the App in addition to its usual ones. */
  grants?: Record<string, "read" | "write">;
  /** Processes in place of the ready-made ones. */
  processes?: ProcessRegistry;
  /** Real harnesses in place of the scripted one. null: those that the environment sets up. */
  harnesses?: Map<string, Harness> | null;
  /** Replaces this machine's own sandbox. */
  agentSandbox?: AgentSandbox;
  /** More of Baton's environment. */
  environment?: Record<string, string>;
}

/** Everything except Baton itself. */
export interface Stage {
  github: LocalGithub;
  directory: string;
  scriptPath: string;
  issue: number;
  /** The environment for starting a Baton for this world. */
  environment: Record<string, string | undefined>;
  /** Points the App's webhooks to a Baton. null: nobody listens. */
  listen(url: string | null): void;
  close(): Promise<void>;
}

export interface World extends Stage {
  settings: AppSettings;
  baton: Baton;
  server: RunningServer;
  /** Ends this Baton in order and starts another on the same data. */
  restart(): Promise<void>;
}

export const appGrants = {
  checks: "write",
  contents: "write",
  issues: "write",
  pull_requests: "write",
  statuses: "read",
  actions: "read",
  metadata: "read",
} as const;
export const appEvents = [
  "issues",
  "issue_comment",
  "pull_request",
  "pull_request_review",
  "pull_request_review_comment",
  "check_run",
  "check_suite",
  "status",
];

export async function setStage(options: WorldOptions = {}): Promise<Stage> {
  const github = await startLocalGithub(options.github ?? {});
  const directory = mkdtempSync(join(tmpdir(), "baton-world-"));
  const close = async (): Promise<void> => {
    await github.close();
    // Workspaces of a killed Baton may still be mounted.
    await unmountBelow(directory);
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    return { ...(await furnish(github, directory, options)), close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function furnish(github: LocalGithub, directory: string, options: WorldOptions): Promise<Omit<Stage, "close">> {
  const template = process.env[databaseTemplate];
  if (template !== undefined && options.database !== false && options.databaseUrl === undefined)
    cpSync(template, join(directory, "data"), { recursive: true });
  for (const login of ["alice", "bob", "mallory"]) github.createUser({ login });
  github.createOrganization({ login: "acme", members: ["alice", "bob"] });
  const ci =
    options.ci === false
      ? null
      : { name: "test", command: ["node", "--test"], workflow: "ci.yml", env: ciEnvironment() };
  const config = options.config ?? "version: 1\nharness: { default: command }\n";
  await github.createRepository({
    owner: "acme",
    name: "shop",
    private: false,
    files: { ...(options.files ?? sampleFiles), "baton.yaml": config },
    ci,
  });
  github.setPermission({ repository: repositoryName, login: "alice", permission: "write" });
  github.setPermission({ repository: repositoryName, login: "bob", permission: "maintain" });
  const app = github.createApp({
    slug: "baton",
    ownerLogin: "acme",
    grants: { ...appGrants, ...options.grants },
    events: appEvents,
    webhook: null,
  });
  github.installApp({ appId: app.id, account: "acme", as: "alice" });
  const scriptPath = join(directory, "script.json");
  writeFileSync(scriptPath, JSON.stringify(options.script ?? sampleScript));
  const { number } = github.openIssue({ repository: repositoryName, as: "alice", ...sampleIssue });
  return {
    github,
    directory,
    scriptPath,
    issue: number,
    environment: {
      APP_ID: `${app.id}`,
      PRIVATE_KEY: app.privateKey,
      WEBHOOK_SECRET: webhookSecret,
      GITHUB_API_URL: github.apiUrl,
      BATON_DATA: join(directory, "data"),
      PORT: "0",
      LOG_LEVEL: options.logLevel ?? "silent",
      DATABASE_URL: options.databaseUrl,
      BATON_SANDBOX: "prefer",
      ...(options.repositoryCommands === true ? { BATON_REPOSITORY_COMMANDS: "allow" } : {}),
      ...options.environment,
    },
    listen(url) {
      github.setWebhook({
        appId: app.id,
        webhook: url === null ? null : { url: `${url}${webhookPath}`, secret: webhookSecret },
      });
    },
  };
}

function ciEnvironment(): Record<string, string> {
  const options = process.env[ciOptions];
  return options === undefined ? {} : { NODE_OPTIONS: options };
}

/** The scripted agent as harness `command`. */
export function scriptedHarnesses(scriptPath: string, repositoryCommands = false): Map<string, Harness> {
  const command = [process.execPath, agentPath];
  return new Map([
    [
      "command",
      commandHarness({ command, repositoryCommands, keys: { BATON_AGENT_SCRIPT: scriptPath }, scripted: true }),
    ],
  ]);
}

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const stage = await setStage(options);
  const settings = readSettings(stage.environment);
  const harnesses =
    options.harnesses === undefined
      ? scriptedHarnesses(stage.scriptPath, options.repositoryCommands)
      : options.harnesses;
  const start = async (): Promise<{ baton: Baton; server: RunningServer }> => {
    const baton = await startBaton(settings, {
      ...(harnesses === null ? {} : { harnesses }),
      ...(options.processes === undefined ? {} : { processes: options.processes }),
      ...(options.agentSandbox === undefined ? {} : { agentSandbox: options.agentSandbox }),
    });
    try {
      const server = await startServer(settings, baton, null, { api: openApi(baton) });
      stage.listen(server.url);
      return { baton, server };
    } catch (thrown) {
      await baton.stop();
      throw thrown;
    }
  };
  const stop = async (): Promise<void> => {
    stage.listen(null);
    await world.server.close();
    await world.baton.stop();
  };
  const started = await start().catch(async (thrown: unknown) => {
    await stage.close();
    throw thrown;
  });
  const world: World = {
    ...stage,
    settings,
    ...started,
    async restart() {
      await stop();
      Object.assign(world, await start());
    },
    async close() {
      await stop();
      await stage.close();
    },
  };
  return world;
}
