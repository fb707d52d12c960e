/**
 * The checks that a new configuration requires: the job that collects the others, or every job without a condition.
 *
 * RE1 Checks outside the list no longer count. Without a job that collects others, Baton proposes a list only if it covers
 *     all CI that a pull request may start. Otherwise the list stays empty, and every check must be green.
 */
import type { Detected } from "./detect.ts";
import { shown } from "./workflow-yaml.ts";

export interface Required {
  names: string[];
  /** For people: why these, or why none. */
  why: string;
}

const namesMax = 10;
const none = (why: string): Required => ({ names: [], why });

export function requiredOf({ workflows, checks, branch }: Pick<Detected, "workflows" | "checks" | "branch">): Required {
  if ((branch?.requiredChecks.length ?? 0) > 0) return none("the branch requires its own already");
  const ci = workflows.filter(({ isCi }) => isCi);
  if (ci.length === 0) return none("there is no CI in `.github/workflows`");
  const names: string[] = [];
  const uncounted: string[] = [];
  // People who write such a job decide by it what must pass.
  const isCollected = checks.some(({ collects, always }) => collects && always);
  for (const { path, everyPull } of ci) {
    if (!everyPull) {
      if (!isCollected) return none(`${shown(path)} does not start for every pull request`);
      uncounted.push(shown(path));
      continue;
    }
    const own = checks.filter((check) => check.path === path);
    const collector = own.find((check) => check.collects);
    if (collector !== undefined) {
      names.push(collector.name);
      continue;
    }
    const counted = own.filter(({ optional }) => !optional);
    // Such a job may well be the tests: a workflow of another repository is unreadable.
    if (counted.some(({ always }) => !always)) return none(`a job of ${shown(path)} may publish, or cannot be read`);
    if (counted.some(({ exact }) => !exact))
      return none(`names of checks in ${shown(path)} are known only when they run`);
    names.push(...counted.map(({ name }) => name));
  }
  const unique = [...new Set(names)];
  if (unique.length === 0) return none("every job has a condition");
  if (unique.length > namesMax) return none(`there are ${unique.length} of them`);
  const rest =
    uncounted.length === 0
      ? ""
      : `; checks of ${uncounted.join(", ")}, which not every pull request gets, do not count`;
  return {
    names: unique,
    why: `${isCollected ? "a job that collects the others" : "jobs without a condition"}${rest}`,
  };
}
