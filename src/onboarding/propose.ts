/**
 * The pull request that sets a repository up: branch, files, text, all through the API.
 *
 * PR1 One branch and one open pull request, however often somebody asks for it.
 * PR2 Baton never overwrites people's changes, neither on the default branch nor on the proposal's own.
 */

import { defaultSettings } from "../config/schema.ts";
import { BatonError, hasCode } from "../core/errors.ts";
import type { Repository } from "../core/vocabulary.ts";
import type { Github, PullRequestFacts } from "../ports/github.ts";
import { type Detected, detect } from "./detect.ts";
import { type Estimate, estimate } from "./estimate.ts";
import { explain, type Proposal, pullRequestTitle } from "./explain.ts";
import { type RepositoryFacts, workflowsFolder } from "./facts.ts";
import { githubFacts, textsAt } from "./github-facts.ts";
import { type PlannedFile, planFile, planFiles, type WorkflowTemplate } from "./plan.ts";
import { type Digest, isUntouched } from "./seal.ts";
import { permissionsOf } from "./workflow-file.ts";

export const setupBranch = "baton/setup";
/** Each commit that Baton makes on the branch begins with it. */
const messageStart = "Set up Baton: ";
const workflowsRefused =
  "GitHub lets only those write workflows who have a permission of its own for it (`workflows: write`).";

export interface ProposeOptions {
  github: Github;
  repository: Repository;
  workflow: WorkflowTemplate;
  /** The file whose permissions the proposal shows: the workflow, or the App's manifest. */
  permissionsText: string;
  digest: Digest;
  modelOf(harness: string): string | null;
  /** The harness to use, if the keys do not decide. */
  harness?: string | null;
  /** Facts of a clone in addition to the API: names of variables. */
  more?: Pick<RepositoryFacts, "environmentNames">;
  /** Nobody asked for it: the App was installed. */
  byItself?: boolean;
}

export interface Proposed {
  /** null: nothing is missing, or all different files belong to people. */
  pullRequest: PullRequestFacts | null;
  proposal: Proposal;
}

export async function propose(options: ProposeOptions): Promise<Proposed> {
  const { github, repository } = options;
  const baseSha = await github.branchSha(repository, repository.defaultBranch);
  if (baseSha === null)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `${repository.owner}/${repository.name} is empty: the branch ${repository.defaultBranch} has no commit yet. Push a first commit, then CI that runs on pull requests, and ask again.`,
    );
  const facts = await githubFacts(github, repository, baseSha);
  const detected = detect({ ...facts, ...options.more }, options.harness);
  const planned = planFiles({ ...options, detected });
  const place = "pull-request";
  if (!planned.some(isWritten))
    return { pullRequest: null, proposal: proposalOf({ ...options, place }, detected, planned, []) };
  const onBranch = await prepareBranch(options, baseSha, planned);
  const { files, refused } = await writeFiles(options, planned, onBranch);
  const proposal = proposalOf({ ...options, place }, detected, files, refused);
  // GitHub accepts no pull request without a change.
  if (!files.some(isWritten) && onBranch.size === 0) return { pullRequest: null, proposal };
  return { pullRequest: await show(options, explain(proposal)), proposal };
}

function isWritten({ action }: PlannedFile): boolean {
  return action === "create" || action === "refresh" || action === "change";
}

/**
 * Prepares the proposal's branch and returns its contents. Baton begins the branch of an earlier, closed proposal again. If
 * people committed to it, or changed its files, Baton adds to it (PR2).
 */
