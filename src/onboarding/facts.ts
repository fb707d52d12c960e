/** The facts of a repository before a proposal: read from disk or through the API, judged by `detect.ts`. */
import { configPaths } from "../config/parse.ts";
import { toolFiles } from "./languages.ts";

export interface BranchFacts {
  protected: boolean;
  /** The number of approvals that GitHub requires. */
  reviews: number;
  codeOwners: boolean;
  requiredChecks: readonly string[];
}

export interface RepositoryFacts {
  /** `owner/name`. null: the clone has no such remote. */
  name: string | null;
  defaultBranch: string;
  /** Every file, from the root. */
  paths: readonly string[];
  /** False: the repository has more files than GitHub lists at once, so `paths` may miss some. */
  isWhole: boolean;
  /** Contents of the existing files among `wantedPaths`. */
  texts: ReadonlyMap<string, string>;
  /** Names of the repository's secrets, never their values. null: Baton may not read the names. */
  secretNames: readonly string[] | null;
  /** Names of variables that are set in this environment. */
  environmentNames: readonly string[];
  /** null: Baton asked nobody, or may not know. */
  branch: BranchFacts | null;
  /** How many people have write access. null: Baton asked nobody, or may not know. */
  writers: number | null;
  /** No commit yet: there is no branch to work on. */
  isEmpty: boolean;
}

export const workflowsFolder = ".github/workflows/";
export const settingsPath = "baton.yaml";
export const dependabotPaths: readonly string[] = [".github/dependabot.yml", ".github/dependabot.yaml"];
export const renovatePaths: readonly string[] = [
  "renovate.json",
  "renovate.json5",
  ".github/renovate.json",
  ".github/renovate.json5",
  ".renovaterc",
  ".renovaterc.json",
];
const textsMax = 60;

/** The repository's files whose contents matter here. */
export function wantedPaths(paths: readonly string[]): string[] {
  const workflows = paths.filter((path) => /^\.github\/workflows\/[^/]+\.ya?ml$/.test(path)).slice(0, textsMax);
  const actions = paths.filter((path) => /(?:^|\/)action\.ya?ml$/.test(path)).slice(0, textsMax);
  return [
    ...new Set([
      ...workflows,
      ...actions,
      ...[...configPaths, ...dependabotPaths, ...renovatePaths, ...toolFiles].filter((path) => paths.includes(path)),
    ]),
  ];
}
