/** Many runs in one installation, by a clock of the test: the real outbox and the real budget, in front of a GitHub that only counts. */
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
    // 8 things an hour that somebody waits for, half of them effects of the run: two hours of it.
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
    // What is shown goes on, and GitHub's own limits are kept.
    expect(edits).toBeGreaterThan(runs * 2);
    expect(writes + edits).toBeLessThanOrEqual(2 * limits.contentWritesPerHourMax);
    stop.abort();
    await pump.stop();
  },
);

it.each([
  ["a question", "plan 1"],
  ["another question after it", "review 2"],
  ["two questions at once", "color 3, size 4"],
])(
  "late-approve-takes-the-next-plan: %s is shown within a minute when edits are used up, and only once like a reply",
  async (_, asks) => {
    const clock = new ManualClock();
    const { store } = openMemory({ clock, log: silentLog });
    const repository = { id: 9, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 };
    const stop = new AbortController();
    const budget = new RateBudget(clock, stop.signal);
    const sent: { body: string; isAwaited: boolean; at: number }[] = [];
    const github = {
      ensureComment: async (...given: [unknown, number, string, string, number | null, boolean]) => {
        const [, id, , body, , isAwaited] = given;
        await budget.admit(isAwaited || "edit");
        sent.push({ body, isAwaited, at: clock.now() });
        return { id, url: "" };
      },
    };
    const dependencies = { store, clock, log: silentLog, owner: "o", github: { installation: async () => github } };
    const pump = new OutboxPump(dependencies as unknown as Dependencies);
    const put = async (number: number, body: string, question: string | null): Promise<void> => {
      const payload = { number, body, ...(question === null ? {} : { asks: question }) };
      const row = { operationKey: `status:${number}`, repository, kind: "comment" as const, payload };
      await store.write({ outbox: [outboxRow({ ...row, priority: question === null ? 50 : 10, content: body })] });
      await pump.pump();
    };
    for (let step = 0; step < 200; step += 1) {
      for (let run = 0; run < 10; run += 1) await put(run, `step ${step}`, null);
      clock.advance(stepMs);
    }
    expect(sent.at(-1)?.at).toBeLessThan(clock.now() - waitMsMax);
    const askedAt = clock.now();
    await put(4, "What color?", asks);
    for (let step = 0; step < 40; step += 1) {
      await put(4, `What color? Waiting since ${step} steps.`, asks);
      clock.advance(stepMs);
    }
    const shown = sent.filter(({ isAwaited }) => isAwaited);
    expect(shown.map(({ body }) => body.slice(0, 11))).toEqual(["What color?"]);
    expect((shown[0]?.at ?? Number.POSITIVE_INFINITY) - askedAt).toBeLessThanOrEqual(waitMsMax);
    stop.abort();
  },
);
