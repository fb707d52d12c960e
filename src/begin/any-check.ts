/** Tells from the base branch whether CI can start at all for the commits that a run will push. */
import { nullFor } from "../core/errors.ts";
import type { Repository } from "../core/vocabulary.ts";
import { workflowsFolder } from "../onboarding/facts.ts";
import { readWorkflow } from "../onboarding/workflows.ts";
import type { Github } from "../ports/github.ts";

/** Baton reads no more workflow files than this. A longer list says nothing about the files that Baton did not read. */
const workflowsMax = 30;

/** Whether a check may come: a pull request starts a workflow, or another app has reported checks. null: unknown. */
export async function anyCheck(
  github: Pick<Github, "directory" | "file" | "checks" | "checkSuites">,
  repository: Repository,
  { sha, base, head }: { sha: string; base: string; head: string },
): Promise<boolean | null> {
  const found = await unlessDenied(github.directory(repository, ".github/workflows", sha));
  if (found === null) return null;
  const names = found.filter((name) => /\.ya?ml$/.test(name));
  const judged = await Promise.all(
    names.slice(0, workflowsMax).map(async (name): Promise<boolean | null> => {
      const path = `${workflowsFolder}${name}`;
      const text = await unlessDenied(github.file(repository, path, sha));
      return text === null ? null : (readWorkflow(path, text, { base, head })?.workflow.isCi ?? null);
    }),
  );
  if (judged.includes(true)) return true;
  if (judged.includes(null) || names.length > workflowsMax) return null;
  const [checks, suites] = await Promise.all([
    unlessDenied(github.checks(repository, sha)),
    unlessDenied(github.checkSuites(repository, sha)),
  ]);
  if (checks === null || suites === null) return null;
  // Checks that the base's own workflows report there do not come on a pull request.
  const actions = names.length === 0 ? [] : suites.filter(({ appName }) => appName === "GitHub Actions");
  const own = new Set(actions.map(({ appId }) => appId));
  return (
    checks.some(({ appId }) => appId === null || !own.has(appId)) ||
    suites.some(({ appId, checkRuns }) => checkRuns > 0 && !own.has(appId))
  );
}

/** PF2 */
export function unlessDenied<T>(reading: Promise<T>): Promise<T | null> {
  return reading.catch(nullFor("BATON_GITHUB_DENIED", "BATON_GITHUB_NOT_FOUND", "BATON_GITHUB_INCOMPLETE"));
}