async function prepareBranch(
  { github, repository, digest }: ProposeOptions,
  baseSha: string,
  planned: readonly PlannedFile[],
): Promise<Map<string, string>> {
  const written = planned.filter(isWritten);
  const paths = written.map(({ path }) => path);
  const headSha = await github.branchSha(repository, setupBranch);
  const there = headSha === null ? new Map<string, string>() : await textsAt(github, repository, headSha, paths);
  const isOpen = (await github.pullRequestsForBranch(repository, setupBranch)).some(
    ({ headRepositoryId }) => headRepositoryId === repository.id,
  );
  const setup = github.setup(repository);
  const isOurs = async (sha: string): Promise<boolean> => {
    const messages = await setup.messagesAhead(baseSha, sha);
    if (messages === null || !messages.every((one) => one.startsWith(messageStart))) return false;
    return messages.length === 0 || written.every((file) => !isOfPeople(file, there.get(file.path) ?? null, digest));
  };
  const from = headSha !== null && !isOpen && (await isOurs(headSha)) ? headSha : null;
  const begins = await setup.ensureBranch(setupBranch, baseSha, from);
  return begins ? new Map() : there;
}

/** Whether people changed the file on the proposal's branch. */
function isOfPeople({ action, text, before }: PlannedFile, present: string | null, digest: Digest): boolean {
  if (present === null) return false;
  return action === "change" ? present !== text && present !== before : !isUntouched(present, digest);
}

async function writeFiles(
  options: ProposeOptions,
  planned: readonly PlannedFile[],
  onBranch: ReadonlyMap<string, string>,
): Promise<Pick<Proposal, "files" | "refused">> {
  const setup = options.github.setup(options.repository);
  const files: PlannedFile[] = [];
  const refused: Proposal["refused"][number][] = [];
  for (const file of planned) {
    const { path, text } = file;
    if (!isWritten(file)) {
      files.push(file);
      continue;
    }
    const present = onBranch.get(path) ?? null;
    if (isOfPeople(file, present, options.digest)) {
      files.push(planFile(path, text, present, options.digest));
      continue;
    }
    try {
      await setup.ensureFile({ branch: setupBranch, path, text, message: `${messageStart}${path}` });
      files.push(file);
    } catch (thrown) {
      if (!hasCode(thrown, "BATON_GITHUB_DENIED") || !path.startsWith(workflowsFolder)) throw thrown;
      const isChange = file.action === "change";
      refused.push({
        path,
        text: isChange ? file.difference : text,
        isChange,
        url: isChange ? editUrl(options, path) : newFileUrl(options, path),
        reason: workflowsRefused,
      });
    }
  }
  return { files, refused };
}

async function show({ github, repository }: ProposeOptions, body: string): Promise<PullRequestFacts> {
  const pullRequest = await github.ensurePullRequest(repository, {
    head: setupBranch,
    base: repository.defaultBranch,
    title: pullRequestTitle,
    body,
    draft: false,
  });
  await github.updatePullRequest(repository, pullRequest.number, { body });
  return pullRequest;
}

export function proposalOf(
  {
    workflow,
    permissionsText,
    modelOf,
    place,
    byItself = false,
  }: Pick<ProposeOptions, "workflow" | "permissionsText" | "modelOf" | "byItself"> & { place: Proposal["place"] },
  detected: Detected,
  files: readonly PlannedFile[],
  refused: Proposal["refused"],
): Proposal {
  return {
    detected,
    files,
    refused,
    estimate: estimateFor(modelOf(detected.harness)),
    budgetUsd: defaultSettings.budget.runUsd,
    permissions: permissionsOf(permissionsText),
    worksFor: workflow.for,
    place,
    byItself,
  };
}

function estimateFor(model: string | null): Estimate | null {
  return model === null ? null : estimate(model);
}

/** GitHub's page to change a file of the default branch. */
function editUrl({ repository }: ProposeOptions, path: string): string {
  return `/${repository.owner}/${repository.name}/edit/${repository.defaultBranch}/${path}`;
}

/** GitHub's page for a new file on the proposal's branch. */
function newFileUrl({ repository }: ProposeOptions, path: string): string {
  return `/${repository.owner}/${repository.name}/new/${setupBranch}?filename=${encodeURIComponent(path)}`;
}
