/** Events that PGlite in a directory must survive: a second process, death at any instruction (S6), tampering, a newer Baton. */
import { cpSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { databaseTemplate } from "../../packages/local-github/demo/world.ts";
import { lockDirectory } from "../../src/adapters/database/directory-lock.ts";
import { openDatabase, openPglite } from "../../src/adapters/database/open.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import type { Database, Job } from "../../src/ports/store.ts";
import { startWorkerProcess, type WorkerProcess } from "../fakes/worker-process.ts";
import { newRun, paused, resumed } from "./store.ts";

let directory: string;
const children: WorkerProcess[] = [];
const start = (...args: string[]): WorkerProcess => {
  const child = startWorkerProcess(...args);
  children.push(child);
  return child;
};
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "baton-database-"));
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill()));
  await rm(directory, { recursive: true, force: true });
});
async function using<T>(use: (database: Database) => Promise<T>): Promise<T> {
  const database = await openPglite({ directory, log: silentLog });
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

/** Copies an empty, initialized database, because creating one takes seconds. */
const copyTemplate = (): void => {
  cpSync(join(process.env[databaseTemplate] ?? "", "database"), directory, { recursive: true });
};

describe("a process that is killed while it writes", () => {
  beforeEach(copyTemplate);

  it("S6: leaves everything that it acknowledged, whole, and lets the next one in at once", async () => {
    const runId = newRun();
    let acknowledgedBefore = 0;
    // Kills it each time after another number of writes, so at another place of the next write.
    for (const writes of [1, 7, 23]) {
      const child = start("write", directory, runId);
      await child.line("ready");
      // While it lives, a second process gets an error that names the first.
      await expect(openPglite({ directory, log: silentLog })).rejects.toMatchObject({
        code: "BATON_DATABASE_LOCKED",
        message: expect.stringContaining(`process ${child.pid} `),
      });
      await child.line(`acknowledged ${acknowledgedBefore + writes}`);
      await child.kill();
      const acknowledged = Number(child.lines.at(-1)?.split(" ")[1]);
      await using(async ({ store }) => {
        const events = await store.read(runId);
        // The write that was under way at its death may exist or not, but never by half.
        expect(events.length - acknowledged).toBeOneOf([0, 1]);
        const rows = await Promise.all(events.map(({ position }) => store.outboxRow(`${runId}:${position}`)));
        expect(rows.filter((row) => row === null)).toEqual([]);
        expect(await store.outboxRow(`${runId}:${events.length + 1}`)).toBeNull();
        acknowledgedBefore = events.length;
      });
    }
    await using(async ({ queue }) => {
      const keys = new Set<string>();
      const all = Promise.withResolvers<void>();
      await queue.work("run", 4, async (job) => {
        keys.add((job.data as { key: string }).key);
        if (keys.size === acknowledgedBefore) all.resolve();
      });
      await all.promise;
    });
  });

  it("S4: leaves its job to the next one, which gets it at once as a second try", async () => {
    await using(({ store }) => store.write({ jobs: [{ queue: "run", data: { n: 1 } }] }));
    const child = start("hold", directory, "run");
    await child.line('holding {"n":1}');
    await child.kill();
    await using(async ({ queue }) => {
      const taken = Promise.withResolvers<Job>();
      await queue.work("run", 1, async (job) => taken.resolve(job));
      expect(await taken.promise).toMatchObject({ data: { n: 1 }, tries: 2 });
    });
  });
});

describe("the lock of a directory", () => {
  it("holds within one process too, and is free after closing, twice closed or not", async () => {
    const lock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toMatchObject({
      code: "BATON_DATABASE_LOCKED",
      message: expect.stringContaining(`process ${process.pid} `),
    });
    await lock[Symbol.asyncDispose]();
    await lock[Symbol.asyncDispose]();
    await (await lockDirectory(directory))[Symbol.asyncDispose]();
  });

  it("does not believe a file that a dead process left, whatever it says", async () => {
    await writeFile(join(directory, "holder.json"), JSON.stringify({ pid: process.pid, host: "h", since: "then" }));
    await (await lockDirectory(directory))[Symbol.asyncDispose]();
    await expect(stat(join(directory, "holder.json"))).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("is given back when opening fails, and a place that is no directory is said so", async () => {
    await writeFile(join(directory, "pglite"), "not a directory");
    await expect(openPglite({ directory, log: silentLog })).rejects.toMatchObject({
      code: "BATON_DATABASE_UNAVAILABLE",
    });
    await (await lockDirectory(directory))[Symbol.asyncDispose]();
    const file = join(directory, "pglite");
    await expect(lockDirectory(file)).rejects.toMatchObject({ code: "BATON_DATABASE_UNAVAILABLE" });
  });
});

describe("a directory that somebody else wrote to", () => {
  beforeEach(copyTemplate);

  const change = async (statement: string): Promise<void> => {
    const pglite = await PGlite.create({ dataDir: join(directory, "pglite") });
    await pglite.exec(statement);
    await pglite.close();
  };

  it("J4: an altered or missing event is found, from whatever position one reads", async () => {
    const [altered, missing, whole] = [newRun(), newRun(), newRun()];
    await using(async ({ store }) => {
      for (const runId of [altered, missing, whole]) {
        await store.append({ runId, expectedPosition: 0, events: [paused, resumed, paused, resumed], now: 1 });
      }
    });
    await change(`update events set text = replace(text, 'alice', 'mallory') where stream = '${altered}' and position = 3;
      delete from events where stream = '${missing}' and position = 2`);
    await using(async ({ store }) => {
      for (const [runId, after] of [
        [altered, 0],
        [altered, 1],
        [altered, 2],
        [missing, 0],
        [missing, 1],
        [missing, 2],
      ] as const) {
        await expect(store.read(runId, after)).rejects.toMatchObject({ code: "BATON_JOURNAL_BROKEN" });
      }
      expect(await store.read(whole)).toHaveLength(4);
      expect(await store.read(altered, 3)).toHaveLength(1);
    });
  });

  it("S7: a journal whose last events were removed is found by the count beside it", async () => {
    const [cut, emptied] = [newRun(), newRun()];
    await using(async ({ store }) => {
      for (const runId of [cut, emptied]) {
        const run = { runId, threadKey: `t:${runId}`, process: "p", status: "running" as const, position: 1 };
        const row = { ...run, createdAt: 1, updatedAt: 1, wakeAt: null, watches: [] };
        await store.append({ runId, expectedPosition: 0, events: [paused], now: 1, also: { run: row } });
        await store.append({ runId, expectedPosition: 1, events: [resumed, paused, resumed], now: 2 });
      }
    });
    await change(`delete from events where stream = '${cut}' and position > 2;
      delete from events where stream = '${emptied}'`);
    await using(async ({ store }) => {
      for (const [runId, end] of [
        [cut, 2],
        [emptied, 0],
      ] as const) {
        const broken = {
          code: "BATON_JOURNAL_BROKEN",
          message: expect.stringContaining(`ends at event ${end}, but 4`),
        };
        await expect(store.read(runId)).rejects.toMatchObject(broken);
        await expect(store.append({ runId, expectedPosition: end, events: [paused], now: 3 })).rejects.toMatchObject(
          broken,
        );
      }
    });
  });

  it("a newer Baton's database is refused and left as it is", async () => {
    await using(async ({ store }) => store.setValue("cursor", 1));
    await change("insert into baton_migrations (name, timestamp) values ('9999-future', 'then')");
    await expect(openPglite({ directory, log: silentLog })).rejects.toMatchObject({ code: "BATON_DATABASE_NEWER" });
    await change("delete from baton_migrations where name = '9999-future'");
    await using(async ({ store }) => expect(await store.value("cursor")).toBe(1));
  });
});

it("without an address of a server the database is in the data directory", async () => {
  const database = await openDatabase({ databaseUrl: null, dataDir: directory, log: silentLog });
  await database.close();
  expect(database.kind).toBe("pglite");
  await expect(stat(join(directory, "database", "pglite"))).resolves.toBeDefined();
});
