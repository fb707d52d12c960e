/**
 * Pull requests over real git. They follow their branch and know their conflicts.
 *
 * P1 The head of an open pull request is the tip of its branch.
 */
import type { Doer } from "../access.ts";
import { invalid, Refusal } from "../answer.ts";
import { countCommits, git, isAncestor, mergeBase, mergeTree, updateRef } from "../git.ts";
import { readDifference } from "../git-objects.ts";
import { isPull, type PullThread } from "../resources/pull-request.ts";
import { userById } from "../resources/user.ts";
import { gitDirectory, type Site } from "../site.ts";
import {
  accountOf,
  atLeast,
  branchRef,
  findAccount,
  ownerOf,
  type PullRequest,
  type Repository,
  roleOf,
  takeId,
} from "../state.ts";
import { openSuites } from "./checks.ts";
import { startCi } from "./ci.ts";
import { checkBody, closeThread, newThread, tellThread } from "./threads.ts";

export interface RefChange {
  ref: string;
  from: string | null;
  to: string | null;
}

export interface PullOptions {
  title: string;
  body: string | null;
  /** `branch`, or `owner:branch` for a fork. */
  head: string;
  base: string;
  draft: boolean;
  doer: Doer;
}

export async function openPull(site: Site, repository: Repository, options: PullOptions): Promise<PullThread> {
  checkBody("PullRequest", options.body);
  const head = resolveHead(site, repository, options.head);
  const baseSha = repository.refs.get(branchRef(options.base));
  if (baseSha === undefined) throw invalid("PullRequest", "base", "invalid");
  for (const other of repository.threads.values()) {
    if (!isPull(other) || other.state !== "open") continue;
    const same = other.pull.headRepositoryId === head.repository.id && other.pull.headRef === head.branch;
    if (same && other.pull.baseRef === options.base) {
      const message = `A pull request already exists for ${head.ownerLogin}:${head.branch}.`;
      throw new Refusal(422, "Validation Failed", { errors: [{ resource: "PullRequest", code: "custom", message }] });
    }
  }
  const directory = gitDirectory(site, repository.id);
  await bring(site, repository, { from: head.repository, sha: head.sha });
  if ((await countCommits(directory, baseSha, head.sha)) === 0) {
    const message = `No commits between ${options.base} and ${head.branch}`;
    throw new Refusal(422, "Validation Failed", { errors: [{ resource: "PullRequest", code: "custom", message }] });
  }
  const thread = newThread(site, repository, { title: options.title, body: options.body, doer: options.doer });
  const pull: PullRequest = {
    id: takeId(site.state),
    headRepositoryId: head.repository.id,
    headOwnerLogin: head.ownerLogin,
    headRef: head.branch,
    headSha: head.sha,
    baseRef: options.base,
    baseSha,
    draft: options.draft,
    mergedAt: null,
    mergedById: null,
    mergeSha: null,
    mergeable: false,
    requestedReviewerIds: [],
    requestedTeams: [],
    reviews: [],
    reviewComments: [],
    counts: { commits: 0, additions: 0, deletions: 0, files: 0 },
    behind: false,
    queuedSha: null,
    autoMergeBy: null,
  };
  const opened: PullThread = Object.assign(thread, { pull });
  await measure(site, repository, opened);
  tellThread(site, repository, { thread: opened, action: "opened", doer: options.doer });
  if (head.repository.id !== repository.id) await beginForkChecks(site, repository, opened, options.doer);
  return opened;
}

function resolveHead(site: Site, repository: Repository, head: string) {
  const colon = head.indexOf(":");
  const ownerLogin = colon < 0 ? ownerOf(site.state, repository).login : head.slice(0, colon);
  const branch = head.slice(colon + 1);
  const owner = findAccount(site.state, ownerLogin);
  const family = [...site.state.repositories.values()].filter(
    (one) => one.id === repository.id || one.parentId === repository.id || repository.parentId === one.id,
  );
  const found = family.find((one) => one.ownerId === owner?.id);
  const sha = found?.refs.get(branchRef(branch));
  if (found === undefined || sha === undefined || owner === undefined) throw invalid("PullRequest", "head", "invalid");
  return { repository: found, branch, sha, ownerLogin: owner.login };
}

