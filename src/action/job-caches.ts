/**
 * Package caches of a job: a directory that a step before Baton's restores and a step after it keeps, if Baton says so.
 *
 * JC1 A job says what is to be kept only when a setup inside the sandbox made it, and nothing ran without the sandbox in this
 *     job: a program outside of it is of the same user, and could have written into the directory.
 */
import type { PackageCaches } from "../ports/package-caches.ts";

export interface JobCaches {
  caches: PackageCaches;
  /** A program of an attempt starts outside the sandbox. */
  noteUnconfined(): void;
  /** Name for what is to be kept; null: nothing is. */
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
