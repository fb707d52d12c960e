/** A repository's facts from a clone: git's list of files and the contents of a few of them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { children } from "../adapters/child/children.ts";
import { ownEnvironment } from "../adapters/child/own-environment.ts";
import { BatonError } from "../core/errors.ts";
import { type RepositoryFacts, wantedPaths } from "./facts.ts";

export interface Clone {
  root: string;
  /** `https://github.com/acme/shop.git` and similar. null without a remote `origin`. */
  remote: string | null;
  /** The remote's host. null: the remote is a folder. */
  host: string | null;
  facts: RepositoryFacts;
}

const gitTimeoutMs = 60_000;
/** Enough for the names of a million files. */
const gitOutputBytesMax = 256 * 1024 * 1024;

export async function diskFacts(directory: string, environment: Record<string, string | undefined>): Promise<Clone> {
  const git = async (words: string[]): Promise<string | null> => {
    // The person's own git and configuration. A monitor of the file system would outlive the call.
    const { exitCode, stdout } = await children.call({
      command: ["git", "-c", "core.fsmonitor=false", ...words],
      cwd: directory,
      env: ownEnvironment(),
      timeoutMs: gitTimeoutMs,
      outputBytesMax: gitOutputBytesMax,
    });
    return exitCode === 0 ? stdout.toString("utf8").replace(/\r?\n$/, "") : null;
  };
  const root = await git(["rev-parse", "--show-toplevel"]);
  if (root === null)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `${directory} is not in a git repository: go into a clone, or \`git init\`.`,
    );
  const listed = (await git(["-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])) ?? "";
  const paths = [...new Set(listed.split("\0").filter((path) => path !== ""))].sort();
  const remote = await git(["remote", "get-url", "origin"]);
  const host = remote === null ? null : hostOf(remote);
  const head = await git(["symbolic-ref", "--short", "refs/remotes/origin/HEAD"]);
  const texts = new Map<string, string>();
  for (const path of wantedPaths(paths)) {
    const text = readText(join(root, path));
    if (text !== null) texts.set(path, text);
  }
  const present = Object.entries(environment).filter(([, value]) => value !== undefined && value !== "");
  return {
    root,
    remote,
    host,
    facts: {
      name: remote === null || host === null ? null : nameOf(remote),
      defaultBranch: head?.replace(/^origin\//, "") ?? (await git(["symbolic-ref", "--short", "HEAD"])) ?? "main",
      paths,
      isWhole: true,
      texts,
      secretNames: null,
      environmentNames: present.map(([name]) => name),
      branch: null,
      writers: null,
      isEmpty: (await git(["rev-parse", "--verify", "-q", "HEAD"])) === null,
    },
  };
}

/** `https://user@host/…`, `ssh://git@host:22/…` or `git@host:…`. A path has none. */
function hostOf(remote: string): string | null {
  if (/^file:/i.test(remote)) return null;
  const match =
    /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?([^/:]+)/i.exec(remote) ?? /^(?:[^@/]*@)?([^/:]{2,}):(?!\/\/)/.exec(remote);
  return match?.[1]?.toLowerCase() ?? null;
}

/** `owner/name` of a remote by HTTPS, SSH or its short form. */
function nameOf(remote: string): string | null {
  const match = /[/:]([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/.exec(remote);
  return match === null ? null : `${match[1]}/${match[2]}`;
}

/** null: listed but missing, because somebody deleted it and has not committed that yet. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
