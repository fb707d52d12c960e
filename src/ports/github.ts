/**
 * What Baton asks of GitHub, and nothing more. Numbers and ids are GitHub's. Every write is an *ensure*:
 * it looks before it repeats, so that a lost answer never leaves two.
 *
 * G1 All calls go through one client with a budget per installation (`limits.contentWrites*`); 403/429 are obeyed.
 * G2 Transport faults and 5xx are BATON_GITHUB_UNAVAILABLE, limits BATON_GITHUB_LIMITED (with retryAfterMs),
 *    401/403 BATON_GITHUB_DENIED naming the permission, 404 BATON_GITHUB_NOT_FOUND, 409/422 by state BATON_GITHUB_CONFLICT.
 * G3 Reads return facts as they are; judging them is the work of `gate/` and `policy/`.
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
  /** Set when a GitHub App wrote it. */
  appId: number | null;
  createdAt: string;
  updatedAt: string;
  url: string;
  /** Its name in GraphQL. */
  nodeId: string;
}

/** A comment of Baton's, as GitHub keeps it. `createdAt`: by GitHub's own clock. */
export type PostedComment = Pick<CommentFacts, "id" | "url" | "nodeId" | "createdAt">;

/** The newest change of a file. */
export interface ChangeFacts {
  sha: string;
  /** Who merged the pull request that brought it, or pushed it; null: GitHub does not tell. */
  by: GithubUser | null;
  /** The pull request that brought it; null: a push did. */
  pullRequest: number | null;
}

/** What people wrote in a repository, whichever thread it is in. */
export interface WrittenFacts {
  /** Of the issue or pull request. */
  number: number;
  /** null: the issue's own text. */
  commentId: number | null;
  body: string;
  author: GithubUser;
  createdAt: string;
  /** Of an issue anything that happened to it counts. */
  updatedAt: string;
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
  /** null when the fork was deleted. */
  headRepositoryId: number | null;
  baseRef: string;
  baseSha: string;
  mergeable: boolean | null;
  /** GitHub's own word for what a merge waits for: `clean`, `blocked`, `behind`, `dirty`, `unknown` and others. */
  mergeableState: string;
  updatedAt: string;
  /** Only people who may write comment. */
  locked: boolean;
  /** Its name in GraphQL. */
  nodeId: string;
  url: string;
}

export interface ReviewFacts {
  id: number;
  author: GithubUser;
  /** Permission of the author on the repository, read from GitHub. */
  permission: Permission;
  /** Baton sees a review once it is submitted. */
  state: "approved" | "changes-requested" | "commented" | "dismissed";
  /** The commit that the review was given for. */
  sha: string;
  body: string;
  comments: { path: string; line: number | null; body: string }[];
  submittedAt: string;
}

/** A check run or a commit status, in one shape. */
export interface CheckFacts {
  name: string;
  source: "check-run" | "status";
  /** GitHub App that reported it; null for statuses without one. */
  appId: number | null;
  /** The check suite: of one push or event and App; null for statuses. */
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
  /** `run_attempt` of its job, read only where a suite has several check runs of this name; null: it could not be read. */
  attempt?: number | null;
  /** Title and summary that the check itself wrote; untrusted. */
  summary: string;
}

