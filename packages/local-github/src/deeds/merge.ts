/**
 * Merges with the three methods of GitHub.
 *
 * M1 A merge with `sha` happens at that head or not at all. M2 Required checks apply to everybody.
 */
import type { Doer } from "../access.ts";
import { Refusal } from "../answer.ts";
import { commitTree, mergeTree, rebase, updateRef } from "../git.ts";
import { readCommits } from "../git-objects.ts";
import { requiredChecks, requiredChecksMissing } from "../required-checks.ts";
import type { PullThread } from "../resources/pull-request.ts";
import { mergeViolations, methodRefusal, rulesFor, violationsFound } from "../rules.ts";
import { gitDirectory, type Site } from "../site.ts";
import { branchRef, type Repository } from "../state.ts";
import { personOf } from "./accounts.ts";
import { markMerged } from "./pulls.ts";
import { refsChanged } from "./refs.ts";
import { tellThread } from "./threads.ts";
import { demandWorkflowsToMerge } from "./workflow-files.ts";

export interface MergeOptions {
  thread: PullThread;
  method: "merge" | "squash" | "rebase";
  sha: string | null;
  title: string | null;
  message: string | null;
  doer: Doer;
  /** The merge queue merges, with its own method. */
  byQueue?: boolean;
}

export async function mergePull(site: Site, repository: Repository, options: MergeOptions): Promise<string> {
  return site.locked(repository.id, async () => {
    const { thread, doer } = options;
    const { pull } = thread;
    if (pull.mergedAt !== null || thread.state === "closed") throw new Refusal(405, "Pull Request is not mergeable");
    if (options.sha !== null && options.sha !== pull.headSha) {
      throw new Refusal(409, "Head branch was modified. Review and try the merge again.");
    }
    if (pull.draft) throw new Refusal(405, "Pull Request is still a draft");
    const method = methodRefusal(repository, pull.baseRef, options.method);
    // Source: https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request (405 if merge cannot be performed)
    if (method !== null && options.byQueue !== true) throw new Refusal(405, method);
    const missing = requiredChecksMissing(repository, { branch: pull.baseRef, sha: pull.headSha });
    if (missing.length > 0) {
      throw new Refusal(405, `Required status check "${missing[0]}" is expected.`);
    }
    const violations = options.byQueue === true ? [] : mergeViolations(repository, thread);
    if (violations.length > 0) throw new Refusal(405, violationsFound(violations));
    // If a head lacks commits of the base, GitHub expects every required check again, however green they are.
    // Source: https://github.com/RakuenSoftware/aimee/pull/2460 (405 "6 of 6 required status checks are expected.")
    if (pull.behind && repository.strictBranches.has(pull.baseRef))
      throw new Refusal(405, checksExpected(requiredChecks(repository, pull.baseRef)));
    const base = repository.refs.get(branchRef(pull.baseRef));
    if (base === undefined) throw new Refusal(405, "Base branch does not exist");
    const sha = await mergedCommit(site, repository, { ...options, base });
    if (sha === null) throw new Refusal(405, "Pull Request is not mergeable");
    await demandWorkflowsToMerge(gitDirectory(site, repository.id), doer, { from: base, to: sha });
    const ref = branchRef(pull.baseRef);
    await updateRef(gitDirectory(site, repository.id), ref, { to: sha, from: base });
    pull.baseSha = base;
    markMerged(site, repository, { thread, sha, doer });
    await refsChanged(site, repository, { changes: [{ ref, from: base, to: sha }], doer });
    return sha;
  });
}

function checksExpected(contexts: readonly string[]): string {
  return contexts.length === 1
    ? `Required status check "${contexts[0]}" is expected.`
    : `${contexts.length} of ${contexts.length} required status checks are expected.`;
}

