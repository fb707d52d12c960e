/** Starts that share the append of the event before them, through the real driver over the store in memory (run-driver.L1). */
import { setImmediate as macrotask } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { absent, dependenciesOn } from "../../bench/engine/dependencies.ts";
import { createRun, expectDone } from "../../bench/engine/drive.ts";
import { fan, sequence } from "../../bench/engine/run.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { silentLog } from "../adapters/system/log.ts";
import { BatonError } from "../core/errors.ts";
import type { RunEvent } from "../core/event.ts";
import type { RunId } from "../core/vocabulary.ts";
import type { Github } from "../ports/github.ts";
import type { AppendRequest, Store } from "../ports/store.ts";
import type { Dependencies } from "./dependencies.ts";
import { Runner } from "./runner.ts";

/** A GitHub that reports each write, and a store whose appends a test may hold up. */
async function world(effects: number, process = sequence.name) {
  const { store, ...database } = openMemory({ clock: systemClock, log: silentLog });
  const written: number[] = [];
  const appends: RunEvent[][] = [];
  const hooks: { before(events: readonly RunEvent[]): Promise<void>; write(): Promise<void> } = {
    before: async () => {},
    write: async () => {},
  };
  const held: Store = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== "append") return typeof value === "function" ? (value.bind(target) as unknown) : value;
      return async (request: AppendRequest) => {
        await hooks.before(request.events);
        const stored = await target.append(request);
        appends.push(request.events);
        return stored;
      };
    },
  });
  const github = absent<Github>("call of GitHub", {
    async ensureReviewRequest() {
      written.push(await store.position(runId));
      await hooks.write();
    },
  });
  const base = dependenciesOn({ ...database, store });
  const dependencies: Dependencies = {
    ...base,
    store: held,
    github: { ...base.github, installation: async () => github },
  };
  const runId: RunId = await createRun(dependencies, `free starts ${process} ${effects}`, effects, process);
  appends.length = 0;
  return { dependencies, store, runId, written, appends, hooks };
}

const startsIn = (events: readonly RunEvent[]): number => events.filter(({ type }) => type === "effect.started").length;

describe("an attempt that waits for nothing", () => {
  it("begins with the append that asks for it, and only once that is durable", async () => {
    const { dependencies, runId, written, appends, hooks } = await world(4);
    const runner = new Runner(dependencies);
    let underWay = 0;
    hooks.before = async () => {
      const before = written.length;
      underWay += 1;
      for (let turn = 0; turn < 5; turn += 1) await macrotask();
      // Nothing of the append is performed while the store has not answered.
      expect(written).toHaveLength(before);
    };
    await runner.wake(runId, false);
    await runner.idle();
    await expectDone(dependencies, runId, 4);
    expect(written).toHaveLength(4);
    expect(underWay).toBeGreaterThan(4);
    // The first request and its start come from the load. Each later start shares the append of the outcome before it.
    expect(appends.map((events) => events.length)).toEqual([1, 1, 3, 3, 3, 2]);
    await runner.stop();
  });

  it("runs beside others only up to the limit of its run", async () => {
    const { dependencies, runId, hooks } = await world(20, fan.name);
    const runner = new Runner(dependencies);
    let [now, most] = [0, 0];
    hooks.write = async () => {
      now += 1;
      most = Math.max(most, now);
      await macrotask();
      now -= 1;
    };
    await runner.wake(runId, false);
    await runner.idle();
    await expectDone(dependencies, runId, 20);
    expect(most).toBe(8);
    await runner.stop();
  });

  it("of a Baton that stops before it hears that the start is durable is lost, and the next Baton tries again", async () => {
    const { dependencies, store, runId, written, hooks } = await world(3);
    const first = new Runner(dependencies);
    let stopped: Promise<void> = Promise.resolve();
    hooks.before = async (events) => {
      if (written.length === 0 || startsIn(events) === 0) return;
      hooks.before = async () => {};
      stopped = first.stop();
      for (let turn = 0; turn < 5; turn += 1) await macrotask();
    };
    await first.wake(runId, false);
    await first.idle();
    await stopped;
    // The second effect has a durable start that nobody performed.
    expect(written).toHaveLength(1);
    const next = new Runner({ ...dependencies, owner: "next" });
    await next.wake(runId, false);
    await next.idle();
    await expectDone(dependencies, runId, 3);
    expect(written).toHaveLength(3);
    const events = (await store.read(runId)).map(({ event }) => event);
    const lost = events.filter((event) => event.type === "effect.attempt-failed");
    expect(lost).toMatchObject([{ key: "step#2", error: { code: "BATON_ATTEMPT_LOST" } }]);
    await next.stop();
  });

  it("whose append fails is not performed; a later wake-up goes on from the journal", async () => {
    const { dependencies, store, runId, written, hooks } = await world(3);
    const runner = new Runner(dependencies);
    hooks.before = async (events) => {
      if (startsIn(events) === 0 || written.length !== 1) return;
      hooks.before = async () => {};
      throw new BatonError("BATON_DATABASE_UNAVAILABLE", "The connection broke.");
    };
    await runner.wake(runId, false);
    await runner.idle();
    expect(written).toHaveLength(1);
    // N4: the wake-up is durable, and the outcome of the first effect is not.
    expect((await store.read(runId)).map(({ event }) => event.type)).toEqual([
      "run.created",
      "effect.requested",
      "effect.started",
    ]);
    await runner.wake(runId, false);
    await runner.idle();
    await expectDone(dependencies, runId, 3);
    // The first write was repeated, because its outcome was lost.
    expect(written).toHaveLength(4);
    await runner.stop();
  });
});
