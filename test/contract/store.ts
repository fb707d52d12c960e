/**
 * The contract S1–S6 of `ports/store.ts` as a suite. `store.test.ts` runs it over every database adapter.
 * Cases that need the death of a process are in `pglite-directory.test.ts` and `postgres-replicas.test.ts`.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/core/event.ts";
import { type RunId, runPointerPrefix, runValuePrefix } from "../../src/core/vocabulary.ts";
import { follow } from "../../src/ports/feed.ts";
import type {
  Database,
  Fence,
  Job,
  Lease,
  NewDelivery,
  NewOutboxRow,
  OutboxRow,
  RunRow,
  Store,
} from "../../src/ports/store.ts";
import { alice } from "../fakes/run-world.ts";

export interface StoreContractOptions {
  name: string;
  /** null: the suite is skipped, and `name` says why. */
  open: (() => Promise<Database>) | null;
  /** Undoes the parts of `open` outside of the database itself. */
  dispose?: () => Promise<void>;
}

export const newRun = (): RunId => `run_${randomUUID().replaceAll("-", "")}` as RunId;
export const paused: RunEvent = { type: "run.paused", by: alice, reason: "test" };
export const resumed: RunEvent = { type: "run.resumed", by: alice };

const indexRow = (runId: RunId): RunRow => ({
  runId,
  threadKey: "",
  process: "p",
  status: "running",
  position: 0,
  createdAt: 1,
  updatedAt: 1,
  wakeAt: null,
  watches: [],
});

