/**
 * Branches at the remote: read, pushed and deleted by compare-and-swap (W5).
 *
 * RB1 The token goes with the one address of the repository (`git-command.ts`), from a git directory that was just put right.
 */
import { BatonError, hasCode } from "../../core/errors.ts";
import type { RepositoryAccess } from "../../ports/workspace.ts";
import { git } from "./git-command.ts";
import type { Repositories } from "./repositories.ts";

const keptPattern = /^refs\/(?:baton|heads\/baton-state)\/kept\/[A-Za-z0-9_]+\/[A-Za-z0-9][A-Za-z0-9._-]*$/;
const branchPattern = /^(?!.*(?:\.\.|@\{|\/\/|\.lock(?:\/|$)))[A-Za-z0-9][A-Za-z0-9._/-]{0,200}(?<![./])$/;

export class RemoteBranches {
  readonly #repositories: Repositories;

  constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  async push(
    access: RepositoryAccess,
    { branch, sha, expectedSha }: { branch: string; sha: string; expectedSha: string | null },
  ): Promise<void> {
    const ref = `refs/heads/${branchName(branch)}`;
    const moved = async (): Promise<BatonError | null> => {
      const head = await this.head(access, branch);
      if (head === sha) return null;
      return new BatonError(
        "BATON_BRANCH_MOVED",
        `${branch} is at ${head ?? "nothing"}, not at ${expectedSha ?? "nothing"} as Baton knew it; ${sha} was not pushed.`,
      );
    };
    try {
      await this.#push(access, [`--force-with-lease=${ref}:${expectedSha ?? ""}`, access.url, `${sha}:${ref}`]);
    } catch (thrown) {
      if (!hasCode(thrown, "BATON_GIT_FAILED")) throw thrown;
      // A lost answer, or somebody was faster: the remote says which.
      const message = thrown instanceof Error ? thrown.message : "";
      const conflict = await moved();
      if (conflict === null) return;
      throw /stale info|cannot lock ref|rejected|already exists/.test(message) ? conflict : thrown;
    }
  }

  async pushKept(access: RepositoryAccess, { ref, sha }: { ref: string; sha: string }): Promise<void> {
    if (!keptPattern.test(ref)) throw new BatonError("BATON_INTERNAL", `"${ref}" is not a ref of Baton's own.`);
    // Named by run and attempt, so nobody else writes it: a second push of the same attempt has its newer work.
    await this.#push(access, ["--force", access.url, `${sha}:${ref}`]);
  }

  async head(access: RepositoryAccess, branch: string): Promise<string | null> {
    const ref = `refs/heads/${branchName(branch)}`;
    const token = await access.token();
    const gitDir = await this.#repositories.trusted(access);
    const { stdout } = await git(["ls-remote", access.url, ref], { gitDir, token, url: access.url });
    const line = stdout.split("\n").find((candidate) => candidate.endsWith(`\t${ref}`));
    return line?.split("\t")[0] ?? null;
  }

  async delete(
    access: RepositoryAccess,
    { branch, expectedSha }: { branch: string; expectedSha: string },
  ): Promise<void> {
    const ref = `refs/heads/${branchName(branch)}`;
    if ((await this.head(access, branch)) === null) return;
    await this.#push(access, [`--force-with-lease=${ref}:${expectedSha}`, access.url, `:${ref}`]);
  }

  async #push(access: RepositoryAccess, args: string[]): Promise<void> {
    const token = await access.token();
    const gitDir = await this.#repositories.trusted(access);
    await git(["push", "--quiet", "--no-verify", ...args], { gitDir, token, url: access.url });
  }
}

export function branchName(branch: string): string {
  if (!branchPattern.test(branch))
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `"${branch}" is not a branch name that Baton uses: letters, digits, dots, dashes, underscores and slashes.`,
    );
  return branch;
}