/** Merges the base into the head, like the button "Update branch". */
export async function updateBranch(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; sha: string | null; doer: Doer },
): Promise<string> {
  return site.locked(repository.id, async () => {
    const { thread, sha, doer } = given;
    const { pull } = thread;
    // Source: https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request-branch (expected_head_sha, 422)
    if (sha !== null && sha !== pull.headSha)
      throw new Refusal(422, `expected head sha didn’t match current head ref.`);
    const base = repository.refs.get(branchRef(pull.baseRef));
    const directory = gitDirectory(site, repository.id);
    const tree = base === undefined ? null : await mergeTree(directory, base, pull.headSha);
    if (base === undefined || tree === null) throw new Refusal(422, "merge conflict between base and head");
    if (!pull.behind) throw new Refusal(422, "There are no new commits on the base branch.");
    const from = pull.headSha;
    const to = await commitTree(directory, {
      tree,
      parents: [from, base],
      message: `Merge branch '${pull.baseRef}' into ${pull.headRef}\n`,
      author: personOf(site, doer.accountId),
      date: site.now(),
    });
    await demandWorkflowsToMerge(directory, doer, { from, to });
    const ref = branchRef(pull.headRef);
    await updateRef(directory, ref, { to, from });
    await refsChanged(site, repository, { changes: [{ ref, from, to }], doer });
    return to;
  });
}

/** Source: https://docs.github.com/en/graphql/reference/mutations#enqueuepullrequest */
export function enqueue(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; sha: string | null; doer: Doer },
): void {
  const { thread, sha, doer } = given;
  const { pull } = thread;
  if (sha !== null && sha !== pull.headSha) throw new Refusal(422, "Head branch was modified. Review and try again.");
  const hasQueue = rulesFor(repository, pull.baseRef).some(({ type }) => type === "merge_queue");
  if (!hasQueue) throw new Refusal(422, `No merge queue found for branch '${pull.baseRef}'`);
  const missing = requiredChecksMissing(repository, { branch: pull.baseRef, sha: pull.headSha });
  const others = mergeViolations(repository, thread).filter((words) => !words.includes("merge queue"));
  if (missing.length > 0 || others.length > 0 || pull.draft) throw new Refusal(422, "Pull request is not mergeable");
  // Source: https://github.com/ClickHouse/ClickHouse/pull/109183 (`UNPROCESSABLE`, and these words)
  if (pull.queuedSha !== null) throw new Refusal(422, "Pull request is already in the queue");
  pull.queuedSha = pull.headSha;
  tellThread(site, repository, { thread, action: "enqueued", doer });
}

/** Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request (`dequeued`, with its reason) */
export async function endQueue(
  site: Site,
  repository: Repository,
  given: { thread: PullThread; merged: boolean; doer: Doer },
): Promise<void> {
  const { thread, merged, doer } = given;
  if (thread.pull.queuedSha === null) throw new Error(`#${thread.number} is in no queue.`);
  const sha = thread.pull.queuedSha;
  if (merged)
    await mergePull(site, repository, {
      thread,
      method: "merge",
      sha,
      title: null,
      message: null,
      doer,
      byQueue: true,
    });
  thread.pull.queuedSha = null;
  tellThread(site, repository, { thread, action: "dequeued", doer, more: { reason: merged ? "MERGE" : "CI_FAILURE" } });
}

async function mergedCommit(
  site: Site,
  repository: Repository,
  options: MergeOptions & { base: string },
): Promise<string | null> {
  const directory = gitDirectory(site, repository.id);
  const { pull, number, title } = options.thread;
  const person = personOf(site, options.doer.accountId);
  const { base } = options;
  const head = pull.headSha;
  if (options.method === "rebase") return rebase(directory, { base, head, committer: person, date: site.now() });
  const tree = await mergeTree(directory, base, head);
  if (tree === null) return null;
  const squash = options.method === "squash";
  const subject = options.title ?? (squash ? `${title} (#${number})` : mergeSubject(options.thread));
  const rest = options.message ?? (squash ? await squashMessage(directory, { base, head }) : title);
  const message = rest === "" ? `${subject}\n` : `${subject}\n\n${rest}\n`;
  const parents = squash ? [base] : [base, head];
  return commitTree(directory, { tree, parents, message, author: person, date: site.now() });
}

function mergeSubject(thread: PullThread): string {
  return `Merge pull request #${thread.number} from ${thread.pull.headOwnerLogin}/${thread.pull.headRef}`;
}

async function squashMessage(directory: string, given: { base: string; head: string }): Promise<string> {
  const commits = await readCommits(directory, [`${given.base}..${given.head}`]);
  return commits
    .toReversed()
    .map((one) => `* ${one.message}`)
    .join("\n\n");
}
