/**
 * Check suites, check runs and statuses, and the checks that a branch requires.
 *
 * C1 A suite follows its runs. It completes when the last of them does, and reports that once.
 */
import type { Doer } from "../access.ts";
import { readCommit } from "../git-objects.ts";
import { latestRuns } from "../required-checks.ts";
import { checkRun, checkSuite, simpleCheckSuite } from "../resources/check.ts";
import { commitObject } from "../resources/commit.ts";
import { gitDirectory, type Site } from "../site.ts";
import {
  accountOf,
  appOf,
  branchRef,
  type CheckConclusion,
  type CheckRun,
  type CheckSuite,
  type CommitStatus,
  covers,
  fullName,
  type Repository,
  takeId,
} from "../state.ts";

/** Every installed App that may write checks gets a suite for a pushed commit, and a request to fill it. */
export async function openSuites(
  site: Site,
  repository: Repository,
  given: { branch: string; sha: string | null; before: string | null; doer: Doer },
): Promise<void> {
  const { sha } = given;
  if (sha === null) return;
  for (const installation of site.state.installations.values()) {
    if (!covers(installation, repository) || installation.grants["checks"] !== "write") continue;
    const known = [...repository.checkSuites.values()];
    if (known.some((one) => one.appId === installation.appId && one.headSha === sha)) continue;
    const suite = newSuite(site, repository, { ...given, sha, appId: installation.appId });
    await tellSuite(site, repository, { suite, action: "requested", senderId: given.doer.accountId });
  }
}

export function newSuite(
  site: Site,
  repository: Repository,
  given: { appId: number; branch: string | null; sha: string; before: string | null },
): CheckSuite {
  const now = site.timestamp();
  const suite: CheckSuite = {
    id: takeId(site.state),
    appId: given.appId,
    headBranch: given.branch,
    headSha: given.sha,
    before: given.before,
    createdAt: now,
    updatedAt: now,
    status: "queued",
    conclusion: null,
  };
  repository.checkSuites.set(suite.id, suite);
  return suite;
}

function suiteFor(site: Site, repository: Repository, given: { appId: number; sha: string }): CheckSuite {
  const found = [...repository.checkSuites.values()].find(
    (one) => one.appId === given.appId && one.headSha === given.sha,
  );
  if (found !== undefined) return found;
  return newSuite(site, repository, { ...given, branch: branchAt(repository, given.sha), before: null });
}

function branchAt(repository: Repository, sha: string): string | null {
  for (const [ref, at] of repository.refs) {
    if (at === sha && ref.startsWith("refs/heads/")) return ref.slice("refs/heads/".length);
  }
  return null;
}

export async function tellSuite(
  site: Site,
  repository: Repository,
  given: { suite: CheckSuite; action: "requested" | "rerequested" | "completed"; senderId: number },
): Promise<void> {
  const { suite, action } = given;
  const commit = await readCommit(gitDirectory(site, repository.id), suite.headSha);
  const { repository: _repository, ...object } = checkSuite(site, { repository, commit }, suite);
  site.post({
    event: "check_suite",
    action,
    repository,
    senderId: given.senderId,
    payload: { check_suite: object },
    // "Please run" is for the App that should run. "Done" is for all.
    ...(action === "completed" ? {} : { onlyAppId: suite.appId }),
  });
}

const worst: CheckConclusion[] = [
  "failure",
  "timed_out",
  "action_required",
  "cancelled",
  "success",
  "neutral",
  "skipped",
];

/** Updates the suite from its runs. */
async function settleSuite(site: Site, repository: Repository, suiteId: number): Promise<void> {
  const suite = repository.checkSuites.get(suiteId);
  if (suite === undefined) return;
  // The newest tries of a suite decide. A run that was re-run no longer counts.
  const runs = latestRuns([...repository.checkRuns.values()].filter((run) => run.suiteId === suite.id));
  const done = runs.length > 0 && runs.every((run) => run.status === "completed");
  const begun = runs.some((run) => run.status !== "queued");
  const was = suite.status;
  const conclusion = done ? (worst.find((one) => runs.some((run) => run.conclusion === one)) ?? null) : null;
  const changed = conclusion !== suite.conclusion;
  suite.status = done ? "completed" : begun ? "in_progress" : "queued";
  suite.conclusion = conclusion;
  suite.updatedAt = site.timestamp();
  if (done && (was !== "completed" || changed)) {
    await tellSuite(site, repository, { suite, action: "completed", senderId: appOf(site.state, suite.appId).botId });
  }
}

