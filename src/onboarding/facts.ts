/** What is known of a repository before anything is proposed: read from disk or through the API, judged by `detect.ts`. */

export interface BranchFacts {
  protected: boolean;
  /** Approvals that GitHub itself asks for. */
  reviews: number;
  codeOwners: boolean;
  requiredChecks: readonly string[];
}

export interface RepositoryFacts {
  /** `owner/name`; null where the clone has no such remote. */
  name: string | null;
  defaultBranch: string;
  /** Every file, from the root. */
  paths: readonly string[];
  /** False: more files than GitHub lists at once; what is not among `paths` may be there all the same. */
  isWhole: boolean;
  /** Contents of those of `wantedPaths` that are there. */
  texts: ReadonlyMap<string, string>;
  /** Names of the repository's secrets, never their values; null where they may not be read. */
  secretNames: readonly string[] | null;
  /** Names of variables that are set where this runs. */
  environmentNames: readonly string[];
  /** null: nobody was asked, or may not know. */
  branch: BranchFacts | null;
}

export const workflowsFolder = ".github/workflows/";
export const settingsPath = "baton.yaml";
const textsMax = 60;

/** Of a repository's files those whose contents tell something. */
export function wantedPaths(paths: readonly string[]): string[] {
  const workflows = paths.filter((path) => /^\.github\/workflows\/[^/]+\.ya?ml$/.test(path)).slice(0, textsMax);
  const actions = paths.filter((path) => /(?:^|\/)action\.ya?ml$/.test(path)).slice(0, textsMax);
  return [
    ...new Set([
      ...workflows,
      ...actions,
      ...[settingsPath, ".github/baton.yaml"].filter((path) => paths.includes(path)),
    ]),
  ];
}
