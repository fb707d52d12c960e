/**
 * The GitHub operations that Baton uses. Numbers and ids are GitHub's. Every write is an *ensure*: it checks before it
 * repeats, so that a lost answer never leaves two results.
 *
 * G1 All calls go through one client with a budget per installation (`limits.contentWrites*`). The client obeys
 *    403/429.
 * G2 Transport faults and 5xx are BATON_GITHUB_UNAVAILABLE. Limits are BATON_GITHUB_LIMITED (with retryAfterMs).
 *    401/403 are BATON_GITHUB_DENIED naming the permission. 404 is BATON_GITHUB_NOT_FOUND. 409/422 are
 *    BATON_GITHUB_CONFLICT, depending on the state.
 * G3 Reads return facts unchanged. `gate/` and `policy/` judge them.
 */
import type { Actor, Json, Permission, Repository } from "../core/vocabulary.ts";
import type { Liveness } from "../schedule/disabled.ts";
import type { RepositorySetup } from "./repository-setup.ts";

export interface GithubUser {
  id: number;
  login: string;
  kind: "user" | "bot";
}

export interface IssueFacts {
  number: number;
  title: string;
  body: string;
  state: "open" | "closed";
  author: GithubUser;
  isPullRequest: boolean;
  labels: string[];
  url: string;
}

export interface CommentFacts {
  id: number;
  body: string;
  author: GithubUser;
  /** Set if a GitHub App wrote the comment. */
  appId: number | null;
  createdAt: string;
  updatedAt: string;
  url: string;
  /** Its id in GraphQL. */
  nodeId: string;
}

/** Baton's comment, as GitHub keeps it. `createdAt`: by GitHub's own clock. */
/** Why a comment is folded: it is answered, or a newer one replaces it. */
export type FoldReason = "resolved" | "outdated";

export type PostedComment = Pick<CommentFacts, "id" | "url" | "nodeId" | "createdAt">;

/** The newest change of a file. */
export interface ChangeFacts {
  sha: string;
  /** The person who merged its pull request or pushed it. null: GitHub does not show that. */
  by: GithubUser | null;
  /** The pull request that contains the change. null: it was a push. */
  pullRequest: number | null;
}

/** Texts that people wrote in a repository, in any thread. */
export interface WrittenFacts {
  /** Number of the issue or pull request. */
  number: number;
  /** null: the issue's own text. */
  commentId: number | null;
  body: string;
  author: GithubUser;
  createdAt: string;
  /** Its id in GraphQL. */
  nodeId: string;
}

export interface PullRequestFacts {
  number: number;
  title: string;
  body: string;
  state: "open" | "closed";
  merged: boolean;
  mergeSha: string | null;
  draft: boolean;
  author: GithubUser;
  headSha: string;
  headRef: string;
  /** null: the fork was deleted. */
  headRepositoryId: number | null;
  baseRef: string;
  baseSha: string;
  mergeable: boolean | null;
  /** GitHub's own word for the state of a merge: `clean`, `blocked`, `behind`, `dirty`, `unknown` and others. */
  mergeableState: string;
  updatedAt: string;
  /** Only people with write access can comment. */
  locked: boolean;
  /** Its id in GraphQL. */
  nodeId: string;
  url: string;
}

export interface ReviewFacts {
  id: number;
  author: GithubUser;
  /** The author's permission on the repository, read from GitHub. */
  permission: Permission;
  /** Baton sees a review once it is submitted. */
  state: "approved" | "changes-requested" | "commented" | "dismissed";
  /** The commit of the review. */
  sha: string;
  body: string;
  comments: { path: string; line: number | null; body: string }[];
  submittedAt: string;
}

/** A thread of comments at a line of a pull request. Its first comment is Baton's. */
export interface OwnThreadFacts {
  /** In GraphQL. */
  id: string;
  isResolved: boolean;
  /** The first comment. */
  body: string;
  /** Logins that gave it a thumbs-down. */
  dislikedBy: string[];
}

export interface NewReview {
  sha: string;
  /** Baton never approves. */
  event: "comment" | "request-changes";
  body: string;
  /** The body where GitHub accepts no comment on these lines. */
  bodyWithFindings: string;
  comments: readonly {
    path: string;
    side: "LEFT" | "RIGHT";
    line: number;
    /** null: one line. */
    startLine: number | null;
    body: string;
  }[];
}

export interface PostedReview {
  id: number;
  url: string;
  /** False: GitHub refused the comments on lines, so the body has the findings. */
  onLines: boolean;
}

