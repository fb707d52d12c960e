/** A real CLI, a scripted model and a real git worktree: the environment of one attempt. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { claudeCode } from "../../src/adapters/harness/claude-code/harness.ts";
import { codex } from "../../src/adapters/harness/codex/harness.ts";
import { copilot } from "../../src/adapters/harness/copilot/harness.ts";
import { gemini } from "../../src/adapters/harness/gemini/harness.ts";
import { opencode } from "../../src/adapters/harness/opencode/harness.ts";
import { pi } from "../../src/adapters/harness/pi/harness.ts";
import { createSessions, noSessions } from "../../src/adapters/harness/sessions.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import type { SandboxSettings } from "../../src/environment/settings.ts";
import type { Harness, HarnessEvent, HarnessRequest, HarnessResult } from "../../src/ports/harness.ts";
import type { Confinement } from "../../src/ports/sandbox.ts";
import { confine } from "../../src/runner/perform/confine.ts";
import { agentSandboxOf, machineSandbox } from "../../src/wire-sandbox.ts";
import { type ModelServer, startModelServer, type Turn } from "../fakes/model-server.ts";
import { type CliName, cliPath } from "./cli.ts";

const keys: Record<CliName, string> = {
  "claude-code": "sk-ant-0000000000000000000000test",
  codex: "sk-proj-0000000000000000000000test",
  copilot: "sk-ant-0000000000000000000000test",
  gemini: "AIza-0000000000000000000000test",
  opencode: "sk-ant-0000000000000000000000test",
  pi: "sk-ant-0000000000000000000000test",
};

/**
 * The real CLI behind its adapter, its model on `server`. For scenarios:
 * `observedWorld({ harnesses: new Map([[name, realHarness(name, server, { sessionsDir })]]) })`.
 */
export function realHarness(
  name: CliName,
  server: Pick<ModelServer, "url">,
  options: { sessionsDir?: string; withKey?: boolean; binary?: string } = {},
): Harness {
  const binary = options.binary ?? cliPath(name);
  const apiKey = options.withKey === false ? undefined : keys[name];
  const sessions = options.sessionsDir === undefined ? noSessions : createSessions(options.sessionsDir);
  switch (name) {
    case "claude-code":
      return claudeCode({ binary, apiKey, baseUrl: server.url, sessions });
    case "codex":
      return codex({ binary, apiKey, baseUrl: `${server.url}/v1`, sessions });
    case "copilot":
      return copilot({ binary, apiKey, baseUrl: server.url, sessions });
    case "gemini":
      return gemini({ binary, apiKey, baseUrl: server.url, sessions });
    case "opencode":
      return opencode({ binary, apiKey, baseUrl: server.url, sessions });
    case "pi":
      return pi({ binary, apiKey, baseUrl: server.url, sessions });
  }
}

const megabyte = 1024 * 1024;
const sandboxSettings: SandboxSettings = {
  mode: "require",
  hosts: null,
  readable: [],
  resources: { memoryBytesMax: 8_192 * megabyte, processesMax: 1_024, diskBytesMax: 20_480 * megabyte },
};

/** A tool server that some tests give to their agent. */
export const toolServerPath = fileURLToPath(new URL("../fakes/tool-server.mjs", import.meta.url));

/** One for all attempts, because its self-test takes a second. null: they run without a sandbox. */
const machine = process.env["BATON_TEST_SANDBOX"] === "off" ? null : machineSandbox(machineDataDir(), silentLog);

function machineDataDir(): string {
  return join(tmpdir(), "baton-harness-data-that-is-not-there");
}

const problem =
  machine === null
    ? "BATON_TEST_SANDBOX=off"
    : await machine.state().then((state) => (state.works ? null : (state.problem ?? "It does not work.")));
/** Attempts run in this machine's sandbox. */
export const isConfined = problem === null;
if (!isConfined) process.stdout.write(`The command lines run in the open: ${problem}\n`);

