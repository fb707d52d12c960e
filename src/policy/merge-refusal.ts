/**
 * The reason why GitHub did not merge, from GitHub's status and words.
 *
 * MR1 Baton retries only a reason that passes by itself. A rule or people handle every other reason.
 */

/** `transient` passes by itself. `waits` needs people: a review, a check, a conflict, a permission. */
export type MergeRefusal = "transient" | "behind" | "queue" | "method" | "waits";

export interface RefusedMerge {
  /** GitHub's own sentence. */
  said: string;
  /** Status of the answer. null: GitHub gave none. */
  status?: number | null;
  mergeable: boolean | null;
  mergeableState: string;
}

/** In the order of the search: GitHub asks for a queue even if the head is behind. */
const words: readonly [RegExp, MergeRefusal][] = [
  // https://github.com/NixOS/nixpkgs-merge-bot/issues/179
  [/base branch was modified/i, "transient"],
  // If the head is still the approved one, GitHub's own data is late: https://github.com/dlang/dlang-bot/issues/77
  [/head branch was modified|merge already in progress/i, "transient"],
  // https://github.com/rue-language/rue/pull/2053
  [/merge queue/i, "queue"],
  // https://github.com/Mergifyio/mergify/pull/1812
  [
    /(?:merge commits|squash merges|rebase merges) are not allowed|must not contain merge commits|can(?:'t|not) be rebased/i,
    "method",
  ],
  [/branch is (?:out of date|not up to date|out-of-date)|not up to date with the base/i, "behind"],
];

/** A rule, a person or a permission: never a passing state. */
const forPeople =
  /review|approv|check|code ?owner|required|conversation|rule|permission|accessible|protected|draft|sign/i;

export function mergeRefusal({ said, status = null, mergeable, mergeableState }: RefusedMerge): MergeRefusal {
  for (const [pattern, refusal] of words) if (pattern.test(said)) return refusal;
  if (mergeableState === "behind") return "behind";
  // GitHub computes it in the background: https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request (`mergeable`)
  if (mergeable === null && /not mergeable/i.test(said)) return "transient";
  // GitHub contradicts itself: it refuses a merge that it calls mergeable. That passes.
  const contradicted = mergeable === true && ["clean", "unstable", "has_hooks"].includes(mergeableState);
  return contradicted && (status === 405 || status === 409) && !forPeople.test(said) ? "transient" : "waits";
}

/** `clean` and similar: GitHub knows nothing that blocks a merge. */
export function mayMergeNow(mergeableState: string): boolean {
  return ["clean", "unstable", "has_hooks", "behind"].includes(mergeableState);
}
