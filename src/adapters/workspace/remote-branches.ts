/**
 * Branches at the remote: reads, pushes and deletes by compare-and-swap (W5).
 *
 * RB1 The token goes only to the one address of the repository (`git-command.ts`), from a git directory that was just
 *     repaired.
 */
import { isBranchName } from "../../core/branch-name.ts";
import { BatonError } from "../../core/errors.ts";
import type { SecretScan } from "../../ports/secret-scan.ts";
import type { RepositoryAccess, ScanOptions } from "../../ports/workspace.ts";
import { git } from "./git-command.ts";
import { pushRefusal } from "./push-refusal.ts";
import type { Repositories } from "./repositories.ts";
import { outgoingCommits, refuseSecrets } from "./scan-commits.ts";

const keptPattern =
  /^refs\/(?:baton\/(?:kept|signing)|heads\/baton-state\/kept)\/[A-Za-z0-9_]+\/[A-Za-z0-9][A-Za-z0-9._-]*$/;

export class RemoteBranches {
  readonly #repositories: Repositories;
  readonly #secrets: SecretScan | null;
  readonly #timeoutMs: number;

  constructor(given: { repositories: Repositories; secrets: SecretScan | null; timeoutMs: number }) {
    this.#repositories = given.repositories;
    this.#secrets = given.secrets;
    this.#timeoutMs = given.timeoutMs;
  }

  /** W7 */
  async scan(access: RepositoryAccess, sha: string, { knownShas = [], allowSecrets = [] }: ScanOptions): Promise<void> {
    if (this.#secrets === null) return;
    const gitDir = await this.#repositories.trusted(access);
    if (await this.#repositories.isPartial(access))
      await this.#repositories.completeCommits(access, await outgoingCommits(gitDir, { sha, knownShas }));
    await refuseSecrets(gitDir, this.#secrets, { sha, knownShas, allow: allowSecrets });
  }

  async push(
    access: RepositoryAccess,
    { branch, sha, expectedSha, ...scan }: { branch: string; sha: string; expectedSha: string | null } & ScanOptions,
  ): Promise<void> {
    const ref = `refs/heads/${branchName(branch)}`;
    const knownShas = [...(scan.knownShas ?? []), ...(expectedSha === null ? [] : [expectedSha])];
    await this.scan(access, sha, { ...scan, knownShas });
    const lease = `--force-with-lease=${ref}:${expectedSha ?? ""}`;
    const { exitCode, stderr } = await this.#tryPush(access, [lease, access.url, `${sha}:${ref}`]);
    if (exitCode === 0) return;
    // The answer was lost, or somebody was faster. The remote shows which.
    const head = await this.head(access, branch);
    if (head === sha) return;
    if (head !== expectedSha)
      throw new BatonError(
        "BATON_BRANCH_MOVED",
        `${branch} is at ${head ?? "nothing"}, not at ${expectedSha ?? "nothing"} as Baton knew it; ${sha} was not pushed.`,
      );
    const refusal = pushRefusal(stderr);
    if (refusal === null) throw new BatonError("BATON_GIT_FAILED", `git push: ${stderr.trim().slice(-1_000)}`);
    throw new BatonError(
      "BATON_PUSH_REFUSED",
      `${branch} was not pushed. GitHub says: ${refusal.said} ${refusal.advice}`,
      {
        details: { refusal: refusal.kind },
      },
    );
  }

  async pushKept(
    access: RepositoryAccess,
    { ref, sha, ...scan }: { ref: string; sha: string } & ScanOptions,
  ): Promise<void> {
    if (!keptPattern.test(ref)) throw new BatonError("BATON_INTERNAL", `"${ref}" is not a ref of Baton's own.`);
    await this.scan(access, sha, scan);
    // The name contains run and attempt, so nobody else writes it. A second push of the same attempt has its newer
    // work.
    await this.#push(access, ["--force", access.url, `${sha}:${ref}`]);
  }

  async dropKept(access: RepositoryAccess, { ref }: { ref: string }): Promise<void> {
    if (!keptPattern.test(ref)) throw new BatonError("BATON_INTERNAL", `"${ref}" is not a ref of Baton's own.`);
    const { exitCode, stderr } = await this.#tryPush(access, [access.url, `:${ref}`]);
    if (exitCode !== 0 && !/remote ref does not exist/.test(stderr))
      throw new BatonError("BATON_GIT_FAILED", `git push: ${stderr.trim().slice(-1_000)}`);
  }

  async head(access: RepositoryAccess, branch: string): Promise<string | null> {
    const ref = `refs/heads/${branchName(branch)}`;
    const token = await access.token();
    const gitDir = await this.#repositories.trusted(access);
    const { stdout } = await git(["ls-remote", access.url, ref], {
      gitDir,
      token,
      url: access.url,
      timeoutMs: this.#timeoutMs,
    });
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
    const { exitCode, stderr } = await this.#tryPush(access, args);
    if (exitCode !== 0) throw new BatonError("BATON_GIT_FAILED", `git push: ${stderr.trim().slice(-1_000)}`);
  }

  async #tryPush(access: RepositoryAccess, args: string[]): Promise<{ exitCode: number; stderr: string }> {
    const token = await access.token();
    const gitDir = await this.#repositories.trusted(access);
    return git(["push", "--quiet", "--no-verify", ...args], {
      gitDir,
      token,
      url: access.url,
      timeoutMs: this.#timeoutMs,
      okCodes: [1, 128],
    });
  }
}

/** An existing branch may have any name that git accepts. Baton's own alphabet applies to names that Baton makes. */
export function branchName(branch: string): string {
  if (!isBranchName(branch))
    throw new BatonError("BATON_INPUT_INVALID", `"${branch}" is not a branch name that git takes.`);
  return branch;
}
