/**
 * Isolated worktrees for agents, and the single way in which their commits come back.
 *
 * W1 An agent works in a repository of its attempt: no credentials, no hooks, no host config, and no remote. The
 *    exception is a repository that is too large to be there whole: Baton's own server gives it older files.
 * W2 The host runs no porcelain in an agent's tree, and never discovers a repository from it.
 * W3 Git objects measure the changes, never the agent's word. Leftovers become a rescue commit.
 * W4 Commits enter the trusted repository by fetch with fsck. They are there before the workspace is removed.
 * W5 A branch is pushed by compare-and-swap. A moved branch is BATON_BRANCH_MOVED, and nothing is overwritten.
 * W7 Nothing leaves by git before the scan for secrets has read every commit that the remote does not have.
 * W6 Garbage collection removes only workspaces whose run is over or unknown and whose commits are kept.
 */
import type { FileChange } from "../core/effect.ts";
import type { PathState } from "../core/shown-change.ts";
import type { Repository, RunId } from "../core/vocabulary.ts";

export interface RepositoryAccess {
  repository: Repository;
  /** Clone URL without credentials. */
  url: string;
  /** A fresh token for this repository. Git gets it by environment, never by argument or URL. null: public or local. */
  token(): Promise<string | null>;
}

export interface Workspace {
  /** Absolute path of the worktree. */
  path: string;
  /** Temporary directory and home of the agent, outside the tree and removed with it. */
  homePath: string;
  baseSha: string;
  /** Directories of this attempt alone: the tree, its git directory, the home. */
  writable: readonly string[];
  /** Object directories that its repository borrows. They contain only objects of the remote. */
  readable: readonly string[];
  /** Ports on 127.0.0.1 from which its git gets older files of a large repository. Absent: none. */
  loopbackPorts?: readonly number[];
}

export interface CommitIdentity {
  name: string;
  email: string;
}

export interface ImportOptions {
  identity: CommitIdentity;
  /** Lines `Key: value` that end every commit of the agent: Baton-Run, Baton-Step, Baton-Harness, Co-authored-by, Signed-off-by. */
  trailers: string[];
  /** Subject of the rescue commit for uncommitted changes. */
  rescueSubject: string;
  /** Removes secrets from messages. Absent: messages stay unchanged. */
  redact?: (text: string) => string;
  /** Milliseconds since the epoch: no commit has a later date. Absent: this machine's time. */
  now?: number;
  /** As in `ScanOptions`, for storage whose copy other people can read. */
  allowSecrets?: readonly string[];
  limits: { filesMax: number; blobBytesMax: number; importBytesMax: number };
}

export interface ImportResult {
  /** null: the tree equals the base. */
  headSha: string | null;
  commits: number;
  /**
   * Every path that a commit on the way changes. A path that a later commit reverts is listed too, with the lines that
   * the commits added and removed.
   */
  files: FileChange[];
  rescued: boolean;
  /** Commits of the attempt that are not in the result. Absent: none. */
  aside?: AsideCommits[];
}

/** Commits on another branch, in a stash or in a worktree of the attempt. */
export interface AsideCommits {
  /** The name in the agent's repository: a branch, `tags/…`, `stash@{0}`, `worktree <name>`. */
  name: string;
  headSha: string;
  commits: number;
  /** The ref in the trusted repository. null: Baton refused the commits. */
  ref: string | null;
  /** Why Baton refused them. */
  refused?: string;
}

export interface BundleImport {
  /** The worker's own head, or the rewritten one. */
  headSha: string;
  files: FileChange[];
}

export interface ScanOptions {
  /** Commits that the remote has, in addition to its fetched branches: the run began from them. */
  knownShas?: readonly string[];
  /** Globs of files that may contain strings that look like tokens (`secrets.allow`). */
  allowSecrets?: readonly string[];
}

/** The content of a commit, without its people, dates and signature. */
export interface CommitFacts {
  sha: string;
  tree: string;
  parents: string[];
  message: string;
}

export interface JoinResult {
  headSha: string;
  /** The number of commits, counted from the first, that the result contains. */
  joined: number;
  /** The first commit that git could not merge, and the conflicting paths. */
  conflict: { sha: string; paths: string[] } | null;
}

