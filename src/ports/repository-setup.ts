/** What only `/baton setup` and `baton init` ask of GitHub, about one repository. Writes are *ensures*, as in `github.ts`. */

export interface BranchRules {
  /** By rules that this reader may see. */
  protected: boolean;
  /** Approvals that a pull request needs. */
  reviews: number;
  codeOwners: boolean;
}

export interface RepositorySetup {
  /** The files at a commit. Of very large trees GitHub lists a part: then `isWhole` is false, and only the root, `.github` and `docs` are sure. */
  paths(sha: string): Promise<{ paths: string[]; isWhole: boolean }>;
  /** Names of the secrets that workflows can read, never values; null where they may not be listed. */
  secretNames(): Promise<string[] | null>;
  branchRules(branch: string): Promise<BranchRules>;
  /** How many commits a branch has that `base` has not. */
  commitsAhead(base: string, branch: string): Promise<number>;
  /** The branch exists; `reset` moves it to `sha` whatever it had. */
  ensureBranch(branch: string, sha: string, reset: boolean): Promise<void>;
  /** The file has this text on the branch, by a commit unless it had. A file of workflows needs a permission of its own: BATON_GITHUB_DENIED. */
  ensureFile(file: { branch: string; path: string; text: string; message: string }): Promise<void>;
}
