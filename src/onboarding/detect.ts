/** Facts of a repository to what a proposal is made of. Pure: the same facts, the same proposal. */
import { configPaths } from "../config/parse.ts";
import { type BranchFacts, type RepositoryFacts, settingsPath, workflowsFolder } from "./facts.ts";
import { type DetectedKey, harnessKeys, keysOf } from "./keys.ts";
import { type Language, languagesOf, type PackageManager, packageManagersOf } from "./languages.ts";
import { type DetectedCheck, type DetectedWorkflow, readWorkflow } from "./workflows.ts";

export interface Detected {
  name: string | null;
  defaultBranch: string;
  /** False: languages and package managers are of a part of the files. */
  isWhole: boolean;
  languages: Language[];
  packageManagers: PackageManager[];
  workflows: DetectedWorkflow[];
  checks: DetectedCheck[];
  keys: DetectedKey[];
  /** False: nobody could say which secrets there are. */
  secretsKnown: boolean;
  /** The key that the proposal uses, and the harness that it opens. */
  key: string;
  harness: string;
  codeowners: string | null;
  branch: BranchFacts | null;
  /** Where the configuration is, or belongs. */
  settingsPath: string;
  /** Workflows and configuration that are there already. */
  texts: ReadonlyMap<string, string>;
}

const codeownersPaths = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/** `harness`: the one to use; without it the first key that is found decides. */
export function detect(facts: RepositoryFacts, harness: string | null = null): Detected {
  const read = [...facts.texts]
    .filter(([path]) => path.startsWith(workflowsFolder))
    .flatMap(([path, text]) => readWorkflow(path, text) ?? []);
  const keys = keysOf(facts);
  const opens = (key: { harnesses: readonly string[] }): boolean => harness === null || key.harnesses.includes(harness);
  const chosen = keys.find(opens) ?? harnessKeys.find(opens) ?? harnessKeys[0];
  return {
    name: facts.name,
    defaultBranch: facts.defaultBranch,
    isWhole: facts.isWhole,
    languages: languagesOf(facts.paths),
    packageManagers: packageManagersOf(facts.paths),
    workflows: read.map(({ workflow }) => workflow),
    checks: read.flatMap(({ checks }) => checks),
    keys,
    secretsKnown: facts.secretNames !== null,
    key: chosen?.name ?? "",
    harness: harness ?? chosen?.harnesses[0] ?? "",
    codeowners: codeownersPaths.find((path) => facts.paths.includes(path)) ?? null,
    branch: facts.branch,
    settingsPath: configPaths.find((path) => facts.texts.has(path)) ?? settingsPath,
    texts: facts.texts,
  };
}
