/** Many runs in one installation, by a clock of the test. The outbox and the budget are real; GitHub only counts. */
import { setImmediate as macrotask } from "node:timers/promises";
import { expect, it } from "vitest";
import { ManualClock } from "../../../test/fakes/manual-clock.ts";
import { RateBudget } from "../../adapters/github/rate-budget.ts";
import { openMemory } from "../../adapters/memory/open.ts";
import { silentLog } from "../../adapters/system/log.ts";
import { limits } from "../../core/limits.ts";
import type { Dependencies } from "../dependencies.ts";
import { OutboxPump } from "./pump.ts";
import { outboxRow } from "./row.ts";

const runs = 30;
const stepMs = 3_000;
const waitMsMax = 60_000;

it.each([
  ["each shows itself every 3 s", 1, 20],
  ["each shows itself every 3 s, and all say something at once", 1, 0],
  ["each shows itself every 30 s", 10, 20],
])(
  "one-repositorys-failures-stop-all: 30 busy runs, of which %s: no reply, pull request or merge waits longer than 60 s",
  async (_, every, spread) => {
    const clock = new ManualClock();
    const { store } = openMemory({ clock, log: silentLog });
    const repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
    const stop = new AbortController();
    const budget = new RateBudget(clock, stop.signal);
    const asked = new Map<string, number>();
    const waits: number[] = [];
    let edits = 0;
    let writes = 0;
    const arrived = (name: string): void => {
      writes += 1;
      waits.push(clock.now() - (asked.get(name) ?? clock.now()));
    };
    const known = new Set<string>();
    const github = {
      ensureComment: async (_repository: unknown, number: number, marker: string) => {
        const isEdit = known.has(marker);
        await budget.admit(isEdit ? "edit" : true);
        known.add(marker);
        if (isEdit) edits += 1;
        else arrived(marker);
        return { id: number, url: "" };
      },
    };
    const dependencies = { store, clock, log: silentLog, owner: "o", github: { installation: async () => github } };
    const pump = new OutboxPump(dependencies as unknown as Dependencies);
    pump.start();
    const put = async (operationKey: string, number: number, body: string, priority: number): Promise<void> => {
      if (!asked.has(operationKey)) asked.set(operationKey, clock.now());
      await store.write({
        outbox: [outboxRow({ operationKey, repository, kind: "comment", payload: { number, body }, priority })],
      });
    };
    const deeds: Promise<void>[] = [];
    // For two hours, 8 writes an hour that somebody waits for. Half of them are effects of the run.
    const deedEvery = Math.floor(3_600_000 / stepMs / 8);
    for (let step = 0; step < 2_400; step += 1) {
      for (let run = 0; run < runs; run += 1) {
        if ((step + run) % every === 0) await put(`status:${run}`, run, `step ${step}`, 50);
        const at = step - run * spread;
        if (at < 0 || at % deedEvery !== 0) continue;
        const name = `deed:${run}:${step}`;
        if ((at / deedEvery) % 2 === 0) await put(name, run, "said", 10);
        else {
          asked.set(name, clock.now());
          deeds.push(budget.admit(true).then(() => arrived(name)));
        }
      }
      clock.advance(stepMs);
      for (let turn = 0; turn < 25; turn += 1) await macrotask();
    }
    expect(deeds.length).toBeGreaterThan(runs * 5);
    expect(Math.max(...waits)).toBeLessThanOrEqual(waitMsMax);
    // Status edits continue, and the test keeps GitHub's own limits.
    expect(edits).toBeGreaterThan(runs * 2);
    expect(writes + edits).toBeLessThanOrEqual(2 * limits.contentWritesPerHourMax);
    stop.abort();
    await pump.stop();
  },
);

it.each([
  ["a question", 1, [4]],
  ["two questions at once", 1, [4, 5]],
  ["three of one thread, one after the other", 10, [4, 4, 4]],
])(
  "late-approve-takes-the-next-plan: %s is posted within a minute when edits are used up, and once",
  async (_, every, threads) => {
    const clock = new ManualClock();
    const { store } = openMemory({ clock, log: silentLog });
    const repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
    const stop = new AbortController();
    const budget = new RateBudget(clock, stop.signal);
    const posted: { body: string; at: number }[] = [];
    let edited = 0;
    const github = {
      ensureComment: async (_repository: unknown, id: number, marker: string, body: string) => {
        const isQuestion = marker.startsWith("question:");
        await budget.admit(isQuestion || "edit");
        if (isQuestion) posted.push({ body, at: clock.now() });
        else edited = clock.now();
        return { id, url: "", nodeId: `IC_${id}`, createdAt: "2026-11-30T10:00:00Z" };
      },
    };
    const dependencies = { store, clock, log: silentLog, owner: "o", github: { installation: async () => github } };
    const pump = new OutboxPump(dependencies as unknown as Dependencies);
    const status = async (number: number, body: string): Promise<void> => {
      const row = { operationKey: `status:${number}`, repository, kind: "comment" as const, payload: { number, body } };
      await store.write({ outbox: [outboxRow({ ...row, priority: 50, content: body })] });
      await pump.pump();
    };
    const ask = async (index: number): Promise<void> => {
      const payload = { number: threads[index] as number, body: `What color? ${index}`, open: true };
      const row = { operationKey: `question:run:${index}`, repository, kind: "question" as const, payload };
      await store.write({ outbox: [outboxRow({ ...row, priority: 10, content: "open" })] });
    };
    for (let step = 0; step < 200; step += 1) {
      for (let run = 0; run < 10; run += 1) await status(run, `step ${step}`);
      clock.advance(stepMs);
    }
    expect(edited).toBeLessThan(clock.now() - waitMsMax);
    const askedAt = threads.map(() => Number.POSITIVE_INFINITY);
    for (let step = 0; step < 60; step += 1) {
      for (const [index] of threads.entries())
        if (step >= index * every) {
          askedAt[index] = Math.min(askedAt[index] as number, clock.now());
          await ask(index);
        }
      for (let run = 0; run < 10; run += 1) await status(run, `waiting ${step}`);
      clock.advance(stepMs);
    }
    expect(posted.map(({ body }) => body)).toEqual(threads.map((_thread, index) => `What color? ${index}`));
    for (const [index, { at }] of posted.entries())
      expect(at - (askedAt[index] as number)).toBeLessThanOrEqual(waitMsMax);
    stop.abort();
  },
);
