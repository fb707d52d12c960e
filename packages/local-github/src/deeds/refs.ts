/**
 * Refs, and all consequences of a moved ref. These are push, create and delete events, pull requests that follow their
 * branch, check suites and CI.
 *
 * R1 State's mirror and git agree when a function here returns. R2 The person who pushed is the sender of all that
 *     follows.
 */
import type { Doer } from "../access.ts";
import { Refusal } from "../answer.ts";
import { commitSha, git, isAncestor, readRefs, updateRef } from "../git.ts";
import { type CommitFacts, readCommit, readCommits } from "../git-objects.ts";
import { noreplyAddress } from "../resources/commit.ts";
import { repositoryPage } from "../resources/repository.ts";
import { gitDirectory, type Site } from "../site.ts";
import { accountOf, branchRef, type Repository, takeId } from "../state.ts";
import { openSuites } from "./checks.ts";
import { startCi } from "./ci.ts";
import { followBranch, type RefChange } from "./pulls.ts";
import { demandWorkflowsForRef } from "./workflow-files.ts";

const noSha = "0".repeat(40);

/** Changes one ref for the API, against the value that the caller expects. */
export async function changeRef(
  site: Site,
  repository: Repository,
  given: { ref: string; to: string | null; doer: Doer; force?: boolean; create?: boolean },
): Promise<void> {
  await site.locked(repository.id, async () => {
    const directory = gitDirectory(site, repository.id);
    const from = repository.refs.get(given.ref) ?? null;
    if (given.create === true && from !== null) throw new Refusal(422, "Reference already exists");
    if (given.create !== true && from === null) throw new Refusal(422, "Reference does not exist");
    if (given.to !== null && (await commitSha(directory, given.to)) === null) {
      throw new Refusal(422, "Object does not exist");
    }
    if (from !== null && given.to !== null && given.force !== true) {
      const forward = await isAncestor(directory, { older: from, newer: given.to });
      if (!forward) throw new Refusal(422, "Update is not a fast forward");
    }
    if (given.to !== null) await demandWorkflowsForRef(directory, given.doer, given.to);
    await updateRef(directory, given.ref, { to: given.to, ...(from === null ? {} : { from }) });
    await refsChanged(site, repository, { changes: [{ ref: given.ref, from, to: given.to }], doer: given.doer });
  });
}

/** After git itself changed refs (a push over HTTP). Reads the differences from the mirror. Call inside the lock. */
export async function absorbPush(site: Site, repository: Repository, doer: Doer): Promise<void> {
  const present = await readRefs(gitDirectory(site, repository.id));
  const changes: RefChange[] = [];
  for (const [ref, to] of present) {
    const from = repository.refs.get(ref) ?? null;
    if (from !== to) changes.push({ ref, from, to });
  }
  for (const [ref, from] of repository.refs) if (!present.has(ref)) changes.push({ ref, from, to: null });
  await refsChanged(site, repository, { changes, doer });
}