/** A check run or a commit status, in one shape. */
export interface CheckFacts {
  name: string;
  source: "check-run" | "status";
  /** GitHub App that reported the check. null: a status without an App. */
  appId: number | null;
  /** The check suite of one push or event and one App. null for statuses. */
  suiteId?: number | null;
  sha: string;
  status: "queued" | "in_progress" | "completed";
  conclusion:
    | "success"
    | "failure"
    | "neutral"
    | "cancelled"
    | "skipped"
    | "timed_out"
    | "action_required"
    | "stale"
    | null;
  id: number;
  url: string | null;
  startedAt: string | null;
  completedAt: string | null;
  /** `run_attempt` of its job, read only if a suite has several check runs of this name. null: unreadable. */
  attempt?: number | null;
  /** Title and summary by the check itself: untrusted. */
  summary: string;
}

/** An App's report for one push as a whole: complete only when nothing more comes. */
export interface CheckSuiteFacts {
  appId: number | null;
  appName: string;
  sha: string;
  status: "queued" | "in_progress" | "completed";
  /** `action_required`: its workflows wait for approval by a person. Absent in facts of an older Baton. */
  conclusion?: string | null;
  /** The suite's check runs so far. GitHub opens suites without any, which may stay empty forever. */
  checkRuns: number;
}

export interface RequiredCheck {
  name: string;
  /** null: any App may report it. */
  appId: number | null;
}

export type MergeMethod = "merge" | "squash" | "rebase";

export interface BranchRuleFacts {
  type: string;
  pattern?: { operator: string; pattern: string; negate: boolean };
  /** Merge methods that the rule allows. */
  methods?: MergeMethod[];
}

export interface CheckRunContent {
  name: string;
  status: "queued" | "in_progress" | "completed";
  conclusion: CheckFacts["conclusion"];
  title: string;
  summary: string;
  text: string;
  annotations: {
    path: string;
    line: number;
    level: "notice" | "warning" | "failure";
    message: string;
    title: string;
  }[];
  detailsUrl: string | null;
}

/** The lists of alerts that GitHub keeps. */
export const alertSources = ["code scanning", "Dependabot", "secret scanning"] as const;

export interface AlertFacts {
  alerts: Json[];
  missing: { source: string; reason: string }[];
  /** The list may be incomplete: Baton did not read it, or not to its end. */
  isPart: boolean;
}

export interface GithubDeliverySummary {
  id: number;
  guid: string;
  deliveredAt: string;
  ok: boolean;
  event: string;
  installationId: number | null;
}

