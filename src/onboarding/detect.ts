/** Turns facts of a repository into the content of a proposal. Pure: the same facts give the same proposal. */
import { configPaths, parseConfig } from "../config/parse.ts";
import { defaultSettings } from "../config/schema.ts";
import {
  type BranchFacts,
  dependabotPaths,
  type RepositoryFacts,
  renovatePaths,
  settingsPath,
  workflowsFolder,
} from "./facts.ts";
import { type DetectedKey, harnessKeys, keysOf } from "./keys.ts";
import {
  type Language,
  languagesOf,
  type Monorepo,
  monorepoOf,
  type PackageManager,
  packageManagersOf,
  taskRunnersOf,
} from "./languages.ts";
import { type Required, requiredOf } from "./required.ts";
import { type DetectedCheck, type DetectedWorkflow, readWorkflow } from "./workflows.ts";

export interface Detected {
  name: string | null;
  defaultBranch: string;
  /** False: languages and package managers come from a part of the files. */
  isWhole: boolean;
  languages: Language[];
  packageManagers: PackageManager[];
  taskRunners: PackageManager[];
  /** null: one project. */
  monorepo: Monorepo | null;
  workflows: DetectedWorkflow[];
  checks: DetectedCheck[];
  /** For `gates.required`. */
  required: Required;
  keys: DetectedKey[];
  /** False: nobody could list the secrets. */
  secretsKnown: boolean;
  /** The key that the proposal uses, and the harness that it opens. */
  key: string;
  harness: string;
  codeowners: string | null;
  branch: BranchFacts | null;
  /** People with write access. null: unknown. */
  writers: number | null;
  isEmpty: boolean;
  /** The bots that keep versions up to date here. */
  updaters: ("dependabot" | "renovate")[];
  /** The path of the configuration, existing or new. */
  settingsPath: string;
  /** All of them, if there are several. */
  settingsPaths: string[];
  /** Existing workflows and configuration. */
  texts: ReadonlyMap<string, string>;
}

const codeownersPaths = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];

/** `harness`: the harness to use. Without it, the first key that is found decides. */
export function detect(facts: RepositoryFacts, harness: string | null = null): Detected {
  const present = configPaths.find((path) => facts.texts.has(path)) ?? null;
  const asked = {
    base: facts.defaultBranch,
    head: `${branchPrefixOf(present === null ? null : (facts.texts.get(present) ?? null))}issue-1-change`,
    read: (path: string) => facts.texts.get(path) ?? null,
  };
  const read = [...facts.texts]
    .filter(([path]) => path.startsWith(workflowsFolder))
    .flatMap(([path, text]) => readWorkflow(path, text, asked) ?? []);
  const keys = keysOf(facts);
  const opens = (key: { harnesses: readonly string[] }): boolean => harness === null || key.harnesses.includes(harness);
  const chosen = keys.find(opens) ?? harnessKeys.find(opens) ?? harnessKeys[0];
  const workflows = read.map(({ workflow }) => workflow);
  const checks = read.flatMap((one) => one.checks);
  return {
    name: facts.name,
    defaultBranch: facts.defaultBranch,
    isWhole: facts.isWhole,
    languages: languagesOf(facts.paths),
    packageManagers: packageManagersOf(facts.paths, facts.texts),
    taskRunners: taskRunnersOf(facts.paths, facts.texts),
    monorepo: monorepoOf(facts.paths, facts.texts),
    workflows,
    checks,
    required: requiredOf({ workflows, checks, branch: facts.branch }),
    keys,
    secretsKnown: facts.secretNames !== null,
    key: chosen?.name ?? "",
    harness: harness ?? chosen?.harnesses[0] ?? "",
    codeowners: codeownersPaths.find((path) => facts.paths.includes(path)) ?? null,
    branch: facts.branch,
    writers: facts.writers,
    isEmpty: facts.isEmpty,
    updaters: [
      ...(dependabotPaths.some((path) => facts.paths.includes(path)) ? ["dependabot" as const] : []),
      ...(renovatePaths.some((path) => facts.paths.includes(path)) ? ["renovate" as const] : []),
    ],
    settingsPath: present ?? settingsPath,
    settingsPaths: configPaths.filter((path) => facts.texts.has(path)),
    texts: facts.texts,
  };
}

/** The default counts if the configuration cannot be read. */
function branchPrefixOf(text: string | null): string {
  const parsed = text === null ? null : parseConfig(text);
  return (parsed?.ok === true ? parsed.settings : defaultSettings).branchPrefix;
}
