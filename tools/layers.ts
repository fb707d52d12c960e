/**
 * What each folder of `src` may import, types included. `npm run generate` writes it into `.oxlintrc.json`, so that
 * `npm run lint` reports each breach as `no-restricted-imports`; `test/layers.test.ts` reads the imports by itself.
 *
 * LA1 A folder that is not listed does not pass the test.
 * LA2 Folders below never import one of a floor above; on one floor they import what the list says.
 */

/** Pure: no clock, no randomness, no I/O. In the order of the floors. */
const pure: Readonly<Record<string, readonly string[]>> = {
  core: [],
  text: ["core"],
  process: ["core"],
  summary: ["core"],
  schedule: ["core"],
  sweep: ["core", "money", "prompt"],
  // The rules of Baton: they share the settings' types.
  policy: ["core", "config", "money"],
  money: ["core", "config"],
  routing: ["core", "config", "money"],
  trigger: ["core", "policy", "workflow"],
  gate: ["core", "config", "policy"],
  prompt: ["core", "text", "process", "config"],
  workflow: ["core", "text", "process", "config", "gate", "policy", "prompt"],
  config: ["core", "policy", "routing", "schedule", "trigger", "workflow"],
  thread: ["core", "text", "summary", "config", "money", "policy", "prompt"],
};

const pureFolders = Object.keys(pure);
const belowPorts = [...pureFolders, "ports"];

/** Besides ports and pure folders. `child` starts programs, `system` is the machine's clock, hashes and files. */
const adapters: Readonly<Record<string, readonly string[]>> = {
  child: [],
  system: ["child"],
  memory: ["system"],
  database: ["system"],
  github: ["system"],
  secrets: ["system"],
  oidc: ["system"],
  egress: ["system"],
  "model-service": [],
  sandbox: ["child", "system", "egress"],
  workspace: ["child", "system"],
  // The rules of the memory's tables, and the git of workspaces.
  "git-state": ["child", "system", "memory", "workspace"],
  harness: ["child", "system", "model-service"],
  "model-proxy": ["child", "system", "model-service"],
};

const adapterFolders = Object.keys(adapters).map((name) => `adapters/${name}`);
/** What the shell may know of adapters: how programs start, and the machine's hashes and files. */
const machine = ["adapters/child", "adapters/system"];

const shell: Readonly<Record<string, readonly string[]>> = {
  runner: machine,
  onboarding: machine,
  begin: [...machine, "runner", "onboarding"],
  commands: [...machine, "runner", "onboarding", "begin"],
  intake: [...machine, "runner", "begin", "commands"],
};

const shellFolders = Object.keys(shell);
/** Settings of the environment, and `wire*.ts`: they build adapters for the entries. */
const wiring = ["environment"];

/** Each may wire adapters; none imports another, except the command line, which starts them. */
const entries: Readonly<Record<string, readonly string[]>> = {
  app: [],
  action: [],
  demo: ["app", "local-github"],
  cli: ["app", "demo"],
};

/** Pure data of an adapter: anybody may import them. */
export const doors: readonly string[] = ["adapters/harness/descriptions.ts", "adapters/harness/key-variables.ts"];

/** Folder of `src` to the folders that it may import, without itself. */
export const layers: ReadonlyMap<string, readonly string[]> = new Map([
  ...Object.entries(pure),
  ["ports", pureFolders] as const,
  ...Object.entries(adapters).map(
    ([name, others]) => [`adapters/${name}`, [...belowPorts, ...others.map((other) => `adapters/${other}`)]] as const,
  ),
  ...Object.entries(shell).map(([name, others]) => [name, [...belowPorts, ...others]] as const),
  ["environment", [...belowPorts, ...adapterFolders]] as const,
  ...Object.entries(entries).map(
    ([name, others]) => [name, [...belowPorts, ...adapterFolders, ...shellFolders, ...wiring, ...others]] as const,
  ),
  ["local-github", machine] as const,
]);

export const pureLayers: readonly string[] = pureFolders;

/** Files of `src` itself that a folder may import: `wire.ts` and its like are for entries. */
export function mayWire(folder: string): boolean {
  return folder in entries;
}

/** They may start programs by themselves. */
export const startsPrograms: readonly string[] = ["adapters/child", "cli", "demo", "local-github"];
