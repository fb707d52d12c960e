/**
 * Workflow files. An App may write them only with a permission of their own.
 *
 * WF1 A token without `workflows: write` cannot bring a commit that touches one, by any way. `git-http.ts` enforces it
 *     for pushes.
 */
import type { Doer } from "../access.ts";
import { Refusal } from "../answer.ts";
import { git } from "../git.ts";

const folder = ".github/workflows";

/**
 * For a merge: checks the change of the branch.
 * Source: https://github.com/KeisukeYamashita/auto-pull-request-merge/issues/481 (the words) and
 * https://github.com/chdsbd/kodiak/issues/853 (status 403). Also for a head in the same repository:
 * https://github.com/getmydia/mydia/pull/634.
 */
export async function demandWorkflowsToMerge(directory: string, doer: Doer, range: { from: string; to: string }) {
  if (doer.mayNotWriteWorkflows !== true) return;
  const changed = await git(directory, ["diff-tree", "-r", "--name-only", range.from, range.to, "--", folder]);
  const [path = ""] = changed.split("\n");
  if (path !== "") throw new Refusal(403, workflowRefusal(path));
}

/** Source: https://github.com/peter-evans/create-pull-request/issues/1234 (the words) */
function workflowRefusal(path: string): string {
  return `refusing to allow a GitHub App to create or update workflow \`${path}\` without \`workflows\` permission`;
}

/**
 * For a ref: checks commits that no other ref has.
 * Source: https://docs.github.com/en/rest/git/refs#create-a-reference (`contents: write`, or with `workflows: write`)
 * and https://github.com/googleapis/release-please-action/issues/709 (the words of a refused ref)
 */
export async function demandWorkflowsForRef(directory: string, doer: Doer, to: string) {
  if (doer.mayNotWriteWorkflows !== true) return;
  const args = ["log", "-1", "--format=%H", to, "--not", "--all", "--", folder];
  if ((await git(directory, args)).trim() !== "") throw new Refusal(403, "Resource not accessible by integration");
}

/**
 * For a file.
 * Source: https://docs.github.com/en/rest/repos/contents#create-or-update-file-contents (`workflows: write` for
 * `.github/workflows`) and https://github.com/octokit/octokit.rb/issues/1184
 */
export function demandWorkflowsForFile(doer: Doer, path: string) {
  if (doer.mayNotWriteWorkflows === true && path.startsWith(`${folder}/`))
    throw new Refusal(403, "Resource not accessible by integration");
}
