/** Rules in force for a branch. None where GitHub has no rules. */
import { hasCode } from "../../core/errors.ts";
import type { Repository } from "../../core/vocabulary.ts";
import type { Requester } from "./request.ts";

/**
 * A private repository of a free plan can have no rules. GitHub answers 403 "Upgrade to GitHub Pro or make this
 * repository public to enable this feature." there.
 * Source: https://docs.github.com/en/get-started/learning-about-github/githubs-plans (rule sets and protected
 * branches), https://github.com/github/branch-deploy/pull/345 (the answer).
 */
export async function rulesOf<Rule>(
  requester: Requester,
  { owner, name }: Pick<Repository, "owner" | "name">,
  branch: string,
): Promise<Rule[]> {
  const at = { owner, repo: name, branch };
  return requester.list<Rule>("/repos/{owner}/{repo}/rules/branches/{branch}", at).catch((thrown: unknown) => {
    const isOfPlan = hasCode(thrown, "BATON_GITHUB_DENIED") && /\bupgrade to github\b/i.test(String(thrown));
    if (isOfPlan || hasCode(thrown, "BATON_GITHUB_NOT_FOUND")) return [];
    throw thrown;
  });
}
