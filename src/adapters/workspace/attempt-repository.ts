/**
 * The git directory of one attempt. Baton makes it for the agent, and afterwards reads it as data. Once an agent had
 * it, no git of Baton ever uses it as a repository. Its config, attributes, hooks, index and worktrees belong to the
 * agent.
 *
 * AR1 The agent has its own objects, refs and HEAD, and borrows the objects that the remote gave (`repositories.ts`).
 * AR2 Baton reads HEAD, refs and reflogs as text: plain files only, no link followed, bounded.
 * AR3 Before an import borrows the objects, Baton checks the store for links and writes its alternates again.
 */
import { constants, type Dirent } from "node:fs";
import { appendFile, lstat, mkdir, open, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BatonError } from "../../core/errors.ts";
import type { AttemptPlace } from "./attempt-place.ts";

/** A commit that the attempt's repository names, apart from HEAD. */
export interface AgentRef {
  /** The name that a person would use: a branch, a tag, `stash@{0}`, `worktree <name>`. */
  name: string;
  sha: string;
}

const textBytesMax = 4 * 1024 * 1024;
const refsMax = 500;
const shaPattern = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const config =
  "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n";
/** Folders in which agents keep worktrees of their own. They are not part of the tree. */
export const scratchFolders = "/.claude/worktrees/\n/.worktrees/\n";

/** An empty repository with a detached HEAD at `baseSha`. */
export async function makeAttemptRepository(place: AttemptPlace, lent: string, baseSha: string): Promise<void> {
  const { repo, work } = place;
  for (const directory of ["objects/info", "objects/pack", "refs/heads", "refs/tags", "info"])
    await mkdir(join(repo, directory), { recursive: true });
  await Promise.all([
    writeFile(join(repo, "config"), config),
    writeFile(join(repo, "HEAD"), `${baseSha}\n`),
    writeFile(join(repo, "info", "exclude"), scratchFolders),
    writeFile(join(repo, "objects", "info", "alternates"), `${lent}\n`),
    writeFile(join(work, ".git"), "gitdir: ../repo.git\n"),
  ]);
}

/** Older blobs come through Baton's door when git asks for them. The agent's git sees a promisor remote. */
export async function borrowThrough({ repo }: AttemptPlace, door: { url: string }): Promise<void> {
  const { origin } = new URL(door.url);
  const remote = `[remote "baton"]\n\turl = ${door.url}\n\tpromisor = true\n\tpartialclonefilter = blob:none\n`;
  await appendFile(join(repo, "config"), `${remote}[http "${origin}/"]\n\tproxy =\n`);
}

/** AR3. The objects that an import may borrow. */
export async function checkedObjects({ repo, isOld }: AttemptPlace, lent: string): Promise<string> {
  const objects = join(repo, "objects");
  const refuse = (path: string): never => {
    throw new BatonError("BATON_TREE_REFUSED", `${path} is not a file or folder of git's own. Baton read no objects.`);
  };
  if (!(await lstat(objects).catch(() => null))?.isDirectory()) refuse(objects);
  for (const entry of await readdir(objects, { withFileTypes: true })) {
    const path = join(objects, entry.name);
    if (entry.isFile()) continue;
    if (!entry.isDirectory()) refuse(path);
    for (const inner of await readdir(path, { withFileTypes: true }))
      if (!inner.isFile() && !inner.isDirectory()) refuse(join(path, inner.name));
  }
  const info = join(objects, "info");
  // The agent's alternates would give it the objects of other repositories.
  if (!isOld) {
    await rm(info, { recursive: true, force: true });
    await mkdir(info);
    await writeFile(join(info, "alternates"), `${lent}\n`, { flag: "wx" });
  } else await rm(info, { recursive: true, force: true });
  return objects;
}

/** The commit at which the agent left HEAD. Null: no commit that Baton can read. */
export async function readHead({ head, repo }: AttemptPlace): Promise<string | null> {
  return resolve(repo, (await readText(join(head, "HEAD"))) ?? "", await packedRefs(repo));
}

