/**
 * The allowed imports of each folder of `src`, including types. `npm run generate` writes them into `.oxlintrc.json`. `npm
 * run lint` then reports each breach as `no-restricted-imports`. `test/layers.test.ts` reads the imports itself.
 *
 * LA1 A folder that is missing here fails the test.
 * LA2 A folder never imports a folder of a higher floor. On its own floor, it imports the folders that the list names.
 */

/** Pure: no clock, no randomness, no I/O. In the order of the floors. */
const pure: Readonly<Record<string, readonly string[]>> = {
  core: [],
  text: ["core"],
  process: ["core"],
  summary: ["core"],
  schedule: ["core"],
  sweep: ["core", "money", "prompt"],
  // The rules of Baton share the types of settings.
  policy: ["core", "config", "money"],
  money: ["core", "config"],
  routing: ["core", "config", "money"],
  trigger: ["core", "money", "policy", "workflow"],
  gate: ["core", "config", "policy"],
  review: ["core", "text"],
  prompt: ["core", "text", "process", "config"],
  workflow: ["core", "text", "process", "config", "gate", "policy", "prompt"],
  config: ["core", "policy", "routing", "schedule", "trigger", "workflow"],
  thread: ["core", "text", "summary", "config", "money", "policy", "prompt"],
};

const pureFolders = Object.keys(pure);
const belowPorts = [...pureFolders, "ports"];

/** In addition to ports and pure folders. `child` starts programs, `system` is the machine's clock, hashes and files. */
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
/** The adapters that the shell may know: how programs start, and the machine's hashes and files. */
const machine = ["adapters/child", "adapters/system"];

const shell: Readonly<Record<string, readonly string[]>> = {
  runner: machine,
  onboarding: machine,
  begin: [...machine, "runner", "onboarding"],
  commands: [...machine, "runner", "onboarding", "begin"],
  intake: [...machine, "runner", "begin", "commands"],
};

const shellFolders = Object.keys(shell);
/** Settings of the environment, and `wire*.ts`, which build adapters for the entries. */
const wiring = ["environment"];

/** Each may wire adapters. No entry imports another, except the command line, which starts them. */
const entries: Readonly<Record<string, readonly string[]>> = {
  app: [],
  action: [],
  cli: ["app"],
};

/** Pure data of an adapter, which any folder may import. */
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
]);

export const pureLayers: readonly string[] = pureFolders;

/** Whether a folder may import files of `src` itself. `wire.ts` and similar files are for entries. */
export function mayWire(folder: string): boolean {
  return folder in entries;
}

/** Folders that may start programs themselves. */
export const startsPrograms: readonly string[] = ["adapters/child", "cli"];
