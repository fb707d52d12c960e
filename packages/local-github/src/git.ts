/**
 * Git on the bare repositories: reads, compares, commits and merges without a work tree.
 *
 * Owns: every git child except the smart HTTP backend. Does not own: refs as the state sees them (`deeds/refs.ts`).
 */
import { randomUUID } from "node:crypto";
import { appendFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { children } from "../../../src/adapters/child/children.ts";

const outputBytesMax = 64 * 1024 * 1024;
const timeoutMs = 600_000;

/** No configuration of this machine reaches these children. */
export const gitEnvironment = {
  PATH: process.env["PATH"] ?? "/usr/bin:/bin",
  HOME: "/nonexistent",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_TERMINAL_PROMPT: "0",
} as const;

export interface Person {
  name: string;
  email: string;
}

function personEnvironment(author: Person, date: Date): Record<string, string> {
  const when = `${Math.floor(date.getTime() / 1000)} +0000`;
  return {
    GIT_AUTHOR_NAME: author.name,
    GIT_AUTHOR_EMAIL: author.email,
    GIT_AUTHOR_DATE: when,
    GIT_COMMITTER_NAME: author.name,
    GIT_COMMITTER_EMAIL: author.email,
    GIT_COMMITTER_DATE: when,
  };
}

export async function git(directory: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  return (await ask(directory, args, env)).toString();
}

/** Output as bytes, or null when git says no. For questions whose "no" is an answer. */
export async function tryGit(directory: string, args: string[]): Promise<Buffer | null> {
  return ask(directory, args).catch(() => null);
}

/** Answers that never change. Webhooks and pages ask for the same commits again and again. */
const lasting = new Map<string, Promise<Buffer>>();
const lastingMax = 1_000;
const readers = new Set(["cat-file", "diff", "diff-tree", "log", "ls-tree", "merge-base", "rev-list", "rev-parse"]);
const namesRefs = /^--(?:all|branches|tags|remotes|glob|reflog|stdin|alternate-refs)\b/;
const fullId = /^\^?[0-9a-f]{40}(\^\{(commit|tree)\})?(\.\.[0-9a-f]{40})?$/;

/** Whether the answer follows from objects alone, each named by its full id. */
function isLasting(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const [command = "", ...rest] = end < 0 ? args : args.slice(0, end);
  if (rest.some((word) => namesRefs.test(word))) return false;
  const names = rest.filter((word) => !word.startsWith("-") && word !== "blob");
  return readers.has(command) && names.length > 0 && names.every((name) => fullId.test(name));
}

async function ask(directory: string, args: string[], env: Record<string, string> = {}): Promise<Buffer> {
  const start = (): Promise<Buffer> => run(directory, args, env);
  if (!isLasting(args)) return start();
  const key = [directory, ...args].join("\0");
  const known = lasting.get(key);
  if (known !== undefined) return known;
  if (lasting.size >= lastingMax) lasting.clear();
  const answer = start();
  lasting.set(key, answer);
  // A missing object may still arrive.
  answer.catch(() => lasting.delete(key));
  return answer;
}

async function gitWithInput(
  directory: string,
  args: string[],
  input: string | Buffer,
  env: Record<string, string> = {},
): Promise<string> {
  return (await run(directory, args, env, input)).toString();
}

async function run(
  cwd: string,
  args: string[],
  env: Record<string, string>,
  input: string | Buffer | null = null,
): Promise<Buffer> {
  const command = ["git", ...args];
  const bounds = { timeoutMs, outputBytesMax };
  const end = await children.call({ command, cwd, env: { ...gitEnvironment, ...env }, input, ...bounds });
  if (end.exitCode !== 0 || end.flooded) throw new Error(`git ${args.join(" ")}: ${end.stderr.toString()}`);
  return end.stdout;
}

export async function createBareRepository(directory: string, defaultBranch: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await git(directory, ["init", "-q", "--bare", "-b", defaultBranch, "."]);
  await appendFile(`${directory}/config`, settings);
}

const settings = `[http]
	receivepack = true
[uploadpack]
	allowAnySHA1InWant = true
	allowFilter = true
[receive]
	hideRefs = refs/pull
	fsckObjects = true
	autogc = false
[core]
	logAllRefUpdates = false
[gc]
	auto = 0
`;

export async function readRefs(directory: string): Promise<Map<string, string>> {
  const text = await git(directory, ["for-each-ref", "--format=%(objectname) %(refname)"]);
  const refs = new Map<string, string>();
  for (const line of text.split("\n")) {
    const space = line.indexOf(" ");
    if (space > 0) refs.set(line.slice(space + 1), line.slice(0, space));
  }
  return refs;
}

interface FileChange {
  content: string | Buffer | null;
  executable?: boolean;
}
export type FileChanges = Record<string, string | Buffer | null | FileChange>;

/** A commit on `parents[0]` with some files replaced, added, or (null) removed. Returns its SHA. No ref moves. */
export async function commitFiles(
  directory: string,
  options: { parents: string[]; files: FileChanges; message: string; author: Person; date: Date },
): Promise<string> {
  const [first, ...others] = options.parents;
  const when = `${Math.floor(options.date.getTime() / 1000)} +0000`;
  const person = `${options.author.name} <${options.author.email}> ${when}`;
  // One git process makes the whole commit. Its branch is removed before anybody can see it.
  const branch = `refs/imports/${randomUUID()}`;
  const parts: (string | Buffer)[] = [`commit ${branch}\nmark :1\nauthor ${person}\ncommitter ${person}\n`];
  parts.push(...data(options.message.endsWith("\n") ? options.message : `${options.message}\n`));
  if (first !== undefined) parts.push(`from ${first}\n`);
  for (const parent of others) parts.push(`merge ${parent}\n`);
  for (const [path, given] of Object.entries(options.files)) {
    const change = isFileChange(given) ? given : { content: given };
    if (change.content === null) parts.push(`D ${quoted(path)}\n`);
    else {
      const mode = change.executable === true ? "100755" : "100644";
      parts.push(`M ${mode} inline ${quoted(path)}\n`, ...data(change.content));
    }
  }
  parts.push(`\nreset ${branch}\nfrom ${"0".repeat(40)}\n\nget-mark :1\n`);
  const input = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return (await gitWithInput(directory, ["fast-import", "--quiet"], input)).trim();
}

function data(content: string | Buffer): (string | Buffer)[] {
  return [`data ${Buffer.byteLength(content)}\n`, content, "\n"];
}

/** The path in git's quoted form. */
function quoted(path: string): string {
  return `"${path.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

function isFileChange(value: string | Buffer | null | FileChange): value is FileChange {
  return typeof value === "object" && value !== null && !Buffer.isBuffer(value);
}

export async function commitTree(
  directory: string,
  options: { tree: string; parents: string[]; message: string; author: Person; date: Date },
): Promise<string> {
  const parents = options.parents.flatMap((parent) => ["-p", parent]);
  const args = ["commit-tree", options.tree, ...parents, "-F", "-"];
  return (await gitWithInput(directory, args, options.message, personEnvironment(options.author, options.date))).trim();
}

/** A commit object with exactly this text, so that it can carry a signature. Returns its SHA. No ref moves. */
export async function writeCommit(directory: string, text: string): Promise<string> {
  return (await gitWithInput(directory, ["hash-object", "-t", "commit", "-w", "--stdin"], text)).trim();
}

/** The merged tree, or null when the two sides conflict. */
export async function mergeTree(directory: string, base: string, head: string): Promise<string | null> {
  const out = await tryGit(directory, ["merge-tree", "--write-tree", base, head]);
  return out === null ? null : (out.toString().split("\n")[0] ?? null);
}

/** Applies every commit of `base..head` again on top of `base`. Null when one of them conflicts. */
export async function rebase(
  directory: string,
  options: { base: string; head: string; committer: Person; date: Date },
): Promise<string | null> {
  const work = await mkdtemp(`${directory}/rebase-`);
  const env = personEnvironment(options.committer, options.date);
  const committer = Object.fromEntries(Object.entries(env).filter(([key]) => key.startsWith("GIT_COMMITTER")));
  try {
    await git(directory, ["clone", "-q", "--shared", "--no-checkout", directory, `${work}/tree`]);
    const tree = `${work}/tree`;
    await git(tree, ["checkout", "-q", "--detach", options.head]);
    await git(tree, ["-c", "rebase.autoStash=false", "rebase", "-q", "--force-rebase", options.base], committer);
    const sha = (await git(tree, ["rev-parse", "HEAD"])).trim();
    await git(directory, ["fetch", "-q", tree, "HEAD"]);
    return sha;
  } catch {
    return null;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

export async function updateRef(
  directory: string,
  ref: string,
  change: { to: string | null; from?: string | undefined },
): Promise<void> {
  const expected = change.from === undefined ? [] : [change.from];
  if (change.to === null) await git(directory, ["update-ref", "-d", ref, ...expected]);
  else await git(directory, ["update-ref", ref, change.to, ...expected]);
}

/** The full SHA that `revision` names, if it is a commit here. */
export async function commitSha(directory: string, revision: string): Promise<string | null> {
  if (revision.startsWith("-")) return null;
  const out = await tryGit(directory, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`]);
  return out === null ? null : out.toString().trim();
}

export async function isAncestor(directory: string, options: { older: string; newer: string }): Promise<boolean> {
  return (await tryGit(directory, ["merge-base", "--is-ancestor", options.older, options.newer])) !== null;
}

export async function mergeBase(directory: string, a: string, b: string): Promise<string | null> {
  const out = await tryGit(directory, ["merge-base", a, b]);
  return out === null ? null : out.toString().trim();
}

export async function countCommits(directory: string, from: string, to: string): Promise<number> {
  return Number((await git(directory, ["rev-list", "--count", `${from}..${to}`])).trim());
}
