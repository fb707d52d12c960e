/**
 * From an agent's tree to commits in the trusted repository (W2–W4).
 *
 * How leftovers are saved without running anything of the agent's: a private index, a private git directory without its config,
 * no attributes that could name a filter, and objects written into the run's own store.
 *
 * IM1 No command here reads the agent's `.git/config`, attributes or hooks; the worktree's `.git` file is not followed.
 * IM2 A linear history from the base is kept commit by commit, rewritten (`rewrite-commits.ts`); any other shape becomes one commit on the base.
 * IM3 Nested repositories (gitlinks), too many or too large files refuse the whole import, with the path.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BatonError } from "../../core/errors.ts";
import type { ImportOptions, ImportResult } from "../../ports/workspace.ts";
import { git } from "./git-command.ts";
import { numstat } from "./numstat.ts";
import { commitTree, rewrite, treeOf } from "./rewrite-commits.ts";

interface ImportPaths {
  repo: string;
  work: string;
  /** The worktree's own directory in the quarantine repository: its HEAD says what the agent committed. */
  worktreeGitDir: string;
  scratch: string;
  trusted: string;
  ref: string;
  baseSha: string;
  options: ImportOptions;
}

export async function importCommits(paths: ImportPaths): Promise<ImportResult> {
  const { baseSha, options, trusted, ref, scratch } = paths;
  await rm(scratch, { recursive: true, force: true });
  const gitDir = await privateGitDir(paths);
  try {
    const agentHead = await readAgentHead(paths, gitDir);
    const leftovers = await leftoverTree(paths, gitDir, agentHead);
    const chain = await linearChain(gitDir, baseSha, agentHead);
    const agentTree = await treeOf(gitDir, agentHead);
    const rescued = leftovers !== agentTree;
    if ((await treeOf(gitDir, baseSha)) === leftovers) return { headSha: null, commits: 0, files: [], rescued: false };
    const rewritten = await rewrite(gitDir, chain ?? [], options, baseSha);
    const head =
      rescued || chain === null
        ? await commitTree(gitDir, leftovers, rewritten, options.rescueSubject, options)
        : rewritten;
    await refuseBadTree(gitDir, baseSha, head, options);
    // fsck on: an object that git itself calls broken or dangerous does not enter (W4).
    await git(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", gitDir, `+${head}:${ref}`], {
      gitDir: trusted,
    }).catch((thrown: unknown) => {
      throw new BatonError(
        "BATON_TREE_REFUSED",
        `git refuses the agent's objects: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
        { cause: thrown },
      );
    });
    const files = await numstat(trusted, baseSha, head);
    return { headSha: head, commits: (chain?.length ?? 0) + (rescued || chain === null ? 1 : 0), files, rescued };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What is otherwise on disk than at the base, committed or not. Nothing of it enters the trusted repository. */
export async function strayChanges(
  paths: Pick<ImportPaths, "repo" | "work" | "scratch" | "trusted" | "baseSha">,
): Promise<string[]> {
  await rm(paths.scratch, { recursive: true, force: true });
  const gitDir = await privateGitDir(paths);
  try {
    const tree = await leftoverTree(paths, gitDir, paths.baseSha);
    const { stdout } = await git(["diff-tree", "-r", "-z", "--name-only", "--no-renames", paths.baseSha, tree], {
      gitDir,
    });
    return stdout.split("\0").filter((path) => path !== "");
  } finally {
    await rm(paths.scratch, { recursive: true, force: true });
  }
}

/** A git directory of ours over the agent's objects: its refs, config and attributes are empty (IM1). */
async function privateGitDir({
  repo,
  scratch,
  trusted,
}: Pick<ImportPaths, "repo" | "scratch" | "trusted">): Promise<string> {
  const gitDir = join(scratch, "git");
  await mkdir(scratch, { recursive: true });
  await git(["init", "--quiet", "--bare", "--template=", gitDir]);
  await mkdir(join(gitDir, "objects", "info"), { recursive: true });
  await writeFile(
    join(gitDir, "objects", "info", "alternates"),
    `${join(repo, "objects")}\n${join(trusted, "objects")}\n`,
  );
  return gitDir;
}

/** The commit that the agent left HEAD at. Read as text: a symbolic one is resolved by us, within the run's own refs. */
async function readAgentHead({ worktreeGitDir, repo, baseSha }: ImportPaths, gitDir: string): Promise<string> {
  const head = (await readFile(join(worktreeGitDir, "HEAD"), "utf8").catch(() => "")).trim();
  let sha = head;
  const symbolic = /^ref: (refs\/heads\/[A-Za-z0-9][A-Za-z0-9._/-]{0,200})$/.exec(head)?.[1];
  if (symbolic !== undefined && !symbolic.includes("..")) {
    const { stdout } = await git(["rev-parse", "--verify", "--quiet", symbolic], { gitDir: repo, okCodes: [1, 128] });
    sha = stdout.trim();
  }
  if (!/^[0-9a-f]{40,64}$/.test(sha)) return baseSha;
  const exists = await git(["cat-file", "-e", `${sha}^{commit}`], { gitDir, okCodes: [1, 128] });
  return exists.exitCode === 0 ? sha : baseSha;
}

/** The tree of what is on disk now: tracked files as they are, new ones that are not ignored. No filter, no hook, nothing of the tree runs. */
async function leftoverTree(
  { work, scratch }: Pick<ImportPaths, "work" | "scratch">,
  gitDir: string,
  head: string,
): Promise<string> {
  const env = { GIT_INDEX_FILE: join(scratch, "index"), GIT_ATTR_SOURCE: "4b825dc642cb6eb9a060e54bf8d69288fbee4904" };
  const base = { gitDir, workTree: work, cwd: work, env };
  await git(["read-tree", head], base);
  // `.gitattributes` of the tree may name filters, but no driver is defined in any configuration that this git reads.
  await git(["add", "--all", "--ignore-errors", "--", "."], { ...base, okCodes: [1] });
  return (await git(["write-tree"], base)).stdout.trim();
}

/** Commits from the base to `head`, oldest first, when each has the one before as its only parent; else null (IM2). */
export async function linearChain(gitDir: string, baseSha: string, head: string): Promise<string[] | null> {
  if (head === baseSha) return [];
  const { stdout, exitCode } = await git(["rev-list", "--parents", "--max-count=1001", `${baseSha}..${head}`], {
    gitDir,
    okCodes: [128],
  });
  if (exitCode !== 0) return null;
  const chain: string[] = [];
  let expected: string | undefined = head;
  for (const line of stdout.trim().split("\n")) {
    const [sha, parent, ...more] = line.split(" ");
    if (sha !== expected || more.length > 0 || sha === undefined) return null;
    chain.unshift(sha);
    expected = parent;
  }
  return expected === baseSha && chain.length <= 1_000 ? chain : null;
}

/** Also for commits that a worker elsewhere made (IM3). */
export async function refuseBadTree(
  gitDir: string,
  baseSha: string,
  head: string,
  { limits }: Pick<ImportOptions, "limits">,
): Promise<void> {
  const { stdout } = await git(["diff-tree", "-r", "-z", "--no-renames", "--raw", "--no-abbrev", baseSha, head], {
    gitDir,
  });
  const fields = stdout.split("\0");
  const blobs: { sha: string; path: string }[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [, mode = "", , sha = "", state = ""] = (fields[index] ?? "").slice(0).split(" ");
    const path = fields[index + 1] ?? "";
    if (mode === "160000")
      throw new BatonError(
        "BATON_TREE_REFUSED",
        `"${path}" is a repository within the repository; a commit of it would hide its files.`,
      );
    if (state !== "D") blobs.push({ sha, path });
  }
  const changed = Math.floor(fields.length / 2);
  if (changed > limits.filesMax)
    throw new BatonError("BATON_TREE_REFUSED", `${changed} files changed; at most ${limits.filesMax} may.`);
  if (blobs.length === 0) return;
  const sizes = await git(["cat-file", "--batch-check=%(objectsize)"], {
    gitDir,
    input: `${blobs.map(({ sha }) => sha).join("\n")}\n`,
  });
  let total = 0;
  sizes.stdout
    .trim()
    .split("\n")
    .forEach((line, index) => {
      const bytes = Number(line);
      total += bytes;
      if (bytes > limits.blobBytesMax)
        throw new BatonError(
          "BATON_TREE_REFUSED",
          `"${blobs[index]?.path}" has ${bytes} bytes; at most ${limits.blobBytesMax} are taken.`,
        );
    });
  if (total > limits.importBytesMax)
    throw new BatonError(
      "BATON_TREE_REFUSED",
      `The change has ${total} bytes; at most ${limits.importBytesMax} are taken.`,
    );
}
