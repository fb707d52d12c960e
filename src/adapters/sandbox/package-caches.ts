/**
 * Package caches as directories below Baton's data: `<repository>/<key>`.
 *
 * PD1 A cache appears whole, by a rename, and never changes afterwards. Baton removes a half-made cache.
 * PD2 Links are copied as links. Targets are new names in directories that only Baton writes, so no copy leaves them.
 * PD3 Only the latest caches of a repository stay, each bounded in bytes. Programs in them have no set-user-id bit.
 */
import { randomUUID } from "node:crypto";
import { lstat, mkdir, readdir, rename, rm, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BatonError } from "../../core/errors.ts";
import type { Children } from "../../ports/child.ts";
import type { PackageCaches } from "../../ports/package-caches.ts";
import { measureDirectories } from "./disk-use.ts";

export interface PackageCacheOptions {
  children: Children;
  /** Absolute. No agent may see it. */
  root: string;
  bytesMax?: number;
  /** Per repository. */
  cachesMax?: number;
}

const copyTimeoutMs = 120_000;
const defaultBytesMax = 2 * 1024 * 1024 * 1024;
const unfinished = ".unfinished-";

export function openPackageCaches(options: PackageCacheOptions): PackageCaches {
  const { children, root, bytesMax = defaultBytesMax, cachesMax = 3 } = options;
  const folderOf = (repositoryId: number): string => join(root, String(repositoryId));
  const placeOf = (repositoryId: number, key: string): string => {
    if (!Number.isSafeInteger(repositoryId) || !/^[0-9a-f]{64}$/.test(key))
      throw new BatonError("BATON_INTERNAL", `"${key}" of ${repositoryId} is not a cache's name.`);
    return join(folderOf(repositoryId), key);
  };

  const run = async (...command: string[]): Promise<boolean> => {
    const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C" };
    const bounds = { timeoutMs: copyTimeoutMs, outputBytesMax: 64 * 1024 };
    return (await children.call({ command, cwd: "/", env, ...bounds })).exitCode === 0;
  };

  /** Copies to a new name next to the target, so that the target is whole or absent. */
  const copy = async (from: string, to: string): Promise<boolean> => {
    const made = join(dirname(to), `${unfinished}${randomUUID()}`);
    try {
      const copied = await run("cp", "-a", "--reflink=auto", "--no-target-directory", "--", from, made);
      if (!copied || !(await run("chmod", "-R", "u-s,g-s", "--", made))) return false;
      // A rename onto a directory with files fails, so the first one stays (PD1).
      return await rename(made, to).then(
        () => true,
        () => false,
      );
    } finally {
      await rm(made, { recursive: true, force: true });
    }
  };

  const keepLatest = async (repositoryId: number): Promise<void> => {
    const all = await cachesIn(folderOf(repositoryId));
    const found = all.filter(({ path }) => !basename(path).startsWith(unfinished));
    for (const { path } of found.slice(cachesMax)) await rm(path, { recursive: true, force: true });
  };

  return {
    async restore(repositoryId, key, directory) {
      const place = placeOf(repositoryId, key);
      if (!(await isDirectory(place)) || (await exists(directory))) return false;
      const now = new Date();
      await utimes(place, now, now).catch(() => {});
      return await copy(place, directory);
    },
    async save(repositoryId, key, directory) {
      const place = placeOf(repositoryId, key);
      if ((await exists(place)) || !(await isDirectory(directory))) return false;
      const use = await measureDirectories([directory], bytesMax);
      if (use.partial || use.bytes > bytesMax) return false;
      await mkdir(dirname(place), { recursive: true, mode: 0o700 });
      if (!(await copy(directory, place))) return false;
      const now = new Date();
      await utimes(place, now, now);
      await keepLatest(repositoryId);
      return true;
    },
    async prune(unusedSince) {
      for (const name of await readdir(root).catch(() => [])) {
        for (const { path, used } of await cachesIn(join(root, name)))
          if (used < unusedSince.getTime()) await rm(path, { recursive: true, force: true });
      }
    },
  };
}

/** Latest first. */
async function cachesIn(folder: string): Promise<{ path: string; used: number }[]> {
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const facts = await lstat(join(folder, name)).catch(() => null);
      return { path: join(folder, name), used: facts?.mtimeMs ?? 0 };
    }),
  );
  return found.sort((one, other) => other.used - one.used);
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null)) !== null;
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() === true;
}