/**
 * A workflow that waits for approval has a suite and no run.
 * Source: https://docs.github.com/en/actions/how-tos/manage-workflow-runs/approve-runs-from-forks, and the conclusion
 * `action_required` in https://docs.github.com/en/rest/checks/suites
 */
export async function holdSuite(site: Site, repository: Repository, suite: CheckSuite): Promise<void> {
  suite.status = "completed";
  suite.conclusion = "action_required";
  suite.updatedAt = site.timestamp();
  await tellSuite(site, repository, { suite, action: "completed", senderId: appOf(site.state, suite.appId).botId });
}

export async function tellRun(
  site: Site,
  repository: Repository,
  given: {
    run: CheckRun;
    action: "created" | "completed" | "rerequested" | "requested_action";
    senderId: number;
    more?: object;
  },
): Promise<void> {
  const { run, action } = given;
  const suite = repository.checkSuites.get(run.suiteId);
  if (suite === undefined) return;
  const object = { ...checkRun(site, repository, run), check_suite: simpleCheckSuite(site, repository, suite) };
  site.post({
    event: "check_run",
    action,
    repository,
    senderId: given.senderId,
    payload: { check_run: object, ...given.more },
    ...(action === "created" || action === "completed" ? {} : { onlyAppId: run.appId }),
  });
}

export type CheckRunFields = Omit<CheckRun, "id" | "suiteId" | "appId">;

export async function createRun(
  site: Site,
  repository: Repository,
  given: { appId: number; fields: CheckRunFields; suiteId?: number },
): Promise<CheckRun> {
  const suiteId = given.suiteId ?? suiteFor(site, repository, { appId: given.appId, sha: given.fields.headSha }).id;
  const run: CheckRun = { ...given.fields, id: takeId(site.state), suiteId, appId: given.appId };
  repository.checkRuns.set(run.id, run);
  const senderId = appOf(site.state, given.appId).botId;
  await tellRun(site, repository, { run, action: "created", senderId });
  if (run.status === "completed") await tellRun(site, repository, { run, action: "completed", senderId });
  await settleSuite(site, repository, suiteId);
  return run;
}

export async function updateRun(
  site: Site,
  repository: Repository,
  given: { run: CheckRun; change: Partial<CheckRunFields> },
): Promise<void> {
  const { run } = given;
  const was = run.status;
  Object.assign(run, given.change);
  if (run.status === "completed" && was !== "completed") {
    await tellRun(site, repository, { run, action: "completed", senderId: appOf(site.state, run.appId).botId });
  }
  await settleSuite(site, repository, run.suiteId);
}

export async function addStatus(
  site: Site,
  repository: Repository,
  given: Pick<CommitStatus, "sha" | "state" | "context" | "description" | "targetUrl"> & { doer: Doer },
): Promise<CommitStatus> {
  const { doer, ...fields } = given;
  const made: CommitStatus = {
    ...fields,
    id: takeId(site.state),
    creatorId: doer.accountId,
    createdAt: site.timestamp(),
  };
  repository.statuses.push(made);
  const commit = await readCommit(gitDirectory(site, repository.id), made.sha);
  const branch = branchAt(repository, made.sha);
  const object = commitObject(site, repository, commit);
  site.post({
    event: "status",
    action: null,
    repository,
    senderId: doer.accountId,
    payload: {
      id: made.id,
      sha: made.sha,
      name: fullName(site.state, repository),
      target_url: made.targetUrl,
      avatar_url: `${site.origin}/avatars/u/${accountOf(site.state, made.creatorId).id}`,
      context: made.context,
      description: made.description,
      state: made.state,
      commit: { ...object, author: object.author, committer: object.committer },
      branches:
        branch === null
          ? []
          : [
              {
                name: branch,
                commit: { sha: repository.refs.get(branchRef(branch)) ?? made.sha, url: object.url },
                protected: repository.protections.has(branch) || repository.rulesets.has(branch),
              },
            ],
      created_at: made.createdAt,
      updated_at: made.createdAt,
    },
  });
  return made;
}
