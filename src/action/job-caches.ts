/**
 * Package caches of a job. A step before Baton's restores the directory, and a later step keeps it if Baton says so.
 *
 * JC1 Baton lets the job keep a cache only if a setup inside the sandbox made it. In addition, no program of this job
 *     may have run without the sandbox. Such a program has the same user, and could have written into the directory.
 */
import type { PackageCaches } from "../ports/package-caches.ts";

export interface JobCaches {
  caches: PackageCaches;
  /** A program of an attempt starts outside the sandbox. */
  noteUnconfined(): void;
  /** Name of the cache to keep. null: there is none. */
  toKeep(): string | null;
}

export function jobCaches(caches: PackageCaches): JobCaches {
  let saved: string | null = null;
  let unconfined = false;
  return {
    caches: {
      restore: (...given) => caches.restore(...given),
      async save(repositoryId, key, directory) {
        const done = await caches.save(repositoryId, key, directory);
        if (done) saved = key;
        return done;
      },
      prune: (unusedSince) => caches.prune(unusedSince),
    },
    noteUnconfined() {
      unconfined = true;
    },
    toKeep: () => (unconfined ? null : saved),
  };
}
