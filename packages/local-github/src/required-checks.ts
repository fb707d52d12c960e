/** The required checks of a branch that are not green, from the state alone. */
import type { CheckRun, CommitStatus, Repository, RequiredCheckRule } from "./state.ts";

/**
 * `filter=latest` answers the newest run of a name within each suite. Two suites of one commit give two runs. Jobs of
 * one attempt that share a name are all answered. Jobs of an earlier attempt are not.
 * Sources: https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference,
 * https://github.com/lewagon/wait-on-check-action/pull/156 ("only deduplicates within a single check suite"),
 * https://github.com/embeddedos-org/ebuild/pull/104 (nine check runs of three names in one workflow run), and
 * https://github.com/netresearch/git-workflow-skill/pull/223 (one entry after a re-run).
 */
export function latestRuns(runs: CheckRun[]): CheckRun[] {
  const names = new Map<string, CheckRun[]>();
  for (const run of runs.toSorted((a, b) => a.id - b.id)) {
    const key = `${run.suiteId}/${run.name}`;
    names.set(key, [...(names.get(key) ?? []), run]);
  }
  return [...names.values()].flatMap((tries) => {
    const newest = tries.at(-1) as CheckRun;
    const attempt = Math.max(...tries.map((one) => one.attempt ?? 0));
    return attempt === 0 ? [newest] : tries.filter((one) => one.attempt === attempt);
  });
}

/** The newest status of each context at a commit, newest first. */
export function latestStatuses(repository: Repository, sha: string): CommitStatus[] {
  const latest = new Map<string, CommitStatus>();
  for (const one of repository.statuses) if (one.sha === sha) latest.set(one.context, one);
  return [...latest.values()].toReversed();
}

function rulesOf(repository: Repository, branch: string): RequiredCheckRule[] {
  return [...(repository.rulesets.get(branch) ?? []), ...(repository.protections.get(branch) ?? [])];
}

/** Names of all required checks of a branch, each once. */
export function requiredChecks(repository: Repository, branch: string): string[] {
  return [...new Set(rulesOf(repository, branch).map(({ context }) => context))];
}

/** Names of required checks that are not green at `sha`. Skipped and neutral count as passed, as on GitHub. */
export function requiredChecksMissing(repository: Repository, given: { branch: string; sha: string }): string[] {
  const rules = rulesOf(repository, given.branch);
  const runs = latestRuns([...repository.checkRuns.values()].filter((run) => run.headSha === given.sha));
  const statuses = latestStatuses(repository, given.sha);
  const passes = new Set<string | null>(["success", "neutral", "skipped"]);
  return rules
    .filter((rule) => {
      const byRun = runs.filter((run) => run.name === rule.context && (rule.appId ?? run.appId) === run.appId);
      const byStatus = rule.appId === null ? statuses.filter((one) => one.context === rule.context) : [];
      const seen = byRun.length + byStatus.length > 0;
      return (
        !seen || byRun.some((run) => !passes.has(run.conclusion)) || byStatus.some((one) => one.state !== "success")
      );
    })
    .map((rule) => rule.context);
}