/** Commits on branches, tags, stashes and in worktrees of the attempt. */
export async function readRefs({ repo, isOld }: AttemptPlace): Promise<AgentRef[]> {
  // All attempts of a run shared this repository, so nobody knows the owner of a ref.
  if (isOld) return [];
  const packed = await packedRefs(repo);
  const refs = new Map<string, string>();
  const add = (name: string, sha: string | null): void => {
    if (sha !== null && refs.size < refsMax) refs.set(name, sha);
  };
  for (const [ref, sha] of packed) add(ref, sha);
  for (const ref of await filesBelow(repo, "refs"))
    add(ref, await resolve(repo, (await readText(join(repo, ref))) ?? "", packed));
  refs.delete("refs/stash");
  const named = [...refs].map(([ref, sha]) => ({ name: ref.replace(/^refs\/(?:heads\/)?/, ""), sha }));
  for (const name of await names(join(repo, "worktrees"))) {
    const sha = await resolve(repo, (await readText(join(repo, "worktrees", name, "HEAD"))) ?? "", packed);
    if (sha !== null) named.push({ name: `worktree ${name}`, sha });
  }
  const stashes = ((await readText(join(repo, "logs", "refs", "stash"))) ?? "").split("\n").reverse();
  for (const [index, line] of stashes
    .filter((one) => one !== "")
    .slice(0, refsMax)
    .entries()) {
    const sha = line.split(" ")[1] ?? "";
    if (shaPattern.test(sha)) named.push({ name: `stash@{${index}}`, sha });
  }
  return named;
}

/** Whether a directory is a worktree of this attempt. Such a worktree is scratch, not a repository of its own. */
export async function isOwnWorktree({ repo }: AttemptPlace, directory: string): Promise<boolean> {
  const pointer = /^gitdir: (.+?)\/?\n?$/.exec((await readText(join(directory, ".git"))) ?? "")?.[1];
  if (pointer === undefined) return false;
  const prefix = `${join(repo, "worktrees")}/`;
  const given = pointer.startsWith("/") ? join(pointer) : join(directory, pointer);
  return given.startsWith(prefix) && /^[^/]+$/.test(given.slice(prefix.length));
}

/** The commit of a HEAD or a loose ref. A symbolic one is resolved within the refs of the same repository. */
async function resolve(repo: string, text: string, packed: ReadonlyMap<string, string>): Promise<string | null> {
  let value = text.trim();
  for (let depth = 0; depth < 5; depth += 1) {
    if (shaPattern.test(value)) return value;
    const ref = /^ref: (refs\/[^\s]{1,500})$/.exec(value)?.[1];
    if (ref === undefined || ref.split("/").includes("..")) return null;
    value = ((await readText(join(repo, ref))) ?? packed.get(ref) ?? "").trim();
  }
  return null;
}

async function packedRefs(repo: string): Promise<Map<string, string>> {
  const packed = new Map<string, string>();
  for (const line of ((await readText(join(repo, "packed-refs"))) ?? "").split("\n")) {
    const [sha = "", ref = ""] = line.split(" ");
    if (shaPattern.test(sha) && ref.startsWith("refs/")) packed.set(ref, sha);
  }
  return packed;
}

/** Plain files below a directory, as paths from `root`. */
async function filesBelow(root: string, directory: string): Promise<string[]> {
  const found: string[] = [];
  const entries: Dirent[] = await readdir(join(root, directory), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (found.length >= refsMax) break;
    const path = join(directory, entry.name);
    if (entry.isFile()) found.push(path);
    else if (entry.isDirectory()) found.push(...(await filesBelow(root, path)));
  }
  return found;
}

async function names(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(() => [])).slice(0, refsMax);
}

/** Null: not a plain file, or too long. */
export async function readText(path: string): Promise<string | null> {
  // A fifo would wait for its other end.
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(() => null);
  if (file === null) return null;
  try {
    const stats = await file.stat();
    return stats.isFile() && stats.size <= textBytesMax ? await file.readFile("utf8") : null;
  } catch {
    return null;
  } finally {
    await file.close();
  }
}
