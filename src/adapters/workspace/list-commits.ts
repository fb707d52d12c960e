/** Commits as facts: what is made again elsewhere, and what is compared with that. */
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
  const format = "--format=%H%x00%T%x00%P%x00%B%x01";
  const options = ["--topo-order", "--reverse", "--no-show-signature", "--encoding=UTF-8", format];
  const { stdout } = await git(["log", ...options, ...range, "--"], { gitDir });
  return stdout
    .split("\x01")
    .filter((part) => part.trim() !== "")
    .map((part) => {
      const [commit = "", tree = "", parents = "", ...message] = part.split("\0");
      return {
        sha: commit.trim(),
        tree,
        parents: parents.split(" ").filter((parent) => parent !== ""),
        message: message.join("\0").replace(/\n+$/, ""),
      };
    });
}
