/** The runner's real dependencies with an instantaneous outside: a GitHub that acknowledges at once, nothing else. */
import { setImmediate as macrotask } from "node:timers/promises";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { systemRandom } from "../../src/adapters/system/random.ts";
import type { Github, GithubApp } from "../../src/ports/github.ts";
import type { Database } from "../../src/ports/store.ts";
import type { Workspaces } from "../../src/ports/workspace.ts";
import { ProcessRegistry } from "../../src/process/process.ts";
import type { Dependencies } from "../../src/runner/dependencies.ts";
import { createRedactor } from "../../src/text/redact.ts";
import { fan, sequence } from "./run.ts";

export function dependenciesOn(database: Database): Dependencies {
  return {
    store: database.store,
    queue: database.queue,
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    github: instantGithub,
    workspaces: absent<Workspaces>("workspace"),
    harnesses: new Map(),
    processes: new ProcessRegistry().register(sequence).register(fan),
    redact: createRedactor({ secrets: ["a-secret-that-is-looked-for-in-every-text"] }),
    settle: async () => {
      await macrotask();
    },
    killSurvivors: async () => 0,
    owner: "bench",
    soleOwner: true,
    repositoryCommands: false,
  };
}

const instantGithub: GithubApp = {
  installation: async () => absent<Github>("call of GitHub", { ensureReviewRequest: async () => {} }),
  identity: async () => ({ appId: 1, slug: "baton", bot: { id: 2, login: "baton[bot]", kind: "bot" } }),
  deliveries: async () => ({ deliveries: [], nextCursor: null }),
  repositories: async () => [],
  redeliver: async () => {},
};

/** A port with only the members in `present`. Any other access is a mistake in the benchmark, and the error names it. */
export function absent<T extends object>(what: string, present: Partial<T> = {}): T {
  return new Proxy(present as T, {
    get(target, property) {
      // Promises read `then` of every value.
      if (property === "then" || property in target) return Reflect.get(target, property);
      throw new Error(`The benchmark has no ${what}: ${String(property)}.`);
    },
  });
}
