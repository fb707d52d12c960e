/**
 * Reports that GitHub keeps: alerts, and tries of checks. Baton reads them with its own permissions and runs no
 * program.
 *
 * DS1 Baton reports a source that it may not read, or that is switched off. Such a source never counts as one without
 *     findings. If no source is left, the detector did not run.
 */
import { BatonError } from "../../core/errors.ts";
import type { Repository } from "../../core/vocabulary.ts";
import { alertSources, type Github } from "../../ports/github.ts";

/** Each commit costs some calls: this is the number of commits on a busy day. */
const commitsMax = 20;

interface SourceReport {
  text: string;
  notes: string[];
  /** Baton could not read a part, so findings that the report lacks may still exist. */
  isPart: boolean;
}

export async function githubReport(github: Github, repository: Repository, detector: string): Promise<SourceReport> {
  if (detector === "alerts") {
    const { alerts, missing, isPart } = await github.alerts(repository);
    const notes = missing.map(({ source, reason }) => `Alerts of ${source} cannot be read: ${reason}`);
    if (missing.length === alertSources.length) throw new BatonError("BATON_REPORT_INVALID", notes.join(" "));
    return { text: JSON.stringify(alerts), notes, isPart };
  }
  const commits = await github.recentCommits(repository, repository.defaultBranch, commitsMax);
  const tries = [];
  for (const { sha } of commits)
    for (const { name, conclusion, completedAt, url } of await github.checks(repository, sha))
      if (completedAt !== null) tries.push({ sha, name, conclusion, at: completedAt, url });
  return { text: JSON.stringify(tries), notes: [], isPart: false };
}