export interface Bench {
  server: ModelServer;
  harness: Harness;
  directory: string;
  worktree: string;
  marker: string;
  events: HarnessEvent[];
  /** The sandbox's reports for the thread. */
  denied: string[];
  request(more?: Partial<HarnessRequest>): HarnessRequest;
  run(request?: Partial<HarnessRequest>, signal?: AbortSignal): Promise<HarnessResult>;
  /** The next attempt gets a new private home, as with every attempt of a run. */
  changeHome(): void;
  /** The next attempt works in another directory. The earlier one stays. */
  changeWorktree(): void;
  withoutKey(): Harness;
  /** Resolves when a file exists in the worktree. */
  appears(path: string): Promise<void>;
  /** Processes that work in this directory. */
  processesIn(directory: string): number[];
  git(...args: string[]): string;
  close(): Promise<void>;
}

export async function setBench(name: CliName, turns: Turn[] = []): Promise<Bench> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "baton-harness-")));
  const repository = join(directory, "repository");
  let worktree = join(directory, "worktree");
  const marker = `real/${directory}/1`;
  let homes = 0;
  let homePath = "";
  const changeHome = (): void => {
    if (homePath !== "") rmSync(homePath, { recursive: true });
    homes += 1;
    homePath = join(directory, `home-${homes}`);
    mkdirSync(homePath);
  };
  changeHome();
  mkdirSync(repository);
  const identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
  const git = (cwd: string, ...args: string[]): string =>
    execFileSync("git", [...identity, ...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  git(repository, "init", "-q", "-b", "main");
  writeFileSync(join(repository, "README.md"), "# shop\n");
  git(repository, "add", ".");
  git(repository, "commit", "-qm", "first");
  git(repository, "worktree", "add", "-q", worktree, "-b", "work");
  const server = await startModelServer(turns);
  const harness = realHarness(name, server, { sessionsDir: join(directory, "sessions") });
  const events: HarnessEvent[] = [];
  const denied: string[] = [];
  const request = (more: Partial<HarnessRequest> = {}): HarnessRequest => ({
    cwd: worktree,
    homePath,
    systemPrompt: "You are the implementer of Baton.",
    prompt: "Create hello.txt.",
    access: "write",
    model: null,
    resumeSessionId: null,
    maxTurns: null,
    maxUsd: null,
    timeoutMs: 60_000,
    silenceMs: 60_000,
    attemptMarker: marker,
    variables: { BATON_ROLE: "implement" },
    confinement: confinementOf(more),
    ...more,
  });
  /** As in a run, except for the scripted model, which replaces the model proxy. */
  const confinementOf = ({ access, models }: Partial<HarnessRequest>): Confinement | null => {
    if (machine === null || !isConfined) return null;
    const { confinement } = confine(
      { agentSandbox: agentSandboxOf(sandboxSettings, machine) },
      { kind: "confined" },
      {
        settings: { sandbox: { mode: null, network: [], setup: [] }, mcp: {} },
        workspace: {
          path: worktree,
          homePath,
          baseSha: "",
          writable: [worktree, repository, homePath],
          readable: [toolServerPath],
        },
        harness,
        models: models ?? { anthropic: { baseUrl: server.url, key: "", kind: "api-key" } },
        treeReadOnly: access === "read-only",
        onDenied: (line) => denied.push(line),
      },
    );
    return confinement;
  };
  return {
    server,
    harness,
    directory,
    get worktree() {
      return worktree;
    },
    marker,
    events,
    denied,
    request,
    changeHome,
    changeWorktree() {
      const to = join(directory, "worktree-2");
      git(repository, "worktree", "add", "-q", to, "-b", "work-2");
      worktree = to;
    },
    withoutKey: () => realHarness(name, server, { withKey: false }),
    git: (...args) => git(worktree, ...args),
    async run(more = {}, signal = new AbortController().signal) {
      const result = await harness.run(request(more), (event) => events.push(event), signal);
      // A failing test shows only the code.
      if (result.error?.code === "BATON_HARNESS_CRASHED") process.stdout.write(`${name}: ${result.error.message}\n`);
      return result;
    },
    appears: (path) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = existsSync(join(worktree, path)) && readFileSync(join(worktree, path), "utf8") !== "";
          if (!found) return;
          watcher.close();
          resolve();
        };
        const watcher = watch(worktree, look);
        look();
      }),
    processesIn: (path) =>
      readdirSync("/proc")
        .filter((pid) => /^\d+$/.test(pid))
        .filter((pid) => {
          try {
            return readlinkSync(`/proc/${pid}/cwd`).startsWith(path);
          } catch {
            return false;
          }
        })
        .map(Number),
    async close() {
      await server.close();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
