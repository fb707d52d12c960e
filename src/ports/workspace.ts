/**
 * Isolated worktrees for agents, and the one way in which their commits come back.
 *
 * W1 An agent works in a repository of its attempt: no credentials, no hooks, no host config, and no remote but Baton's own door
 *    to older files, where the repository is too large to be there whole.
 * W2 The host runs no porcelain in an agent's tree, and never discovers a repository from it.
 * W3 What changed is measured by git objects, never by the agent's word; leftovers become a rescue commit.
 * W4 Commits enter the trusted repository by fetch with fsck; they are there before the workspace is removed.
 * W5 A branch is pushed by compare-and-swap; a moved branch is BATON_BRANCH_MOVED, nothing is overwritten.
 * W7 Nothing leaves by git before the scan for secrets has read every commit that the remote does not have.
 * W6 Garbage collection takes only workspaces whose run is over or unknown and whose commits are kept.
 */
import type { FileChange } from "../core/effect.ts";
import type { PathState } from "../core/shown-change.ts";
import type { Repository, RunId } from "../core/vocabulary.ts";

export interface RepositoryAccess {
  repository: Repository;
  /** Clone URL without credentials. */
  url: string;
  /** A fresh token for this repository; passed to git by environment, never by argument or URL. null for public or local. */
  token(): Promise<string | null>;
}

export interface Workspace {
  /** Absolute path of the worktree. */
  path: string;
  /** Temporary directory and home of the agent, outside the tree, removed with it. */
  homePath: string;
  baseSha: string;
  /** Directories of this attempt alone: the tree, its git directory, the home. */
  writable: readonly string[];
  /** Object directories that its repository borrows. They hold only what the remote gave. */
  readable: readonly string[];
  /** Ports on 127.0.0.1 from which its git gets older files of a large repository; absent: none. */
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
  /** Subject of the rescue commit for what was left uncommitted. */
  rescueSubject: string;
  /** Removes secrets from messages. Without it they stay. */
  redact?: (text: string) => string;
  /** Milliseconds since the epoch: no commit is dated later. Without it, this machine's time. */
  now?: number;
  /** As in `ScanOptions`, for keepers whose copy others can read. */
  allowSecrets?: readonly string[];
  limits: { filesMax: number; blobBytesMax: number; importBytesMax: number };
}

export interface ImportResult {
  /** null when the tree equals the base. */
  headSha: string | null;
  commits: number;
  /**
   * Every path that a commit on the way changes. One that a later commit takes back is listed too, with the lines that the commits
   * added and removed.
   */
  files: FileChange[];
  rescued: boolean;
  /** Commits of the attempt that are not in the result; absent: none. */
  aside?: AsideCommits[];
}

/** Commits on another branch, in a stash or in a worktree of the attempt. */
export interface AsideCommits {
  /** As the agent's repository names it: a branch, `tags/…`, `stash@{0}`, `worktree <name>`. */
  name: string;
  headSha: string;
  commits: number;
  /** Where the trusted repository keeps them; null: they were refused. */
  ref: string | null;
  /** Why they were refused. */
  refused?: string;
}

export interface BundleImport {
  /** The worker's own head, or the rewritten one. */
  headSha: string;
  files: FileChange[];
}

export interface ScanOptions {
  /** Commits that the remote has, in addition to its fetched branches: what the run began from. */
  knownShas?: readonly string[];
  /** Globs of files in which strings that look like tokens are allowed (`secrets.allow`). */
  allowSecrets?: readonly string[];
}

/** A commit by what makes it, without its people, dates and signature. */
export interface CommitFacts {
  sha: string;
  tree: string;
  parents: string[];
  message: string;
}

export interface JoinResult {
  headSha: string;
  /** How many of the commits, from the first, are in it. */
  joined: number;
  /** The first that git could not merge, and where. */
  conflict: { sha: string; paths: string[] } | null;
}

