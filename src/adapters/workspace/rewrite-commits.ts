/**
 * The commits that Baton writes in place of an agent's: trees are kept, everything around them is set here.
 */
import type { ImportOptions } from "../../ports/workspace.ts";
import { git } from "./git-command.ts";

/** The same commits with our trailers and committer; authors, dates and messages stay. */
export async function rewrite(
  gitDir: string,
  chain: string[],
  options: ImportOptions,
  baseSha: string,
): Promise<string> {
  let parent = baseSha;
  for (const sha of chain) {
    const { stdout } = await git(
      ["show", "--no-patch", "--no-show-signature", "--format=%an%x00%ae%x00%aI%x00%B", sha],
      { gitDir },
    );
    const [name = "", email = "", date = "", ...message] = stdout.split("\0");
    parent = await commitTree(gitDir, await treeOf(gitDir, sha), parent, message.join("\0").trim(), options, {
      name,
      email,
      date,
    });
  }
  return parent;
}

export async function commitTree(
  gitDir: string,
  tree: string,
  parent: string,
  message: string,
  options: ImportOptions,
  author?: { name: string; email: string; date: string },
): Promise<string> {
  const { identity, trailers } = options;
  const separator =
    /\n[A-Za-z-]+: [^\n]*$/.test(message) &&
    /\n\n[^\n]*(?:\n[A-Za-z-]+: [^\n]*)*$/.test(message) &&
    /\n\n(?:[A-Za-z-]+: [^\n]*\n?)+$/.test(message)
      ? "\n"
      : "\n\n";
  const env = {
    GIT_AUTHOR_NAME: author?.name || identity.name,
    GIT_AUTHOR_EMAIL: author?.email || identity.email,
    ...(author === undefined ? {} : { GIT_AUTHOR_DATE: author.date }),
    GIT_COMMITTER_NAME: identity.name,
    GIT_COMMITTER_EMAIL: identity.email,
  };
  const text = `${message || options.rescueSubject}${separator}${trailers.join("\n")}\n`;
  return (await git(["commit-tree", tree, "-p", parent, "-F", "-"], { gitDir, env, input: text })).stdout.trim();
}

export async function treeOf(gitDir: string, sha: string): Promise<string> {
  return (await git(["rev-parse", "--verify", `${sha}^{tree}`], { gitDir })).stdout.trim();
}