export function storeContract({ name, open, dispose }: StoreContractOptions): void {
  describe.skipIf(open === null)(`store contract on ${name}`, () => {
    let database: Database;
    let store: Store;
    const handlers = new Map<string, (job: Job) => Promise<void> | void>();
    beforeAll(async () => {
      database = await (open as () => Promise<Database>)();
      store = database.store;
      // One worker a queue for the whole suite. Each test handles the jobs with its own mark.
      for (const queue of ["delivery", "run"]) {
        await database.queue.work(queue, 4, async (job) =>
          handlers.get((job.data as { mark?: string }).mark ?? "")?.(job),
        );
      }
    });
    afterAll(async () => {
      await database.queue.stop(0);
      await database.close();
      await dispose?.();
    });
    const append = (runId: RunId, expectedPosition: number, events: RunEvent[], more: object = {}) =>
      store.append({ runId, expectedPosition, events, now: 1_000, ...more });
    const job = (mark: string, more: object = {}) => ({ queue: "run", data: { mark }, ...more });

    it("S1: an append at another position than expected conflicts and writes nothing", async () => {
      const runId = newRun();
      await append(runId, 0, [paused]);
      await expect(append(runId, 0, [resumed])).rejects.toMatchObject({ code: "BATON_JOURNAL_CONFLICT" });
      await expect(append(runId, 5, [resumed])).rejects.toMatchObject({ code: "BATON_JOURNAL_CONFLICT" });
      expect((await store.read(runId)).map(({ event }) => event.type)).toEqual(["run.paused"]);
    });

    it("S1: of ten appenders at one position exactly one wins", async () => {
      const runId = newRun();
      const results = await Promise.allSettled(Array.from({ length: 10 }, () => append(runId, 0, [paused, resumed])));
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect(await store.position(runId)).toBe(2);
    });

    it("S1: an append after another event than the last is refused, also by its hash alone", async () => {
      const runId = newRun();
      const [first] = await append(runId, 0, [paused]);
      const previousHash = first?.hash ?? "";
      await expect(append(runId, 1, [resumed], { previousHash: "0".repeat(64) })).rejects.toMatchObject({
        code: "BATON_JOURNAL_BROKEN",
      });
      expect(await store.position(runId)).toBe(1);
      await append(runId, 1, [resumed], { previousHash });
      await expect(append(runId, 1, [paused], { previousHash })).rejects.toMatchObject({
        code: "BATON_JOURNAL_CONFLICT",
      });
      expect(await store.read(runId)).toHaveLength(2);
    });

    it("keeps each event's own time and what was journaled before", async () => {
      const runId = newRun();
      const events = store.journaled([{ ...paused, more: 1 } as unknown as RunEvent, resumed]);
      expect(events[0]).toEqual(paused);
      const stored = await append(runId, 0, events, { times: [7, 9] });
      expect(stored.map(({ at, event }) => [at, event])).toEqual([
        [7, events[0]],
        [9, events[1]],
      ]);
      expect(await store.read(runId)).toEqual(stored);
      expect(() => store.journaled([{ type: "run.paused", by: alice } as unknown as RunEvent])).toThrow("schema");
    });

    it("S2: an append with both leases, events and money keeps all of it in order, or nothing", async () => {
      const [runId, name] = [newRun(), `budget/${newRun()}`];
      const fence = (await store.acquireLease(`run:${runId}`, "a", 0, 10)) as Lease;
      const holds = (await store.acquireLease(name, "a", 0, 10)) as Lease;
      const line = (key: string) => ({
        runId,
        key,
        attempt: 1,
        kind: "reserve" as const,
        repositoryId: 1,
        threadKey: "1#1",
        harness: "",
        model: "a \u00e9 \ud83d\ude00 model",
        input: 1,
        output: 2,
        cacheRead: 3,
        cacheWrite: 4,
        usd: 0.1 + 0.2,
        at: 1_764_000_000_123,
      });
      const blobs = ["a prompt \u0000 \ud800", "another"].map((text) => store.keptBlob(text));
      const ledger = [line("b"), { ...line("a"), personId: 5, person: "alice", process: "sweep" }];
      const values = [{ name: `v/${runId}`, value: { a: "\u0000é" } }];
      const stale = { ...holds, epoch: 7 };
      await expect(
        append(runId, 0, [paused], { fence, also: { holds: stale, ledger, blobs, values } }),
      ).rejects.toMatchObject({
        code: "BATON_LEASE_LOST",
      });
      expect([await store.ledger({ runId }), await store.value(`v/${runId}`)]).toEqual([[], null]);
      await append(runId, 0, [paused, resumed], { fence, also: { holds, ledger, blobs, values } });
      expect(await store.value(`v/${runId}`)).toEqual({ a: "\u0000é" });
      expect(await store.ledger({ runId })).toEqual(ledger);
      for (const { id, content } of blobs) expect(await store.blob(id)).toBe(content);
      expect(await store.putBlob(blobs[0]?.content ?? "")).toBe(blobs[0]?.id);
      await append(runId, 2, [paused], { fence, also: { blobs, values: [{ name: `v/${runId}`, value: 2 }] } });
      expect(await store.value(`v/${runId}`)).toBe(2);
    });

    it("S1: what was written beside a conflicting append is not there either", async () => {
      const runId = newRun();
      await append(runId, 0, [paused]);
      await expect(append(runId, 0, [resumed], { also: { outbox: [outboxRow(`x:${runId}`)] } })).rejects.toMatchObject({
        code: "BATON_JOURNAL_CONFLICT",
      });
      expect(await store.outboxRow(`x:${runId}`)).toBeNull();
    });

    it("J4: an event that its schema does not know is refused before it is stored", async () => {
      const runId = newRun();
      await expect(append(runId, 0, [{ type: "run.paused", by: alice } as unknown as RunEvent])).rejects.toMatchObject({
        code: "BATON_EVENT_INVALID",
      });
      expect(await store.position(runId)).toBe(0);
    });

    it("S8: erased, a journal has no personal text any more, still holds, and can be read on and appended to", async () => {
      const runId = newRun();
      await append(runId, 0, [{ ...paused, reason: "Erika is ill" } as RunEvent, resumed]);
      const before = await store.read(runId);
      await store.erase(runId);
      const after = await store.read(runId);
      expect(JSON.stringify(after)).not.toMatch(/Erika|alice/);
      expect(after.map(({ hash, at }) => ({ hash, at }))).toEqual(before.map(({ hash, at }) => ({ hash, at })));
      expect(after.map(({ erased }) => erased)).toEqual([true, true]);
      await append(runId, 2, [paused]);
      expect((await store.read(runId, 1)).map(({ position, erased }) => [position, erased])).toEqual([
        [2, true],
        [3, undefined],
      ]);
      await store.erase(runId);
      expect(JSON.stringify(await store.read(runId))).not.toContain("alice");
    });

    it("FE1: what is appended in a thread is one stream, without a gap, whichever run it is of", async () => {
      const [one, two] = [newRun(), newRun()];
      const threadKey = `9#${one}`;
      const also = (runId: RunId) => ({ also: { run: { ...indexRow(runId), threadKey } } });
      expect(await database.feed.entries(threadKey, 0)).toEqual([]);
      await append(one, 0, [paused, resumed], also(one));
      await append(two, 0, [paused], also(two));
      await expect(append(one, 0, [paused])).rejects.toThrow();
      await append(one, 2, [paused]);
      const all = [
        { position: 1, runId: one, event: 1 },
        { position: 2, runId: one, event: 2 },
        { position: 3, runId: two, event: 1 },
        { position: 4, runId: one, event: 3 },
      ];
      expect(await database.feed.entries(threadKey, 0)).toEqual(all);
      expect(await database.feed.entries(threadKey, 2)).toEqual(all.slice(2));
    });

    it("FE2: a follower gets each entry once, in order, and then waits for more", async () => {
      const runId = newRun();
      const threadKey = `9#${runId}`;
      await append(runId, 0, [paused, resumed], { also: { run: { ...indexRow(runId), threadKey } } });
      const stop = new AbortController();
      const seen: number[] = [];
      for await (const { position, event } of follow(database.feed, threadKey, 1, stop.signal)) {
        seen.push(position, event);
        if (position === 2) await append(runId, 2, [paused]);
        // An event that is appended during the wait ends the wait.
        if (position === 3) setTimeout(() => void append(runId, 3, [resumed]), 50);
        if (position === 4) stop.abort();
      }
      expect(seen).toEqual([2, 2, 3, 3, 4, 4]);
    });

    it("FE5: all threads have one order, without a gap for a reader, and the same for every reader", async () => {
      const [one, two] = [newRun(), newRun()];
      const of = (runId: RunId) => ({ also: { run: { ...indexRow(runId), threadKey: `9#${runId}` } } });
      const before = await database.feed.newest();
      await append(one, 0, [paused, resumed], of(one));
      await append(two, 0, [paused], of(two));
      const first = await database.feed.ordered(before);
      await append(one, 2, [paused]);
      const [last] = await database.feed.ordered(first.at(-1)?.number ?? 0);
      const all = await database.feed.ordered(before);
      expect(all.slice(0, -1)).toEqual(first);
      expect(all.at(-1)).toEqual(last);
      expect(all.map(({ number }) => number)).toEqual(all.map(({ number }) => number).toSorted((a, b) => a - b));
      const eventsOf = (runId: RunId) => all.filter((entry) => entry.runId === runId).map(({ event }) => event);
      expect([eventsOf(one), eventsOf(two)]).toEqual([[1, 2, 3], [1]]);
      expect(await database.feed.newest()).toBe(all.at(-1)?.number);
      expect(await database.feed.ordered(await database.feed.newest())).toEqual([]);
    });

    it("what is put into the outbox is told, and when it is due is known", async () => {
      const news: string[] = [];
      const told = new Promise<void>((resolve) => {
        const unwatch = database.feed.watch(({ kind }) => {
          news.push(kind);
          if (kind === "thread") return;
          unwatch();
          resolve();
        });
      });
      await store.write({ outbox: [{ ...outboxRow(`feed:${newRun()}`), notBefore: 5 }] });
      await told;
      expect(await store.outboxNext()).toBeLessThanOrEqual(5);
    });

    it("reads on from a position", async () => {
      const runId = newRun();
      await append(runId, 0, [paused, resumed, paused]);
      expect((await store.read(runId, 1)).map(({ position }) => position)).toEqual([2, 3]);
      expect(await store.read(runId, 3)).toEqual([]);
    });

    it("S2: an append with the lease of an earlier epoch is refused", async () => {
      const runId = newRun();
      const old = await store.acquireLease(runId, "a", 0, 10);
      expect(await store.acquireLease(runId, "b", 5, 10)).toBeNull();
      const taken = await store.acquireLease(runId, "b", 11, 10);
      expect(taken?.epoch).toBe((old?.epoch ?? 0) + 1);
      await expect(append(runId, 0, [paused], { fence: old as Fence })).rejects.toMatchObject({
        code: "BATON_LEASE_LOST",
      });
      await append(runId, 0, [paused], { fence: taken as Fence });
      expect(await store.renewLease(old as Lease, 12, 10)).toBeNull();
    });

    it("S2: an append that holds a second lease succeeds only while it is held, expired or not", async () => {
      const [runId, name] = [newRun(), `budget/${newRun()}`];
      const first = (await store.acquireLease(name, "a", 0, 10)) as Lease;
      await append(runId, 0, [paused], { also: { holds: first } });
      const second = (await store.acquireLease(name, "b", 20, 10)) as Lease;
      const also = { holds: first, outbox: [outboxRow(`day:${runId}`)] };
      await expect(append(runId, 1, [resumed], { also })).rejects.toMatchObject({ code: "BATON_LEASE_LOST" });
      expect([await store.position(runId), await store.outboxRow(`day:${runId}`)]).toEqual([1, null]);
      await append(runId, 1, [resumed], { also: { holds: second } });
      await store.releaseLease(second);
      await expect(append(runId, 2, [paused], { also: { holds: second } })).rejects.toMatchObject({
        code: "BATON_LEASE_LOST",
      });
    });

    it("S2: a released lease is free at once and its epoch never comes again", async () => {
      const name = newRun();
      const first = await store.acquireLease(name, "a", 0, 1_000_000);
      await store.releaseLease(first as Lease);
      const second = await store.acquireLease(name, "a", 1, 1_000);
      expect(second?.epoch).toBe(2);
      await expect(append(name, 0, [paused], { fence: first as Fence })).rejects.toMatchObject({
        code: "BATON_LEASE_LOST",
      });
    });

    it("finds expired leases, not held or released ones", async () => {
      const [held, expired, released] = [newRun(), newRun(), newRun()];
      await store.acquireLease(held, "a", 0, 5_000);
      await store.acquireLease(expired, "a", 0, 10);
      const lease = await store.acquireLease(released, "a", 0, 10);
      await store.releaseLease(lease as Lease);
      const names = (await store.expiredLeases(100)).map(({ name: leaseName }) => leaseName);
      expect(names).toContain(expired);
      expect(names).not.toContain(held);
      expect(names).not.toContain(released);
    });

    it("a thread has at most one active run", async () => {
      const [one, two] = [newRun(), newRun()];
      const threadKey = `t:${one}`;
      await store.write({ thread: { threadKey, activeRunId: one } });
      await store.write({ thread: { threadKey, activeRunId: one } });
      await expect(store.write({ thread: { threadKey, activeRunId: two } })).rejects.toMatchObject({
        code: "BATON_RUN_ACTIVE",
      });
      expect(await store.activeRun(threadKey)).toBe(one);
      await store.write({ thread: { threadKey, activeRunId: null } });
      await store.write({ thread: { threadKey, activeRunId: two } });
    });

    it("lists runs by thread, state and what they watch", async () => {
      const runId = newRun();
      const row = {
        runId,
        threadKey: `t:${runId}`,
        process: "p",
        status: "waiting" as const,
        position: 1,
        createdAt: 1,
        updatedAt: 1,
        wakeAt: null,
        watches: [`sha:${runId}`],
      };
      await store.write({ run: row });
      expect(await store.run(runId)).toEqual(row);
      expect((await store.runs({ watch: `sha:${runId}`, active: true })).map((run) => run.runId)).toEqual([runId]);
      await store.write({ run: { ...row, status: "completed", watches: [] } });
      expect(await store.runs({ watch: `sha:${runId}` })).toEqual([]);
      expect(await store.runs({ threadKey: row.threadKey, active: true })).toEqual([]);
      expect((await store.runs({ idStart: runId.slice(0, -1), limit: 50 })).map((run) => run.runId)).toContain(runId);
      expect(await store.runs({ idStart: `${runId}0` })).toEqual([]);
      expect(await store.runs({ idStart: runId.slice(1) })).toEqual([]);
    });

    it("lists the runs of all threads of a repository, and of none whose id begins like it", async () => {
      const repositoryId = 7_000_000 + Math.floor(Date.now() % 1_000_000);
      const runIds = [`${repositoryId}#4`, `${repositoryId}#5`, `${repositoryId}1#4`, `1${repositoryId}#4`].map(
        (threadKey): [RunId, string] => [newRun(), threadKey],
      );
      for (const [runId, threadKey] of runIds)
        await store.write({
          run: {
            runId,
            threadKey,
            process: "p",
            status: "waiting",
            position: 1,
            createdAt: 1,
            updatedAt: 1,
            wakeAt: null,
            watches: [],
          },
        });
      const found = await store.runs({ repositoryId, active: true });
      expect(found.map(({ runId }) => runId).sort()).toEqual(
        runIds
          .slice(0, 2)
          .map(([runId]) => runId)
          .sort(),
      );
      expect(await store.runs({ repositoryId, active: false })).toEqual([]);
    });

    it("S3: a delivery is inserted once, and the same GUID of another hook is another delivery", async () => {
      const guid = newRun();
      const delivery = {
        hook: "1",
        guid,
        event: "issues",
        action: "opened",
        installationId: 3,
        payload: "{}",
        receivedAt: 1,
      };
      const wakeUp = { queue: "delivery", data: { hook: "1", guid } };
      const results = await Promise.all([1, 2, 3].map(() => store.insertDelivery(delivery, wakeUp)));
      expect(results.filter(Boolean)).toHaveLength(1);
      expect(await store.insertDelivery({ ...delivery, hook: "2" }, wakeUp)).toBe(true);
      expect(await store.delivery("1", guid)).toMatchObject({ state: "received", installationId: 3 });
      await store.finishDelivery("1", guid, "handled", "ok");
      expect(await store.delivery("1", guid)).toMatchObject({ state: "handled", note: "ok" });
      expect(await store.knownGuids([guid, "other"])).toEqual(new Set([guid]));
    });

    it("S3: a delivery without a job is kept as handled, with its reason, once", async () => {
      const guid = newRun();
      const delivery = { ...newDelivery(guid), note: "it cannot matter" };
      expect(await Promise.all([1, 2].map(() => store.insertDelivery(delivery, null)))).toEqual([true, false]);
      expect(await store.delivery(delivery.hook, guid)).toMatchObject({ state: "handled", note: "it cannot matter" });
    });

    it("prune: old deliveries that were worked off and old writes that are done go; what is open or young stays", async () => {
      const delivered = async (receivedAt: number, finished: boolean): Promise<string> => {
        const guid = randomUUID();
        const delivery = {
          hook: "1",
          guid,
          event: "issues",
          action: null,
          installationId: 3,
          payload: "{}",
          receivedAt,
        };
        await store.insertDelivery(delivery, { queue: "delivery", data: { hook: "1", guid } });
        if (finished) await store.finishDelivery("1", guid, "handled", "ok");
        return guid;
      };
      const [old, open, young] = [await delivered(1, true), await delivered(1, false), await delivered(2_000, true)];
      const [done, pending] = [randomUUID(), randomUUID()];
      await store.write({ outbox: [outboxRow(done), outboxRow(pending)] });
      await store.outboxDone(done, outboxRow(done).contentHash, null);
      await store.prune({ deliveriesBefore: 1_000, outboxBefore: 0 });
      expect(await store.knownGuids([old, open, young])).toEqual(new Set([open, young]));
      expect(await store.outboxRow(done)).not.toBeNull();
      await store.prune({ deliveriesBefore: 1_000, outboxBefore: Number.MAX_SAFE_INTEGER });
      expect(await store.outboxRow(done)).toBeNull();
      expect(await store.outboxRow(pending)).not.toBeNull();
    });

    it("values are there until removed; those of a run go with its other leftovers, once it is over", async () => {
      const [over, active, unknown] = [newRun(), newRun(), newRun()];
      const names = [over, active, unknown].map((runId) => `${runValuePrefix}${runId}/plan/1/result`);
      for (const name of [...names, `cursor:${over}`, `removed:${over}`]) await store.setValue(name, { at: 1 });
      const pointers = [over, active, unknown].map((runId) => `${runPointerPrefix}${runId}-commit`);
      for (const [at, runId] of [over, active, unknown].entries())
        await store.setValue(pointers[at] ?? "", { runId, baseSha: "b" });
      // A pointer of another version: nothing that it belongs to is known.
      await store.setValue(`${runPointerPrefix}${over}-odd`, "odd");
      await store.write({ run: { ...runRow(over), status: "completed", updatedAt: 1_000 } });
      await store.write({ run: { ...runRow(active), status: "paused", updatedAt: 1_000 } });
      await store.removeValues([`removed:${over}`, "never there"]);
      const left = async (): Promise<boolean[]> => {
        const values = await Promise.all(
          [...names, `cursor:${over}`, `removed:${over}`].map((name) => store.value(name)),
        );
        return values.map((value) => value !== null);
      };
      await store.prune({ deliveriesBefore: 0, outboxBefore: 1_000 });
      expect(await left()).toEqual([true, true, true, true, false]);
      expect(await store.prune({ deliveriesBefore: 0, outboxBefore: 1_001 })).toMatchObject({ values: 2 });
      expect(await left()).toEqual([false, true, true, true, false]);
      const kept = await Promise.all([...pointers, `${runPointerPrefix}${over}-odd`].map((name) => store.value(name)));
      expect(kept.map((value) => value !== null)).toEqual([false, true, true, true]);
    });

    it("S1: a conflicting append keeps nothing of what came with it: jobs, ledger, index row, thread", async () => {
      const runId = newRun();
      const handled: string[] = [];
      handlers.set(runId, () => void handled.push("lost"));
      await append(runId, 0, [paused]);
      const also = { jobs: [job(runId)], run: runRow(runId), thread: { threadKey: `t:${runId}`, activeRunId: runId } };
      await expect(append(runId, 0, [resumed], { also })).rejects.toMatchObject({ code: "BATON_JOURNAL_CONFLICT" });
      expect(await store.run(runId)).toBeNull();
      expect(await store.activeRun(`t:${runId}`)).toBeNull();
      // A later job that did get in has been handled. The one before it never came.
      const done = Promise.withResolvers<void>();
      const later = newRun();
      handlers.set(later, () => done.resolve());
      await store.write({ jobs: [job(later)] });
      await done.promise;
      expect(handled).toEqual([]);
    });

    it("S1: a refused thread undoes the append that asked for it", async () => {
      const [one, two] = [newRun(), newRun()];
      const threadKey = `t:${one}`;
      await append(one, 0, [paused], { also: { thread: { threadKey, activeRunId: one } } });
      await expect(
        append(two, 0, [paused], { also: { thread: { threadKey, activeRunId: two } } }),
      ).rejects.toMatchObject({ code: "BATON_RUN_ACTIVE" });
      expect(await store.position(two)).toBe(0);
    });

    it("a run that is over frees its thread only while it holds it", async () => {
      const [one, two] = [newRun(), newRun()];
      const threadKey = `t:${one}`;
      await store.write({ thread: { threadKey, activeRunId: two } });
      await store.write({
        run: runRow(one, { threadKey, status: "completed", position: 0 }),
        thread: { threadKey, activeRunId: null },
      });
      expect(await store.activeRun(threadKey)).toBe(two);
      await append(one, 0, [paused], { also: { thread: { threadKey, activeRunId: null } } });
      expect(await store.activeRun(threadKey)).toBe(two);
      await store.write({
        run: runRow(two, { threadKey, status: "completed" }),
        thread: { threadKey, activeRunId: null },
      });
      expect(await store.activeRun(threadKey)).toBeNull();
    });

    it("of two runs that want one thread at once exactly one gets it", async () => {
      const threadKey = `t:${newRun()}`;
      const runs = Array.from({ length: 8 }, newRun);
      const results = await Promise.allSettled(
        runs.map((activeRunId) => store.write({ thread: { threadKey, activeRunId } })),
      );
      const winners = runs.filter((_, index) => results[index]?.status === "fulfilled");
      expect(winners).toHaveLength(1);
      expect(await store.activeRun(threadKey)).toBe(winners[0]);
    });

    it("a fact watched twice is one watch, not a conflict", async () => {
      const runId = newRun();
      await append(runId, 0, [paused], { also: { run: runRow(runId, { watches: ["sha:a", "sha:a"] }) } });
      expect((await store.run(runId))?.watches).toEqual(["sha:a"]);
    });

    it("S2: a lease that expired but that nobody took still fences; of many takers one wins", async () => {
      const runId = newRun();
      const lease = (await store.acquireLease(runId, "a", 0, 10)) as Lease;
      await append(runId, 0, [paused], { fence: lease });
      const takers = await Promise.all(
        Array.from({ length: 6 }, (_, index) => store.acquireLease(runId, `b${index}`, 20, 10)),
      );
      expect(takers.filter((taken) => taken !== null)).toHaveLength(1);
      await expect(append(runId, 1, [resumed], { fence: lease })).rejects.toMatchObject({ code: "BATON_LEASE_LOST" });
      expect(await store.position(runId)).toBe(1);
    });

    it("S2: what an owner writes after it lost the lease is not there, whatever it was", async () => {
      const runId = newRun();
      const lost = (await store.acquireLease(runId, "a", 0, 10)) as Lease;
      await store.acquireLease(runId, "b", 20, 10);
      const also = { outbox: [outboxRow(`lost:${runId}`)], run: runRow(runId) };
      await expect(append(runId, 0, [paused], { fence: lost, also })).rejects.toMatchObject({
        code: "BATON_LEASE_LOST",
      });
      await store.releaseLease(lost);
      expect(await store.acquireLease(runId, "c", 21, 10)).toBeNull();
      expect([await store.outboxRow(`lost:${runId}`), await store.run(runId), await store.position(runId)]).toEqual([
        null,
        null,
        0,
      ]);
    });

    it("J4: events come back as they were written, with times, positions and links", async () => {
      const runId = newRun();
      const odd: RunEvent = { type: "run.paused", by: alice, reason: 'NUL \u0000, "quotes", \ud83d\ude00, \u2028' };
      const written = [
        ...(await append(runId, 0, [odd])),
        ...(await append(runId, 1, [resumed], { now: 1_700_000_000_123 })),
      ];
      const read = await store.read(runId);
      expect(read).toEqual(written);
      expect(read.map(({ position, at }) => [position, at])).toEqual([
        [1, 1_000],
        [2, 1_700_000_000_123],
      ]);
      expect(read[1]?.previousHash).toBe(read[0]?.hash);
      expect(read[0]?.event).toEqual(odd);
    });

    it("S7: the index row counts every event, and a row of an older state takes none back", async () => {
      const runId = newRun();
      await append(runId, 0, [paused], { also: { run: runRow(runId) } });
      await append(runId, 1, [resumed, paused]);
      expect((await store.run(runId))?.position).toBe(3);
      await store.write({ run: runRow(runId, { position: 2, status: "completed" }) });
      expect(await store.run(runId)).toMatchObject({ position: 3, status: "completed" });
    });

    it("S7: a journal whose end was cut off is neither read nor continued, though its chain holds", async () => {
      const runId = newRun();
      await append(runId, 0, [paused, resumed]);
      // As if the third had existed and been removed.
      await store.write({ run: runRow(runId, { position: 3 }) });
      const broken = {
        code: "BATON_JOURNAL_BROKEN",
        message: expect.stringMatching(/ends at event 2, but 3 were written/),
      };
      await expect(store.read(runId)).rejects.toMatchObject(broken);
      await expect(store.read(runId, 1)).rejects.toMatchObject(broken);
      await expect(store.read(runId, 2)).rejects.toMatchObject(broken);
      await expect(store.read(runId, 3)).rejects.toMatchObject({ code: "BATON_JOURNAL_BROKEN" });
      await expect(append(runId, 2, [paused])).rejects.toMatchObject(broken);
      await expect(append(runId, 3, [paused])).rejects.toMatchObject({ code: "BATON_JOURNAL_CONFLICT" });
      expect(await store.position(runId)).toBe(2);
    });

    it("lists runs page by page, newest first, each once, also those of one moment", async () => {
      const watch = `page:${newRun()}`;
      const runs = Array.from({ length: 7 }, newRun);
      for (const [index, runId] of runs.entries())
        await store.write({ run: runRow(runId, { createdAt: Math.floor(index / 3), watches: [watch] }) });
      const listed: RunRow[] = [];
      for (;;) {
        const before = listed.at(-1);
        const page = await store.runs({ watch, limit: 2, ...(before === undefined ? {} : { before }) });
        listed.push(...page);
        if (page.length < 2) break;
      }
      expect(listed.map(({ createdAt }) => createdAt)).toEqual([2, 1, 1, 1, 0, 0, 0]);
      expect(new Set(listed.map(({ runId }) => runId))).toEqual(new Set(runs));
    });

    it("an append without events writes what comes with it, at the expected position only", async () => {
      const runId = newRun();
      await append(runId, 0, [paused]);
      expect(await append(runId, 1, [], { also: { run: runRow(runId) } })).toEqual([]);
      expect(await store.run(runId)).not.toBeNull();
      await expect(append(runId, 0, [], {})).rejects.toMatchObject({ code: "BATON_JOURNAL_CONFLICT" });
    });

    it("S3: a delivery that was there brings no second job", async () => {
      const guid = newRun();
      const seen: string[] = [];
      const done = Promise.withResolvers<void>();
      handlers.set(guid, (taken) => void seen.push((taken.data as { n: string }).n));
      await store.insertDelivery(newDelivery(guid), { queue: "delivery", data: { mark: guid, n: "first" } });
      await store.insertDelivery(newDelivery(guid), { queue: "delivery", data: { mark: guid, n: "again" } });
      const last = newRun();
      handlers.set(last, () => done.resolve());
      await store.insertDelivery(newDelivery(last), { queue: "delivery", data: { mark: last } });
      await done.promise;
      expect(seen).toEqual(["first"]);
    });

    it("S4: a job comes back when its handler throws, and never after it is done", async () => {
      const mark = newRun();
      const tries: number[] = [];
      const done = Promise.withResolvers<void>();
      handlers.set(mark, (taken) => {
        tries.push(taken.tries);
        if (tries.length === 1) throw new Error("once");
        done.resolve();
      });
      await store.write({ jobs: [job(mark)] });
      await done.promise;
      expect(tries).toEqual([1, 2]);
    });

    it("S4: a waiting job of a key takes the next one in; another key and no key are other jobs", async () => {
      const mark = newRun();
      const handled: string[] = [];
      const all = Promise.withResolvers<void>();
      // A start in the future, so that they wait together. The database's clock decides when.
      const startAt = Date.now() + 1_000;
      handlers.set(mark, (taken) => {
        handled.push((taken.data as { n: string }).n);
        if (handled.length === 5) all.resolve();
      });
      const waiting = (n: string, more: object = {}) => ({ queue: "run", data: { mark, n }, startAt, ...more });
      await store.write({
        jobs: [waiting("a", { singletonKey: `${mark}:a` }), waiting("a again", { singletonKey: `${mark}:a` })],
      });
      await store.write({
        jobs: [waiting("a later", { singletonKey: `${mark}:a` }), waiting("b", { singletonKey: `${mark}:b` })],
      });
      await store.write({ jobs: [waiting("c"), waiting("d")] });
      await store.write({ jobs: [waiting("e")] });
      await all.promise;
      expect(handled.sort()).toEqual(["a", "b", "c", "d", "e"]);
    });

    it("S4: a running job of a key does not take the next one in: a wake-up during work is not lost", async () => {
      const mark = newRun();
      const [started, release, second] = [
        Promise.withResolvers<void>(),
        Promise.withResolvers<void>(),
        Promise.withResolvers<void>(),
      ];
      let count = 0;
      handlers.set(mark, async () => {
        count += 1;
        if (count > 1) return second.resolve();
        started.resolve();
        await release.promise;
      });
      await store.write({ jobs: [job(mark, { singletonKey: mark })] });
      await started.promise;
      await store.write({ jobs: [job(mark, { singletonKey: mark })] });
      release.resolve();
      await second.promise;
      expect(count).toBe(2);
    });

    it("S4: an urgent job pulls the waiting one of its key forward instead of being lost behind it", async () => {
      const mark = newRun();
      const done = Promise.withResolvers<Job>();
      handlers.set(mark, (taken) => done.resolve(taken));
      await store.write({ jobs: [job(mark, { singletonKey: mark, startAt: Date.now() + 3_600_000 })] });
      await store.write({ jobs: [job(mark, { singletonKey: mark })] });
      expect((await done.promise).tries).toBe(1);
    });

    it("S4: a job is not handed out before its time", async () => {
      const mark = newRun();
      const done = Promise.withResolvers<number>();
      handlers.set(mark, () => done.resolve(Date.now()));
      const startAt = Date.now() + 700;
      await store.write({ jobs: [job(mark, { startAt })] });
      // The clock of a server may differ a little.
      expect(await done.promise).toBeGreaterThan(startAt - 50);
    });

    it("S4: a backlog is worked off without pauses, by no more handlers at once than agreed", async () => {
      const mark = newRun();
      const count = 60;
      const done = Promise.withResolvers<void>();
      let [handled, running, most] = [0, 0, 0];
      const begun: number[] = [];
      handlers.set(mark, async () => {
        begun.push(performance.now());
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        handled += 1;
        if (handled === count) done.resolve();
      });
      await store.write({ jobs: Array.from({ length: count }, () => job(mark)) });
      await done.promise;
      // One of 4 workers takes at least 3 of 9 jobs. If it rested 1 s after each job, that would take 2 s.
      const quickest = Math.min(...begun.slice(8).map((at, index) => at - (begun[index] ?? 0)));
      expect(quickest).toBeLessThan(2_000);
      expect(most).toBeLessThanOrEqual(4);
    });

    it("S4: a job completed together with its result is not handed out again, though its handler throws after", async () => {
      const mark = newRun();
      const runId = newRun();
      let count = 0;
      handlers.set(mark, async (taken) => {
        count += 1;
        await append(runId, 0, [paused], { also: { completeJobId: taken.id } });
        throw new Error("died after the commit");
      });
      const guid = newRun();
      let finished = 0;
      handlers.set(guid, async (taken) => {
        finished += 1;
        await store.finishDelivery("1", guid, "handled", "ok", taken.id);
        throw new Error("died after the statement");
      });
      const first = newRun();
      const done = Promise.withResolvers<void>();
      // Comes back once, after the same pause as the job above would. By then, that job must not have come again.
      handlers.set(first, (taken) => {
        if (taken.tries < 2) throw new Error("again");
        done.resolve();
      });
      await store.write({ jobs: [job(mark)] });
      await store.insertDelivery({ ...newDelivery(guid), hook: "1" }, { queue: "delivery", data: { mark: guid } });
      await store.write({ jobs: [job(first)] });
      await done.promise;
      expect([count, finished]).toEqual([1, 1]);
      expect(await store.delivery("1", guid)).toMatchObject({ state: "handled", note: "ok" });
      expect(await store.position(runId)).toBe(1);
    });

    it("a job for a queue that does not exist is refused and undoes its transaction", async () => {
      const runId = newRun();
      await expect(
        append(runId, 0, [paused], { also: { jobs: [{ queue: "nowhere", data: {} }] } }),
      ).rejects.toMatchObject({ code: "BATON_INTERNAL" });
      expect(await store.position(runId)).toBe(0);
    });

    it("S5: a change back to what was sent last is sent, for the one in between may have arrived", async () => {
      const key = `back:${newRun()}`;
      await store.write({ outbox: [outboxRow(key, "v1")] });
      await store.outboxDone(key, "v1", null);
      await store.write({ outbox: [outboxRow(key, "v2")] });
      // v2 was sent, but its answer was lost with the process. Then the state is v1 again.
      await store.write({ outbox: [outboxRow(key, "v1")] });
      expect(await store.outboxRow(key)).toMatchObject({ state: "pending", contentHash: "v1" });
      await store.outboxDone(key, "v1", null);
      expect(await store.outboxRow(key)).toMatchObject({ state: "done" });
    });

    it("S5: a refusal of the older content does not bury the newer one", async () => {
      const key = `refused:${newRun()}`;
      await store.write({ outbox: [outboxRow(key, "v1")] });
      await store.write({ outbox: [outboxRow(key, "v2")] });
      await store.outboxFailed(key, "422", "v1");
      expect(await store.outboxRow(key)).toMatchObject({ state: "pending", contentHash: "v2" });
      await store.outboxFailed(key, "422", "v2");
      expect(await store.outboxRow(key)).toMatchObject({ state: "failed" });
    });

    it("S5: a newer content begins to count its tries anew, but not before the time that was set", async () => {
      const key = `tries:${newRun()}`;
      await store.write({ outbox: [outboxRow(key, "v1")] });
      await store.outboxRetry(key, 900, "503 \u0000");
      await store.write({ outbox: [outboxRow(key, "v1")] });
      expect(await store.outboxRow(key)).toMatchObject({ tries: 1, notBefore: 900 });
      await store.write({ outbox: [outboxRow(key, "v2")] });
      expect(await store.outboxRow(key)).toMatchObject({ tries: 0, error: null, notBefore: 900 });
    });

    it("S5: what is due comes by priority, then by age; a replaced content keeps its place", async () => {
      const mark = newRun();
      const row = (name: string, priority: number, hash = "v1") => ({
        ...outboxRow(`${mark}:${name}`, hash),
        priority,
        notBefore: -1_000_000,
      });
      await store.write({ outbox: [row("old", 5), row("new", 5), row("first", -5)] });
      await store.write({ outbox: [row("old", 5, "v2")] });
      const due = (await store.outboxDue(-1_000_000, 100))
        .map(({ operationKey }) => operationKey)
        .filter((key) => key.startsWith(mark));
      expect(due).toEqual([`${mark}:first`, `${mark}:old`, `${mark}:new`]);
      expect(await store.outboxDue(-1_000_000, 1)).toHaveLength(1);
    });

    it("keeps blobs as they are, whatever an agent printed", async () => {
      for (const content of [
        "NUL \u0000 inside",
        "lone \ud800 surrogate",
        '"quoted" \\ \u2028',
        "",
        "x".repeat(3_000_000),
      ]) {
        expect(await store.blob(await store.putBlob(content))).toBe(content);
      }
    });

    it("what is handed out and in is a copy: changing it changes nothing that is stored", async () => {
      const runId = newRun();
      const payload = { body: "kept" };
      await store.write({
        outbox: [{ ...outboxRow(`copy:${runId}`), payload }],
        run: runRow(runId, { watches: ["sha:1"] }),
      });
      payload.body = "changed";
      const row = (await store.outboxRow(`copy:${runId}`)) as OutboxRow;
      expect(row.payload).toEqual({ body: "kept" });
      (row.payload as { body: string }).body = "changed";
      (await store.run(runId))?.watches.push("sha:2");
      expect((await store.outboxRow(`copy:${runId}`))?.payload).toEqual({ body: "kept" });
      expect((await store.run(runId))?.watches).toEqual(["sha:1"]);
    });

    it("finds ledger rows by run, thread, repository and time", async () => {
      const [one, two] = [newRun(), newRun()];
      const row = (runId: RunId, at: number) => ({
        runId,
        key: "k",
        attempt: 1,
        kind: "reserve" as const,
        repositoryId: at,
        threadKey: `t:${one}`,
        harness: "h",
        model: "m",
        input: 1,
        output: 2,
        cacheRead: 3,
        cacheWrite: 4,
        usd: 0.1,
        at,
      });
      const base = Date.now() + Math.floor(performance.now() * 1_000);
      await store.write({ ledger: [row(one, base), row(two, base + 1)] });
      const found = async (filter: Parameters<Store["ledger"]>[0]) =>
        (await store.ledger(filter)).map(({ runId }) => runId);
      expect(await found({ runId: one })).toEqual([one]);
      expect(await found({ threadKey: `t:${one}` })).toEqual([one, two]);
      expect(await found({ threadKey: `t:${one}`, since: base + 1 })).toEqual([two]);
      expect(await found({ repositoryId: base, threadKey: `t:${one}` })).toEqual([one]);
    });

    it("answers a ping and says what it is", async () => {
      await database.ping();
      expect(["memory", "pglite", "postgres", "git"]).toContain(database.kind);
    });

    it("S5: the same content again is no work; a newer content is, also when it comes while the older is sent", async () => {
      const key = `status:${newRun()}`;
      const due = async () =>
        (await store.outboxDue(10, 100))
          .filter(({ operationKey }) => operationKey === key)
          .map(({ contentHash }) => contentHash);
      await store.write({ outbox: [outboxRow(key, "v1")] });
      await store.write({ outbox: [outboxRow(key, "v2")] });
      expect(await due()).toEqual(["v2"]);
      await store.write({ outbox: [outboxRow(key, "v3")] });
      await store.outboxDone(key, "v2", { id: 7 });
      expect(await due()).toEqual(["v3"]);
      await store.outboxDone(key, "v3", { id: 7 });
      await store.write({ outbox: [outboxRow(key, "v3")] });
      expect(await due()).toEqual([]);
      expect(await store.outboxRow(key)).toMatchObject({ state: "done", result: { id: 7 } });
      await store.write({ outbox: [outboxRow(key, "v2")] });
      expect(await due()).toEqual(["v2"]);
    });

    it("an outbox row waits until its time, and counts its tries", async () => {
      const key = `reply:${newRun()}`;
      await store.write({ outbox: [outboxRow(key)] });
      await store.outboxRetry(key, 500, "503");
      expect((await store.outboxDue(499, 100)).map(({ operationKey }) => operationKey)).not.toContain(key);
      const again = (await store.outboxDue(500, 100)).find(({ operationKey }) => operationKey === key);
      expect(again).toMatchObject({ tries: 1, error: "503" });
      await store.outboxFailed(key, "gone");
      expect((await store.outboxDue(900, 100)).map(({ operationKey }) => operationKey)).not.toContain(key);
    });

    it("keeps blobs by content and values by name", async () => {
      const id = await store.putBlob("prompt");
      expect(await store.putBlob("prompt")).toBe(id);
      expect(await store.blob(id)).toBe("prompt");
      expect(await store.blob("none")).toBeNull();
      await store.setValue("cursor", { at: 1 });
      await store.setValue("cursor", { at: 2 });
      expect(await store.value("cursor")).toEqual({ at: 2 });
    });

    it("books the ledger in the append's transaction", async () => {
      const runId = newRun();
      const row = {
        runId,
        key: "k",
        attempt: 1,
        kind: "settle" as const,
        repositoryId: 7,
        threadKey: "7#1",
        harness: "h",
        model: "m",
        input: 1,
        output: 2,
        cacheRead: 3,
        cacheWrite: 4,
        usd: 0.25,
        at: 5,
      };
      await append(runId, 0, [paused], { also: { ledger: [row] } });
      expect(await store.ledger({ runId })).toEqual([row]);
    });
  });
}

function outboxRow(operationKey: string, contentHash = "v1"): NewOutboxRow {
  return {
    operationKey,
    installationId: 1,
    repositoryId: 1,
    kind: "comment",
    payload: { body: contentHash },
    contentHash,
    priority: 10,
    notBefore: 0,
    runId: null,
  };
}

function runRow(runId: RunId, change: Partial<RunRow> = {}): RunRow {
  return {
    runId,
    threadKey: `t:${runId}`,
    process: "p",
    status: "waiting",
    position: 1,
    createdAt: 1,
    updatedAt: 1,
    wakeAt: null,
    watches: [],
    ...change,
  };
}

function newDelivery(guid: string, change: Partial<NewDelivery> = {}): NewDelivery {
  return {
    hook: "1",
    guid,
    event: "push",
    action: null,
    installationId: null,
    payload: "{}",
    receivedAt: 1,
    ...change,
  };
}
