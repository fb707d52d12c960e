/** One thread's state and everything that works on it within this job: the Action's own wiring. */
import { join } from "node:path";
import { setImmediate as macrotask } from "node:timers/promises";
import { builtInProcesses } from "../../processes/index.ts";
import { killSurvivors } from "../adapters/child/survivors.ts";
import { type GitDatabase, openGitDatabase } from "../adapters/git-state/open.ts";
import type { TokenGithub } from "../adapters/github/github-token.ts";
import { harnessesOf } from "../adapters/harness/index.ts";
import { createSecretScan } from "../adapters/secrets/secret-scan.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { systemRandom } from "../adapters/system/random.ts";
import { createWorkspaces } from "../adapters/workspace/workspaces.ts";
import type { Log } from "../ports/log.ts";
import type { ModelProxy } from "../ports/model-proxy.ts";
import type { AgentSandbox } from "../ports/sandbox.ts";
import type { Store } from "../ports/store.ts";
import type { Dependencies, SharedValues } from "../runner/dependencies.ts";
import { durableWorkspaces } from "../runner/durable-workspaces.ts";
import { redactingStore } from "../runner/redacting-store.ts";
import { harnessWithBarrier, withBarrier, workspacesWithBarrier } from "./barriers.ts";
import type { JobCaches } from "./job-caches.ts";
import { jobNeeds } from "./job-permissions.ts";
import type { ActionSettings } from "./settings.ts";

/** Each edit of the status also pushes the state. Repositories want no more than a few pushes a minute. */
const statusIntervalMs = 30_000;

export function homeOf(number: number): string {
  return `thread/${number}`;
}

/** Belongs to no thread: data that all threads share. */
export const sharedHome = "none";

/** Reads the data that all threads share. */
export function openShared(settings: ActionSettings, log: Log): Promise<GitDatabase> {
  return openHome(settings, sharedHome, log, true);
}

export function openHome(
  settings: ActionSettings,
  home: string,
  log: Log,
  readOnly = false,
  takes: (id: string) => boolean = () => true,
): Promise<GitDatabase> {
  return openGitDatabase({
    takes,
    url: `${settings.webUrl}/${settings.repository.owner}/${settings.repository.name}.git`,
    token: async () => settings.token,
    scratchDir: join(settings.dataDir, "state", `${home.replaceAll("/", "-")}.git`),
    home,
    durability: "barrier",
    clock: systemClock,
    random: systemRandom,
    log,
    readOnly,
  });
}

/** Values of all threads, read at the first need. A change is a push, which is retried if another job's came first. */
export function sharedValues(settings: ActionSettings, log: Log, onPush: (pushes: number) => void): SharedValues {
  let opened: Promise<GitDatabase> | null = null;
  const open = (): Promise<GitDatabase> => {
    opened ??= openHome(settings, sharedHome, log);
    return opened;
  };
  return {
    async value(name) {
      return (await open()).state.snapshot.tables.values.get(name) ?? null;
    },
    async change(name, apply) {
      const { state, pushes } = await open();
      const before = pushes();
      await state.change(({ tables }) => tables.setValue(name, apply(tables.values.get(name) ?? null)), {
        when: "now",
      });
      onPush(pushes() - before);
    },
  };
}

export function homeDependencies(options: {
  settings: ActionSettings;
  database: GitDatabase;
  github: TokenGithub;
  owner: string;
  redact(text: string): string;
  log: Log;
  models: ModelProxy;
  agentSandbox: AgentSandbox;
  /** Called when a branch was pushed. */
  onPush(branch: string): Promise<void>;
  caches: JobCaches;
  /** Called when commits of a step were pushed below the state's refs. */
  onKept(): void;
  shared: SharedValues;
}): Dependencies {
  const { settings, database, github, owner, redact, log, models } = options;
  const barrier = (): Promise<void> => database.state.barrier();
  const harnesses = harnessesOf(settings.harness, settings.dataDir);
  const workspaces = createWorkspaces({
    rootDir: join(settings.dataDir, "workspaces"),
    log,
    secrets: createSecretScan(settings.secrets),
  });
  // The runner's disk ends with its job.
  const kept = database.kept({ key: settings.stateKey, onPush: options.onKept });
  return {
    store: redactingStore(unhurried(database.store), redact),
    shared: options.shared,
    activeElsewhere: async () => threadsElsewhere(database),
    queue: database.queue,
    clock: systemClock,
    random: systemRandom,
    log,
    github: withBarrier(github, barrier),
    workspaces: workspacesWithBarrier(durableWorkspaces(workspaces, kept), barrier, options.onPush),
    job: {
      workflow: settings.workflowPath,
      needs: [...jobNeeds, ...(settings.dispatchWorkflows.length > 0 ? ["actions"] : [])],
    },
    harnesses: new Map([...harnesses].map(([name, harness]) => [name, harnessWithBarrier(harness, barrier)])),
    models,
    agentSandbox: options.agentSandbox,
    packageCaches: options.caches.caches,
    noteUnconfined: () => options.caches.noteUnconfined(),
    repositoryCommands: settings.harness.repositoryCommands,
    processes: builtInProcesses(),
    redact,
    settle: async () => {
      await macrotask();
    },
    killSurvivors,
    owner,
    // Only the driver of the thread uses its part of the state.
    soleOwner: true,
  };
}

/** The store, with longer pauses between edits of one comment. */
function unhurried(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === "outboxDelay")
        return (operationKey: string, notBefore: number) =>
          target.outboxDelay(operationKey, Math.max(notBefore, systemClock.now() + statusIntervalMs));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Threads with an active run, from the index that all threads share. */
export function threadsElsewhere({ state: { snapshot } }: Pick<GitDatabase, "state">): number[] {
  const rows = [...snapshot.index.values()].filter(
    ({ runId }) => runId !== null && !snapshot.tables.runRows.has(runId),
  );
  return [...new Set(rows.map(({ threadKey }) => Number(threadKey.split("#")[1])))].filter(Number.isSafeInteger);
}
