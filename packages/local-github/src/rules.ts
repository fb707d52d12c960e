/**
 * Rules of branches, and GitHub's words for a violation by a merge, a push or a commit of the API.
 *
 * Owns: the rules and their words. Does not own: the answers' status (`deeds/merge.ts`, `git-http.ts`).
 * BR1 Rules apply to everybody here, because nobody is on a bypass list.
 */
import type { PullRequest, Repository, Thread } from "./state.ts";

/** Source: https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch (the types and their parameters). */
export type BranchRule =
  | { type: "creation" | "update" | "deletion" | "non_fast_forward" | "required_signatures" | "merge_queue" }
  | { type: "required_linear_history" }
  | { type: "pull_request"; approvals: number; methods?: readonly MergeMethod[] }
  /** `pattern` is a regular expression, as with GitHub's operator `regex`. */
  | { type: "branch_name_pattern" | "commit_message_pattern"; pattern: string };

export type MergeMethod = "merge" | "squash" | "rebase";

export interface RuleSet {
  /** A glob: `*` matches one segment, `**` any number. */
  branches: string;
  rules: BranchRule[];
}

export function rulesFor(repository: Repository, branch: string): BranchRule[] {
  return repository.ruleSets.filter(({ branches }) => globOf(branches).test(branch)).flatMap(({ rules }) => rules);
}

function globOf(glob: string): RegExp {
  const source = glob
    .split(/(\*\*\/?|\*)/)
    .map((part) => (part.startsWith("**") ? ".*" : part === "*" ? "[^/]*" : part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")))
    .join("");
  return new RegExp(`^${source}$`, "u");
}

const methodWords = { merge: "Merge commits", squash: "Squash merges", rebase: "Rebase merges" } as const;

/** Source: https://github.com/Mergifyio/mergify/pull/1812 and https://github.com/ridedott/merge-me-action/issues/329 */
export function methodRefusal(repository: Repository, branch: string, method: MergeMethod): string | null {
  const limited = rulesFor(repository, branch).flatMap((rule) =>
    rule.type === "pull_request" && rule.methods !== undefined ? [rule.methods] : [],
  );
  const allowed = repository.mergeMethods.has(method) && limited.every((methods) => methods.includes(method));
  return allowed ? null : `${methodWords[method]} are not allowed on this repository.`;
}

/** The reasons why the rule sets of the base still block a merge, in GitHub's words. */
export function mergeViolations(repository: Repository, thread: Thread & { pull: PullRequest }): string[] {
  const { pull } = thread;
  return rulesFor(repository, pull.baseRef).flatMap((rule): string[] => {
    // Source: https://github.com/rue-language/rue/pull/2053 (405, "Changes must be made through the merge queue")
    if (rule.type === "merge_queue") return ["Changes must be made through the merge queue"];
    if (rule.type !== "pull_request") return [];
    const approvals = new Set(
      pull.reviews
        .filter(({ state, sha }) => state === "APPROVED" && sha === pull.headSha)
        .map(({ authorId }) => authorId),
    ).size;
    if (approvals >= rule.approvals) return [];
    const some = rule.approvals === 1 ? "1 approving review is" : `${rule.approvals} approving reviews are`;
    // Source: https://github.com/Reviewable/Reviewable/issues/561 (405)
    return [`At least ${some} required by reviewers with write access.`];
  });
}

/** Source: https://github.com/anza-xyz/kit/pull/94 (the words around the violations of rule sets) */
export function violationsFound(violations: readonly string[]): string {
  return `Repository rule violations found\n\n${violations.join("\n\n")}\n\n`;
}

export interface PushedRef {
  ref: string;
  from: string | null;
  to: string | null;
  isForced: boolean;
  commits: { sha: string; message: string; signed: boolean }[];
}

/** Source: https://github.com/py-cov-action/python-coverage-comment-action/issues/561 (GH013, a list item per rule) */
export function pushViolations(repository: Repository, pushed: PushedRef): string[] {
  const branch = /^refs\/heads\/(.+)$/.exec(pushed.ref)?.[1];
  if (branch === undefined) return [];
  return rulesFor(repository, branch).flatMap((rule): string[] => {
    switch (rule.type) {
      // Source: https://github.com/dmf-mxl/mxl/issues/356
      case "creation":
        return pushed.from === null ? ["Cannot create ref due to creations being restricted."] : [];
      case "update":
        return pushed.from !== null && pushed.to !== null ? ["Cannot update this protected ref."] : [];
      case "deletion":
        return pushed.to === null ? ["Cannot delete this protected ref."] : [];
      case "non_fast_forward":
        return pushed.isForced ? ["Cannot force-push to this branch"] : [];
      case "required_signatures": {
        const unsigned = pushed.commits.filter(({ signed }) => !signed).map(({ sha }) => sha);
        if (unsigned.length === 0) return [];
        const count = `Found ${unsigned.length} violation${unsigned.length === 1 ? "" : "s"}:`;
        return [
          ["Commits must have verified signatures.", `  ${count}`, "", ...unsigned.map((sha) => `  ${sha}`)].join("\n"),
        ];
      }
      case "branch_name_pattern":
        return pushed.to !== null && !new RegExp(rule.pattern, "u").test(branch)
          ? [`Branch name must match a given regex pattern: ${rule.pattern}`]
          : [];
      case "commit_message_pattern":
        return pushed.commits.some(({ message }) => !new RegExp(rule.pattern, "u").test(message))
          ? [`Commit message must match a given regex pattern: ${rule.pattern}`]
          : [];
      // Only merges can satisfy these rules, or the allowed merge methods of the base enforce them.
      case "merge_queue":
      case "pull_request":
        return pushed.to === null ? [] : ["Changes must be made through a pull request."];
      case "required_linear_history":
        return [];
    }
  });
}
