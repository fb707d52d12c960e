/** Blobs that a question of Baton's needs and a repository fetched without them lacks. git is never asked to fetch by itself. */
import { git } from "./git-command.ts";

/** Of the whole trees of these commits. */
export async function missingInTrees(gitDir: string, shas: readonly string[]): Promise<string[]> {
  const missing = new Set<string>();
  for (const sha of new Set(shas)) {
    const args = ["rev-list", "--objects", "--no-object-names", "--missing=print", `${sha}^{tree}`];
    const { stdout } = await git(args, { gitDir });
    for (const line of stdout.split("\n")) if (line.startsWith("?")) missing.add(line.slice(1));
  }
  return [...missing];
}

/** Of what these pairs of commits differ in, both sides. */
export async function missingInDifferences(
  gitDir: string,
  pairs: readonly (readonly [string, string])[],
): Promise<string[]> {
  const found = new Set<string>();
  for (const [from, to] of pairs) {
    const args = ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", from, to];
    blobsOf((await git(args, { gitDir })).stdout, found);
  }
  return missingAmong(gitDir, [...found]);
}

/** Of what each of these commits changes against each of its parents. */
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

function blobsOf(raw: string, into: Set<string>): void {
  for (const field of raw.split("\0")) {
    const [, oldMode = "", newMode = "", oldSha = "", newSha = ""] =
      /^:(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) /.exec(field) ?? [];
    if (/^1[02]/.test(oldMode)) into.add(oldSha);
    if (/^1[02]/.test(newMode)) into.add(newSha);
  }
}
