/** Rules for several Batons on one PostgreSQL server. Needs a server: BATON_TEST_DATABASE_URL. */
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openPostgres } from "../../src/adapters/database/open.ts";
import { PgBossQueue } from "../../src/adapters/database/pg-boss-queue.ts";
import type { Tables } from "../../src/adapters/database/tables.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import type { BatonError } from "../../src/core/errors.ts";
import type { RunId } from "../../src/core/vocabulary.ts";
import { follow } from "../../src/ports/feed.ts";
import type { Database, Job } from "../../src/ports/store.ts";
import { createPostgresDatabase, postgresUrl } from "../fakes/postgres.ts";
import { startWorkerProcess } from "../fakes/worker-process.ts";
import { newRun, paused } from "./store.ts";

const skipped = postgresUrl === undefined;

describe.skipIf(skipped)(
  `replicas on PostgreSQL${skipped ? " (skipped: no server; set BATON_TEST_DATABASE_URL)" : ""}`,
  () => {
    let created: Awaited<ReturnType<typeof createPostgresDatabase>>;
    let replicas: Database[];
    beforeAll(async () => {
      created = await createPostgresDatabase(postgresUrl as string);
      // All at once on an empty database. Each creates the missing parts, and none fails because of another.
      replicas = await Promise.all([1, 2, 3].map(() => openPostgres(created.url, silentLog)));
    });
    afterAll(async () => {
      await Promise.all(replicas.map((replica) => replica.close()));
      await created.drop();
    });
    const replica = (index: number): Database => replicas[index] as Database;

    it("start together on an empty database", async () => {
      await expect(Promise.all(replicas.map((each) => each.ping()))).resolves.toHaveLength(3);
    });

    it("S1: of appends from all of them at one position exactly one wins, again and again", async () => {
      const runId = newRun();
      for (let position = 0; position < 20; position += 1) {
        const results = await Promise.allSettled(
          replicas.map(({ store }) => store.append({ runId, expectedPosition: position, events: [paused], now: 1 })),
        );
        expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
        const losers = results
          .filter((result) => result.status === "rejected")
          .map(({ reason }) => (reason as BatonError).code);
        expect(losers).toEqual(["BATON_JOURNAL_CONFLICT", "BATON_JOURNAL_CONFLICT"]);
      }
      expect(await replica(1).store.read(runId)).toHaveLength(20);
    });

    it("FE5: readers of all threads at two replicas see every event once, in one order, while all write at once", async () => {
      const writersEach = 10;
      const before = await replica(0).feed.newest();
      const runs = Array.from({ length: 8 }, () => newRun());
      const total = runs.length * writersEach;
      const read = async (index: number): Promise<string[]> => {
        const seen: string[] = [];
        let number = before;
        while (seen.length < total) {
          const entries = await replica(index).feed.ordered(number);
          seen.push(...entries.map(({ runId, event }) => `${runId} ${event}`));
          number = entries.at(-1)?.number ?? number;
        }
        return seen;
      };
      const write = async (runId: RunId, index: number): Promise<void> => {
        for (let position = 0; position < writersEach; position += 1)
          await replica((index + position) % 3).store.append({
            runId,
            expectedPosition: position,
            events: [paused],
            now: 1,
          });
      };
      const reading = Promise.all([read(1), read(2)]);
      await Promise.all(runs.map(write));
      const [one, two] = await reading;
      expect(two).toEqual(one);
      expect(new Set(one).size).toBe(total);
      for (const runId of runs)
        expect(one.filter((entry) => entry.startsWith(runId))).toEqual(
          Array.from({ length: writersEach }, (_, index) => `${runId} ${index + 1}`),
        );
    });

    it("FE1: a delayed commit of one replica leaves no gap for a follower on another, and holds up its own thread only", async () => {
      const [late, next, elsewhere] = [newRun(), newRun(), newRun()];
      const row = (runId: RunId, threadKey: string) => ({
        runId,
        threadKey,
        process: "p",
        status: "running" as const,
        position: 0,
        createdAt: 1,
        updatedAt: 1,
        wakeAt: null,
        watches: [],
      });
      const client = new pg.Client({ connectionString: created.url });
      await client.connect();
      onTestFinished(() => client.end());
      // The commit of `late` waits for this client, because its trigger runs after all of its statements.
      await client.query(
        `create function hold_commit() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(77); return null; end $$`,
      );
      await client.query(
        `create constraint trigger held after insert on events deferrable initially deferred for each row when (new.stream = '${late}') execute function hold_commit()`,
      );
      await client.query("select pg_advisory_lock(77)");
      const stop = new AbortController();
      const seen: string[] = [];
      const following = (async () => {
        for await (const { position, runId } of follow(replica(2).feed, "77#1", 0, stop.signal)) {
          seen.push(`${position} ${runId}`);
          if (seen.length === 3) stop.abort();
        }
      })();
      const append = (index: number, runId: RunId, threadKey: string, events = [paused]) =>
        replica(index).store.append({
          runId,
          expectedPosition: 0,
          events,
          now: 1,
          also: { run: row(runId, threadKey) },
        });
      const first = append(0, late, "77#1", [paused, paused]);
      await expect
        .poll(
          async () =>
            (await client.query("select 1 from pg_locks where locktype = 'advisory' and objid = 77 and not granted"))
              .rowCount,
        )
        .toBe(1);
      let committed = false;
      const second = append(1, next, "77#1").then(() => {
        committed = true;
      });
      // Another thread continues meanwhile, and nobody sees the second row before the first.
      await append(1, elsewhere, "77#2");
      expect([committed, seen, await replica(2).feed.entries("77#1", 0)]).toEqual([false, [], []]);
      await client.query("select pg_advisory_unlock(77)");
      await Promise.all([first, second, following]);
      expect(seen).toEqual([`1 ${late}`, `2 ${late}`, `3 ${next}`]);
      await client.query("drop trigger held on events");
    });

    it("FE4: a follower whose connection broke goes on where it was", async () => {
      const runId = newRun();
      const row = {
        runId,
        threadKey: "78#1",
        process: "p",
        status: "running" as const,
        position: 0,
        createdAt: 1,
        updatedAt: 1,
        wakeAt: null,
        watches: [],
      };
      await replica(0).store.append({ runId, expectedPosition: 0, events: [paused], now: 1, also: { run: row } });
      const stop = new AbortController();
      const seen: number[] = [];
      const client = new pg.Client({ connectionString: created.url });
      await client.connect();
      onTestFinished(() => client.end());
      for await (const { position } of follow(replica(1).feed, "78#1", 0, stop.signal)) {
        seen.push(position);
        if (position === 1) {
          await client.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'baton feed' and datname = current_database()",
          );
          await replica(0).store.append({ runId, expectedPosition: 1, events: [paused], now: 1 });
        }
        if (position === 2) stop.abort();
      }
      expect(seen).toEqual([1, 2]);
    });

    it("S3: a delivery that reaches all of them at once is inserted by one", async () => {
      const delivery = {
        hook: "1",
        guid: newRun(),
        event: "push",
        action: null,
        installationId: null,
        payload: "{}",
        receivedAt: 1,
      };
      const inserted = await Promise.all(
        replicas.map(({ store }) => store.insertDelivery(delivery, { queue: "delivery", data: {} })),
      );
      expect(inserted.filter(Boolean)).toHaveLength(1);
    });

    it("Q2: a waiting job that announces a change is taken by no worker before the change is committed", async () => {
      const key = newRun();
      const pool = new pg.Pool({ connectionString: created.url });
      const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
      const queue = await PgBossQueue.open({
        log: silentLog,
        backend: "postgres",
        connection: { connectionString: created.url, max: 1 },
      });
      // The number of jobs that a worker could fetch right now.
      const takeable = async (): Promise<number> => {
        const taken = await pool.query(
          "select id from pgboss.job where singleton_key = $1 and state = 'created' for update skip locked",
          [key],
        );
        return taken.rows.length;
      };
      // A queue of its own, because the dying replica below takes every job of the other one.
      const job = { queue: "delivery", data: {}, singletonKey: key };
      await db.transaction().execute((transaction) => queue.enqueue(transaction, job));
      expect(await takeable()).toBe(1);
      await db.transaction().execute(async (transaction) => {
        await queue.enqueue(transaction, job);
        expect(await takeable()).toBe(0);
      });
      expect(await takeable()).toBe(1);
      await queue.stop(0);
      await db.destroy();
    });

    it("S4: a dead replica's job is handed to another within 45 s", { timeout: 90_000 }, async () => {
      const dead = startWorkerProcess("hold", created.url, "outbox");
      onTestFinished(() => dead.kill());
      await dead.line("ready");
      await replica(0).store.write({ jobs: [{ queue: "outbox", data: { n: 1 } }] });
      await dead.line('holding {"n":1}');
      const taken = Promise.withResolvers<Job>();
      await replica(0).queue.work("outbox", 1, async (job) => {
        if ((job.data as { n?: number }).n === 1) taken.resolve(job);
      });
      const before = performance.now();
      await dead.kill();
      expect(await taken.promise).toMatchObject({ tries: 2 });
      expect(performance.now() - before).toBeLessThan(45_000);
    });

    it("a newer Baton's database is refused", async () => {
      const client = new pg.Client({ connectionString: created.url });
      await client.connect();
      await client.query("insert into baton_migrations (name, timestamp) values ('9999-future', 'then')");
      await expect(openPostgres(created.url, silentLog)).rejects.toMatchObject({ code: "BATON_DATABASE_NEWER" });
      await client.query("delete from baton_migrations where name = '9999-future'");
      await client.end();
    });

    it("a server that is not there is said so at once", async () => {
      await expect(openPostgres("postgres://nobody@127.0.0.1:1/none", silentLog)).rejects.toMatchObject({
        code: "BATON_DATABASE_UNAVAILABLE",
      });
    });
  },
);
