/**
 * Reports that GitHub keeps: alerts, and tries of checks. Read with Baton's own permissions, and by no program.
 *
 * DS1 A source that may not be read, or is switched off, is said; it is never taken for one without a finding. With none left the
 *     detector did not look.
 */
import { BatonError } from "../../core/errors.ts";
import type { Repository } from "../../core/vocabulary.ts";
import type { Github } from "../../ports/github.ts";

/** Each costs some calls: as many as a busy day brings. */
const commitsMax = 20;

interface SourceReport {
  text: string;
  notes: string[];
  /** A part could not be read, so that what it does not name may still be there. */
  isPart: boolean;
}

export async function githubReport(github: Github, repository: Repository, detector: string): Promise<SourceReport> {
  if (detector === "alerts") {
    const { alerts, missing, isPart } = await github.alerts(repository);
    const notes = missing.map(({ source, reason }) => `Alerts of ${source} cannot be read: ${reason}`);
    if (missing.length > 0 && alerts.length === 0 && isPart)
      throw new BatonError("BATON_REPORT_INVALID", notes.join(" "));
    return { text: JSON.stringify(alerts), notes, isPart };
  }
  const shas = await github.recentCommits(repository, repository.defaultBranch, commitsMax);
  const tries = [];
  for (const sha of shas)
    for (const { name, conclusion, completedAt, url } of await github.checks(repository, sha))
      if (completedAt !== null) tries.push({ sha, name, conclusion, at: completedAt, url });
  return { text: JSON.stringify(tries), notes: [], isPart: false };
}
