/**
 * GitHub operations for one repository that only setting it up uses: the first pull request, `/baton setup`, `baton init`.
 * Writes are *ensures*, as in `github.ts`.
 */

export interface BranchRules {
  /** By rules that this reader may see. */
  protected: boolean;
  /** Approvals that a pull request needs. */
  reviews: number;
  codeOwners: boolean;
}

/** Kinds of repositories that get no set-up pull request by themselves. */
export interface RepositoryTraits {
  archived: boolean;
  disabled: boolean;
  fork: boolean;
  template: boolean;
}

/** The newest pull request of a branch of this repository, open or not. */
export interface LastPullRequest {
  number: number;
  end: "open" | "merged" | "closed";
}

export interface RepositorySetup {
  traits(): Promise<RepositoryTraits>;
  /** null: the branch never had one. */
  lastPullRequest(branch: string): Promise<LastPullRequest | null>;
  /**
   * The files at a commit. GitHub lists only a part of a very large tree. Then `isWhole` is false, and only the root,
   * `.github` and `docs` are complete.
   */
  paths(sha: string): Promise<{ paths: string[]; isWhole: boolean }>;
  /** Names of the secrets that workflows can read, never values. null: Baton may not list them. */
  secretNames(): Promise<string[] | null>;
  branchRules(branch: string): Promise<BranchRules>;
  /** Messages of the commits that a branch has and `base` has not. null: there are more than GitHub lists. */
  messagesAhead(base: string, branch: string): Promise<string[] | null>;
  /**
   * Ensures that the branch exists. If it is at `from`, it moves to `sha`, whatever its commits. False: it has another
   * commit than `sha`.
   */
  ensureBranch(branch: string, sha: string, from: string | null): Promise<boolean>;
  /**
   * Ensures that the file has this text on the branch, by a commit if needed. A workflow file needs its own permission:
   * BATON_GITHUB_DENIED.
   */
  ensureFile(file: { branch: string; path: string; text: string; message: string }): Promise<void>;
}
