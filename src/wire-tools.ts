/** Builds the parts for tools next to a running Baton: its data without its engine, the harnesses of this machine. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
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
import { Tokens } from "./app/api/tokens.ts";
import type { Operator } from "./app/control/protocol.ts";
import { SetupRequests } from "./begin/setup-requests.ts";
import { BatonError } from "./core/errors.ts";
import type { StoredEvent } from "./core/event.ts";
import type { RunId } from "./core/vocabulary.ts";
import type { AppSettings } from "./environment/settings.ts";
import type { Harness } from "./ports/harness.ts";
import type { Database, Store } from "./ports/store.ts";
import { circuitKey } from "./routing/rank.ts";
import { circuitOf } from "./runner/perform/route.ts";
import { runNamed } from "./runner/run-named.ts";
import { type ListRuns, Runs } from "./runner/runs.ts";
import { Schedules } from "./runner/schedules.ts";
import { Sweeps } from "./runner/sweeps.ts";
import { visitor } from "./runner/visitor.ts";
import type { RunSummary } from "./summary/summary.ts";
import { createRedactor } from "./text/redact.ts";

/** Reads runs and changes nothing. */
export interface RunReader {
  /** Newest first. */
  list(filter?: ListRuns): Promise<RunSummary[]>;
  read(runId: string): Promise<RunSummary>;
  /** The whole journal, its hash chain checked. */
  events(runId: string): Promise<StoredEvent[]>;
  /** A kept prompt or transcript of the run. null: it is not kept, or no longer. */
  blob(runId: string, id: string): Promise<string | null>;
  redact(text: string): string;
  close(): Promise<void>;
}

/** Requests to these runs wait for the next start of Baton. */
export interface OpenedRuns extends RunReader, Operator {
  runs: Runs;
}

const stopGraceMs = 1_000;

/** The runs of a data directory or a server, without driving them. */
export async function openRuns(settings: AppSettings): Promise<OpenedRuns> {
  const redact = createRedactor({ secrets: settings.secrets });
  const log = createLog({ level: "error", redact });
  const database = await openDatabase({ databaseUrl: settings.databaseUrl, dataDir: settings.dataDir, log });
  const place = placeOf(database.store);
  return {
    ...operatorOf(database, place.runs, settings),
    runs: place.runs,
    redact,
    async close() {
      await database.queue.stop(stopGraceMs);
      await database.close();
    },
  };
}

/** The runs of Actions mode, from the repository's own git: one fetch a thread, and no writes. */
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

/** The places where Actions mode keeps threads: in its own refs, or in branches if a host accepts no such refs. */
async function threadHomes(remote: StateRemote): Promise<string[]> {
  const homes: string[] = [];
  for (const namespace of ["refs/baton/", "refs/heads/baton-state/"])
    for (const ref of (await remote.below(`${namespace}thread/`)).keys()) homes.push(ref.slice(namespace.length));
  return homes;
}

/** Requests that only a running App can carry out. */
interface AppOperations extends Pick<Operator, "start" | "signIn"> {
  createToken: Operator["tokens"]["create"];
}

/** An operator's requests, to a running Baton or to its data alone. */
export function operatorOf(
  database: Pick<Database, "store" | "kind" | "backup">,
  runs: Runs,
  { onboarding, owners }: Pick<AppSettings, "onboarding" | "owners">,
  { start, createToken, signIn }: AppOperations = { start: needsApp, createToken: needsApp, signIn: needsApp },
): Operator {
  const { store } = database;
  const tokens = new Tokens({ store, clock: systemClock });
  return {
    start,
    signIn,
    tokens: { create: createToken, list: () => tokens.list(), revoke: (word) => tokens.revoke(word) },
    backup: (path) => writeBackup(database, path),
    ...readerOf([{ store, runs }]),
    cancel: (...given) => runs.cancel(...given),
    erase: (...given) => runs.erase(...given),
    retry: (...given) => runs.retry(...given),
    circuit: (harness) => circuitOf(store, circuitKey(harness, null)),
    schedules: new Schedules({ store, clock: systemClock }),
    sweeps: new Sweeps({ store, clock: systemClock }),
    setups: new SetupRequests({ store, clock: systemClock }, onboarding, owners),
  };
}

async function needsApp(): Promise<never> {
  throw new BatonError("BATON_INPUT_INVALID", "Only a running Baton can do this. Start it first: `baton start`.");
}

async function writeBackup({ kind, backup }: Pick<Database, "kind" | "backup">, path: string): Promise<number> {
  if (backup === undefined)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `The database is ${kind}, which has tools of its own. Use \`pg_dump\`.`,
    );
  const archive = Buffer.from(await (await backup()).arrayBuffer());
  // Journals hold people's words, so only the owner may read the file. Baton never overwrites an older backup.
  await writeFile(path, archive, { mode: 0o600, flag: "wx" }).catch((cause: NodeJS.ErrnoException) => {
    const why = cause.code === "EEXIST" ? "the file exists already" : cause.message;
    throw new BatonError("BATON_INPUT_INVALID", `${path} cannot be written: ${why}.`, { cause });
  });
  return archive.length;
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
    for (const place of places) {
      const id = await runNamed(place.store, runId);
      if (id !== null) return { ...place, id };
    }
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
