/**
 * The memory of the local GitHub, as plain data. A snapshot is `structuredClone(state)`, and stale reads use one. Git
 * objects live on disk. Refs are mirrored here because they change and objects do not.
 *
 * Owns: the shapes and the look-ups. Does not own: visibility (`access.ts`), the API's form of objects (`resources/`).
 * S1 Ids are never used twice, for any kind of object. S2 Only `deeds/refs.ts` changes `refs`.
 */
import type { MergeMethod, RuleSet } from "./rules.ts";

const roles = ["none", "read", "triage", "write", "maintain", "admin"] as const;
export type Role = (typeof roles)[number];
export type Grants = Record<string, "read" | "write">;

export interface Account {
  id: number;
  login: string;
  kind: "User" | "Organization" | "Bot";
  name: string | null;
  createdAt: string;
  /** Set on the bot user of an App. */
  appId: number | null;
  /** Members of an organization. */
  memberIds: number[];
}

export interface App {
  id: number;
  clientId: string;
  clientSecret: string;
  callbackUrls: string[];
  slug: string;
  name: string;
  ownerId: number;
  botId: number;
  hookId: number;
  grants: Grants;
  events: string[];
  webhook: { url: string; secret: string } | null;
  publicKeyPem: string;
  createdAt: string;
}

export interface Installation {
  id: number;
  appId: number;
  accountId: number;
  selection: "all" | "selected";
  repositoryIds: number[];
  grants: Grants;
  events: string[];
  createdAt: string;
  updatedAt: string;
  suspendedAt: string | null;
}

export interface Token {
  value: string;
  userId: number | null;
  installationId: number | null;
  /** Narrowed grants. Null on a user's token. */
  grants: Grants | null;
  repositoryIds: number[] | null;
  expiresAt: string | null;
}

export interface Label {
  id: number;
  name: string;
  color: string;
  description: string | null;
}

export interface Reaction {
  id: number;
  userId: number;
  content: ReactionContent;
  createdAt: string;
}
export const reactionContents = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"] as const;
export type ReactionContent = (typeof reactionContents)[number];

export interface Comment {
  id: number;
  threadNumber: number;
  authorId: number;
  appId: number | null;
  body: string;
  createdAt: string;
  updatedAt: string;
  /** Absent: nobody edited its text. */
  editedAt?: string;
  reactions: Reaction[];
  /** Why it is minimized. Absent: it is not. */
  minimized?: string | null;
}

type ReviewState = "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED" | "PENDING";
export interface Review {
  id: number;
  authorId: number;
  state: ReviewState;
  body: string;
  sha: string;
  submittedAt: string | null;
  /** Why it is minimized. Absent: it is not. */
  minimized?: string | null;
}

export interface ReviewComment {
  id: number;
  reviewId: number;
  authorId: number;
  path: string;
  line: number | null;
  /** The first line of several. Absent: one line. */
  startLine?: number;
  side: "LEFT" | "RIGHT";
  body: string;
  sha: string;
  diffHunk: string;
  createdAt: string;
  updatedAt: string;
  inReplyToId: number | null;
  /** Set on the first comment of a thread. */
  resolved?: boolean;
  reactions: Reaction[];
}

export interface PullRequest {
  id: number;
  headRepositoryId: number | null;
  /** Kept for the label when the fork is gone. */
  headOwnerLogin: string;
  headRef: string;
  headSha: string;
  baseRef: string;
  baseSha: string;
  /** When a person last changed its base. */
  baseChangedAt?: string;
  draft: boolean;
  mergedAt: string | null;
  mergedById: number | null;
  mergeSha: string | null;
  mergeable: boolean;
  requestedReviewerIds: number[];
  requestedTeams: string[];
  reviews: Review[];
  reviewComments: ReviewComment[];
  counts: { commits: number; additions: number; deletions: number; files: number };
  /** The head lacks commits of the base. */
  behind: boolean;
  queuedSha: string | null;
  autoMergeBy: number | null;
}

