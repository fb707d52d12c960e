/** The embedded database's content on a server, and in a backup: every table, the waiting jobs, and the numbered rows. */
import { cpSync, existsSync, mkdtempSync, openAsBlob, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { databaseTemplate } from "../../packages/local-github/demo/world.ts";
import { moveDatabase, movedTables } from "../../src/adapters/database/move.ts";
import { openDatabase, restorePglite } from "../../src/adapters/database/open.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import type { Database } from "../../src/ports/store.ts";
import { defineProcess, ProcessRegistry } from "../../src/process/process.ts";
import { Runs } from "../../src/runner/runs.ts";
import { visitor } from "../../src/runner/visitor.ts";
import { operatorOf } from "../../src/wire-tools.ts";

const server = process.env["BATON_TEST_DATABASE_URL"];
const look = defineProcess({
  name: "look",
  version: 1,
  summary: "Nothing.",
  stages: ["One"],
  input: z.object({ text: z.string() }),
  output: z.object({}),
  verdict: () => ({ name: "result", status: "passed", reason: "", evidence: [], children: [] }),
  run: async () => ({}),
});
const alice = { id: 1, login: "alice", kind: "user", permission: "write" } as const;
const hostile = 'quote \' " back\\slash \u2028 newline\n tab\t € 🦊 \\x41 {"a":1}';
const clock = { now: () => Date.now(), sleepUntil: async () => {} };
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "baton-move-"));
  const template = process.env[databaseTemplate];
  if (template !== undefined) cpSync(template, dataDir, { recursive: true });
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

function runsOf({ store }: Database): Runs {
  const dependencies = { store, clock, settle: async () => {}, processes: new ProcessRegistry().register(look) };
  return new Runs(dependencies, visitor(dependencies));
}

/** Runs, a delivery with its job, a blob and a value, on the embedded database. */
async function fill(database: Database): Promise<{ runId: string; blob: string }> {
  const { store } = database;
  const { runId } = await runsOf(database).create({
    key: "one",
    process: "look",
    input: { text: hostile },
    thread: {
      repository: { id: 1, owner: "acme", name: "shop", defaultBranch: "main", installationId: 1 },
      number: 7,
      kind: "issue",
    },
    requestedBy: alice,
  });
  await store.insertDelivery(
    { hook: "1", guid: "g", event: "issues", action: "opened", installationId: 1, payload: hostile, receivedAt: 5 },
    { queue: "delivery", data: { hook: "1", guid: "g" } },
  );
  return { runId, blob: await store.putBlob(hostile) };
}

async function check(database: Database, { runId, blob }: { runId: string; blob: string }): Promise<void> {
  const { store } = database;
  expect(await runsOf(database).list({ repository: "acme/shop", number: 7 })).toMatchObject([{ runId }]);
  // Reading checks the hash chain.
  const [created] = await store.read(runId as never);
  expect(JSON.stringify(created)).toContain(JSON.stringify(hostile).slice(1, -1));
  expect(await store.blob(blob)).toBe(hostile);
  expect(await store.delivery("1", "g")).toMatchObject({ payload: hostile, state: "received" });
}

it("a backup of a database at work is the whole of it, for its owner alone, and a data directory without one takes it", async () => {
  const path = join(dataDir, "backup.tar.gz");
  const other = join(dataDir, "other");
  const database = await openDatabase({ databaseUrl: null, dataDir, log: silentLog });
  let filled: { runId: string; blob: string };
  try {
    filled = await fill(database);
    const operator = operatorOf(database, runsOf(database), {
      onboarding: { atInstall: true, perDay: 10 },
      owners: null,
    });
    expect(await operator.backup(path)).toBe(statSync(path).size);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expect(operator.backup(path)).rejects.toThrow("the file exists already");
    // Work continues.
    await check(database, filled);
  } finally {
    await database.queue.stop(0);
    await database.close();
  }
  await restorePglite(other, await openAsBlob(path));
  await expect(restorePglite(other, await openAsBlob(path))).rejects.toThrow("holds a database already");
  const restored = await openDatabase({ databaseUrl: null, dataDir: other, log: silentLog });
  try {
    await check(restored, filled);
  } finally {
    await restored.queue.stop(0);
    await restored.close();
  }
});

describe.skipIf(server === undefined)("to a server", () => {
  it("all of it goes, once, and work goes on there", async () => {
    const name = `move_${process.pid}_${Date.now()}`;
    const admin = new pg.Client({ connectionString: server });
    await admin.connect();
    await admin.query(`create database ${name}`);
    const url = new URL(server as string);
    url.pathname = `/${name}`;
    const databaseUrl = url.href;
    try {
      const database = await openDatabase({ databaseUrl: null, dataDir, log: silentLog });
      const filled = await fill(database);
      await database.queue.stop(0);
      await database.close();

      const { rows, keptAt } = await moveDatabase({ dataDir, databaseUrl, log: silentLog });
      expect(rows).toMatchObject({ runs: 1, deliveries: 1, blobs: 1, jobs: 2 });
      expect(existsSync(join(dataDir, "database"))).toBe(false);
      expect(existsSync(join(keptAt, "pglite"))).toBe(true);

      const moved = await openDatabase({ databaseUrl, dataDir, log: silentLog });
      try {
        await check(moved, filled);
        // Waiting jobs are delivered, and new rows get their numbers.
        const delivered = new Promise((resolve) => {
          void moved.queue.work("delivery", 1, async ({ data }) => resolve(data));
        });
        expect(await delivered).toMatchObject({ hook: "1", guid: "g" });
        expect(await runsOf(moved).cancel(filled.runId, alice, "no")).toMatchObject({ runId: filled.runId });
      } finally {
        await moved.queue.stop(0);
        await moved.close();
      }
      // There is nothing left to move, and a server with runs accepts no second database.
      renameSync(keptAt, join(dataDir, "database"));
      await expect(moveDatabase({ dataDir, databaseUrl, log: silentLog })).rejects.toThrow("holds runs already");
      expect(existsSync(join(dataDir, "database"))).toBe(true);
      const client = new pg.Client({ connectionString: databaseUrl });
      await client.connect();
      const { rows: tables } = await client.query(
        "select table_name from information_schema.tables where table_schema = 'public' and table_name not like 'baton_migrations%'",
      );
      await client.end();
      expect(tables.map((row: { table_name: string }) => row.table_name).sort()).toEqual(
        [...Object.keys(movedTables), "leases"].sort(),
      );
    } finally {
      await admin.query(`drop database if exists ${name} with (force)`);
      await admin.end();
    }
  });
});
