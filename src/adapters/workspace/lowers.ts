/**
 * Prepared checkouts below the mounts of workspaces: `lowers/<repository id>/<sha>/tree` with its `index`.
 *
 * LO1 Baton builds a lower next to its place and renames it there when it is whole. After that, Baton never writes into
 *     its tree.
 * LO2 Before each use Baton compares its files with the built ones, by size, times and inode. A changed lower is built
 *     again.
 * LO3 Baton removes a lower when no workspace stands on it and nobody used it for a day.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../../ports/log.ts";
import { Coalesced } from "./coalesced.ts";
import { git } from "./git-command.ts";
import { KeyedMutex } from "./keyed-mutex.ts";

/**
 * A workspace may use the lower of a nearby commit that differs in at most this many paths. Baton then writes the
 * difference into the workspace.
 */
const nearPathsMax = 500;
const keepMs = 24 * 60 * 60_000;

export interface LowerOf {
  repositoryId: number;
  /** The trusted repository. */
  gitDir: string;
  sha: string;
}

export interface Lower {
  /** The commit of its tree: the requested one, or a nearby one. */
  sha: string;
  tree: string;
  index: string;
}

export class Lowers {
  readonly #root: string;
  readonly #log: Log;
  readonly #mutex = new KeyedMutex();
  readonly #asked = new Coalesced<Lower>();

  constructor(root: string, log: Log) {
    this.#root = join(root, "lowers");
    this.#log = log;
  }

  /** The lower of a commit or of a nearby one, checked at this moment (LO2). */
  for(wanted: LowerOf): Promise<Lower> {
    return this.#use(wanted, true);
  }

  /** The lower of exactly this commit, on which a present workspace was made. */
  exactly(wanted: LowerOf): Promise<Lower> {
    return this.#use(wanted, false);
  }

  /** `isUsed`: whether a workspace stands on it, by `<repository id>/<sha>` (LO3). */
  async collectGarbage(isUsed: (name: string) => boolean): Promise<number> {
    let removed = 0;
    for (const repositoryId of await names(this.#root)) {
      await this.#mutex.run(repositoryId, async () => {
        for (const entry of await names(join(this.#root, repositoryId))) {
          const directory = join(this.#root, repositoryId, entry);
          // A half-made lower after a crash has no note of its last use. Its own age counts.
          const usedAt = (await lastUse(directory)) ?? (await stat(directory).catch(() => null))?.mtimeMs ?? 0;
          if (isUsed(`${repositoryId}/${entry}`) || Date.now() - usedAt < keepMs) continue;
          await rm(directory, { recursive: true, force: true });
          removed += 1;
        }
      });
    }
    return removed;
  }

  #use(wanted: LowerOf, near: boolean): Promise<Lower> {
    const repository = `${wanted.repositoryId}`;
    // Simultaneous callers share one check, which begins after they asked.
    return this.#asked.run(`${repository}/${wanted.sha}/${near}`, () =>
      this.#mutex.run(repository, async () => {
        const sha = near ? await this.#nearest(wanted) : wanted.sha;
        const lower = this.#at(repository, sha);
        if (existsSync(join(lower.tree, "..")) && !(await isWhole(wanted.gitDir, lower))) {
          this.#log.warn("Somebody changed a prepared checkout; Baton builds it again", { repository, sha });
          const aside = join(this.#root, repository, `changed-${randomUUID()}`);
          // Not deleted, because workspaces that stand on it still read it.
          await rename(join(lower.tree, ".."), aside);
        }
        if (!existsSync(lower.tree)) await this.#build({ ...wanted, sha });
        await writeFile(join(lower.tree, "..", "used"), "");
        return lower;
      }),
    );
  }

  #at(repository: string, sha: string): Lower {
    const directory = join(this.#root, repository, sha);
    return { sha, tree: join(directory, "tree"), index: join(directory, "index") };
  }

  /** The lower of the commit itself. Otherwise the last used one, if it differs little. */
  async #nearest({ repositoryId, gitDir, sha }: LowerOf): Promise<string> {
    const directory = join(this.#root, `${repositoryId}`);
    if (existsSync(join(directory, sha))) return sha;
    const uses = await Promise.all(
      (await names(directory))
        .filter((entry) => /^[0-9a-f]{40,64}$/.test(entry))
        .map(async (entry) => ({ entry, at: (await lastUse(join(directory, entry))) ?? 0 })),
    );
    const last = uses.sort((a, b) => b.at - a.at)[0]?.entry;
    if (last === undefined) return sha;
    // The trusted repository may no longer have the lower's commit. Then the lower does not help here.
    const differ = await git(["diff-tree", "-r", "-z", "--no-renames", "--name-only", last, sha], {
      gitDir,
      okCodes: [128],
    });
    return differ.exitCode === 0 && differ.stdout.split("\0").length - 1 <= nearPathsMax ? last : sha;
  }

  async #build({ repositoryId, gitDir, sha }: LowerOf): Promise<void> {
    const place = join(this.#root, `${repositoryId}`, sha);
    const making = join(this.#root, `${repositoryId}`, `making-${randomUUID()}`);
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    await mkdir(join(making, "tree"), { recursive: true });
    try {
      const index = join(making, "index");
      await git(["read-tree", "-u", "--reset", sha], {
        gitDir,
        workTree: join(making, "tree"),
        cwd: join(making, "tree"),
        env: { GIT_INDEX_FILE: index },
      });
      // Git reads a file again unless the index is at least a second younger. Nobody writes here, so a later time is
      // safe.
      const younger = Math.ceil(Date.now() / 1_000) + 1;
      await utimes(index, younger, younger);
      await rename(making, place);
    } catch (thrown) {
      await rm(making, { recursive: true, force: true });
      throw thrown;
    }
  }
}

/** Nothing changed, missing or added. That includes ignored files, which an import would not show (LO2). */
async function isWhole(gitDir: string, { tree, index }: Lower): Promise<boolean> {
  if (!existsSync(tree) || !existsSync(index)) return false;
  const { stdout, exitCode } = await git(["ls-files", "-z", "--modified", "--deleted", "--others"], {
    gitDir,
    workTree: tree,
    cwd: tree,
    env: { GIT_INDEX_FILE: index },
    okCodes: [128],
  });
  return exitCode === 0 && stdout === "";
}

async function lastUse(directory: string): Promise<number | null> {
  return (await stat(join(directory, "used")).catch(() => null))?.mtimeMs ?? null;
}

async function names(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
