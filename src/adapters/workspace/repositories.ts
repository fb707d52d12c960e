/**
 * Baton's repositories of one remote. `fetched/<id>.git` holds the objects of the remote. `trusted/<id>.git` borrows
 * from it and adds the agents' commits. Agents borrow only from the first. They do not see unpublished commits of other
 * runs.
 *
 * RS1 Every use begins with `ownRepository`. Agents never get a path of `trusted`.
 * RS2 `fetched` has all commits and trees that its refs reach, because a fetch writes refs last. It also has all blobs,
 *     unless the repository is large (`transfer.ts`). A large one has the blobs of the commits in use. Others come on
 *     request.
 */
import { join } from "node:path";
import type { Log } from "../../ports/log.ts";
import type { RepositoryAccess } from "../../ports/workspace.ts";
import { git } from "./git-command.ts";
import { KeyedMutex } from "./keyed-mutex.ts";
import { missingAmong, missingInCommits, missingInDifferences, missingInTrees } from "./missing-blobs.ts";
import type { Lender } from "./object-door.ts";
import { ownRepository } from "./own-repository.ts";
import { isPartial, type TransferBounds, transfer, transferBlobs } from "./transfer.ts";

export class Repositories {
  readonly #root: string;
  readonly #log: Log;
  readonly #mutex = new KeyedMutex();

  readonly #bounds: TransferBounds;

  constructor({ root, log, bounds }: { root: string; log: Log; bounds: TransferBounds }) {
    this.#root = root;
    this.#log = log;
    this.#bounds = bounds;
  }

  /** Keeps agents' commits. Baton pushes from here. */
  async trusted(access: RepositoryAccess): Promise<string> {
    const fetched = await this.#fetched(access);
    return ownRepository({
      gitDir: join(this.#root, "trusted", `${access.repository.id}.git`),
      alternates: [join(fetched, "objects")],
      log: this.#log,
    });
  }

  /** The objects that an agent's repository may borrow. */
  lent(access: RepositoryAccess): string {
    return join(this.#root, "fetched", `${access.repository.id}.git`, "objects");
  }

  /** The present commit of `branch`, in both repositories. */
  async fetchBranch(access: RepositoryAccess, branch: string): Promise<string> {
    const ref = `refs/remotes/origin/${branch}`;
    const sha = await this.#fetch(access, `+refs/heads/${branch}:${ref}`, ref);
    await git(["update-ref", ref, sha], { gitDir: await this.trusted(access) });
    return sha;
  }

  async fetchCommit(access: RepositoryAccess, sha: string): Promise<void> {
    const ref = `refs/baton/fetched/${sha}`;
    await this.#fetch(access, `+${sha}:${ref}`, ref);
    // With this ref in both, each history walk ends there. Blobs of earlier commits may be missing.
    await git(["update-ref", ref, sha], { gitDir: await this.trusted(access) });
  }

  /** Whether blobs of older commits may be missing. */
  isPartial(access: RepositoryAccess): Promise<boolean> {
    return isPartial(join(this.#root, "fetched", `${access.repository.id}.git`));
  }

  /** Fetches the blobs of whole commits, before work on them begins. */
  completeTrees(access: RepositoryAccess, shas: readonly string[]): Promise<void> {
    return this.#complete(access, (gitDir) => missingInTrees(gitDir, shas));
  }

  /** Fetches the blobs in the differences of these pairs of commits. */
  completeDifferences(access: RepositoryAccess, pairs: readonly (readonly [string, string])[]): Promise<void> {
    return this.#complete(access, (gitDir) => missingInDifferences(gitDir, pairs));
  }

  /** Fetches the blobs that these commits change. */
  completeCommits(access: RepositoryAccess, shas: readonly string[]): Promise<void> {
    return this.#complete(access, (gitDir) => missingInCommits(gitDir, shas));
  }

  /** The source for `object-door.ts` and an agent of this repository. */
  lender(access: RepositoryAccess): Lender {
    return {
      gitDir: () => this.#fetched(access),
      bring: async (oids) => {
        const missing = await missingAmong(await this.#fetched(access), oids);
        if (missing.length > 0) await this.#bring(access, missing);
      },
    };
  }

  async #complete(access: RepositoryAccess, find: (gitDir: string) => Promise<string[]>): Promise<void> {
    if (!(await this.isPartial(access))) return;
    const missing = await find(await this.trusted(access));
    if (missing.length > 0) await this.#bring(access, missing);
  }

  #bring(access: RepositoryAccess, oids: readonly string[]): Promise<void> {
    return this.#mutex.run(`${access.repository.id}`, async () => {
      const gitDir = await this.#fetched(access);
      // Another caller may have fetched them meanwhile.
      const missing = await missingAmong(gitDir, oids);
      if (missing.length === 0) return;
      const source = { url: access.url, token: await access.token() };
      await transferBlobs(gitDir, source, missing, this.#bounds);
      await this.#fetched(access);
    });
  }

  /** Copies objects that these commits need and the remote never gave into an agent's own store. */
  async lend(access: RepositoryAccess, shas: readonly string[], objects: string): Promise<void> {
    const fetched = await this.#fetched(access);
    const missing: string[] = [];
    for (const sha of new Set(shas)) if (!(await isWhole(fetched, sha))) missing.push(sha);
    if (missing.length === 0) return;
    const { stdout } = await git(["for-each-ref", "--format=^%(objectname)"], { gitDir: fetched });
    await git(["pack-objects", "--quiet", "--revs", join(objects, "pack", "pack")], {
      gitDir: await this.trusted(access),
      input: `${missing.join("\n")}\n${stdout}`,
    });
  }

  /** One fetch of a repository at a time. Parallel fetches would compete for the same ref locks. */
  #fetch(access: RepositoryAccess, refspec: string, ref: string): Promise<string> {
    return this.#mutex.run(`${access.repository.id}`, async () => {
      const token = await access.token();
      const gitDir = await this.#fetched(access);
      await transfer(gitDir, { url: access.url, token }, refspec, this.#bounds);
      await this.#fetched(access);
      return (await git(["rev-parse", "--verify", `${ref}^{commit}`], { gitDir })).stdout.trim();
    });
  }

  #fetched({ repository }: RepositoryAccess): Promise<string> {
    return ownRepository({ gitDir: join(this.#root, "fetched", `${repository.id}.git`), log: this.#log });
  }
}

async function isWhole(gitDir: string, sha: string): Promise<boolean> {
  const { stdout, exitCode } = await git(["rev-list", "--max-count=1", sha, "--not", "--all"], {
    gitDir,
    okCodes: [128],
  });
  return exitCode === 0 && stdout.trim() === "";
}