export interface Workspaces {
  /** Brings the trusted mirror of the repository up to date with the remote; returns the SHA of `ref` (branch name, `refs/…` or SHA). */
  fetch(access: RepositoryAccess, ref: string): Promise<string>;
  /** Creates (or, after a crash, finds) the workspace of one effect attempt, at `baseSha`. */
  create(
    access: RepositoryAccess,
    options: {
      runId: RunId;
      name: string;
      baseSha: string;
      /** Further commits that the agent may look at; known here. */
      reads?: readonly string[];
    },
  ): Promise<Workspace>;
  /**
   * Commits leftovers, checks and fetches the result into the trusted repository under `refs/baton/…`. BATON_TREE_REFUSED says why not.
   * Of a workspace that a crash cut off while it was removed, what was imported before; of one cut off while it was made, nothing.
   */
  import(
    access: RepositoryAccess,
    options: { runId: RunId; name: string; baseSha: string },
    importOptions: ImportOptions,
  ): Promise<ImportResult>;
  /** Paths that differ from the base in the tree of a step that may not write: measured by git, and not taken in. */
  strayChanges(access: RepositoryAccess, options: { runId: RunId; name: string; baseSha: string }): Promise<string[]>;
  /** The commits that lead to `sha` and that the remote does not have, as a git bundle; null when it has them all. */
  bundle(access: RepositoryAccess, sha: string): Promise<Uint8Array | null>;
  /** Takes a commit in that a bundle of ours brings: what a worker elsewhere begins from. */
  adoptBundle(access: RepositoryAccess, options: { headSha: string; bytes: Uint8Array }): Promise<void>;
  /**
   * Imports the commits of a bundle from a worker elsewhere, checked and rewritten as an agent's own are (W3, W4). `headSha` must
   * be in it and descend from `baseSha`. Commits that already carry Baton's metadata keep their ids.
   * Returns every path that a commit on the way changes, by git.
   */
  importBundle(
    access: RepositoryAccess,
    options: { runId: RunId; name: string; baseSha: string; headSha: string; bytes: Uint8Array },
    importOptions: ImportOptions,
  ): Promise<BundleImport>;
  /**
   * Merges commits of the trusted repository onto `baseSha`, in order, by git's objects alone (W2); stops before the first that
   * conflicts. The same commits give the same result. What is merged is kept under `refs/baton/…`.
   */
  join(
    access: RepositoryAccess,
    options: { runId: RunId; name: string; baseSha: string; shas: readonly string[]; message: string },
    importOptions: Pick<ImportOptions, "identity" | "trailers">,
  ): Promise<JoinResult>;
  /** Removes the workspace of one attempt; what was imported stays. */
  remove(access: RepositoryAccess, options: { runId: RunId; name: string }): Promise<void>;
  /**
   * Pushes a commit of the trusted repository to `branch` if the remote is at `expectedSha` (null: absent). Already there: success.
   * BATON_SECRET_FOUND: a commit that the remote does not have holds a secret; nothing was sent (W7).
   */
  push(
    access: RepositoryAccess,
    options: { branch: string; sha: string; expectedSha: string | null } & ScanOptions,
  ): Promise<void>;
  /** The scan of a push, without the push: BATON_SECRET_FOUND as `push` says it (W7). */
  scan(access: RepositoryAccess, options: { sha: string } & ScanOptions): Promise<void>;
  /** Pushes a commit of the trusted repository to a ref of Baton's own at the remote, so that it outlives this machine (W7). */
  pushKept(access: RepositoryAccess, options: { ref: string; sha: string } & ScanOptions): Promise<void>;
  /** Removes such a ref; one that is gone is success. */
  dropKept(access: RepositoryAccess, options: { ref: string }): Promise<void>;
  /**
   * Commits that lead to `sha`, parents first: those that the remote does not have (its fetched branches and `knownShas`), or
   * the newest so many.
   */
  commits(
    access: RepositoryAccess,
    sha: string,
    which: { outgoing: readonly string[] } | { newest: number },
  ): Promise<CommitFacts[]>;
  /** Current remote head of a branch; null when absent. */
  remoteHead(access: RepositoryAccess, branch: string): Promise<string | null>;
  deleteRemoteBranch(access: RepositoryAccess, options: { branch: string; expectedSha: string }): Promise<void>;
  /** A file at a commit of the trusted repository; null when absent. */
  readFile(access: RepositoryAccess, sha: string, path: string): Promise<string | null>;
  /** Paths at a commit. */
  listFiles(access: RepositoryAccess, sha: string): Promise<string[]>;
  diffStat(access: RepositoryAccess, fromSha: string, toSha: string): Promise<FileChange[]>;
  /** What `sha` changes since it left the history of `baseSha`; both are known here or fetched. */
  changes(access: RepositoryAccess, baseSha: string, sha: string): Promise<FileChange[]>;
  /** The same as a unified diff, cut after the last whole line within `charactersMax`. */
  diff(
    access: RepositoryAccess,
    baseSha: string,
    sha: string,
    charactersMax: number,
    /** Only these, taken literally. */
    paths?: readonly string[],
  ): Promise<{ text: string; truncated: boolean }>;
  /** Mode and object of each path at a commit; null where it is absent. */
  pathStates(access: RepositoryAccess, sha: string, paths: readonly string[]): Promise<PathState[]>;
  /** Where `sha` left the history of `baseSha`. */
  leftAt(access: RepositoryAccess, baseSha: string, sha: string): Promise<string>;
  isAncestor(access: RepositoryAccess, ancestorSha: string, sha: string): Promise<boolean>;
  /** Removes what no run needs (W6); returns what was removed and kept, with reasons. */
  collectGarbage(isActive: (runId: RunId) => Promise<boolean>): Promise<{ removed: string[]; kept: string[] }>;
}
