/**
 * Judges the content of commits, commit by commit. A later commit cannot hide content that an earlier one brings in.
 *
 * CC1 Every commit that the base does not reach counts, against every parent: paths, gitlinks, sizes.
 * CC2 A path may be missing in the total difference. It is listed with the lines that the commits added and removed.
 *     The code that judges paths then sees it.
 * CC3 Git LFS objects cannot come along. Baton refuses a new pointer or a new file for LFS by name.
 */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { FileChange } from "../../core/effect.ts";
import { BatonError, hasCode } from "../../core/errors.ts";
import type { ImportOptions } from "../../ports/workspace.ts";
import { git } from "./git-command.ts";
import { numstat, parseNumstat } from "./numstat.ts";

type Limits = ImportOptions["limits"];

export interface Commits {
  gitDir: string;
  baseSha: string;
  headSha: string;
  /** Further commits whose history is known. */
  known?: readonly string[];
}

interface TreeBlob {
  sha: string;
  path: string;
  mode: string;
  /** The object at the path before the commit. */
  before: string;
}

const none = /^0+$/;
const pointerPattern = /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v1\n/;
/** "less than 1024 bytes": https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md. */
const pointerBytesMax = 1_024;

/** The changes of every commit (CC2), once all of them are acceptable. `fetchedDir` holds the objects of the remote. */
export async function checkCommits(commits: Commits, limits: Limits, fetchedDir: string): Promise<FileChange[]> {
  const blobs = await blobsOf(commits);
  refuseBlobs(blobs, limits);
  const sizes = await sizesOf(commits.gitDir, blobs);
  refuseSizes(blobs, sizes, limits);
  await refuseLargeFileStorage(commits, { blobs, sizes }, fetchedDir);
  return changesOf(commits, blobs);
}

/** Whether one of the commits turns a folder into a repository of its own. */
export async function haveGitlinks(commits: Commits): Promise<boolean> {
  if (commits.baseSha === commits.headSha) return false;
  return (await blobsOf(commits)).some(({ mode }) => mode === "160000");
}

async function changesOf(commits: Commits, blobs: readonly TreeBlob[]): Promise<FileChange[]> {
  const sum = await numstat(commits.gitDir, commits.baseSha, commits.headSha);
  const listed = new Set(sum.map(({ path }) => path));
  if (blobs.every(({ path }) => listed.has(path))) return sum;
  const between = new Map<string, FileChange>();
  for (const change of parseNumstat(await eachCommit(commits, ["--numstat"]))) {
    if (listed.has(change.path)) continue;
    const { added, removed } = between.get(change.path) ?? { added: 0, removed: 0 };
    between.set(change.path, {
      path: change.path,
      added: added === null || change.added === null ? null : added + change.added,
      removed: removed === null || change.removed === null ? null : removed + change.removed,
    });
  }
  return [...sum, ...[...between.values()].sort((a, b) => (a.path < b.path ? -1 : 1))];
}

async function blobsOf(commits: Commits): Promise<TreeBlob[]> {
  const fields = (await eachCommit(commits, ["--raw", "--no-abbrev"])).split("\0");
  const blobs: TreeBlob[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [, mode = "", before = "", sha = ""] = (fields[index] ?? "").split(" ");
    blobs.push({ mode, before, sha, path: fields[index + 1] ?? "" });
  }
  return blobs;
}

/**
 * `diff-tree` of every commit with each of its parents. The bound on output cuts off a tree that was made to have no
 * end.
 */