/** What an App reports for one push, as a whole: complete only when nothing more comes. */
export interface CheckSuiteFacts {
  appId: number | null;
  appName: string;
  sha: string;
  status: "queued" | "in_progress" | "completed";
  /** `action_required`: its workflows wait for a person to approve them. Absent in facts of an older Baton. */
  conclusion?: string | null;
  /** Check runs that it has so far; a suite without any was opened by GitHub and may stay empty for ever. */
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
  /** Merge methods that it allows. */
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

export interface AlertFacts {
  alerts: Json[];
  missing: { source: string; reason: string }[];
  /** There may be more than these: a list was not read, or not to its end. */
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
  collaborators(repository: Repository): Promise<Actor[]>;
  issue(repository: Repository, number: number): Promise<IssueFacts>;
  comments(repository: Repository, number: number, since?: string): Promise<CommentFacts[]>;
  /**
   * Comments of all threads, and texts of issues, that were written or changed since. `until`: some are left out that
   * changed then or later; null: these are all.
   */
  written(
    repository: Pick<Repository, "owner" | "name">,
    since: string,
  ): Promise<{ written: WrittenFacts[]; until: string | null }>;
  pullRequest(repository: Repository, number: number): Promise<PullRequestFacts>;
  pullRequestsForBranch(repository: Repository, branch: string): Promise<PullRequestFacts[]>;
  reviews(repository: Repository, number: number): Promise<ReviewFacts[]>;
  /** Earlier tries too: of one name, source, App and suite the highest id is the newest. */
  checks(repository: Repository, sha: string): Promise<CheckFacts[]>;
  checkSuites(repository: Repository, sha: string): Promise<CheckSuiteFacts[]>;
  /** From rulesets and branch protection of `branch`. */
  requiredChecks(repository: Repository, branch: string): Promise<RequiredCheck[]>;
  /** All rules of rule sets that hold for a branch, whether it exists or not. */
  branchRules(repository: Repository, branch: string): Promise<BranchRuleFacts[]>;
  /**
   * Permissions of Baton's token, by GitHub's names; null where GitHub does not tell. Asked again where one of `toWrite` seems
   * to be missing: an owner may have accepted it meanwhile.
   */
  granted(repository: Repository, toWrite: readonly string[]): Promise<Readonly<Record<string, string>> | null>;
  /** `methods`: null where this GitHub does not tell. */
  mergeSettings(repository: Repository): Promise<{ archived: boolean; methods: MergeMethod[] | null }>;
  /** Names of branches that begin so. */
  branchesBeginning(repository: Repository, prefix: string): Promise<string[]>;
  /** The telling part of a failed check's log or output, at most `bytesMax`; raw, untrusted. */
  checkLog(
    repository: Repository,
    check: Pick<CheckFacts, "id" | "source" | "summary">,
    bytesMax: number,
  ): Promise<string>;
  /** A file at a ref, or without one on the default branch; null when absent. */
  file(repository: Pick<Repository, "owner" | "name">, path: string, ref: string | null): Promise<string | null>;
  /** Names of the files in a folder at a ref; none when it is absent. */
  directory(repository: Repository, path: string, ref: string): Promise<string[]>;
  branchSha(repository: Repository, branch: string): Promise<string | null>;
  /** Who moved the branch to this commit; null where GitHub does not tell. */
  pusher(repository: Repository, branch: string, sha: string): Promise<GithubUser | null>;
  pullRequestFiles(repository: Repository, number: number): Promise<string[]>;
  /** Open alerts as GitHub gives them, without the values of secrets; and which of its lists cannot be read. */
  alerts(repository: Repository): Promise<AlertFacts>;
  /** The tree of a commit: the same for the same files. */
  treeSha(repository: Repository, commit: string): Promise<string>;
  /** The newest commits of a branch, newest first. */
  recentCommits(repository: Repository, branch: string, count: number): Promise<string[]>;
  /** Files that differ between two commits of one line; null: they are more than GitHub names, or a commit is gone. */
  changedPaths(repository: Repository, between: { before: string; after: string }): Promise<string[] | null>;
  /** Who brought the newest change of a file onto a branch; null: the branch never had the file. */
  lastChange(repository: Repository, path: string, branch: string): Promise<ChangeFacts | null>;
  /** Whether GitHub goes on waking its workflows. */
  liveness(repository: Repository): Promise<Liveness>;

