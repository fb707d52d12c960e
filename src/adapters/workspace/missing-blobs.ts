/** Finds blobs that Baton needs and that a repository fetched without blobs lacks. Git never fetches on its own. */
import { git } from "./git-command.ts";

/** Missing blobs in the whole trees of these commits. */
export async function missingInTrees(gitDir: string, shas: readonly string[]): Promise<string[]> {
  if (shas.length === 0) return [];
  const args = ["rev-list", "--objects", "--no-object-names", "--missing=print", "--stdin"];
  const input = [...new Set(shas)].map((sha) => `${sha}^{tree}\n`).join("");
  const { stdout } = await git(args, { gitDir, input });
  return stdout.split("\n").flatMap((line) => (line.startsWith("?") ? [line.slice(1)] : []));
}

/** Missing blobs in the differences of these pairs of commits, on both sides. */
export async function missingInDifferences(
  gitDir: string,
  pairs: readonly (readonly [string, string])[],
): Promise<string[]> {
  if (pairs.length === 0) return [];
  const trees = await treesOf(gitDir, pairs.flat());
  const input = pairs.map(([from, to]) => `${trees.get(from)} ${trees.get(to)}\n`).join("");
  const args = ["diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", "--no-renames"];
  const found = new Set<string>();
  blobsOf((await git(args, { gitDir, input })).stdout, found);
  return missingAmong(gitDir, [...found]);
}

async function treesOf(gitDir: string, shas: readonly string[]): Promise<Map<string, string>> {
  const wanted = [...new Set(shas)];
  const { stdout } = await git(["rev-parse", ...wanted.map((sha) => `${sha}^{tree}`)], { gitDir });
  const found = stdout.split("\n");
  return new Map(wanted.map((sha, index) => [sha, found[index] ?? ""]));
}

/** Missing blobs in the changes of each of these commits against each of its parents. */
export async function missingInCommits(gitDir: string, shas: readonly string[]): Promise<string[]> {
  if (shas.length === 0) return [];
  const args = ["diff-tree", "--stdin", "-r", "-m", "-z", "--root", "--raw", "--no-abbrev", "--no-renames"];
  const { stdout } = await git([...args, "--no-commit-id"], { gitDir, input: `${shas.join("\n")}\n` });
  const found = new Set<string>();
  blobsOf(stdout, found);
  return missingAmong(gitDir, [...found]);
}

export async function missingAmong(gitDir: string, oids: readonly string[]): Promise<string[]> {
  if (oids.length === 0) return [];
  const { stdout } = await git(["cat-file", "--batch-check=%(objectname)"], {
    gitDir,
    input: `${oids.join("\n")}\n`,
  });
  return stdout.split("\n").flatMap((line) => /^([0-9a-f]{40,64}) missing$/.exec(line)?.[1] ?? []);
}

/**
 * `raw` alternates between changes and their paths, separated by NUL. A line with the names of two trees precedes their
 * first entry.
 */
function blobsOf(raw: string, into: Set<string>): void {
  const fields = raw.split("\0");
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, oldMode = "", newMode = "", oldSha = "", newSha = ""] =
      /(?:^|\n):(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) [A-Z]\d*$/.exec(fields[at] ?? "") ?? [];
    if (/^1[02]/.test(oldMode)) into.add(oldSha);
    if (/^1[02]/.test(newMode)) into.add(newSha);
  }
}