async function eachCommit(
  { gitDir, baseSha, headSha, known = [] }: Commits,
  format: readonly string[],
): Promise<string> {
  try {
    const { stdout } = await git(["rev-list", headSha, "--not", baseSha, ...known], { gitDir });
    if (stdout === "") return "";
    const args = ["diff-tree", "--stdin", "-r", "-m", "-z", "--root", "--no-commit-id", "--no-renames"];
    const options = ["--no-ext-diff", "--no-textconv", ...format];
    return (await git([...args, ...options], { gitDir, input: stdout, timeoutMs: 60_000 })).stdout;
  } catch (thrown) {
    if (!hasCode(thrown, "BATON_GIT_FAILED")) throw thrown;
    throw new BatonError("BATON_TREE_REFUSED", `git cannot read the commits: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  }
}

function refuseBlobs(blobs: readonly TreeBlob[], { filesMax }: Limits): void {
  const link = blobs.find(({ mode }) => mode === "160000");
  if (link !== undefined)
    throw new BatonError(
      "BATON_TREE_REFUSED",
      `"${link.path}" is a repository within the repository; a commit of it would hide its files.`,
    );
  const { size } = new Set(blobs.map(({ path }) => path));
  if (size > filesMax) throw new BatonError("BATON_TREE_REFUSED", `${size} files changed; at most ${filesMax} may.`);
}

/** Sizes of the blobs before and after, by object. */
async function sizesOf(gitDir: string, blobs: readonly TreeBlob[]): Promise<Map<string, number>> {
  const shas = [...new Set(blobs.flatMap(({ sha, before }) => [sha, before]))].filter((sha) => !none.test(sha));
  if (shas.length === 0) return new Map();
  const { stdout } = await git(["cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)"], {
    gitDir,
    input: shas.map((sha) => `${sha}\n`).join(""),
  });
  const rows = stdout.split("\n").map((line) => line.split(" "));
  return new Map(rows.filter(([, type]) => type === "blob").map(([sha = "", , size]) => [sha, Number(size)]));
}

function refuseSizes(
  all: readonly TreeBlob[],
  sizes: ReadonlyMap<string, number>,
  { blobBytesMax, importBytesMax }: Limits,
): void {
  let total = 0;
  for (const [sha, { path }] of new Map(all.filter((blob) => !none.test(blob.sha)).map((blob) => [blob.sha, blob]))) {
    const size = sizes.get(sha);
    if (size === undefined)
      throw new BatonError("BATON_TREE_REFUSED", `"${path}" has no content: git finds no object for it.`);
    if (size > blobBytesMax)
      throw new BatonError("BATON_TREE_REFUSED", `"${path}" has ${size} bytes; at most ${blobBytesMax} are accepted.`);
    total += size;
  }
  if (total > importBytesMax)
    throw new BatonError(
      "BATON_TREE_REFUSED",
      `The change has ${total} bytes; at most ${importBytesMax} are accepted.`,
    );
}

/** CC3 */
async function refuseLargeFileStorage(
  { gitDir, headSha }: Commits,
  { blobs, sizes }: { blobs: readonly TreeBlob[]; sizes: ReadonlyMap<string, number> },
  fetchedDir: string,
): Promise<void> {
  const brought = blobs.filter(({ sha, mode }) => !none.test(sha) && mode.startsWith("100"));
  if (brought.length === 0) return;
  const forStorage = await pathsForStorage(gitDir, headSha, new Set(brought.map(({ path }) => path)));
  const pointers = await pointersAmong(gitDir, sizes);
  for (const { path, sha, before } of brought) {
    const isPointer = pointers.has(sha);
    if (!isPointer && !forStorage.has(path)) continue;
    if (isPointer) {
      // The remote gave this pointer before, so it has the object.
      const { exitCode } = await git(["cat-file", "-e", sha], { gitDir: fetchedDir, okCodes: [1, 128] });
      if (exitCode === 0) continue;
      // A repository may store a file without LFS, whatever its attributes say.
    } else if (!none.test(before) && !pointers.has(before)) continue;
    const what = isPointer ? "points to a Git LFS object that the repository does not have" : "belongs in Git LFS";
    throw new BatonError(
      "BATON_TREE_REFUSED",
      `"${path}" ${what}, and Baton does not upload to Git LFS. Commit this file yourself with \`git lfs\`, or ask for the change without it.`,
    );
  }
}

/** The paths with `filter=lfs` by the attributes of the head. */
async function pathsForStorage(gitDir: string, headSha: string, paths: ReadonlySet<string>): Promise<Set<string>> {
  const { stdout: files } = await git(["ls-tree", "-r", "-z", "--name-only", headSha], { gitDir });
  if (!/(?:^|[/\0])\.gitattributes(?:\0|$)/.test(files)) return new Set();
  const index = join(gitDir, `attributes-${randomUUID()}.lock`);
  try {
    const env = { GIT_INDEX_FILE: index };
    await git(["read-tree", headSha], { gitDir, env });
    const { stdout } = await git(["check-attr", "--cached", "-z", "--stdin", "filter"], {
      gitDir,
      env,
      input: [...paths].map((path) => `${path}\0`).join(""),
    });
    const fields = stdout.split("\0");
    const found = new Set<string>();
    for (let at = 0; at + 2 < fields.length; at += 3) if (fields[at + 2] === "lfs") found.add(fields[at] ?? "");
    return found;
  } finally {
    await rm(index, { force: true });
  }
}

/** The blobs that are pointers of Git LFS. Only small blobs are read. */
async function pointersAmong(gitDir: string, sizes: ReadonlyMap<string, number>): Promise<Set<string>> {
  const small = [...sizes].filter(([, size]) => size > 0 && size < pointerBytesMax);
  const pointers = new Set<string>();
  if (small.length === 0) return pointers;
  const { stdout } = await git(["cat-file", "--batch"], {
    gitDir,
    encoding: "latin1",
    input: small.map(([sha]) => `${sha}\n`).join(""),
  });
  let at = 0;
  for (const [sha, bytes] of small) {
    at = stdout.indexOf("\n", at) + 1;
    if (pointerPattern.test(stdout.slice(at, at + bytes))) pointers.add(sha);
    at += bytes + 1;
  }
  return pointers;
}
