/** Builds what tools beside a running Baton need: its data without its engine, the harnesses of this machine. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as macrotask } from "node:timers/promises";
import { builtInProcesses } from "../processes/index.ts";
import { openDatabase } from "./adapters/database/open.ts";
import { openGitDatabase } from "./adapters/git-state/open.ts";
import { StateRemote } from "./adapters/git-state/remote.ts";
import { harnessesOf } from "./adapters/harness/index.ts";
import { systemClock } from "./adapters/system/clock.ts";
import { createLog } from "./adapters/system/log.ts";
import { systemRandom } from "./adapters/system/random.ts";
import { BatonError } from "./core/errors.ts";
import type { StoredEvent } from "./core/event.ts";
import type { RunSummary } from "./core/summary.ts";
import { type RunId, runIdSchema } from "./core/vocabulary.ts";
import type { AppSettings } from "./environment/settings.ts";
import type { Harness } from "./ports/harness.ts";
import type { Store } from "./ports/store.ts";
import type { Circuit } from "./routing/circuit.ts";
import { circuitKey } from "./routing/rank.ts";
import { circuitOf } from "./runner/perform/route.ts";
import { type ListRuns, Runs } from "./runner/runs.ts";
import { Schedules } from "./runner/schedules.ts";
import { visitor } from "./runner/visitor.ts";
import { createRedactor } from "./text/redact.ts";

/** Looks at runs and changes nothing. */
export interface RunReader {
  /** Newest first. */
  list(filter?: ListRuns): Promise<RunSummary[]>;
  read(runId: string): Promise<RunSummary>;
  /** The whole journal, its hash chain checked. */
  events(runId: string): Promise<StoredEvent[]>;
  /** A kept prompt or transcript of the run; null: it is not kept (any more). */
  blob(runId: string, id: string): Promise<string | null>;
  redact(text: string): string;
  close(): Promise<void>;
}

/** What is asked of these runs is done by the next started Baton. */
export interface OpenedRuns extends RunReader {
  runs: Runs;
  schedules: Schedules;
  /** What came of a harness's last attempts; null: no failure is noted. */
  circuit(harness: string): Promise<Circuit | null>;
}

const stopGraceMs = 1_000;

/** The runs of a data directory or a server, without driving them. */
export async function openRuns(settings: AppSettings): Promise<OpenedRuns> {
  const redact = createRedactor({ secrets: settings.secrets });
  const log = createLog({ level: "error", redact });
  const database = await openDatabase({ databaseUrl: settings.databaseUrl, dataDir: settings.dataDir, log });
  const place = placeOf(database.store);
  return {
    ...readerOf([place]),
    runs: place.runs,
    schedules: new Schedules({ store: database.store, clock: systemClock }),
    circuit: (harness) => circuitOf(database.store, circuitKey(harness, null)),
    redact,
    async close() {
      await database.queue.stop(stopGraceMs);
      await database.close();
    },
  };
}

/** The runs of Actions mode, from the repository's own git: one fetch a thread, nothing is written there. */
export async function openGitRuns(options: {
  /** An address or a folder. */
  url: string;
  token: string | null;
}): Promise<RunReader> {
  const { url } = options;
  const redact = createRedactor({ secrets: options.token === null ? [] : [options.token] });
  const log = createLog({ level: "error", redact });
  const token = async (): Promise<string | null> => options.token;
  await using opening = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), "baton-state-"));
  opening.defer(() => rm(directory, { recursive: true, force: true }));
  const remote = new StateRemote({ gitDir: join(directory, "threads.git"), url, token });
  const places: Place[] = [];
  for (const home of await threadHomes(remote)) {
    const { store } = await openGitDatabase({
      url,
      token,
      scratchDir: join(directory, `${home.replaceAll("/", "-")}.git`),
      home,
      durability: "write",
      clock: systemClock,
      random: systemRandom,
      log,
      readOnly: true,
    });
    places.push(placeOf(store));
  }
  const opened = opening.move();
  return { ...readerOf(places), redact, close: () => opened.disposeAsync() };
}

/** Where Actions mode keeps threads: in refs of its own, or in branches on a host that takes no such refs. */
async function threadHomes(remote: StateRemote): Promise<string[]> {
  const homes: string[] = [];
  for (const namespace of ["refs/baton/", "refs/heads/baton-state/"])
    for (const ref of (await remote.below(`${namespace}thread/`)).keys()) homes.push(ref.slice(namespace.length));
  return homes;
}

interface Place {
  store: Store;
  runs: Runs;
}

function placeOf(store: Store): Place {
  const settle = async (): Promise<void> => {
    await macrotask();
  };
  const dependencies = { store, clock: systemClock, settle, processes: builtInProcesses() };
  return { store, runs: new Runs(dependencies, visitor(dependencies)) };
}

function readerOf(places: readonly Place[]): Pick<RunReader, "list" | "read" | "events" | "blob"> {
  const find = async (runId: string): Promise<Place & { id: RunId }> => {
    const parsed = runIdSchema.safeParse(runId);
    for (const place of parsed.success ? places : [])
      if ((await place.store.run(parsed.data as RunId)) !== null) return { ...place, id: parsed.data as RunId };
    throw new BatonError("BATON_NO_RUN", `There is no run "${runId.slice(0, 60)}".`);
  };
  return {
    async list(filter = {}) {
      const all = (await Promise.all(places.map(({ runs }) => runs.list(filter)))).flat();
      return all.toSorted((a, b) => b.createdAt - a.createdAt).slice(0, filter.limit);
    },
    async read(runId) {
      const { runs, id } = await find(runId);
      return runs.read(id);
    },
    async events(runId) {
      const { store, id } = await find(runId);
      return store.read(id);
    },
    async blob(runId, id) {
      const { store } = await find(runId);
      return store.blob(id);
    },
  };
}

export function harnessesHere(settings: AppSettings): Map<string, Harness> {
  return harnessesOf(settings.harness, settings.dataDir);
}
