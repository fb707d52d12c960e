/**
 * The one place that runs git. Absolute binary, cleared environment, no configuration but ours.
 *
 * GC1 No hook, fsmonitor, pager, editor, credential helper or filter of a repository runs on the host.
 * GC2 A token reaches git by environment only, never by argument or URL.
 * GC3 Every call is bounded in time and output. A limit ends git with all its helpers, so no lock waits for a stalled server.
 */
import { BatonError } from "../../core/errors.ts";
import type { CallEnd } from "../../ports/child.ts";
import { children } from "../child/children.ts";
import { findProgram } from "./find-program.ts";

export interface GitOptions {
  /** Git directory; never discovered from a tree (W2). */
  gitDir?: string;
  workTree?: string;
  cwd?: string;
  token?: string | null;
  input?: string | Uint8Array;
  env?: Record<string, string>;
  timeoutMs?: number;
  /** Exit codes that are answers, not failures. */
  okCodes?: number[];
}

export interface GitResult {
  stdout: string;
  stderr: string;
  exitCode: number;
}

const gitBinary = findProgram("git") ?? "git";
const timeoutMsDefault = 300_000;
const outputBytesMax = 64 * 1024 * 1024;

const settings: Record<string, string> = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.untrackedCache": "false",
  "core.attributesFile": "/dev/null",
  "core.excludesFile": "/dev/null",
  "core.autocrlf": "false",
  "core.symlinks": "true",
  "core.protectHFS": "true",
  "core.protectNTFS": "true",
  "credential.helper": "",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "protocol.allow": "never",
  "protocol.https.allow": "always",
  "protocol.http.allow": "always",
  "protocol.file.allow": "always",
  "transfer.fsckObjects": "true",
  "fetch.fsckObjects": "true",
  "receive.fsckObjects": "true",
  // A transfer that stalls ends by itself, with git's own words: below 1,000 bytes/s for 60 s.
  "http.lowSpeedLimit": "1000",
  "http.lowSpeedTime": "60",
  "fetch.recurseSubmodules": "false",
  "submodule.recurse": "false",
  "init.defaultBranch": "main",
  "safe.directory": "*",
  "advice.detachedHead": "false",
};

export async function git(args: string[], options: GitOptions = {}): Promise<GitResult> {
  const end = await children.call({
    command: [gitBinary, ...args],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: environment(options),
    input: options.input ?? null,
    timeoutMs: options.timeoutMs ?? timeoutMsDefault,
    outputBytesMax,
  });
  const [stdout, stderr] = [end.stdout.toString("utf8"), end.stderr.toString("utf8")];
  // A helper that was stopped first makes git answer with a code of its own.
  const exitCode = end.timedOut || end.flooded ? -1 : (end.exitCode ?? -1);
  if (exitCode !== 0 && !(options.okCodes ?? []).includes(exitCode))
    throw new BatonError("BATON_GIT_FAILED", `git ${args[0] ?? ""}: ${whyFailed(end, stderr)}`);
  return { stdout, stderr, exitCode };
}

function whyFailed({ timedOut, flooded, missing, exitCode, signal }: CallEnd, stderr: string): string {
  if (timedOut) return "took too long";
  if (flooded) return `printed more than ${outputBytesMax} bytes`;
  if (missing) return `\`${gitBinary}\` cannot be started`;
  return stderr.trim().slice(-1_000) || (signal === null ? `exit code ${exitCode}` : `ended by ${signal}`);
}

function environment({ gitDir, workTree, token, env }: GitOptions): Record<string, string> {
  const configured: [string, string][] = Object.entries(settings);
  if (token !== undefined && token !== null) {
    // GitHub takes any user name with a token; basic is what git's own HTTP client sends.
    configured.push([
      "http.extraHeader",
      `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`,
    ]);
  }
  const config = Object.fromEntries(
    configured.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  );
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_COUNT: `${configured.length}`,
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "true",
    GIT_PAGER: "cat",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_OPTIONAL_LOCKS: "0",
    ...config,
    ...(gitDir === undefined ? {} : { GIT_DIR: gitDir }),
    ...(workTree === undefined ? {} : { GIT_WORK_TREE: workTree }),
    ...env,
  };
}
