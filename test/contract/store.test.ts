/** One contract (S1–S6 of `ports/store.ts`) over every database adapter. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPglite, openPostgres } from "../../src/adapters/database/open.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import type { RunEvent } from "../../src/core/event.ts";
import type { RunId } from "../../src/core/vocabulary.ts";
import type { Database, NewOutboxRow, Store } from "../../src/ports/store.ts";
import { alice } from "../fakes/run-world.ts";

const postgresUrl = process.env["BATON_TEST_DATABASE_URL"];
const adapters: { name: string; open: (() => Promise<Database>) | null }[] = [
  { name: "PGlite", open: () => openPglite({ directory: null, log: silentLog }) },
  { name: "PostgreSQL", open: postgresUrl === undefined ? null : () => openPostgres(postgresUrl, silentLog) },
];

const newRun = (): RunId => `run_${randomUUID().replaceAll("-", "")}` as RunId;
const paused: RunEvent = { type: "run.paused", by: alice, reason: "test" };
const resumed: RunEvent = { type: "run.resumed", by: alice };

for (const { name, open } of adapters) {
  describe.skipIf(open === null)(`store contract on ${name}${open === null ? " (skipped: no server, set BATON_TEST_DATABASE_URL)" : ""}`, () => {
    let database: Database;
    let store: Store;
    beforeAll(async () => {
      database = await (open as () => Promise<Database>)();
      store = database.store;
    });
    afterAll(async () => {
      await database.queue.stop(0);
      await database.close();
    });
    const append = (runId: RunId, expectedPosition: number, events: RunEvent[], more: object = {}) => store.append({ runId, expectedPosition, events, now: 1_000, ...more });

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

    it("S1: what was written beside a conflicting append is not there either", async () => {
      const runId = newRun();
      await append(runId, 0, [paused]);
      await expect(append(runId, 0, [resumed], { also: { outbox: [outboxRow(`x:${runId}`)] } })).rejects.toMatchObject({ code: "BATON_JOURNAL_CONFLICT" });
      expect(await store.outboxRow(`x:${runId}`)).toBeNull();
    });

    it("J4: an event that its schema does not know is refused before it is stored", async () => {
      const runId = newRun();
      await expect(append(runId, 0, [{ type: "run.paused", by: alice } as unknown as RunEvent])).rejects.toMatchObject({ code: "BATON_EVENT_INVALID" });
      expect(await store.position(runId)).toBe(0);
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
      await expect(append(runId, 0, [paused], { fence: old })).rejects.toMatchObject({ code: "BATON_LEASE_LOST" });
      await append(runId, 0, [paused], { fence: taken });
      expect(await store.renewLease(old as NonNullable<typeof old>, 12, 10)).toBeNull();
    });

    it("S2: a released lease is free at once and its epoch never comes again", async () => {
      const name = newRun();
      const first = await store.acquireLease(name, "a", 0, 1_000_000);
      await store.releaseLease(first as NonNullable<typeof first>);
      const second = await store.acquireLease(name, "a", 1, 1_000);
      expect(second?.epoch).toBe(2);
      await expect(append(name, 0, [paused], { fence: first })).rejects.toMatchObject({ code: "BATON_LEASE_LOST" });
    });

    it("finds expired leases, not held or released ones", async () => {
      const [held, expired, released] = [newRun(), newRun(), newRun()];
      await store.acquireLease(held, "a", 0, 5_000);
      await store.acquireLease(expired, "a", 0, 10);
      const lease = await store.acquireLease(released, "a", 0, 10);
      await store.releaseLease(lease as NonNullable<typeof lease>);
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
      await expect(store.write({ thread: { threadKey, activeRunId: two } })).rejects.toMatchObject({ code: "BATON_RUN_ACTIVE" });
      expect(await store.activeRun(threadKey)).toBe(one);
      await store.write({ thread: { threadKey, activeRunId: null } });
      await store.write({ thread: { threadKey, activeRunId: two } });
    });

    it("lists runs by thread, state and what they watch", async () => {
      const runId = newRun();
      const row = { runId, threadKey: `t:${runId}`, process: "p", status: "waiting" as const, position: 1, createdAt: 1, updatedAt: 1, wakeAt: null, watches: [`sha:${runId}`] };
      await store.write({ run: row });
      expect(await store.run(runId)).toEqual(row);
      expect((await store.runs({ watch: `sha:${runId}`, active: true })).map((run) => run.runId)).toEqual([runId]);
      await store.write({ run: { ...row, status: "completed", watches: [] } });
      expect(await store.runs({ watch: `sha:${runId}` })).toEqual([]);
      expect(await store.runs({ threadKey: row.threadKey, active: true })).toEqual([]);
    });

    it("S3: a delivery is inserted once, and the same GUID of another hook is another delivery", async () => {
      const guid = newRun();
      const delivery = { hook: "1", guid, event: "issues", action: "opened", installationId: 3, payload: "{}", receivedAt: 1 };
      const job = { queue: "delivery", data: { hook: "1", guid } };
      const results = await Promise.all([1, 2, 3].map(() => store.insertDelivery(delivery, job)));
      expect(results.filter(Boolean)).toHaveLength(1);
      expect(await store.insertDelivery({ ...delivery, hook: "2" }, job)).toBe(true);
      expect(await store.delivery("1", guid)).toMatchObject({ state: "received", installationId: 3 });
      await store.finishDelivery("1", guid, "handled", "ok");
      expect(await store.delivery("1", guid)).toMatchObject({ state: "handled", note: "ok" });
      expect(await store.knownGuids("1", [guid, "other"])).toEqual(new Set([guid]));
    });

    it("S4: a job is handed out soon, comes back when its handler throws, and never after it is done", async () => {
      const guid = newRun();
      const tries: number[] = [];
      const done = Promise.withResolvers<void>();
      await database.queue.work("delivery", 2, async (job) => {
        if ((job.data as { guid: string }).guid !== guid) return;
        tries.push(job.tries);
        if (tries.length === 1) throw new Error("once");
        done.resolve();
      });
      await store.insertDelivery({ hook: "1", guid, event: "push", action: null, installationId: null, payload: "{}", receivedAt: 1 }, { queue: "delivery", data: { guid } });
      await done.promise;
      expect(tries).toEqual([1, 2]);
    });

    it("S5: the same content again is no work; a newer content is, also when it comes while the older is sent", async () => {
      const key = `status:${newRun()}`;
      const due = async () => (await store.outboxDue(10, 100)).filter(({ operationKey }) => operationKey === key).map(({ contentHash }) => contentHash);
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
      const row = { runId, key: "k", attempt: 1, kind: "settle" as const, repositoryId: 7, threadKey: "7#1", harness: "h", model: "m", input: 1, output: 2, cacheRead: 3, cacheWrite: 4, usd: 0.25, at: 5 };
      await append(runId, 0, [paused], { also: { ledger: [row] } });
      expect(await store.ledger({ runId })).toEqual([row]);
    });
  });
}

function outboxRow(operationKey: string, contentHash = "v1"): NewOutboxRow {
  return { operationKey, installationId: 1, repositoryId: 1, kind: "comment", payload: { body: contentHash }, contentHash, priority: 10, notBefore: 0, runId: null };
}