export interface Workspaces {
  /**
   * Updates the trusted mirror of the repository from the remote. Returns the SHA of `ref` (branch name, `refs/…` or
   * SHA).
   */
  fetch(access: RepositoryAccess, ref: string): Promise<string>;
  /** Creates (or, after a crash, finds) the workspace of one effect attempt, at `baseSha`. */
  create(
    access: RepositoryAccess,
    options: {
      runId: RunId;
      name: string;
      baseSha: string;
      /** Further commits that the agent may read. They are known here. */
      reads?: readonly string[];
    },
  ): Promise<Workspace>;
  /**
   * Commits leftovers, checks the result and fetches it into the trusted repository under `refs/baton/…`.
   * BATON_TREE_REFUSED gives the reason for a refusal.
   * If a crash interrupted the workspace's removal, this returns the earlier import. If a crash interrupted its
   * creation, this returns nothing.
   */
  import(
    access: RepositoryAccess,
    options: { runId: RunId; name: string; baseSha: string },
    importOptions: ImportOptions,
  ): Promise<ImportResult>;
  /** Paths that differ from the base in the tree of a read-only step: measured by git, and not imported. */
  strayChanges(access: RepositoryAccess, options: { runId: RunId; name: string; baseSha: string }): Promise<string[]>;
  /** The commits that lead to `sha` and that the remote lacks, as a git bundle. null: the remote has them all. */
  bundle(access: RepositoryAccess, sha: string): Promise<Uint8Array | null>;
  /** Imports a commit from a bundle of Baton's own: the start of a remote worker. */
  adoptBundle(access: RepositoryAccess, options: { headSha: string; bytes: Uint8Array }): Promise<void>;
  /**
   * Imports the commits of a bundle from a remote worker. They are checked and rewritten as an agent's own are (W3,
   * W4). The bundle must contain `headSha`, a descendant of `baseSha`. Commits that already have Baton's metadata keep
   * their ids.
   * Returns every path that a commit on the way changes, by git.
   */
  importBundle(
    access: RepositoryAccess,
    options: { runId: RunId; name: string; baseSha: string; headSha: string; bytes: Uint8Array },
    importOptions: ImportOptions,
  ): Promise<BundleImport>;
  /**
   * Merges commits of the trusted repository onto `baseSha`, in order, by git's objects alone (W2). It stops before the
   * first commit that conflicts. The same commits give the same result, which is kept under `refs/baton/…`.
   */
  join(
    access: RepositoryAccess,
    options: { runId: RunId; name: string; baseSha: string; shas: readonly string[]; message: string },
    importOptions: Pick<ImportOptions, "identity" | "trailers">,
  ): Promise<JoinResult>;
  /** Removes the workspace of one attempt. Imported commits stay. */
  remove(access: RepositoryAccess, options: { runId: RunId; name: string }): Promise<void>;
  /**
   * Pushes a commit of the trusted repository to `branch` if the remote is at `expectedSha` (null: absent). A repeated
   * push is a success.
   * BATON_SECRET_FOUND: a commit that the remote lacks contains a secret, and nothing was sent (W7).
   */
  push(
    access: RepositoryAccess,
    options: { branch: string; sha: string; expectedSha: string | null } & ScanOptions,
  ): Promise<void>;
  /** The scan of a push, without the push: BATON_SECRET_FOUND as in `push` (W7). */
  scan(access: RepositoryAccess, options: { sha: string } & ScanOptions): Promise<void>;
  /**
   * Pushes a commit of the trusted repository to Baton's own ref at the remote, so that the commit outlives the machine
   * (W7).
   */
  pushKept(access: RepositoryAccess, options: { ref: string; sha: string } & ScanOptions): Promise<void>;
  /** Removes such a ref. A missing ref is a success. */
  dropKept(access: RepositoryAccess, options: { ref: string }): Promise<void>;
  /**
   * Commits that lead to `sha`, parents first. Either those that the remote lacks (its fetched branches and
   * `knownShas`), or the given number of newest commits.
   */
  commits(
    access: RepositoryAccess,
    sha: string,
    which: { outgoing: readonly string[] } | { newest: number },
  ): Promise<CommitFacts[]>;
  /** Current remote head of a branch. null: the branch is absent. */
  remoteHead(access: RepositoryAccess, branch: string): Promise<string | null>;
  deleteRemoteBranch(access: RepositoryAccess, options: { branch: string; expectedSha: string }): Promise<void>;
  /** A file at a commit of the trusted repository. null: the file is absent. */
  readFile(access: RepositoryAccess, sha: string, path: string): Promise<string | null>;
  /** Paths at a commit. */
  listFiles(access: RepositoryAccess, sha: string): Promise<string[]>;
  diffStat(access: RepositoryAccess, fromSha: string, toSha: string): Promise<FileChange[]>;
  /** The changes of `sha` since it left the history of `baseSha`. Both are known here or fetched. */
  changes(access: RepositoryAccess, baseSha: string, sha: string): Promise<FileChange[]>;
  /** The same changes as a unified diff, cut after the last whole line within `charactersMax`. */
  diff(
    access: RepositoryAccess,
    baseSha: string,
    sha: string,
    charactersMax: number,
    /** Only these paths, taken literally. */
    paths?: readonly string[],
  ): Promise<{ text: string; truncated: boolean }>;
  /** Mode and object of each path at a commit. null: the path is absent there. */
  pathStates(access: RepositoryAccess, sha: string, paths: readonly string[]): Promise<PathState[]>;
  /** The commit at which `sha` left the history of `baseSha`. */
  leftAt(access: RepositoryAccess, baseSha: string, sha: string): Promise<string>;
  isAncestor(access: RepositoryAccess, ancestorSha: string, sha: string): Promise<boolean>;
  /** Removes workspaces that no run needs (W6). Returns the removed and kept ones, with reasons. */
  collectGarbage(isActive: (runId: RunId) => Promise<boolean>): Promise<{ removed: string[]; kept: string[] }>;
}
