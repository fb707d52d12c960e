/** Everything that the shell around the core needs, as ports. Built once in `wire.ts`; tests hand in fakes. */

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
  /** `.github/workflows/baton.yml`, whose `permissions` bound the token; null: unknown. */
  workflow: string | null;
  /** Permissions that its token needs to write, by GitHub's names. */
  needs: readonly string[];
}

/** Values that all threads of a repository share. */
export interface SharedValues {
  value(name: string): Promise<Json>;
  /** `apply` is asked again where somebody else changed the value meanwhile. */
  change(name: string, apply: (before: Json) => Json): Promise<void>;
}

export interface Dependencies {
  store: Store;
  /** Unset where the store itself is one for all threads. */
  shared?: SharedValues;
  queue: Queue;
  /** What others committed; unset: it is looked for again and again. */
  feed?: Feed;
  clock: Clock;
  random: Random;
  log: Log;
  github: GithubApp;
  workspaces: Workspaces;
  harnesses: Map<string, Harness>;
  /** Through it agents ask their models, so that they hold no key. Without it, adapters give their own. */
  models?: ModelProxy;
  /** Where agents run on this machine; unset: nowhere else than in the open (tests with fakes). */
  agentSandbox?: AgentSandbox;
  /** Agents that work on this machine at once; unset: any number. */
  agentSlots?: AgentSlots;
  /** What `sandbox.setup` downloaded, from one attempt to the next; unset: each attempt downloads again. */
  packageCaches?: PackageCaches;
  /** A program of an attempt starts outside the sandbox. */
  noteUnconfined?(): void;
  /** Logins of the accounts that this Baton works for, in lower case; unset or null: all that installed the App. */
  owners?: readonly string[] | null;
  /** True when the operator lets repositories name a program of their own (`harness.command`). */
  repositoryCommands: boolean;
  /** Where runners reach this Baton; null: nowhere, so `executor: actions` is refused. Unset in a job, which is a runner itself. */
  publicUrl?: string | null;
  /** Unset where no job of Actions is what runs. */
  job?: JobPlace;
  processes: ProcessRegistry;
  /** Plugins that see, and may change, what agents are told; before the process's own hook, in this order. */
  onInstructionsLoaded?: readonly NamedHook[];
  /** Removes secrets from text before it is kept or leaves. */
  redact(text: string): string;
  /** Resolves when every microtask has run. */
  settle(): Promise<void>;
  /** Ends what an attempt of a dead worker left running on this machine. */
  killSurvivors(marker: string): Promise<number>;
  /** Name of this Baton, the same for all that share its database: two on one machine never take each other's children for their own. */
  instance?: string;
  /** Name of this process among the replicas: unique for each start. */
  owner: string;
  /** True when no other process can use this database: leases of an earlier start are void at once. */
  soleOwner: boolean;
}
