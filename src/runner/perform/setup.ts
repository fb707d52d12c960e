/**
 * `sandbox.setup`: commands that prepare a workspace before the agent, inside the sandbox, with network and without
 * keys.
 *
 * SU1 A command has access to the listed hosts and to no key of Baton. A failed command ends the setup.
 * SU2 Anyone reads a package cache, but Baton writes one only if no agent's code has run: see `CacheUse.mayWrite`
 *     (ports-package-caches.PC1).
 * SU3 A reused workspace keeps its content: Baton restores nothing into it and saves nothing from it.
 */
import { createHash } from "node:crypto";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import type { Children } from "../../ports/child.ts";
import type { PackageCaches } from "../../ports/package-caches.ts";
import type { Confinement } from "../../ports/sandbox.ts";
import { packageVariables } from "./package-variables.ts";

export interface CacheUse {
  caches: PackageCaches;
  repositoryId: number;
  /** `setupKey` of the commit that the workspace begins at. */
  key: string;
  /** True only for a new workspace at a commit of the default branch, where all code was reviewed. */
  mayWrite: boolean;
}

export interface SetupRequest {
  children: Children;
  /**
   * With the listed hosts, and without the ports of Baton's services. Null: there is no sandbox, and Baton saves
   * nothing.
   */
  confinement: Confinement | null;
  workspace: { path: string; homePath: string };
  commands: readonly string[];
  /** The environment of an agent without keys. `HOME` is the workspace's. The variables of package caches are added. */
  env: Readonly<Record<string, string>>;
  /** For all commands together. */
  timeoutMs: number;
  /** Length of the returned end of each command's output. */
  outputCharactersMax: number;
  /** Value of `BATON_ATTEMPT`. */
  marker: string;
  signal: AbortSignal;
  redact(text: string): string;
  cache: CacheUse | null;
}

export interface SetupStep {
  command: string;
  exitCode: number | null;
  signal: string | null;
  timedOut: boolean;
  aborted: boolean;
  /** The redacted end of standard output and standard error. */
  output: string;
  outputTruncated: boolean;
  durationMs: number;
}

export interface SetupEnd {
  /** Every command exited with 0. */
  ok: boolean;
  /** The commands that ran, in order. The last one failed unless `ok`. */
  steps: SetupStep[];
  cache: "restored" | "saved" | "unused";
  /** The agent gets them, too, so that its tools find the setup's downloads. */
  variables: Record<string, string>;
}

/** Below the home of the workspace. */
const packagesFolder = "packages";

export async function runSetup(request: SetupRequest): Promise<SetupEnd> {
  const { workspace, cache, commands } = request;
  const directory = join(workspace.homePath, packagesFolder);
  const variables = packageVariables(directory);
  const isNew = (await lstat(directory).catch(() => null)) === null;
  const restored = isNew && cache !== null && (await cache.caches.restore(cache.repositoryId, cache.key, directory));
  const deadline = performance.now() + request.timeoutMs;
  const steps: SetupStep[] = [];
  for (const command of commands) {
    const step = await runCommand(request, command, variables, Math.max(1, deadline - performance.now()));
    steps.push(step);
    if (step.exitCode !== 0) return { ok: false, steps, cache: restored ? "restored" : "unused", variables };
  }
  // Without a sandbox, a process of the setup could still be writing.
  const mayKeep = isNew && !restored && cache?.mayWrite === true && request.confinement !== null && steps.length > 0;
  const saved = mayKeep && (await cache.caches.save(cache.repositoryId, cache.key, directory));
  return { ok: true, steps, cache: saved ? "saved" : restored ? "restored" : "unused", variables };
}

async function runCommand(
  { children, confinement, workspace, env, marker, signal, redact, outputCharactersMax }: SetupRequest,
  command: string,
  variables: Record<string, string>,
  timeoutMs: number,
): Promise<SetupStep> {
  const end = await children.follow({
    command: ["/bin/sh", "-c", command],
    cwd: workspace.path,
    env: { ...env, HOME: workspace.homePath, ...variables, BATON_ATTEMPT: marker },
    input: null,
    timeoutMs,
    silenceMs: timeoutMs,
    marker,
    signal,
    confinement,
    onLine: () => {},
  });
  const output = redact(end.transcript);
  return {
    command,
    exitCode: end.exitCode,
    signal: end.signal,
    timedOut: end.timedOut || end.silent,
    aborted: end.aborted,
    output: output.slice(-outputCharactersMax),
    outputTruncated: end.transcriptTruncated || output.length > outputCharactersMax,
    durationMs: end.durationMs,
  };
}

/** Files that decide which packages a package manager installs. */
const lockFile =
  /(?:^|\/)(?:package\.json|package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|pnpm-workspace\.yaml|bun\.lockb?|requirements[\w.-]*\.txt|constraints[\w.-]*\.txt|pyproject\.toml|setup\.(?:py|cfg)|poetry\.lock|Pipfile(?:\.lock)?|uv\.lock|pdm\.lock|go\.(?:mod|sum|work|work\.sum)|Cargo\.(?:toml|lock)|rust-toolchain(?:\.toml)?|pom\.xml|[\w.-]+\.gradle(?:\.kts)?|gradle\.(?:properties|lockfile)|gradle-wrapper\.properties|[\w.-]+\.versions\.toml|Gemfile(?:\.lock)?|composer\.(?:json|lock)|mix\.(?:exs|lock)|\.(?:npmrc|nvmrc|node-version|python-version|tool-versions))$/;

export const decidesInstall = (path: string): boolean => lockFile.test(path);

/**
 * Names a cache. `tree` is the base commit's tree, as git lists it. Object ids are facts of the trusted repository, so
 * an agent's tree has no influence.
 */
export function setupKey(commands: readonly string[], tree: readonly { path: string; objectId: string }[]): string {
  const files = tree
    .filter(({ path }) => decidesInstall(path))
    .map(({ path, objectId }) => [path, objectId])
    .sort(([one = ""], [other = ""]) => (one < other ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify({ version: 1, platform: process.platform, architecture: process.arch, commands, files }))
    .digest("hex");
}