/** An issue, or a pull request, which is an issue with more fields. */
export interface Thread {
  id: number;
  number: number;
  title: string;
  body: string | null;
  state: "open" | "closed";
  stateReason: "completed" | "not_planned" | "reopened" | null;
  authorId: number;
  appId: number | null;
  labelIds: number[];
  assigneeIds: number[];
  createdAt: string;
  updatedAt: string;
  /** Absent: nobody edited its text. */
  editedAt?: string;
  closedAt: string | null;
  closedById: number | null;
  reactions: Reaction[];
  /** Only people with write access may comment. */
  locked: boolean;
  pull: PullRequest | null;
}

type CheckStatus = "queued" | "in_progress" | "completed";
export const checkConclusions = [
  "success",
  "failure",
  "neutral",
  "cancelled",
  "skipped",
  "timed_out",
  "action_required",
] as const;
export type CheckConclusion = (typeof checkConclusions)[number];
export interface Annotation {
  path: string;
  start_line: number;
  end_line: number;
  start_column?: number | undefined;
  end_column?: number | undefined;
  annotation_level: "notice" | "warning" | "failure";
  message: string;
  title?: string | undefined;
  raw_details?: string | undefined;
}

export interface CheckRun {
  id: number;
  suiteId: number;
  appId: number;
  name: string;
  headSha: string;
  externalId: string;
  detailsUrl: string | null;
  status: CheckStatus;
  conclusion: CheckConclusion | null;
  startedAt: string | null;
  completedAt: string | null;
  output: { title: string | null; summary: string | null; text: string | null };
  annotations: Annotation[];
  /** For a job of GitHub Actions: the attempt of its workflow run. */
  attempt?: number;
}

export interface CheckSuite {
  id: number;
  appId: number;
  /** For a suite of GitHub Actions. */
  workflowRunId?: number;
  headBranch: string | null;
  headSha: string;
  before: string | null;
  createdAt: string;
  updatedAt: string;
  /** The last reported status, so that `completed` is reported once. */
  status: CheckStatus;
  conclusion: CheckConclusion | null;
}

export interface CommitStatus {
  id: number;
  sha: string;
  state: "error" | "failure" | "pending" | "success";
  context: string;
  description: string | null;
  targetUrl: string | null;
  creatorId: number;
  createdAt: string;
}

export interface RequiredCheckRule {
  context: string;
  appId: number | null;
}

export interface CiSettings {
  /** Name of the check run. */
  name: string;
  command: string[];
  /** File name of its workflow. A dispatch starts the job by this name. */
  workflow?: string;
  /** Further jobs of the same workflow run. Names may repeat, as on GitHub. */
  more?: Pick<CiSettings, "name" | "command">[];
  timeoutMs?: number;
  /** Each run waits for a person who approves it. */
  needsApproval?: boolean;
  env?: Record<string, string>;
}

export interface Activity {
  id: number;
  ref: string;
  before: string | null;
  after: string | null;
  actorId: number;
  at: string;
  forced: boolean;
}

export type AlertKind = "codeScanning" | "dependabot" | "secretScanning";

export interface Alert {
  number: number;
  state: "open" | "dismissed" | "fixed";
  /** Id of the rule or the advisory, or type of a secret. */
  rule: string;
  summary: string;
  severity: "low" | "medium" | "high" | "critical";
  path: string | null;
  line: number | null;
  packageName: string;
  createdAt: string;
}

