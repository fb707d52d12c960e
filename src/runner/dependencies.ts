/** Everything that the shell around the core needs, as ports. `wire.ts` builds it once; tests pass in fakes. */

import type { Json } from "../core/vocabulary.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Feed } from "../ports/feed.ts";
import type { GithubApp } from "../ports/github.ts";
import type { Harness } from "../ports/harness.ts";
import type { Log } from "../ports/log.ts";
import type { ModelProxy } from "../ports/model-proxy.ts";
import type { PackageCaches } from "../ports/package-caches.ts";
import type { AgentSandbox } from "../ports/sandbox.ts";
import type { Queue, Store } from "../ports/store.ts";
import type { Workspaces } from "../ports/workspace.ts";
import type { ProcessRegistry } from "../process/process.ts";
import type { NamedHook } from "../prompt/hooks.ts";
import type { AgentSlots } from "./agent-slots.ts";

interface JobPlace {
  /** `.github/workflows/baton.yml`, whose `permissions` limit the token. null: unknown. */
  workflow: string | null;
  /** GitHub's names of the permissions that the token needs to write. */
  needs: readonly string[];
}

/** Values that all threads of a repository share. */
export interface SharedValues {
  value(name: string): Promise<Json>;
  /** `apply` runs again if somebody else changed the value in the meantime. */
  change(name: string, apply: (before: Json) => Json): Promise<void>;
}

export interface Dependencies {
  store: Store;
  /** Unset if the store itself is shared by all threads. */
  shared?: SharedValues;
  /** Numbers of threads with an active run that this job does not drive. Unset: the store knows every thread. */
  activeElsewhere?(): Promise<number[]>;
  queue: Queue;
  /** Commits by other writers. Unset: Baton polls for them. */
  feed?: Feed;
  clock: Clock;
  random: Random;
  log: Log;
  github: GithubApp;
  workspaces: Workspaces;
  harnesses: Map<string, Harness>;
  /** Agents send their model requests through it, so that they hold no key. If unset, adapters pass their own keys. */
  models?: ModelProxy;
  /** The sandbox of agents on this machine. Unset: agents run without one (tests with fakes). */
  agentSandbox?: AgentSandbox;
  /** The number of agents that work on this machine at once. Unset: any number. */
  agentSlots?: AgentSlots;
  /** Keeps the downloads of `sandbox.setup` from one attempt to the next. Unset: each attempt downloads again. */
  packageCaches?: PackageCaches;
  /** A program of an attempt starts outside the sandbox. */
  noteUnconfined?(): void;
  /**
   * Logins of the accounts that this Baton works for, in lower case. Unset or null: all accounts that installed the
   * App.
   */
  owners?: readonly string[] | null;
  /** The first pull request in repositories that get the App. Unset: this Baton opens none (a job of Actions). */
  onboarding?: {
    /** False: only repositories that an operator asked for. */
    atInstall: boolean;
    /** Pull requests a day for each account. */
    perDay: number;
  };
  /** True when the operator lets repositories name their own program (`harness.command`). */
  repositoryCommands: boolean;
  /**
   * The address where runners reach this Baton. null: there is none, so Baton refuses `executor: actions`. Unset in a
   * job, which is itself a runner.
   */
  publicUrl?: string | null;
  /** Unset outside a job of GitHub Actions. */
  job?: JobPlace;
  processes: ProcessRegistry;
  /** Plugins that see, and may change, the prompts of agents. They run in this order, before the process's own hook. */
  onInstructionsLoaded?: readonly NamedHook[];
  /** Removes secrets from text before Baton stores or sends it. */
  redact(text: string): string;
  /** Resolves after every microtask has run. */
  settle(): Promise<void>;
  /** Ends the programs that an attempt of a dead worker left on this machine. */
  killSurvivors(marker: string): Promise<number>;
  /**
   * Name of this Baton, the same for all processes on its database. It keeps two Batons on one machine from ending each
   * other's child processes.
   */
  instance?: string;
  /** Name of this process among the replicas, unique for each start. */
  owner: string;
  /** True when no other process can use this database. Then leases of an earlier start are void at once. */
  soleOwner: boolean;
}