  /** Number of the issue of ours that carries `marker`; null: there is none, or none any more. */
  ownIssue(repository: Repository, marker: string, knownNumber: number | null): Promise<number | null>;
  /**
   * The issue of ours that carries `marker`: edited if its text differs, opened where there is none. An issue that somebody
   * else wrote is never taken for it, whatever it carries.
   */
  ensureIssue(
    repository: Repository,
    options: { marker: string; title: string; body: string; knownNumber: number | null },
  ): Promise<{ number: number; url: string }>;
  /**
   * Finds the comment of ours that carries `marker`, edits it if the body differs, creates it if there is none.
   * `isAwaited`: people wait for this content, so an edit goes like any other write.
   */
  ensureComment(
    repository: Repository,
    number: number,
    marker: string,
    body: string,
    knownId: number | null,
    isAwaited?: boolean,
  ): Promise<PostedComment>;
  /** The comment of ours that carries `marker`; null: there is none. */
  ownComment(repository: Repository, number: number, marker: string): Promise<PostedComment | null>;
  /** Folds a comment away as resolved. Nobody waits for it, so it gives way to other writes. */
  minimizeComment(comment: Pick<CommentFacts, "nodeId">): Promise<void>;
  ensureReaction(
    repository: Repository,
    to: { comment: number } | { reviewComment: number } | { thread: number },
    content: "eyes" | "rocket" | "confused" | "+1" | "-1",
  ): Promise<void>;
  /** By head and base: adopts an open one of ours. */
  ensurePullRequest(
    repository: Repository,
    options: { head: string; base: string; title: string; body: string; draft: boolean },
  ): Promise<PullRequestFacts>;
  updatePullRequest(repository: Repository, number: number, change: { title?: string; body?: string }): Promise<void>;
  ensureReviewRequest(repository: Repository, number: number, reviewers: string[], teams: string[]): Promise<void>;
  /** By external id, head SHA and name. */
  ensureCheckRun(
    repository: Repository,
    sha: string,
    externalId: string,
    content: CheckRunContent,
    knownId: number | null,
  ): Promise<{ id: number; url: string | null }>;
  /** Already merged at this SHA is success; a moved head is BATON_GITHUB_CONFLICT. */
  ensureMerged(
    repository: Repository,
    number: number,
    sha: string,
    method: "merge" | "squash" | "rebase",
    /** Of the commit that a merge or a squash makes; a rebase makes none of its own. */
    commit: { title: string; message: string } | null,
  ): Promise<{ sha: string }>;

  /**
   * A commit of a tree and parents that are there; no ref moves, so a second one of the same does no harm. It names nobody, so that
   * GitHub signs it for an App: `verified`.
   */
  createCommit(
    repository: Repository,
    commit: { message: string; tree: string; parents: readonly string[] },
  ): Promise<{ sha: string; verified: boolean; reason: string }>;

  /** Merges the base into the head, if it is at `sha`; the new head. */
  updateBranch(pull: Pick<PullRequestFacts, "nodeId">, sha: string): Promise<string>;
  /** In the merge queue of its base at this head; there already is success. */
  ensureEnqueued(pull: Pick<PullRequestFacts, "nodeId">, sha: string): Promise<void>;
  isInMergeQueue(pull: Pick<PullRequestFacts, "nodeId">): Promise<boolean>;
  /** When somebody last sent it to another base; null: nobody did. */
  baseChangedAt(pull: Pick<PullRequestFacts, "nodeId">): Promise<string | null>;

  /** Starts a workflow; asked twice, it starts twice, and the claims make one of them idle. null: this GitHub does not tell which run it began. */
  dispatchWorkflow(
    repository: Repository,
    workflow: string,
    ref: string,
    inputs: Record<string, string>,
  ): Promise<WorkflowRun | null>;
  /** null: there is no such run, or it may not be read. */
  workflowRunIsOver(repository: Repository, id: string): Promise<boolean | null>;

  /** For `/baton setup`. */
  setup(repository: Repository): RepositorySetup;

  /** Clone URL without credentials, and a token narrowed to this repository. */
  gitAccess(repository: Repository, access: "read" | "write"): Promise<{ url: string; token: string | null }>;
}

/** A run of a workflow of GitHub Actions. */
export interface WorkflowRun {
  id: string;
  /** Its page. */
  url: string;
}

/** GitHub as seen by the App itself. */
export interface GithubApp {
  installation(installationId: number): Promise<Github>;
  /** The App's own bot user and id: own comments, loop guard, commit identity. */
  identity(): Promise<{ appId: number; slug: string; bot: GithubUser }>;
  /** Deliveries of the last days, newest first; `cursor` from the page before. */
  deliveries(cursor: string | null): Promise<{ deliveries: GithubDeliverySummary[]; nextCursor: string | null }>;
  redeliver(deliveryId: number): Promise<void>;
  /** All that its installations reach. None for a job, which knows its own. */
  repositories(): Promise<Repository[]>;
}
