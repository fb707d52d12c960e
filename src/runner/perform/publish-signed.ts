/**
 * Commits for a branch whose rules require signatures. GitHub creates them again through its API and signs them for the
 * App.
 *
 * PS1 Trees, messages and the shape of the history equal those of Baton's commits. Baton compares them before the
 *     branch moves.
 * PS2 The branch moves by compare-and-swap like every other push. Commits that the API made earlier are in nobody's
 *     history.
 * PS3 If the branch already has such commits, it was pushed before a crash. Baton recognizes them and creates nothing
 *     again.
 */
import { BatonError } from "../../core/errors.ts";
import type { RunId } from "../../core/vocabulary.ts";
import type { CommitFacts, RepositoryAccess, ScanOptions } from "../../ports/workspace.ts";
import type { PerformContext } from "./performer.ts";

export interface Signing {
  access: RepositoryAccess;
  branch: string;
  sha: string;
  expectedSha: string | null;
  scan: ScanOptions;
}

/** The new head of the branch. */
export async function publishSigned(context: PerformContext, signing: Signing): Promise<string> {
  const { dependencies, state } = context;
  const { access, branch, sha, expectedSha, scan } = signing;
  const { workspaces } = dependencies;
  const outgoing = await outgoingCommits(context, signing);
  if (outgoing.length === 0) throw unsigned(branch, "they are in the repository already, without a signature");
  const ref = carrierOf(state.runId, sha);
  // The API accepts only existing trees. Git uploads them, with every mode and link unchanged.
  await workspaces.pushKept(access, { ref, sha, ...scan });
  try {
    const head = await makeAgain(context, signing, outgoing);
    await workspaces.fetch(access, head);
    const made = await workspaces.commits(access, head, { newest: outgoing.length });
    if (!isSameWork(outgoing, made))
      throw new BatonError(
        "BATON_GIT_FAILED",
        `GitHub made other commits than those of ${sha}; ${branch} was not moved.`,
      );
    await workspaces.push(access, { branch, sha: head, expectedSha, ...scan });
    return head;
  } finally {
    await workspaces.dropKept(access, { ref });
  }
}

/** The branch's head if it is still at an earlier try's result (PS3). null: it is not. */
export async function publishedBefore(context: PerformContext, signing: Signing): Promise<string | null> {
  const { workspaces } = context.dependencies;
  const { access, branch } = signing;
  const head = await workspaces.remoteHead(access, branch);
  if (head === null || head === signing.expectedSha) return null;
  const outgoing = await outgoingCommits(context, signing);
  if (outgoing.length === 0) return null;
  await workspaces.fetch(access, head);
  if (!isSameWork(outgoing, await workspaces.commits(access, head, { newest: outgoing.length }))) return null;
  // The try that made the commits may have died before it removed its carrier.
  await workspaces.dropKept(access, { ref: carrierOf(context.state.runId, signing.sha) });
  return head;
}

async function makeAgain(
  { github, state }: PerformContext,
  { branch }: Signing,
  outgoing: readonly CommitFacts[],
): Promise<string> {
  const made = new Map<string, string>();
  let head = "";
  for (const { sha, tree, parents, message } of outgoing) {
    const commit = { message, tree, parents: parents.map((parent) => made.get(parent) ?? parent) };
    const created = await github.createCommit(state.thread.repository, commit);
    if (!created.verified)
      throw unsigned(branch, `GitHub signs what an App's token commits, and answered "${created.reason}"`);
    head = created.sha;
    made.set(sha, head);
  }
  return head;
}

/** Both with parents first. Commits count as equal if their trees, messages and parents are equal. */
export function isSameWork(ours: readonly CommitFacts[], theirs: readonly CommitFacts[]): boolean {
  const same = new Map<string, string>();
  const left = [...theirs];
  for (const { sha, tree, parents, message } of ours) {
    const wanted = parents.map((parent) => same.get(parent) ?? parent).join(" ");
    const at = left.findIndex(
      (other) => other.tree === tree && other.message === message && other.parents.join(" ") === wanted,
    );
    const [found] = at < 0 ? [] : left.splice(at, 1);
    if (found === undefined) return false;
    same.set(sha, found.sha);
  }
  return left.length === 0 && ours.length > 0 && same.get(ours.at(-1)?.sha ?? "") === theirs.at(-1)?.sha;
}

function outgoingCommits(
  { dependencies }: PerformContext,
  { access, sha, expectedSha, scan }: Signing,
): Promise<CommitFacts[]> {
  const known = [...(scan.knownShas ?? []), ...(expectedSha === null ? [] : [expectedSha])];
  return dependencies.workspaces.commits(access, sha, { outgoing: known });
}

/**
 * Not a branch: rules of branches do not apply there. Not below `refs/baton/kept`, where no ref is a commit of the
 * project.
 */
function carrierOf(runId: RunId, sha: string): string {
  return `refs/baton/signing/${runId}/${sha.slice(0, 12)}`;
}

function unsigned(branch: string, why: string): BatonError {
  return new BatonError(
    "BATON_PUSH_REFUSED",
    `${branch} was not pushed. Its rules want signed commits, and GitHub cannot sign these: ${why}. Give Baton the token of an App, or exempt its branches from that rule.`,
    { details: { refusal: "signatures" } },
  );
}
