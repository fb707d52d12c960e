/**
 * The only place that runs git: absolute binary, cleared environment, no configuration except Baton's own.
 *
 * GC1 No hook, fsmonitor, pager, editor, credential helper or filter of a repository runs on the host.
 * GC2 A token reaches git by environment only, never by argument or URL. Git sends the token to one address only.
 * GC3 Every call is bounded in time and output. A limit ends git with all its helpers, so no lock waits for a stalled
 *     server.
 */
import type { Readable } from "node:stream";
import { BatonError } from "../../core/errors.ts";
import type { CallEnd } from "../../ports/child.ts";
import { children } from "../child/children.ts";
import { findProgram } from "../system/find-program.ts";
import { currentProxyFor } from "../system/use-proxies.ts";

export interface GitOptions {
  /** Git directory. Never discovered from a tree (W2). */
  gitDir?: string;
  workTree?: string;
  cwd?: string;
  /** Sent to `url` alone, whatever address a configuration puts in its place. */
  token?: string | null;
  /** The only address that gets the token. */
  url?: string;
  /** `latin1`: one character per byte, for names that are not UTF-8. The input then has the same encoding. */
  encoding?: "utf8" | "latin1";
  /** A stream is a conversation, and the caller ends it. */
  input?: string | Uint8Array | Readable;
  env?: Record<string, string>;
  timeoutMs?: number;
  /** Longest time without progress, for calls that report it. */
  silenceMs?: number;
  /** Ends the call. */
  signal?: AbortSignal;
  /** Receives progress and errors on arrival. */
  onProgress?(text: string): void;
  /** Further configuration of this call. */
  config?: Readonly<Record<string, string>>;
  outputBytesMax?: number;
  /** Exit codes that are answers, not failures. */
  okCodes?: number[];
}

export interface GitResult {
  stdout: string;
  bytes: Buffer;
  stderr: string;
  exitCode: number;
}

const installedGit = findProgram("git") ?? "git";
let gitBinary = installedGit;

/** The tests of workspaces run with several versions of git. Null: the installed one. @internal for tests */
export function useGit(binary: string | null): void {
  gitBinary = binary ?? installedGit;
}

const timeoutMsDefault = 300_000;
const outputBytesMax = 64 * 1024 * 1024;

const settings: Record<string, string> = {
  "core.hooksPath": "/dev/null",
  "core.alternateRefsCommand": "true",
  "core.askPass": "true",
  "core.commitGraph": "false",
  "core.editor": "false",
  "core.fileMode": "true",
  "core.gitProxy": "none",
  "core.ignoreCase": "false",
  "core.multiPackIndex": "false",
  "core.pager": "cat",
  "core.safecrlf": "false",
  "core.sparseCheckout": "false",
  "core.sshCommand": "false",
  "core.fsmonitor": "false",
  "core.untrackedCache": "false",
  "core.attributesFile": "/dev/null",
  "core.excludesFile": "/dev/null",
  "core.autocrlf": "false",
  "core.symlinks": "true",
  "core.protectHFS": "true",
  "core.protectNTFS": "true",
  "credential.helper": "",
  "commit.gpgSign": "false",
  "gc.auto": "0",
  "gpg.program": "false",
  "http.proxy": "",
  "http.sslVerify": "true",
  "log.showSignature": "false",
  "maintenance.auto": "false",
  "protocol.allow": "never",
  "protocol.https.allow": "always",
  "protocol.http.allow": "always",
  "protocol.file.allow": "always",
  "push.followTags": "false",
  "push.gpgSign": "false",
  "push.recurseSubmodules": "no",
  "transfer.fsckObjects": "true",
  "fetch.fsckObjects": "true",
  "receive.fsckObjects": "true",
  // A transfer below 1,000 bytes/s for 60 s ends by itself, with git's own words.
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
    input: bytesOf(options),
    timeoutMs: options.timeoutMs ?? timeoutMsDefault,
    outputBytesMax: options.outputBytesMax ?? outputBytesMax,
    ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.onProgress === undefined ? {} : { onErrorText: options.onProgress }),
  });
  const [stdout, stderr] = [end.stdout.toString(options.encoding ?? "utf8"), end.stderr.toString("utf8")];
  // If a helper stops first, git exits with a code of its own.
  const exitCode = end.timedOut || end.flooded || end.silent || end.aborted ? -1 : (end.exitCode ?? -1);
  if (exitCode !== 0 && !(options.okCodes ?? []).includes(exitCode))
    throw new BatonError("BATON_GIT_FAILED", `git ${args[0] ?? ""}: ${whyFailed(end, stderr, options)}`);
  return { stdout, bytes: end.stdout, stderr, exitCode };
}

function whyFailed(
  { timedOut, silent, aborted, flooded, missing, exitCode, signal }: CallEnd,
  stderr: string,
  { silenceMs = 0 }: GitOptions,
): string {
  if (timedOut) return "took too long";
  if (silent) return `took too long: no progress for ${Math.round(silenceMs / 1_000)} s`;
  if (aborted) return "was stopped";
  if (flooded) return `printed more than ${outputBytesMax} bytes`;
  if (missing) return `\`${gitBinary}\` cannot be started`;
  return stderr.trim().slice(-1_000) || (signal === null ? `exit code ${exitCode}` : `ended by ${signal}`);
}

function bytesOf({ input, encoding }: GitOptions): string | Uint8Array | Readable | null {
  if (input === undefined) return null;
  return typeof input === "string" && encoding === "latin1" ? Buffer.from(input, "latin1") : input;
}

function environment({ gitDir, workTree, token, url, env, config: more = {} }: GitOptions): Record<string, string> {
  const configured: [string, string][] = [...Object.entries(settings), ...Object.entries(more)];
  // No other configuration may choose the proxy, because a token passes through it.
  const proxy = url === undefined ? "" : (currentProxyFor(url) ?? "");
  if (proxy !== "") configured.push(["http.proxy", proxy]);
  if (token !== undefined && token !== null) {
    if (url === undefined) throw new BatonError("BATON_INTERNAL", "A token needs the address that it is for.");
    // GitHub accepts any user name with a token. Git's own HTTP client sends basic authorization, too.
    const header = `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
    configured.push([`http.${url}.extraHeader`, header]);
    configured.push([`http.${url}.proxy`, proxy], [`http.${url}.sslVerify`, "true"]);
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
