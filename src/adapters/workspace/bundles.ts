/**
 * Commits as git bundles, between this Baton and a worker elsewhere.
 *
 * BU1 Baton checks a worker's bundle commit by commit, like an agent's own commits (W3, W4). A refused bundle leaves no
 *     ref.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BatonError, hasCode } from "../../core/errors.ts";
import type { BundleImport, ImportOptions, RepositoryAccess } from "../../ports/workspace.ts";
import { checkCommits } from "./check-commits.ts";
import { git } from "./git-command.ts";
import { linearChain } from "./import-commits.ts";
import type { Repositories } from "./repositories.ts";
import { commitTree, rewrite, treeOf } from "./rewrite-commits.ts";

export class Bundles {
  readonly #repositories: Repositories;

  constructor(repositories: Repositories) {
    this.#repositories = repositories;
  }

  /** The commits that lead to `sha` and that the remote does not have. Null when the remote has them all. */
  async of(access: RepositoryAccess, sha: string): Promise<Uint8Array | null> {
    const gitDir = await this.#repositories.trusted(access);
    const name = bundleRef(sha);
    const { stdout } = await git(["rev-list", "--max-count=1", sha, "--not", "--remotes=origin"], { gitDir });
    if (stdout.trim() === "") return null;
    return withFile(async (file) => {
      // A bundle names its commits, so the commit gets a temporary name during the write.
      await git(["update-ref", name, sha], { gitDir });
      try {
        await git(["bundle", "create", "--quiet", file, name, "--not", "--remotes=origin"], { gitDir });
      } finally {
        await git(["update-ref", "-d", name], { gitDir }).catch(() => {});
      }
      return readFile(file);
    });
  }

  async adopt(access: RepositoryAccess, headSha: string, bytes: Uint8Array): Promise<void> {
    const gitDir = await this.#repositories.trusted(access);
    await fetchBundle(gitDir, bytes, `+${bundleRef(headSha)}:refs/baton/begin/${headSha}`);
  }

  async import(
    access: RepositoryAccess,
    { ref, baseSha, headSha, bytes }: { ref: string; baseSha: string; headSha: string; bytes: Uint8Array },
    options: ImportOptions,
  ): Promise<BundleImport> {
    const { limits } = options;
    if (bytes.byteLength > limits.importBytesMax)
      throw new BatonError(
        "BATON_TREE_REFUSED",
        `The bundle has ${bytes.byteLength} bytes; at most ${limits.importBytesMax} are accepted.`,
      );
    const gitDir = await this.#repositories.trusted(access);
    try {
      await fetchBundle(gitDir, bytes, `+${bundleRef(headSha)}:${ref}`);
      const { exitCode } = await git(["merge-base", "--is-ancestor", baseSha, headSha], { gitDir, okCodes: [1, 128] });
      const { stdout } = await git(["rev-parse", "--verify", ref], { gitDir });
      if (exitCode !== 0 || stdout.trim() !== headSha)
        throw new BatonError("BATON_TREE_REFUSED", `The bundle does not lead from ${baseSha} to ${headSha}.`);
      const lent = this.#repositories.lent(access);
      await checkCommits({ gitDir, baseSha, headSha }, limits, dirname(lent));
      const head = await rewriteBundle(gitDir, baseSha, headSha, options);
      await git(["update-ref", ref, head], { gitDir });
      // The published commits count. A nonlinear history became one commit.
      return { headSha: head, files: await checkCommits({ gitDir, baseSha, headSha: head }, limits, dirname(lent)) };
    } catch (thrown) {
      await git(["update-ref", "-d", ref], { gitDir }).catch(() => {});
      if (!hasCode(thrown, "BATON_GIT_FAILED")) throw thrown;
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new BatonError("BATON_TREE_REFUSED", `git refuses the worker's bundle: ${why}`, { cause: thrown });
    }
  }
}

/** Baton trusts a worker no more than its agent. It rewrites the worker's commits like those made here. */
async function rewriteBundle(
  gitDir: string,
  baseSha: string,
  headSha: string,
  options: ImportOptions,
): Promise<string> {
  const chain = await linearChain(gitDir, baseSha, headSha);
  if (chain !== null) return rewrite(gitDir, chain, options, baseSha);
  return commitTree(gitDir, await treeOf(gitDir, headSha), baseSha, options.rescueSubject, options);
}

function bundleRef(sha: string): string {
  return `refs/baton/bundles/${sha}`;
}

function fetchBundle(gitDir: string, bytes: Uint8Array, refspec: string): Promise<void> {
  return withFile(async (file) => {
    await writeFile(file, bytes);
    await git(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", file, refspec], { gitDir });
  });
}

/** A file in a folder that nobody could have prepared. */
async function withFile<T>(use: (file: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), `baton-bundle-${randomUUID()}-`));
  try {
    return await use(join(directory, "commits.bundle"));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
