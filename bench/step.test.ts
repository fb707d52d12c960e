/** A step's cost to the database, as counts: they do not depend on the machine. Needs a server: BATON_TEST_DATABASE_URL. */
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { openPostgres } from "../src/adapters/database/open.ts";
import { silentLog } from "../src/adapters/system/log.ts";
import { Runner } from "../src/runner/runner.ts";
import { createPostgresDatabase, postgresUrl } from "../test/fakes/postgres.ts";
import { notDurable } from "./databases.ts";
import { dependenciesOn } from "./engine/dependencies.ts";
import { drive } from "./engine/drive.ts";
import { fan, sequence } from "./engine/run.ts";
import { countStatements } from "./engine/statements.ts";

const steps = 100;

describe.skipIf(postgresUrl === undefined)("a step on PostgreSQL", () => {
  it("is not measured on a server that acknowledges what a power failure loses", async () => {
    const { url, drop } = await createPostgresDatabase(postgresUrl as string);
    onTestFinished(drop);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(`alter database ${new URL(url).pathname.slice(1)} set synchronous_commit = off`);
    await client.end();
    // The servers of tests have `fsync` off, and that is found first.
    expect(await notDurable(url)).toMatch(/^the server runs with (fsync|synchronous_commit)=off$/);
  });

  it("is one statement and one commit, and steps at once share theirs", { timeout: 120_000 }, async () => {
    await using resources = new AsyncDisposableStack();
    const { url, drop } = await createPostgresDatabase(postgresUrl as string);
    resources.defer(drop);
    const database = await openPostgres(url, silentLog);
    resources.defer(() => database.close());
    const dependencies = dependenciesOn(database);
    // Not started: its polling depends on how long the machine takes.
    const runner = new Runner(dependencies);
    resources.defer(() => runner.stop());
    const cost = async (process: string): Promise<{ statements: number; commits: number }> => {
      using counts = countStatements();
      await drive(dependencies, runner, process, steps, process);
      return { statements: counts.statements / steps, commits: counts.commits / steps };
    };
    const [one, together] = [await cost(sequence.name), await cost(fan.name)];
    // The start and the end of the run are in it, and its status every half second: a slow machine shows more of them.
    expect(one.commits).toBeLessThanOrEqual(1.3);
    expect(one.statements).toBeLessThanOrEqual(2);
    expect(together.commits).toBeLessThanOrEqual(0.4);
  });
});
