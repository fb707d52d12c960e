/**
 * From an agent's attempt to commits in the trusted repository (W2–W4).
 *
 * IM1 From the attempt's repository Baton reads objects, and refs as text. No git of Baton ever reads its config,
 * attributes, hooks, index, replacements and grafts.
 * IM2 Baton keeps a linear history from the base commit by commit, rewritten (`rewrite-commits.ts`). Any other shape
 *     becomes one commit.
 * IM3 Nested repositories (gitlinks), and too many or too large files, refuse the whole import. The error names the
 *     path.
 * IM4 Commits that HEAD does not reach are kept under refs of Baton's own and named in the result.
 */
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BatonError, hasCode } from "../../core/errors.ts";
import type { AsideCommits, ImportOptions, ImportResult } from "../../ports/workspace.ts";
import type { AttemptPlace } from "./attempt-place.ts";
import { checkedObjects, isOwnWorktree, readHead, readRefs, readText } from "./attempt-repository.ts";
import { checkCommits, haveGitlinks } from "./check-commits.ts";
import { git } from "./git-command.ts";
import { changedOnDisk, leftoverTree, type TreeOnDisk } from "./leftover-tree.ts";
import { writeBareRepository } from "./own-repository.ts";
import { commitTree, rewrite } from "./rewrite-commits.ts";

interface Source {
  place: AttemptPlace;
  trusted: string;
  /** Objects that the attempt borrowed, all given by the remote. */
  lent: string;
  baseSha: string;
}

interface Import extends Source {
  ref: string;
  /** Prefix of the refs that keep commits outside the result. */
  asidePrefix: string;
  options: ImportOptions;
}

/** The most commits that one import keeps aside. */
const asideMax = 50;

export async function importCommits(given: Import): Promise<ImportResult> {
  return withScratch(given, async (gitDir) => {
    const { baseSha, options, place, trusted, lent, ref } = given;
    const agentHead = await existing(gitDir, await readHead(place), baseSha);
    const commits = { gitDir, baseSha, headSha: agentHead };
    // This check comes first, because it also bounds the expansion of a tree.
    const hidesFiles = await haveGitlinks(commits);
    const chain = hidesFiles ? null : await linearChain(gitDir, baseSha, agentHead);
    const leftovers = await leftoverTree(await treeOnDisk(given, gitDir, agentHead), options.limits);
    const aside = await keepAside(given, gitDir, agentHead);
    const named = aside.length === 0 ? {} : { aside };
    const trees = await git(["rev-parse", `${baseSha}^{tree}`, `${agentHead}^{tree}`], { gitDir });
    const [baseTree, agentTree] = trees.stdout.split("\n");
    const rescued = leftovers !== agentTree;
    if (leftovers === baseTree) return { headSha: null, commits: 0, files: [], rescued: false, ...named };
    const rewritten = await rewrite(gitDir, chain ?? [], options, baseSha);
    const isOneMore = rescued || chain === null;
    const head = isOneMore ? await commitTree(gitDir, leftovers, rewritten, options.rescueSubject, options) : rewritten;
    const files = await checkCommits({ gitDir, baseSha, headSha: head }, options.limits, dirname(lent));
    await takeIn(gitDir, trusted, head, ref);
    return { headSha: head, commits: (chain?.length ?? 0) + (isOneMore ? 1 : 0), files, rescued, ...named };
  });
}

/**
 * Paths whose content on disk differs from the base, committed or not. Nothing of them enters the trusted repository.
 */
export async function strayChanges(given: Source): Promise<string[]> {
  return withScratch(given, async (gitDir) => changedOnDisk(await treeOnDisk(given, gitDir, given.baseSha)));
}

/** A git directory of Baton's own over the agent's objects. Its refs, config and attributes are Baton's (IM1). */
async function withScratch<T>({ place, trusted, lent }: Source, use: (gitDir: string) => Promise<T>): Promise<T> {
  const { scratch } = place;
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch, { recursive: true });
  try {
    const objects = [await checkedObjects(place, lent), join(trusted, "objects")];
    const gitDir = join(scratch, "git");
    await writeBareRepository(gitDir, objects);
    return await use(gitDir);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function treeOnDisk({ place, baseSha }: Source, gitDir: string, headSha: string): Promise<TreeOnDisk> {
  const { work, scratch } = place;
  return {
    work,
    scratch,
    gitDir,
    baseSha,
    headSha,
    crlf: await writesCrlf(place),
    isOwnWorktree: (directory) => isOwnWorktree(place, directory),
  };
}

/** Whether the agent's git converts line ends. Only this one setting counts. It decides how Baton compares files. */
async function writesCrlf({ repo, home }: AttemptPlace): Promise<boolean> {
  for (const path of [join(repo, "config"), join(home, ".gitconfig")]) {
    const text = (await readText(path)) ?? "";
    if (/^\s*(?:\[core\]\s*)?autocrlf\s*=\s*(?:true|input|yes|on|1)\s*$/im.test(text)) return true;
  }
  return false;
}

/** `sha` if that commit exists, otherwise the base. */
async function existing(gitDir: string, sha: string | null, baseSha: string): Promise<string> {
  if (sha === null) return baseSha;
  const { exitCode } = await git(["cat-file", "-e", `${sha}^{commit}`], { gitDir, okCodes: [1, 128] });
  return exitCode === 0 ? sha : baseSha;
}

/** With fsck. An object that git itself calls broken or dangerous does not enter (W4). */
async function takeIn(gitDir: string, trusted: string, head: string, ref: string): Promise<void> {
  try {
    const args = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", gitDir, `+${head}:${ref}`];
    await git(args, { gitDir: trusted });
  } catch (thrown) {
    throw new BatonError(
      "BATON_TREE_REFUSED",
      `git refuses the agent's objects: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      { cause: thrown },
    );
  }
}

/** IM4 */
async function keepAside(given: Import, gitDir: string, agentHead: string): Promise<AsideCommits[]> {
  const { place, trusted, lent, baseSha, asidePrefix, options } = given;
  const aside: AsideCommits[] = [];
  const seen = new Set<string>();
  for (const { name, sha } of await readRefs(place)) {
    if (seen.has(sha) || aside.length >= asideMax) continue;
    seen.add(sha);
    const { stdout, exitCode } = await git(["rev-list", "--count", sha, "--not", baseSha, agentHead], {
      gitDir,
      okCodes: [128],
    });
    const commits = Number(stdout);
    if (exitCode !== 0 || commits === 0) continue;
    const slug = name.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 60);
    try {
      const range = { gitDir, baseSha, headSha: sha, known: [agentHead] };
      await checkCommits(range, options.limits, dirname(lent));
      const ref = `${asidePrefix}${aside.length}-${slug}`;
      await takeIn(gitDir, trusted, sha, ref);
      aside.push({ name, headSha: sha, commits, ref });
    } catch (thrown) {
      if (!hasCode(thrown, "BATON_TREE_REFUSED")) throw thrown;
      aside.push({ name, headSha: sha, commits, ref: null, refused: (thrown as Error).message });
    }
  }
  return aside;
}

/**
 * Commits from the base to `head`, oldest first, if each has the previous one as its only parent. Otherwise null (IM2).
 */
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
