/**
 * Downloads of package managers for a repository, kept from one attempt to the next.
 *
 * PC1 Only a setup on the default branch writes a cache, before any agent ran. An agent's code never writes one.
 * PC2 An attempt gets a copy. Its changes to the copy never reach the cache or another attempt.
 */

export interface PackageCaches {
  /**
   * Copies the cache into `directory`, which must not exist. False: there is no cache, and `directory` still does not
   * exist.
   */
  restore(repositoryId: number, key: string, directory: string): Promise<boolean>;
  /** Keeps a copy of `directory`. False: a copy exists already, it is too large, or the copy failed. */
  save(repositoryId: number, key: string, directory: string): Promise<boolean>;
  /** Removes caches that nothing has used since that time. */
  prune(unusedSince: Date): Promise<void>;
}
