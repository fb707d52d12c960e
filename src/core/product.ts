/**
 * The one place that says where this Baton comes from: repository and version. Every address of it follows from here.
 *
 * Owns: the names that a release gives. Does not own: what stands at those addresses.
 * RL1 The repository holds a placeholder: no GitHub account and no npm scope of that name can exist. `tools/release/stamp.ts`
 *     writes the real owner into every file of a release, this one included.
 */
const repository = "baton_owner/baton";
const version = "0.1.0";

export const product = {
  version,
  /** `owner/name` on GitHub. */
  repository,
  /** Before a release stamped it. Account names on GitHub hold no underscore. */
  isPlaceholder: repository.split("/")[0]?.includes("_") === true,
  /** On npm. */
  packageName: `@${repository.toLowerCase()}`,
  /** The Action, by the tag that moves within a major version. */
  action: `${repository}/action@v${version.split(".")[0]}`,
} as const;
