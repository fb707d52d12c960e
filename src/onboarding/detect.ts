/** Facts of a repository to what a proposal is made of. Pure: the same facts, the same proposal. */
import { type BranchFacts, type RepositoryFacts, settingsPath, workflowPath } from "./facts.ts";
import { type DetectedKey, harnessKeys, keysOf } from "./keys.ts";
import { type Language, languagesOf, type PackageManager, packageManagersOf } from "./languages.ts";
import { type DetectedCheck, type DetectedWorkflow, readWorkflow } from "./workflows.ts";

export interface Detected {
  name: string | null;
  defaultBranch: string;
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
  /** What is there already. */
  settings: { path: string; text: string } | null;
  workflow: { path: string; text: string } | null;
}

const codeownersPaths = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

export function detect(facts: RepositoryFacts): Detected {
  const read = [...facts.texts]
    .filter(([path]) => path.startsWith(".github/workflows/") && path !== workflowPath)
    .flatMap(([path, text]) => readWorkflow(path, text) ?? []);
  const keys = keysOf(facts);
  const chosen = keys[0] ?? harnessKeys[0];
  const there = (path: string): { path: string; text: string } | null => {
    const text = facts.texts.get(path);
    return text === undefined ? null : { path, text };
  };
  return {
    name: facts.name,
    defaultBranch: facts.defaultBranch,
    languages: languagesOf(facts.paths),
    packageManagers: packageManagersOf(facts.paths),
    workflows: read.map(({ workflow }) => workflow),
    checks: read.flatMap(({ checks }) => checks),
    keys,
    secretsKnown: facts.secretNames !== null,
    key: chosen?.name ?? "",
    harness: chosen?.harnesses[0] ?? "",
    codeowners: codeownersPaths.find((path) => facts.paths.includes(path)) ?? null,
    branch: facts.branch,
    settings: there(settingsPath) ?? there(".github/baton.yaml"),
    workflow: there(workflowPath),
  };
}