export interface Repository {
  id: number;
  ownerId: number;
  name: string;
  description: string | null;
  private: boolean;
  /** Its owner is on the free plan. A private repository then has no branch rules. */
  freePlan: boolean;
  defaultBranch: string;
  createdAt: string;
  updatedAt: string;
  pushedAt: string;
  parentId: number | null;
  roles: Map<number, Role>;
  refs: Map<string, string>;
  nextNumber: number;
  threads: Map<number, Thread>;
  /** Numbers of issues that an admin deleted. */
  deletedIssues: Set<number>;
  comments: Map<number, Comment>;
  labels: Map<number, Label>;
  checkRuns: Map<number, CheckRun>;
  checkSuites: Map<number, CheckSuite>;
  statuses: CommitStatus[];
  /** Required checks by branch, from a ruleset or from classic branch protection. */
  rulesets: Map<string, RequiredCheckRule[]>;
  protections: Map<string, RequiredCheckRule[]>;
  /** Branches whose required checks require a head with all commits of the base. */
  strictBranches: Set<string>;
  /** Further rules, by glob of branches (`rules.ts`). */
  ruleSets: RuleSet[];
  mergeMethods: Set<MergeMethod>;
  autoMerge: boolean;
  archived: boolean;
  /** File names of workflows that somebody switched off. */
  disabledWorkflows: Set<string>;
  /** Others make their repositories from it. */
  template: boolean;
  /** Commits that the API made for an App, with the payload that GitHub signed and its signature. */
  signedCommits: Map<string, { payload: string; signature: string; at: string }>;
  /** Names of secrets that workflows can read, with the time when each was set. There are no values. */
  secrets: Map<string, string>;
  /** Null: the feature is disabled. */
  alerts: Record<AlertKind, Alert[] | null>;
  ci: CiSettings | null;
  jobLogs: Map<number, string>;
  /** Movements of refs, oldest first. */
  activities: Activity[];
}

export interface State {
  /** Workflow runs that the code in the runners' role reported, by id. */
  workflowRuns: Map<number, { status: "in_progress" | "completed"; at: string }>;
  nextId: number;
  accounts: Map<number, Account>;
  apps: Map<number, App>;
  /** Registered manifests by their codes. Each code gives the credentials once. */
  manifestCodes: Map<string, { appId: number; privateKey: string; secret: string }>;
  installations: Map<number, Installation>;
  tokens: Map<string, Token>;
  repositories: Map<number, Repository>;
}

export function emptyState(): State {
  return {
    workflowRuns: new Map(),
    nextId: 1001,
    accounts: new Map(),
    apps: new Map(),
    manifestCodes: new Map(),
    installations: new Map(),
    tokens: new Map(),
    repositories: new Map(),
  };
}

export function takeId(state: State): number {
  return state.nextId++;
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

export function accountOf(state: State, id: number): Account {
  const account = state.accounts.get(id);
  if (account === undefined) throw new Error(`The local GitHub has no account ${id}.`);
  return account;
}

export function findAccount(state: State, login: string): Account | undefined {
  for (const account of state.accounts.values()) if (same(account.login, login)) return account;
  return undefined;
}

export function ownerOf(state: State, repository: Repository): Account {
  return accountOf(state, repository.ownerId);
}

export function fullName(state: State, repository: Repository): string {
  return `${ownerOf(state, repository).login}/${repository.name}`;
}

export function findRepository(state: State, owner: string, name: string): Repository | undefined {
  for (const repository of state.repositories.values()) {
    if (same(repository.name, name) && same(ownerOf(state, repository).login, owner)) return repository;
  }
  return undefined;
}

export function appOf(state: State, id: number): App {
  const app = state.apps.get(id);
  if (app === undefined) throw new Error(`The local GitHub has no App ${id}.`);
  return app;
}

export function covers(installation: Installation, repository: Repository): boolean {
  if (installation.accountId !== repository.ownerId) return false;
  return installation.selection === "all" || installation.repositoryIds.includes(repository.id);
}

/** GitHub's role for a person: explicit role, ownership, membership, and read for everyone on public repositories. */
export function roleOf(state: State, repository: Repository, userId: number): Role {
  if (repository.ownerId === userId) return "admin";
  const explicit = repository.roles.get(userId);
  if (explicit !== undefined && explicit !== "none") return explicit;
  const member = ownerOf(state, repository).memberIds.includes(userId);
  return member || !repository.private ? "read" : "none";
}

export function atLeast(role: Role, wanted: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(wanted);
}

export function branchRef(branch: string): string {
  return `refs/heads/${branch}`;
}
