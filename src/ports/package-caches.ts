/**
 * What package managers downloaded for a repository, kept from one attempt to the next.
 *
 * PC1 A cache is written only from a setup on the default branch, before any agent ran. An agent's code never writes one.
 * PC2 An attempt gets a copy. Nothing that it does to the copy reaches the cache or another attempt.
 */

export interface PackageCaches {
  /** Copies the cache into `directory`, which must not exist. False: there is none, and `directory` still does not exist. */
  restore(repositoryId: number, key: string, directory: string): Promise<boolean>;
  /** Keeps a copy of `directory`. False: one is there already, it is too large, or the copy failed. */
  save(repositoryId: number, key: string, directory: string): Promise<boolean>;
  /** Removes caches that nothing has used since then. */
  prune(unusedSince: Date): Promise<void>;
}
