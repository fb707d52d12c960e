/**
 * Merging, with the three methods that GitHub has.
 *
 * M1 A merge with `sha` happens at that head or not at all. M2 Required checks hold for everybody.
 */
import type { Doer } from "../access.ts";
import { Refusal } from "../answer.ts";
import { commitTree, mergeTree, rebase, updateRef } from "../git.ts";
import { readCommits } from "../git-objects.ts";
import type { PullThread } from "../resources/pull-request.ts";
import { gitDirectory, type Site } from "../site.ts";
import { branchRef, type Repository } from "../state.ts";
import { personOf } from "./accounts.ts";
import { requiredChecksMissing } from "./checks.ts";
import { markMerged } from "./pulls.ts";
import { refsChanged } from "./refs.ts";

export interface MergeOptions {
  thread: PullThread;
  method: "merge" | "squash" | "rebase";
  sha: string | null;
  title: string | null;
  message: string | null;
  doer: Doer;
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
    const missing = requiredChecksMissing(repository, { branch: pull.baseRef, sha: pull.headSha });
    if (missing.length > 0) {
      throw new Refusal(405, `Required status check "${missing[0]}" is expected.`);
    }
    const base = repository.refs.get(branchRef(pull.baseRef));
    if (base === undefined) throw new Refusal(405, "Base branch does not exist");
    const sha = await mergedCommit(site, repository, { ...options, base });
    if (sha === null) throw new Refusal(405, "Pull Request is not mergeable");
    const ref = branchRef(pull.baseRef);
    await updateRef(gitDirectory(site, repository.id), ref, { to: sha, from: base });
    pull.baseSha = base;
    markMerged(site, repository, { thread, sha, doer });
    await refsChanged(site, repository, { changes: [{ ref, from: base, to: sha }], doer });
    return sha;
  });
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
