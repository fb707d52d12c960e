/**
 * Merges commits in a bare repository, by objects alone. Uses no work tree, index, hook or driver of a repository.
 *
 * JC1 The same commits give the same commit. Its dates come from the merged commits.
 * JC2 A conflicting commit is not merged in part. The previous merge is the result.
 */
import type { ImportOptions, JoinResult } from "../../ports/workspace.ts";
import { git } from "./git-command.ts";
import { commitTree } from "./rewrite-commits.ts";

export async function joinCommits(
  gitDir: string,
  {
    baseSha,
    shas,
    message,
    options,
  }: {
    baseSha: string;
    shas: readonly string[];
    message: string;
    options: Pick<ImportOptions, "identity" | "trailers">;
  },
): Promise<JoinResult> {
  let headSha = baseSha;
  for (const [joined, sha] of shas.entries()) {
    if (await isAncestor(gitDir, headSha, sha)) {
      headSha = sha;
      continue;
    }
    if (await isAncestor(gitDir, sha, headSha)) continue;
    const { stdout, exitCode } = await git(
      ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", headSha, sha],
      { gitDir, okCodes: [1] },
    );
    const [tree = "", ...paths] = stdout.split("\0").filter((part) => part !== "");
    if (exitCode === 1) return { headSha, joined, conflict: { sha, paths: [...new Set(paths)] } };
    // JC1: the date comes from the merged commits, because the current time differs each time.
    const now = 0;
    headSha = await commitTree(gitDir, tree, [headSha, sha], message, { ...options, rescueSubject: message, now });
  }
  return { headSha, joined: shas.length, conflict: null };
}

async function isAncestor(gitDir: string, ancestor: string, sha: string): Promise<boolean> {
  return (await git(["merge-base", "--is-ancestor", ancestor, sha], { gitDir, okCodes: [1] })).exitCode === 0;
}