/** GitHub as seen by one installation. */
export interface Github {
  repository(repositoryId: number): Promise<Repository>;
  permission(repository: Repository, login: string): Promise<Permission>;
  actor(repository: Repository, user: GithubUser): Promise<Actor>;
  /** The account that has this login now, with its permission. null: GitHub knows no such user. */
  person(repository: Repository, login: string): Promise<Actor | null>;
  collaborators(repository: Repository): Promise<Actor[]>;
  issue(repository: Repository, number: number): Promise<IssueFacts>;
  comments(repository: Repository, number: number, since?: string): Promise<CommentFacts[]>;
  /**
   * Comments of all threads, and texts of issues, that were written or changed since then.
   * `until`: the result omits some items that changed at that time or later. null: the result is complete.
   */
  written(
    repository: Pick<Repository, "owner" | "name">,
    since: string,
  ): Promise<{ written: WrittenFacts[]; until: string | null }>;
  /** Which of these texts nobody edited since they were written, by their ids in GraphQL. One call for 100 texts. */
  unedited(nodeIds: readonly string[]): Promise<ReadonlySet<string>>;
  pullRequest(repository: Repository, number: number): Promise<PullRequestFacts>;
  pullRequestsForBranch(repository: Repository, branch: string): Promise<PullRequestFacts[]>;
  reviews(repository: Repository, number: number): Promise<ReviewFacts[]>;
  /** Earlier tries too. Among equal names, sources, Apps and suites, the highest id is the newest. */
  checks(repository: Repository, sha: string): Promise<CheckFacts[]>;
  checkSuites(repository: Repository, sha: string): Promise<CheckSuiteFacts[]>;
  /** From rule sets and branch protection of `branch`. */
  requiredChecks(repository: Repository, branch: string): Promise<RequiredCheck[]>;
  /** All rules of rule sets for a branch, even one that does not exist. */
  branchRules(repository: Repository, branch: string): Promise<BranchRuleFacts[]>;
  /**
   * Permissions of Baton's token, by GitHub's names. null: GitHub does not report them. If one of `toWrite` is missing,
   * Baton asks again: an owner may have accepted it meanwhile.
   */
  granted(repository: Repository, toWrite: readonly string[]): Promise<Readonly<Record<string, string>> | null>;
  /** `methods`: null if this GitHub does not report them. */
  mergeSettings(repository: Repository): Promise<{ archived: boolean; methods: MergeMethod[] | null }>;
  /** Names of branches with this prefix. */
  branchesBeginning(repository: Repository, prefix: string): Promise<string[]>;
  /** The relevant part of a failed check's log or output, at most `bytesMax`: raw, untrusted. */
  checkLog(
    repository: Repository,
    check: Pick<CheckFacts, "id" | "source" | "summary">,
    bytesMax: number,
  ): Promise<string>;
  /** A file at a ref, or on the default branch if `ref` is null. null: the file is absent. */
  file(repository: Pick<Repository, "owner" | "name">, path: string, ref: string | null): Promise<string | null>;
  /** Names of the files in a folder at a ref. Empty: the folder is absent. */
  directory(repository: Repository, path: string, ref: string): Promise<string[]>;
  branchSha(repository: Repository, branch: string): Promise<string | null>;
  /** The person who moved the branch to this commit. null: GitHub does not show that. */
  pusher(repository: Repository, branch: string, sha: string): Promise<GithubUser | null>;
  pullRequestFiles(repository: Repository, number: number): Promise<string[]>;
  /** Threads that begin with a comment of Baton. */
  ownThreads(pull: Pick<PullRequestFacts, "nodeId">): Promise<OwnThreadFacts[]>;
  /** Whether `after` contains `before`. False also if GitHub no longer has one of them. */
  isAhead(repository: Repository, between: { before: string; after: string }): Promise<boolean>;
  /** Open alerts as GitHub gives them, without the values of secrets, and the names of unreadable lists. */
  alerts(repository: Repository): Promise<AlertFacts>;
  /** The tree of a commit: equal files give equal trees. */
  treeSha(repository: Repository, commit: string): Promise<string>;
  /** The newest commits of a branch, newest first. */
  recentCommits(repository: Repository, branch: string, count: number): Promise<{ sha: string; subject: string }[]>;
  /**
   * Files that differ between two commits of one line.
   * null: GitHub does not list them all, or a commit is gone.
   */
  changedPaths(repository: Repository, between: { before: string; after: string }): Promise<string[] | null>;
  /** The author of a file's newest change on a branch. null: the branch never had the file. */
  lastChange(repository: Repository, path: string, branch: string): Promise<ChangeFacts | null>;
  /** Whether GitHub continues to start its workflows. */
  liveness(repository: Repository): Promise<Liveness>;

  /** Number of our issue that contains `marker`. null: there is none (any more). */
  ownIssue(repository: Repository, marker: string, knownNumber: number | null): Promise<number | null>;
  /**
   * Our issue that contains `marker`: edited if its text differs, opened if there is none. An issue by another author
   * never counts, even with the marker.
   */
  ensureIssue(
    repository: Repository,
    options: { marker: string; title: string; body: string; knownNumber: number | null },
  ): Promise<{ number: number; url: string }>;
  /**
   * Finds our comment that contains `marker`, edits it if the body differs, or creates it.
   * `isAwaited`: people wait for this content, so an edit has the priority of any other write.
   */
  ensureComment(
    repository: Repository,
    number: number,
    marker: string,
    body: string,
    knownId: number | null,
    isAwaited?: boolean,
  ): Promise<PostedComment>;
  /** Our comment that contains `marker`. null: there is none. */
  ownComment(repository: Repository, number: number, marker: string): Promise<PostedComment | null>;
  /** Folds a comment. Nobody waits for that, so other writes come first. */
  minimizeComment(comment: Pick<CommentFacts, "nodeId">, because: FoldReason): Promise<void>;
  ensureReaction(
    repository: Repository,
    to: { comment: number } | { reviewComment: number } | { thread: number },
    content: "eyes" | "rocket" | "confused" | "+1" | "-1",
  ): Promise<void>;
  /** By head and base: adopts our open pull request if there is one. */
  ensurePullRequest(
    repository: Repository,
    options: { head: string; base: string; title: string; body: string; draft: boolean },
  ): Promise<PullRequestFacts>;
  updatePullRequest(repository: Repository, number: number, change: { title?: string; body?: string }): Promise<void>;
  ensureReviewRequest(repository: Repository, number: number, reviewers: string[], teams: string[]): Promise<void>;
  /** Our review with this marker, posted if there is none. A submitted review is never posted twice. */
  ensureReview(repository: Repository, number: number, marker: string, review: NewReview): Promise<PostedReview>;
  /** Edits the text of our review. False: it is not there, or is not ours. */
  editReview(repository: Repository, number: number, id: number, marker: string, body: string): Promise<boolean>;
  /** Folds our earlier review. `withdraw`: the reason why its request for changes no longer holds. null: it stays. */
  retireReview(
    repository: Repository,
    number: number,
    id: number,
    how: { fold: boolean; withdraw: string | null },
  ): Promise<void>;
  /** Resolves a thread. A thread that is gone, or that Baton may not resolve, stays as it is. */
  resolveThread(id: string): Promise<void>;
  /** Our answer to a comment at a line, in its thread. null: the comment is gone. */
  ensureReply(
    repository: Repository,
    number: number,
    to: number,
    marker: string,
    body: string,
  ): Promise<{ id: number; url: string } | null>;
  /** By external id, head SHA and name. */
  ensureCheckRun(
    repository: Repository,
    sha: string,
    externalId: string,
    content: CheckRunContent,
    knownId: number | null,
  ): Promise<{ id: number; url: string | null }>;
  /** A pull request that is already merged at this SHA is a success. A moved head is BATON_GITHUB_CONFLICT. */
  ensureMerged(
    repository: Repository,
    number: number,
    sha: string,
    method: "merge" | "squash" | "rebase",
    /** Message of the commit by a merge or a squash. A rebase makes no such commit. */
    commit: { title: string; message: string } | null,
  ): Promise<{ sha: string }>;

