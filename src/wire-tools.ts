/** Builds what tools beside a running Baton need: its data without its engine, the harnesses of this machine. */
import { join } from "node:path";
import { setImmediate as macrotask } from "node:timers/promises";
import { builtInProcesses } from "../processes/index.ts";
import { openDatabase } from "./adapters/database/open.ts";
import { createHarnesses } from "./adapters/harness/index.ts";
import { systemClock } from "./adapters/system/clock.ts";
import { createLog } from "./adapters/system/log.ts";
import type { AppSettings } from "./app/settings.ts";
import type { ProcessRegistry } from "./core/process.ts";
import type { Harness } from "./ports/harness.ts";
import type { Store } from "./ports/store.ts";
import { Runs } from "./runner/runs.ts";
import { visitor } from "./runner/visitor.ts";
import { createRedactor } from "./thread/redact.ts";

export interface OpenedRuns {
  runs: Runs;
  store: Store;
  redact(text: string): string;
  close(): Promise<void>;
}

const stopGraceMs = 1_000;

/** The runs of a data directory or a server, without driving them; what is asked of them is done by the next started Baton. */
export async function openRuns(
  settings: AppSettings,
  processes: ProcessRegistry = builtInProcesses(),
): Promise<OpenedRuns> {
  const redact = createRedactor({ secrets: settings.secrets });
  const log = createLog({ level: "error", redact });
  const database = await openDatabase({ databaseUrl: settings.databaseUrl, dataDir: settings.dataDir, log });
  const { store } = database;
  const settle = async (): Promise<void> => {
    await macrotask();
  };
  const dependencies = { store, clock: systemClock, settle, processes };
  return {
    runs: new Runs(dependencies, visitor(dependencies)),
    store,
    redact,
    async close() {
      await database.queue.stop(stopGraceMs);
      await database.close();
    },
  };
}

export function harnessesHere(settings: AppSettings): Map<string, Harness> {
  const { command, repositoryCommands, ...clis } = settings.harness;
  return createHarnesses({
    ...clis,
    command: command.length === 0 && !repositoryCommands ? null : { command, repositoryCommands, keys: {} },
    sessionsDir: join(settings.dataDir, "sessions"),
  });
}
