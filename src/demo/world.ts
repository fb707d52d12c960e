/** A whole world on this machine: the local GitHub, a repository with an issue and CI, people, and a real Baton behind its real door. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandHarness } from "../adapters/harness/command.ts";
import { type AppSettings, readSettings } from "../app/settings.ts";
import { type RunningServer, startServer, webhookPath } from "../app/server.ts";
import { type LocalGithub, type LocalGithubOptions, startLocalGithub } from "../local-github/local-github.ts";
import type { Harness } from "../ports/harness.ts";
import { type Baton, startBaton } from "../wire.ts";
import { sampleFiles, sampleIssue, sampleScript } from "./sample.ts";

export const agentPath = fileURLToPath(new URL("./scripted-agent.mjs", import.meta.url));
const webhookSecret = "a-secret-of-this-demo";
export const repositoryName = "acme/shop";

export interface WorldOptions {
  files?: Record<string, string>;
  script?: Record<string, object[]>;
  /** `baton.yaml`; its harness is `command` unless it says otherwise. */
  config?: string;
  ci?: boolean;
  logLevel?: string;
  github?: LocalGithubOptions;
  databaseUrl?: string;
  /** Real harnesses in place of the scripted one. */
  harnesses?: Map<string, Harness>;
}

export interface World {
  github: LocalGithub;
  directory: string;
  scriptPath: string;
  issue: number;
  settings: AppSettings;
  baton: Baton;
  server: RunningServer;
  /** Ends this Baton politely and starts another on the same data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export const appGrants = { checks: "write", contents: "write", issues: "write", pull_requests: "write", statuses: "read", actions: "read", metadata: "read" } as const;
export const appEvents = ["issue_comment", "pull_request", "pull_request_review", "check_run", "check_suite", "status"];

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const directory = mkdtempSync(join(tmpdir(), "baton-world-"));
  const github = await startLocalGithub(options.github ?? {});
  for (const login of ["alice", "bob", "mallory"]) github.createUser({ login });
  github.createOrganization({ login: "acme", members: ["alice", "bob"] });
  const ci = options.ci === false ? null : { name: "test", command: ["node", "--test"] };
  const config = options.config ?? "version: 1\nharness: { default: command }\n";
  await github.createRepository({ owner: "acme", name: "shop", private: false, files: { ...(options.files ?? sampleFiles), "baton.yaml": config }, ci });
  github.setPermission({ repository: repositoryName, login: "alice", permission: "write" });
  github.setPermission({ repository: repositoryName, login: "bob", permission: "maintain" });
  const app = github.createApp({ slug: "baton", ownerLogin: "acme", grants: appGrants, events: appEvents, webhook: null });
  github.installApp({ appId: app.id, account: "acme", as: "alice" });
  const scriptPath = join(directory, "script.json");
  writeFileSync(scriptPath, JSON.stringify(options.script ?? sampleScript));
  const settings = readSettings({
    APP_ID: `${app.id}`,
    PRIVATE_KEY: app.privateKey,
    WEBHOOK_SECRET: webhookSecret,
    GITHUB_API_URL: github.apiUrl,
    BATON_DATA: join(directory, "data"),
    PORT: "0",
    LOG_LEVEL: options.logLevel ?? "silent",
    DATABASE_URL: options.databaseUrl,
  });
  const harnesses = options.harnesses ?? new Map([["command", commandHarness({ command: [process.execPath, agentPath], keys: { BATON_AGENT_SCRIPT: scriptPath } })]]);
  const { number } = github.openIssue({ repository: repositoryName, as: "alice", ...sampleIssue });
  const start = async (): Promise<{ baton: Baton; server: RunningServer }> => {
    const baton = await startBaton(settings, { harnesses });
    const server = await startServer(settings, baton);
    github.setWebhook({ appId: app.id, webhook: { url: `${server.url}${webhookPath}`, secret: webhookSecret } });
    return { baton, server };
  };
  const stop = async (): Promise<void> => {
    github.setWebhook({ appId: app.id, webhook: null });
    await world.server.close();
    await world.baton.stop();
  };
  const world: World = {
    github,
    directory,
    scriptPath,
    issue: number,
    settings,
    ...(await start()),
    async restart() {
      await stop();
      Object.assign(world, await start());
    },
    async close() {
      await stop();
      await github.close();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return world;
}