/** Copies the objects of a fork's head into the base repository, because `refs/pull/<n>/head` needs them. */
async function bring(site: Site, repository: Repository, given: { from: Repository; sha: string }): Promise<void> {
  if (given.from.id === repository.id) return;
  await git(gitDirectory(site, repository.id), ["fetch", "-q", gitDirectory(site, given.from.id), given.sha]);
}

/** A fork's push runs nothing in the base repository, but its pull request does. */
async function beginForkChecks(site: Site, repository: Repository, thread: PullThread, doer: Doer): Promise<void> {
  const { headSha: sha, headRef: branch } = thread.pull;
  await openSuites(site, repository, { branch, sha, before: null, doer });
  startCi(site, repository, { branch, sha, doer });
}

/** Counts and conflicts, from git. */
async function measure(site: Site, repository: Repository, thread: PullThread): Promise<void> {
  const directory = gitDirectory(site, repository.id);
  const { pull } = thread;
  const base = repository.refs.get(branchRef(pull.baseRef)) ?? pull.baseSha;
  const common = (await mergeBase(directory, base, pull.headSha)) ?? base;
  const files = await readDifference(directory, common, pull.headSha);
  pull.counts = {
    commits: await countCommits(directory, base, pull.headSha),
    additions: files.reduce((sum, file) => sum + file.additions, 0),
    deletions: files.reduce((sum, file) => sum + file.deletions, 0),
    files: files.length,
  };
  pull.behind = !(await isAncestor(directory, { older: base, newer: pull.headSha }));
  pull.mergeable = (await mergeTree(directory, base, pull.headSha)) !== null;
  const ref = `refs/pull/${thread.number}/head`;
  await updateRef(directory, ref, { to: pull.headSha });
  repository.refs.set(ref, pull.headSha);
}

/** The range that a pull request shows, from its fork point on the base. */
export async function pullRange(site: Site, repository: Repository, pull: PullRequest) {
  const directory = gitDirectory(site, repository.id);
  const base = repository.refs.get(branchRef(pull.baseRef)) ?? pull.baseSha;
  // After the merge the base contains the head, so the base before the merge counts.
  const against = pull.mergedAt === null ? base : pull.baseSha;
  return { directory, from: (await mergeBase(directory, against, pull.headSha)) ?? against, to: pull.headSha };
}

/** Updates the pull requests from a moved branch and into it. */
export async function followBranch(
  site: Site,
  repository: Repository,
  given: { branch: string; change: RefChange; doer: Doer },
): Promise<void> {
  for (const target of site.state.repositories.values()) {
    for (const thread of target.threads.values()) {
      if (!isPull(thread) || thread.state !== "open") continue;
      if (thread.pull.headRepositoryId === repository.id && thread.pull.headRef === given.branch) {
        await headMoved(site, target, { thread, source: repository, ...given });
      } else if (target.id === repository.id && thread.pull.baseRef === given.branch) {
        await baseMoved(site, target, { thread, ...given });
      }
    }
  }
}

async function headMoved(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; source: Repository; change: RefChange; doer: Doer },
): Promise<void> {
  const { thread, change, doer } = given;
  if (change.to === null) {
    closeThread(site, repository, { thread, doer });
    return;
  }
  await bring(site, repository, { from: given.source, sha: change.to });
  const before = thread.pull.headSha;
  thread.pull.headSha = change.to;
  // New commits remove a pull request from the queue.
  // Source:
  // https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/incorporating-changes-from-a-pull-request/merging-a-pull-request-with-a-merge-queue
  thread.pull.queuedSha = null;
  thread.pull.baseSha = repository.refs.get(branchRef(thread.pull.baseRef)) ?? thread.pull.baseSha;
  thread.updatedAt = site.timestamp();
  await measure(site, repository, thread);
  const more = { before, after: change.to };
  tellThread(site, repository, { thread, action: "synchronize", doer, more });
  if (given.source.id !== repository.id) await beginForkChecks(site, repository, thread, doer);
}

async function baseMoved(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; change: RefChange; doer: Doer },
): Promise<void> {
  const { thread, change, doer } = given;
  if (change.to === null) {
    closeThread(site, repository, { thread, doer });
    return;
  }
  const directory = gitDirectory(site, repository.id);
  // Somebody pushed the head into the base. GitHub calls that merged.
  if (await isAncestor(directory, { older: thread.pull.headSha, newer: change.to })) {
    markMerged(site, repository, { thread, sha: change.to, doer });
    return;
  }
  await measure(site, repository, thread);
}

