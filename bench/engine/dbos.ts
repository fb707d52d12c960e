/**
 * The peer of the step benchmark: DBOS Transact, with the settings that its documentation gives for production.
 * https://docs.dbos.dev/typescript/reference/configuration
 *
 * The package is not a dependency of Baton. Without it the figures that need it are skipped.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { Counts } from "./statements.ts";
import { countStatements } from "./statements.ts";

const packageName = "@dbos-inc/dbos-sdk";

interface Dbos {
  setConfig(config: object): void;
  launch(): Promise<void>;
  shutdown(): Promise<void>;
  registerWorkflow<A extends unknown[], R>(
    run: (...given: A) => Promise<R>,
    options: object,
  ): (...given: A) => Promise<R>;
  runStep<R>(step: () => Promise<R>, options: object): Promise<R>;
}

export interface Peer extends AsyncDisposable {
  version: string;
  sequential(steps: number): Promise<void>;
  parallel(steps: number): Promise<void>;
  counted(work: () => Promise<void>): Promise<Counts>;
}

/** null: the package is not installed. */
export async function openDbos(databaseUrl: string): Promise<Peer | null> {
  const require = createRequire(import.meta.url);
  let path: string;
  try {
    path = require.resolve(packageName);
  } catch {
    return null;
  }
  const { DBOS } = require(path) as { DBOS: Dbos };
  // The package exports no manifest.
  const { version } = require(join(dirname(path), "../../package.json")) as { version: string };
  const { Client } = createRequire(path)("pg") as typeof pg;
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  DBOS.setConfig({ name: "bench", systemDatabaseUrl: databaseUrl, logger: quiet });
  const nothing = async (): Promise<{ number: number }> => ({ number: 1 });
  const step = (index: number) => DBOS.runStep(nothing, { name: `step ${index}` });
  const sequential = DBOS.registerWorkflow(
    async (steps: number) => {
      for (let index = 1; index <= steps; index += 1) await step(index);
    },
    { name: "sequential" },
  );
  const parallel = DBOS.registerWorkflow(
    async (steps: number) => {
      await Promise.allSettled(Array.from({ length: steps }, (_, index) => step(index)));
    },
    { name: "parallel" },
  );
  await DBOS.launch();
  return {
    version,
    // Called without an object: a workflow of an object needs a registered one.
    sequential: (steps) => sequential(steps),
    parallel: (steps) => parallel(steps),
    async counted(work) {
      using counts = countStatements(Client);
      await work();
      // The status of a workflow may be written after its end.
      await delay(100);
      return { statements: counts.statements, commits: counts.commits };
    },
    [Symbol.asyncDispose]: () => DBOS.shutdown(),
  };
}