export async function refsChanged(
  site: Site,
  repository: Repository,
  given: { changes: RefChange[]; doer: Doer },
): Promise<void> {
  const now = site.timestamp();
  for (const change of given.changes) {
    if (change.to === null) repository.refs.delete(change.ref);
    else repository.refs.set(change.ref, change.to);
  }
  // Refs of the site itself and of tools (refs/pull, refs/baton) send no events.
  const told = given.changes.filter((one) => /^refs\/(?:heads|tags)\//.test(one.ref));
  if (told.length > 0) repository.pushedAt = now;
  for (const change of told) {
    tellCreatedOrDeleted(site, repository, { change, doer: given.doer });
    const forced = await isForced(site, repository, change);
    repository.activities.push({
      id: takeId(site.state),
      ref: change.ref,
      before: change.from,
      after: change.to,
      actorId: given.doer.accountId,
      at: now,
      forced,
    });
    await tellPush(site, repository, { change, doer: given.doer, forced });
    if (!change.ref.startsWith("refs/heads/")) continue;
    const branch = change.ref.slice("refs/heads/".length);
    const suite = { branch, sha: change.to, before: change.from, doer: given.doer };
    await openSuites(site, repository, suite);
    await followBranch(site, repository, { branch, change, doer: given.doer });
    if (change.to !== null) startCi(site, repository, { branch, sha: change.to, doer: given.doer });
  }
}

function tellCreatedOrDeleted(site: Site, repository: Repository, given: { change: RefChange; doer: Doer }): void {
  const { change, doer } = given;
  if (change.from !== null && change.to !== null) return;
  const [, kind = "", ...name] = change.ref.split("/");
  const event = change.from === null ? "create" : "delete";
  const payload = {
    ref: name.join("/"),
    ref_type: kind === "tags" ? "tag" : "branch",
    pusher_type: "user",
    ...(event === "create" ? { master_branch: repository.defaultBranch, description: repository.description } : {}),
  };
  site.post({ event, action: null, repository, senderId: doer.accountId, payload });
}

async function isForced(site: Site, repository: Repository, { from, to }: RefChange): Promise<boolean> {
  if (from === null || to === null) return false;
  return !(await isAncestor(gitDirectory(site, repository.id), { older: from, newer: to }));
}

async function tellPush(
  site: Site,
  repository: Repository,
  given: { change: RefChange; doer: Doer; forced: boolean },
): Promise<void> {
  const { change, doer, forced } = given;
  const directory = gitDirectory(site, repository.id);
  const { from, to } = change;
  const range = to === null ? null : await pushedRange(site, repository, change, to);
  const commits = range === null ? [] : (await readCommits(directory, range, 20)).toReversed();
  const head = to === null ? null : await readCommit(directory, to);
  const page = repositoryPage(site, repository);
  const pusher = accountOf(site.state, doer.accountId);
  const described = await Promise.all(commits.map((one) => pushedCommit(site, repository, one)));
  site.post({
    event: "push",
    action: null,
    repository,
    senderId: doer.accountId,
    payload: {
      ref: change.ref,
      before: from ?? noSha,
      after: to ?? noSha,
      created: from === null,
      deleted: to === null,
      forced,
      base_ref: null,
      compare:
        from === null || to === null
          ? `${page}/commit/${(to ?? noSha).slice(0, 12)}`
          : `${page}/compare/${from}...${to}`,
      commits: described,
      head_commit: head === null ? null : await pushedCommit(site, repository, head),
      pusher: { name: pusher.login, email: noreplyAddress(pusher) },
    },
  });
}

/** On a new branch, only the commits that the default branch does not have. */
async function pushedRange(site: Site, repository: Repository, change: RefChange, to: string): Promise<string[]> {
  if (change.from !== null) return [`${change.from}..${to}`];
  const main = repository.refs.get(branchRef(repository.defaultBranch));
  if (main === undefined || change.ref === branchRef(repository.defaultBranch)) return [to];
  const directory = gitDirectory(site, repository.id);
  return (await isAncestor(directory, { older: to, newer: main })) ? [`${to}..${to}`] : [to, `^${main}`];
}

async function pushedCommit(site: Site, repository: Repository, commit: CommitFacts) {
  const directory = gitDirectory(site, repository.id);
  const args = ["diff-tree", "--root", "--no-commit-id", "--name-status", "-r", "-z", commit.sha];
  const parts = (await git(directory, args)).split("\0");
  const files: Record<"A" | "D" | "M", string[]> = { A: [], D: [], M: [] };
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const letter = parts[at];
    const path = parts[at + 1] ?? "";
    files[letter === "A" || letter === "D" ? letter : "M"].push(path);
  }
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.author.date,
    url: `${repositoryPage(site, repository)}/commit/${commit.sha}`,
    author: { name: commit.author.name, email: commit.author.email },
    committer: { name: commit.committer.name, email: commit.committer.email },
    added: files.A,
    removed: files.D,
    modified: files.M,
  };
}
