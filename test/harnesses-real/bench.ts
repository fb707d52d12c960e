/** A real CLI, a scripted model and a real git worktree: one attempt's surroundings. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claudeCode } from "../../src/adapters/harness/claude-code.ts";
import { codex } from "../../src/adapters/harness/codex.ts";
import type { Harness, HarnessEvent, HarnessRequest, HarnessResult } from "../../src/ports/harness.ts";
import { type ModelServer, startModelServer, type Turn } from "../fakes/model-server.ts";
import { type CliName, cliPath } from "./cli.ts";

const keys: Record<CliName, string> = {
  "claude-code": "sk-ant-0000000000000000000000test",
  codex: "sk-proj-0000000000000000000000test",
};

/** The real CLI behind its adapter, its model on `server`. For scenarios: `startWorld({ harnesses: new Map([[name, realHarness(name, server)]]) })`. */
export function realHarness(name: CliName, server: Pick<ModelServer, "url">): Harness {
  const binary = cliPath(name);
  const apiKey = keys[name];
  switch (name) {
    case "claude-code":
      return claudeCode({ binary, apiKey, baseUrl: server.url });
    case "codex":
      return codex({ binary, apiKey, baseUrl: `${server.url}/v1` });
  }
}

export interface Bench {
  server: ModelServer;
  harness: Harness;
  worktree: string;
  events: HarnessEvent[];
  run(request?: Partial<HarnessRequest>, signal?: AbortSignal): Promise<HarnessResult>;
  git(...args: string[]): string;
  close(): Promise<void>;
}

export async function setBench(name: CliName, turns: Turn[] = []): Promise<Bench> {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "baton-harness-")));
  const repository = join(directory, "repository");
  const worktree = join(directory, "worktree");
  const homePath = join(directory, "home");
  mkdirSync(homePath);
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
  const harness = realHarness(name, server);
  const events: HarnessEvent[] = [];
  return {
    server,
    harness,
    worktree,
    events,
    git: (...args) => git(worktree, ...args),
    run: (request = {}, signal = new AbortController().signal) =>
      harness.run(
        {
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
          attemptMarker: `real/${directory}/1`,
          variables: { BATON_ROLE: "implement" },
          ...request,
        },
        (event) => events.push(event),
        signal,
      ),
    async close() {
      await server.close();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