  /**
   * A commit of an existing tree and parents. No ref moves, so a second equal commit is harmless. The commit names
   * nobody, so that GitHub signs it for an App: `verified`.
   */
  createCommit(
    repository: Repository,
    commit: { message: string; tree: string; parents: readonly string[] },
  ): Promise<{ sha: string; verified: boolean; reason: string }>;

  /** Merges the base into the head, if the head is at `sha`. Returns the new head. */
  updateBranch(pull: Pick<PullRequestFacts, "nodeId">, sha: string): Promise<string>;
  /** Puts the head into the merge queue of its base. A head that is already there is a success. */
  ensureEnqueued(pull: Pick<PullRequestFacts, "nodeId">, sha: string): Promise<void>;
  isInMergeQueue(pull: Pick<PullRequestFacts, "nodeId">): Promise<boolean>;
  /** When somebody last changed the base. null: nobody did. */
  baseChangedAt(pull: Pick<PullRequestFacts, "nodeId">): Promise<string | null>;

  /**
   * Starts a workflow. A second call starts it again, and the claims leave one of them idle. null: this GitHub does not
   * report which run it started.
   */
  dispatchWorkflow(
    repository: Repository,
    workflow: string,
    ref: string,
    inputs: Record<string, string>,
  ): Promise<WorkflowRun | null>;
  /** null: there is no such run, or Baton may not read it. */
  workflowRunIsOver(repository: Repository, id: string): Promise<boolean | null>;

  /** Workflow runs of a commit that wait for a person's approval. null: Baton may not read them. */
  waitingWorkflowRuns(repository: Repository, sha: string): Promise<number[] | null>;
  /** Starts such a run. One that no longer waits is a success. False: GitHub refuses. */
  approveWorkflowRun(repository: Repository, id: number): Promise<boolean>;

  /** For `/baton setup`. */
  setup(repository: Repository): RepositorySetup;

  /** Clone URL without credentials, and a token limited to this repository. */
  gitAccess(repository: Repository, access: "read" | "write"): Promise<{ url: string; token: string | null }>;
}

/** A run of a workflow of GitHub Actions. */
export interface WorkflowRun {
  id: string;
  /** Its web page. */
  url: string;
}

/** GitHub as seen by the App itself. */
export interface GithubApp {
  installation(installationId: number): Promise<Github>;
  /** The App's own bot user and id: for its own comments, the loop guard, and the commit identity. */
  identity(): Promise<{ appId: number; slug: string; bot: GithubUser }>;
  /** Deliveries of the last days, newest first. `cursor`: from the previous page. */
  deliveries(cursor: string | null): Promise<{ deliveries: GithubDeliverySummary[]; nextCursor: string | null }>;
  redeliver(deliveryId: number): Promise<void>;
  /** All repositories that its installations reach. Empty for a job, which knows its own. */
  repositories(): Promise<Repository[]>;
}