/**
 * Applies even if the same request reopens the pull request, or if the base does not change.
 * Sources: https://github.com/MithrilJS/mithril.js/pull/2862 and https://github.com/google/go-github/issues/2201
 */
export function demandOpenForBase(thread: PullThread): void {
  if (thread.state !== "open")
    throw invalid("PullRequest", "base", "invalid", "Cannot change the base branch of a closed pull request.");
}

/**
 * Gives an open pull request another base.
 * Source: https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request (`base`: "The name of the branch you want
 * your changes pulled into. This should be an existing branch on the current repository."), and
 * https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request (`edited`, `changes.base`).
 */
export async function retarget(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; base: string; doer: Doer },
): Promise<void> {
  const { thread, base, doer } = given;
  const { pull } = thread;
  demandOpenForBase(thread);
  if (pull.baseRef === base) return;
  const sha = repository.refs.get(branchRef(base));
  if (sha === undefined) throw invalid("PullRequest", "base", "invalid");
  const changes = { base: { ref: { from: pull.baseRef }, sha: { from: pull.baseSha } } };
  pull.baseRef = base;
  pull.baseSha = sha;
  thread.updatedAt = site.timestamp();
  pull.baseChangedAt = thread.updatedAt;
  await measure(site, repository, thread);
  tellThread(site, repository, { thread, action: "edited", doer, more: { changes } });
}

export function markMerged(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; sha: string; doer: Doer },
): void {
  const { thread, doer } = given;
  thread.pull.mergedAt = site.timestamp();
  thread.pull.mergedById = doer.accountId;
  thread.pull.mergeSha = given.sha;
  closeThread(site, repository, { thread, doer });
  if (thread.pull.baseRef === repository.defaultBranch) closeNamedIssues(site, repository, { thread, doer });
}

const closingWords = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)\b/gi;

function closeNamedIssues(site: Site, repository: Repository, given: { thread: PullThread; doer: Doer }): void {
  for (const match of (given.thread.body ?? "").matchAll(closingWords)) {
    const named = repository.threads.get(Number(match[1]));
    if (named === undefined || named.pull !== null || named.state !== "open") continue;
    closeThread(site, repository, { thread: named, doer: given.doer });
  }
}

export function requestReviewers(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; logins: string[]; teams: string[]; doer: Doer },
): void {
  const { thread, doer } = given;
  const accounts = given.logins.map((login) => {
    const account = findAccount(site.state, login);
    // GitHub accepts only collaborators, and never the author.
    const may = account !== undefined && atLeast(roleOf(site.state, repository, account.id), "read");
    const member =
      account !== undefined && (!isOutsider(repository, account.id, site) || repository.ownerId === account.id);
    if (!may || !member) {
      throw new Refusal(
        422,
        `Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.`,
      );
    }
    if (account.id === thread.authorId) throw new Refusal(422, "Review cannot be requested from pull request author.");
    return account;
  });
  if (given.teams.length > 0) {
    throw new Refusal(422, "Could not resolve to a node with the global id of the team.");
  }
  for (const account of accounts) {
    if (thread.pull.requestedReviewerIds.includes(account.id)) continue;
    thread.pull.requestedReviewerIds.push(account.id);
    const more = { requested_reviewer: userById(site, account.id) };
    tellThread(site, repository, { thread, action: "review_requested", doer, more });
  }
}

function isOutsider(repository: Repository, userId: number, site: Site): boolean {
  return !repository.roles.has(userId) && !accountOf(site.state, repository.ownerId).memberIds.includes(userId);
}

export function removeReviewers(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; logins: string[]; doer: Doer },
): void {
  const { thread, doer } = given;
  for (const login of given.logins) {
    const account = findAccount(site.state, login);
    const at = thread.pull.requestedReviewerIds.indexOf(account?.id ?? -1);
    if (account === undefined || at < 0) continue;
    thread.pull.requestedReviewerIds.splice(at, 1);
    const more = { requested_reviewer: userById(site, account.id) };
    tellThread(site, repository, { thread, action: "review_request_removed", doer, more });
  }
}
