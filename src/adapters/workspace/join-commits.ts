/**
 * Commits merged in a bare repository, by objects alone: no work tree, no index, no hook, no driver of a repository.
 *
 * JC1 The same commits give the same commit: dates are those of what is merged.
 * JC2 What conflicts is not merged half: the merge before it is the result.
 */
import type { CommitIdentity, JoinResult } from "../../ports/workspace.ts";
import { git } from "./git-command.ts";

export async function joinCommits(
  gitDir: string,
  {
    baseSha,
    shas,
    message,
    identity,
  }: { baseSha: string; shas: readonly string[]; message: string; identity: CommitIdentity },
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
    headSha = await mergeCommit(gitDir, tree, [headSha, sha], message, identity);
  }
  return { headSha, joined: shas.length, conflict: null };
}

async function mergeCommit(
  gitDir: string,
  tree: string,
  parents: [string, string],
  message: string,
  { name, email }: CommitIdentity,
): Promise<string> {
  const { stdout } = await git(["show", "--no-patch", "--no-show-signature", "--format=%cI", parents[1]], { gitDir });
  const date = stdout.trim();
  const merged = await git(["commit-tree", tree, "-p", parents[0], "-p", parents[1], "-F", "-"], {
    gitDir,
    input: message,
    env: {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
      GIT_COMMITTER_DATE: date,
    },
  });
  return merged.stdout.trim();
}

async function isAncestor(gitDir: string, ancestor: string, sha: string): Promise<boolean> {
  return (await git(["merge-base", "--is-ancestor", ancestor, sha], { gitDir, okCodes: [1] })).exitCode === 0;
}
