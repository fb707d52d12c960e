/**
 * The world of a scenario in Actions mode. Each event is a job in this process, and only git holds the state. It has the
 * shape of the App's world, so one scenario runs in both modes.
 */
import { setTimeout as delay } from "node:timers/promises";
import { repositoryName, type WorldOptions } from "../../packages/local-github/demo/world.ts";
import { type GitDatabase, openGitDatabase } from "../../src/adapters/git-state/open.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { systemRandom } from "../../src/adapters/system/random.ts";
import { BatonError } from "../../src/core/errors.ts";
import { fold } from "../../src/core/fold.ts";
import type { RunState } from "../../src/core/state.ts";
import type { RunId } from "../../src/core/vocabulary.ts";
import type { RunFilter, Store } from "../../src/ports/store.ts";
import { startPlatform } from "../action/platform.ts";
import { patienceMs } from "../patience.ts";
import { describeWorld, notForJobs, type ObservedWorld, repositoryOf } from "./helpers.ts";

const lookMs = 200;
const threads = "refs/baton/thread/";

export async function actionsWorld(options: WorldOptions = {}): Promise<ObservedWorld> {
  const platform = await startPlatform({ logLevel: "silent", ...options });
  platform.trigger(true);
  const read = stateReader(platform);
  const unused = (what: string) => (): never => {
    throw new Error(`In Actions mode there is no ${what}.`);
  };
  const world = {
    ...platform,
    bot: "github-actions[bot]",
    baton: {
      dependencies: onlyStore(read.store),
      runner: { state: read.state, idle: () => platform.settle() },
    },
    // Each job is a start of its own.
    restart: () => platform.settle(),
    async until<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
      const deadline = AbortSignal.timeout(patienceMs);
      for (let schedules = 0; ; ) {
        const answer = await condition();
        if (answer) return answer;
        if (deadline.aborted || schedules > schedulesMax)
          throw new Error(`No job led to: ${what}\n${await describeWorld(world)}`);
        // CI may be about to end. A job may begin that waits for this test, so the condition is asked meanwhile.
        const isSettled = await Promise.race([platform.settle().then(() => true), delay(lookMs, false)]);
        if (!isSettled || (await condition())) continue;
        // If nothing comes, the schedule checks for due work.
        schedules += 1;
        await platform.run("schedule", platform.about());
      }
    },
    settings: undefined,
    server: { close: unused("server") },
    close: () => platform.close(),
  } as unknown as ObservedWorld;
  return world;
}

/** A job has its own dependencies. Only its store can be read from outside. */
function onlyStore(store: unknown): unknown {
  return new Proxy({ store } as Record<string | symbol, unknown>, {
    get(known, name) {
      if (name in known || typeof name === "symbol" || name === "then") return known[name];
      throw new Error(`${notForJobs} dependencies.${name}`);
    },
  });
}

/** A scenario with a longer wait for a timer does not fit both modes. */
const schedulesMax = 3;

/** Reads the state of all threads, by the current refs. */
function stateReader(platform: Awaited<ReturnType<typeof startPlatform>>) {
  const opened = new Map<string, { sha: string; database: Promise<GitDatabase> }>();
  const open = (home: string): Promise<GitDatabase> =>
    openGitDatabase({
      url: platform.github.gitDirectory(repositoryName),
      token: async () => null,
      scratchDir: `${platform.directory}/read-${home.replaceAll("/", "-")}.git`,
      home,
      durability: "barrier",
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      readOnly: true,
    });
  const stores = async (): Promise<Store[]> => {
    const refs = [...repositoryOf(platform as never).refs].filter(([ref]) => ref.startsWith(threads));
    const databases = refs.map(([ref, sha]) => {
      const home = `thread/${ref.slice(threads.length)}`;
      const known = opened.get(home);
      if (known?.sha === sha) return known.database;
      // One look after the other, because they share a directory.
      const database = (known?.database ?? Promise.resolve()).then(() => open(home));
      opened.set(home, { sha, database });
      return database;
    });
    return (await Promise.all(databases)).map(({ store }) => store);
  };
  const all = async <T>(ask: (store: Store) => Promise<T[]>): Promise<T[]> =>
    (await Promise.all((await stores()).map(ask))).flat();
  const journal = (runId: RunId) => all((store) => store.read(runId));
  return {
    store: {
      runs: async (filter: RunFilter) =>
        (await all((store) => store.runs(filter))).toSorted((one, other) => other.createdAt - one.createdAt),
      read: journal,
      blob: async (id: string) =>
        (await all(async (store) => [await store.blob(id)])).find((one) => one !== null) ?? null,
      outboxDue: (now: number, limit: number) => all((store) => store.outboxDue(now, limit)),
    },
    async state(runId: RunId): Promise<RunState> {
      const events = await journal(runId);
      if (events.length === 0) throw new BatonError("BATON_NO_RUN", runId);
      return fold(events);
    },
  };
}
