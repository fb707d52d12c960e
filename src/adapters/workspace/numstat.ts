/** The differences between two commits, file by file. */
import type { FileChange } from "../../core/effect.ts";
import { git } from "./git-command.ts";

/** Lines added and removed in each file, by git objects alone. */
export async function numstat(gitDir: string, fromSha: string, toSha: string): Promise<FileChange[]> {
  const { stdout } = await git(
    ["diff", "--no-ext-diff", "--no-textconv", "--no-renames", "--numstat", "-z", fromSha, toSha],
    { gitDir },
  );
  return parseNumstat(stdout);
}

export function parseNumstat(stdout: string): FileChange[] {
  return stdout
    .split("\0")
    .filter((entry) => entry !== "")
    .map((entry) => {
      const [added = "-", removed = "-", ...path] = entry.split("\t");
      return {
        path: path.join("\t"),
        added: added === "-" ? null : Number(added),
        removed: removed === "-" ? null : Number(removed),
      };
    });
}
