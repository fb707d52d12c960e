/**
 * The single source of this Baton's repository and version. Every address of Baton follows from here.
 *
 * Owns: the names that a release sets. Does not own: the content at those addresses.
 * RL1 The repository name is a placeholder: no GitHub account and no npm scope of that name can exist.
 *     `tools/release/stamp.ts` writes the real owner into every file of a release, including this one.
 */
const repository = "baton_owner/baton";
const version = "0.1.0";

/** The tag that an address of the Action ends in: one that moves within a major version. No tag moves to a prerelease. */
export function actionTag(of: string): string {
  return `v${of.includes("-") ? of : of.split(".")[0]}`;
}

export const product = {
  version,
  /** `owner/name` on GitHub. */
  repository,
  /** True before a release sets the owner. Account names on GitHub contain no underscore. */
  isPlaceholder: repository.split("/")[0]?.includes("_") === true,
  /** The name on npm. */
  packageName: `@${repository.toLowerCase()}`,
  /** The package on npm with the demo. */
  localGitHubPackage: `@${repository.split("/")[0]?.toLowerCase()}/local-github`,
  action: `${repository}/action@${actionTag(version)}`,
} as const;
