/** Commits as facts, to make them again elsewhere and to compare the result. */
import type { CommitFacts, Workspaces } from "../../ports/workspace.ts";
import { git } from "./git-command.ts";
import { knownHere } from "./scan-commits.ts";

export async function listCommits(
  gitDir: string,
  sha: string,
  which: Parameters<Workspaces["commits"]>[2],
): Promise<CommitFacts[]> {
  const range =
    "newest" in which
      ? [`--max-count=${which.newest}`, sha]
      : [sha, "--not", "--remotes=origin", ...(await knownHere(gitDir, which.outgoing))];
  // Only NUL never occurs in a part. A message may contain any other byte. `-z` ends each commit with NUL.
  const options = [
    "-z",
    "--format=%H%x00%T%x00%P%x00%B",
    "--topo-order",
    "--reverse",
    "--no-show-signature",
    "--encoding=UTF-8",
  ];
  const { stdout } = await git(["log", ...options, ...range, "--"], { gitDir });
  const parts = stdout.split("\0");
  return Array.from({ length: Math.floor(parts.length / 4) }, (_, index) => {
    const [commit = "", tree = "", parents = "", message = ""] = parts.slice(index * 4, index * 4 + 4);
    return {
      sha: commit,
      tree,
      parents: parents.split(" ").filter((parent) => parent !== ""),
      message: message.replace(/\n+$/, ""),
    };
  });
}
