/** A remote, Baton's workspaces over it and agents in them: real git, one repository for the whole suite. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { silentLog } from "../../../src/adapters/system/log.ts";
import { unmountBelow } from "../../../src/adapters/workspace/mounts.ts";
import { createWorkspaces } from "../../../src/adapters/workspace/workspaces.ts";
import { isBatonError } from "../../../src/core/errors.ts";
import type { RunId } from "../../../src/core/vocabulary.ts";
import type { ImportOptions, ImportResult, RepositoryAccess, Workspaces } from "../../../src/ports/workspace.ts";
import { shared } from "./cause.ts";

export const batonIdentity = { name: "baton[bot]", email: "1+baton[bot]@users.noreply.github.com" };

export const importOptions: ImportOptions = {
  identity: batonIdentity,
  trailers: ["Baton-Run: run_own", "Baton-Step: implement"],
  rescueSubject: "Save what was left",
  limits: { filesMax: 50, blobBytesMax: 1_000_000, importBytesMax: 3_000_000 },
};

export interface GitBench {
  root: string;
  remote: string;
  /** The folder of Baton's repositories. */
  data: string;
  workspaces: Workspaces;
  access: RepositoryAccess;
  base: string;
}

/** Runs git without Baton's precautions. */
export function sh(cwd: string, args: readonly string[], env: Record<string, string> = {}, input = ""): string {
  // Otherwise git's background maintenance would still run when the bench is removed.
  const settings = ["user.name=agent", "user.email=agent@example.com", "gc.auto=0", "maintenance.auto=false"];
  return execFileSync("git", [...settings.flatMap((setting) => ["-c", setting]), ...args], {
    cwd,
    encoding: "utf8",
    input,
    stdio: ["pipe", "pipe", "pipe"],
    timeout: 30_000,
    env: { PATH: process.env["PATH"] ?? "", HOME: cwd, GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0", ...env },
  }).trim();
}

/** The same, and ignores a failure. */
export function tryGit(cwd: string, args: readonly string[], env: Record<string, string> = {}): string {
  try {
    return sh(cwd, args, env);
  } catch {
    return "";
  }
}

export function write(root: string, path: string, text: string | Uint8Array = "x\n"): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

async function open(change: { data?: string } = {}): Promise<GitBench> {
  const root = mkdtempSync(join(tmpdir(), "baton-adversary-"));
  const remote = join(root, "remote.git");
  const seed = join(root, "seed");
  write(seed, "src/a.js", "one\ntwo\n");
  write(seed, ".gitignore", "ignored/\n");
  sh(root, ["init", "-q", "--bare", "-b", "main", remote]);
  sh(seed, ["init", "-q", "-b", "main"]);
  sh(seed, ["add", "-A"]);
  sh(seed, ["commit", "-qm", "first"]);
  sh(seed, ["push", "-q", remote, "main"]);
  const access: RepositoryAccess = {
    repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
    url: remote,
    token: async () => null,
  };
  const data = change.data ?? join(root, "baton");
  const workspaces = createWorkspaces({ rootDir: data, log: silentLog, way: "checkout" });
  return { root, remote, data, workspaces, access, base: await workspaces.fetch(access, "main") };
}

async function close({ root }: GitBench): Promise<void> {
  await unmountBelow(root);
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
}

export const gitBench = shared(open, close);

let runs = 0;
const freshRun = (): RunId => `run_${(++runs).toString(16).padStart(16, "0")}` as RunId;

export interface AgentPlace extends GitBench {
  /** The agent's tree and its git directory. */
  work: string;
  gitDir: string;
  home: string;
  /** The file in which a planted program records that it ran. */
  mark: string;
  /** A program that writes the mark. */
  program: string;
}

export interface Outcome {
  result: ImportResult | null;
  /** Why Baton refused it. null: Baton did not. */
  refused: string | null;
  /** Whether a planted program ran. */
  ran: boolean;
}

/** One attempt: created, given to `agent`, and imported. With `naive`, no import: `naive` gets it instead. */
export async function attempt(
  agent: (place: AgentPlace) => void | Promise<void>,
  naive: ((place: AgentPlace) => void) | null = null,
  options: Partial<ImportOptions> = {},
): Promise<Outcome & { place: AgentPlace }> {
  const bench = await gitBench();
  const runId = freshRun();
  const { workspaces, access, base } = bench;
  const at = { runId, name: "w" };
  const { path, homePath } = await workspaces.create(access, { ...at, baseSha: base });
  const mark = join(bench.root, `mark-${runId}`);
  const program = join(bench.root, `program-${runId}`);
  writeFileSync(program, `#!/bin/sh\ntouch ${mark}\ncat\n`, { mode: 0o755 });
  const gitDir = sh(path, ["rev-parse", "--absolute-git-dir"]);
  const place: AgentPlace = { ...bench, work: path, gitDir, home: homePath, mark, program };
  const outcome: Outcome = { result: null, refused: null, ran: false };
  try {
    await agent(place);
    rmSync(mark, { force: true });
    if (naive === null) {
      try {
        outcome.result = await workspaces.import(access, { ...at, baseSha: base }, { ...importOptions, ...options });
      } catch (thrown) {
        if (!isBatonError(thrown)) throw thrown;
        outcome.refused = `${thrown.code}: ${thrown.message}`;
      }
    } else naive(place);
    outcome.ran = existsSync(mark);
    return { ...outcome, place };
  } finally {
    await workspaces.remove(access, at);
    rmSync(program, { force: true });
    rmSync(mark, { force: true });
  }
}

/** The contents of Baton's own repository about a commit. */
export async function inTrusted(args: readonly string[]): Promise<string> {
  const { data } = await gitBench();
  return sh(join(data, "trusted", "7.git"), args, { GIT_DIR: "." });
}
