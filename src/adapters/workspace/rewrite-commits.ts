/**
 * The commits that Baton writes in place of an agent's. Baton keeps the trees and sets everything else.
 *
 * RW1 Author and committer are Baton's identity. A trailer names the agent.
 * RW2 A date is never before the parent's and never after now, whatever the agent's clock said.
 * RW3 The message is cleaned and redacted. Only Baton's own trailers end it.
 * RW4 A commit that already has the form of Baton's commits keeps its id.
 */

import type { ImportOptions } from "../../ports/workspace.ts";
import { commitMessage, withTrailers } from "../../text/commit-message.ts";
import { systemClock } from "../system/clock.ts";
import { git } from "./git-command.ts";

export async function rewrite(
  gitDir: string,
  chain: string[],
  options: ImportOptions,
  baseSha: string,
): Promise<string> {
  let parent = baseSha;
  for (const sha of chain) {
    // Git decodes the message by the commit's own `encoding`. A message ends at its first NUL.
    const { stdout } = await git(
      ["log", "--no-walk", "--no-show-signature", "--encoding=UTF-8", "--format=%ct%x00%B", sha],
      { gitDir },
    );
    const [date = "", ...message] = stdout.split("\0");
    const tree = await treeOf(gitDir, sha);
    parent = await commitTree(gitDir, tree, parent, message.join("\n"), options, Number(date));
  }
  return parent;
}

/** `dateSeconds`: the commit's date by the agent's clock. */
export async function commitTree(
  gitDir: string,
  tree: string,
  parents: string | readonly [string, string],
  message: string,
  options: Pick<ImportOptions, "identity" | "trailers" | "rescueSubject" | "redact" | "now">,
  dateSeconds?: number,
): Promise<string> {
  const { identity, trailers, rescueSubject, redact = (text) => text } = options;
  const [first, ...others] = typeof parents === "string" ? [parents] : parents;
  const nowSeconds = Math.floor((options.now ?? systemClock.now()) / 1_000);
  const date = `@${await saneDate(gitDir, [first, ...others], nowSeconds, dateSeconds)} +0000`;
  // Redacts before the cleaning, because a cut could hide the end of a value. Redacts again after it, because removing
  // text can join a value.
  const clean = redact(commitMessage(redact(message), redact(rescueSubject)));
  const { stdout } = await git(["commit-tree", tree, ...[first, ...others].flatMap((sha) => ["-p", sha]), "-F", "-"], {
    gitDir,
    env: {
      GIT_AUTHOR_NAME: identity.name,
      GIT_AUTHOR_EMAIL: identity.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: identity.name,
      GIT_COMMITTER_EMAIL: identity.email,
      GIT_COMMITTER_DATE: date,
    },
    input: withTrailers(clean, trailers),
  });
  return stdout.trim();
}

/** RW2: a parent's date in the future still is the lower bound, because history must not go back in time. */
async function saneDate(
  gitDir: string,
  parents: readonly string[],
  nowSeconds: number,
  wanted = nowSeconds,
): Promise<number> {
  // Not `show`: the system's git reads files for it, even with `--no-patch`.
  const { stdout } = await git(["log", "--no-walk", "--no-show-signature", "--format=%ct", ...parents], { gitDir });
  const earliest = Math.max(...stdout.trim().split("\n").map(Number));
  const latest = Math.max(earliest, nowSeconds);
  return Number.isSafeInteger(wanted) ? Math.min(Math.max(wanted, earliest), latest) : latest;
}

export async function treeOf(gitDir: string, sha: string): Promise<string> {
  return (await git(["rev-parse", "--verify", `${sha}^{tree}`], { gitDir })).stdout.trim();
}
