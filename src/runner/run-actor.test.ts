/** One append for each turn, and the actor's recovery when the store refuses it (A1–A6), over the store in memory. */
import { setImmediate as macrotask } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { dependenciesOn } from "../../bench/engine/dependencies.ts";
import { createRun } from "../../bench/engine/drive.ts";
import { fan, sequence } from "../../bench/engine/run.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { silentLog } from "../adapters/system/log.ts";
import { attemptEnded, cancel } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import type { RunEvent } from "../core/event.ts";
import { fold } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import type { EffectKey, RunId } from "../core/vocabulary.ts";
import type { AppendRequest, Lease, Store } from "../ports/store.ts";
import type { Dependencies } from "./dependencies.ts";
import { redactingStore } from "./redacting-store.ts";
import { RunActor } from "./run-actor.ts";

const alice = { id: 1, login: "alice", kind: "user", permission: "write" } as const;
const secret = "hunter2hunter2";

/** A store that counts appends, and does `before` ahead of each. */
async function world(process = sequence.name, effects = 5) {
  const database = openMemory({ clock: systemClock, log: silentLog });
  const plain = database.store;
  const appends: RunEvent[][] = [];
  const hooks: { before: (() => Promise<void>) | null; after: (() => void) | null } = { before: null, after: null };
  const counting = new Proxy(plain, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name !== "append") return typeof value === "function" ? (value.bind(target) as unknown) : value;
      return async (request: AppendRequest) => {
        const { before, after } = hooks;
        Object.assign(hooks, { before: null, after: null });
        await before?.();
        const stored = await target.append(request);
        after?.();
        appends.push(request.events);
        return stored;
      };
    },
  });
  const store: Store = redactingStore(counting, (text) => text.replaceAll(secret, "***"));
  const dependencies: Dependencies = { ...dependenciesOn(database), store };
  const runId = await createRun(dependencies, `actor ${process} ${effects}`, effects, process);
  const lease = (await plain.acquireLease(`run:${runId}`, "test", 0, 1_000_000)) as Lease;
  appends.length = 0;
  const actor = await load(dependencies, runId, lease);
  return { dependencies, plain, runId, lease, appends, hooks, actor };
}

/** An actor that starts every requested effect, as the driver does for effects that wait for nothing. */
async function load(dependencies: Dependencies, runId: RunId, lease: Lease): Promise<RunActor> {
  const actor = await RunActor.load(dependencies, runId, lease);
  actor.startWith({
    starts: (state) =>
      [...state.open]
        .filter((key) => state.effects.get(key)?.status === "requested")
        .map((key) => ({ type: "effect.started", key, attempt: 1, worker: "test", reservedUsd: 0 })),
    started() {},
  });
  return actor;
}

const done =
  (key: string, url: string | null = null) =>
  (state: RunState) =>
    attemptEnded(state, key as EffectKey, 1, { ok: true, output: { number: 1, url, sha: null }, usage: [] }, 1);
const types = (events: readonly RunEvent[]): string => events.map(({ type }) => type.replace("effect.", "")).join(" ");

/** The actor's state is that of the journal, and a replay of the journal asks for nothing else. */
async function expectSound({ dependencies, plain, runId }: Awaited<ReturnType<typeof world>>, actor: RunActor) {
  const events = await plain.read(runId);
  expect([...actor.state.effects.values()]).toEqual([...fold(events).effects.values()]);
  expect({ ...actor.state, effects: null }).toEqual({ ...fold(events), effects: null });
  await RunActor.load({ ...dependencies, store: plain }, runId, null);
  expect(await plain.position(runId)).toBe(events.length);
}

describe("a turn", () => {
  it("is one append: the outcome, the next request, and its start", async () => {
    const it = await world();
    await it.actor.change(done("step"));
    expect(it.appends.map(types)).toEqual(["requested", "succeeded requested started"]);
    await expectSound(it, it.actor);
  });

  it("A1: shows nothing before the store has acknowledged it", async () => {
    const it = await world();
    const seen: number[] = [];
    it.hooks.before = async () => {
      await macrotask();
      seen.push(it.actor.state.position, it.actor.state.open.size);
      expect(it.actor.state.effects.get("step" as EffectKey)?.status).toBe("requested");
    };
    await it.actor.change(done("step"));
    expect(seen).toEqual([2, 1]);
    expect(it.actor.state.effects.get("step#2" as EffectKey)?.status).toBe("running");
  });

  it("A2: outcomes that wait together share an append, each decided on the one before", async () => {
    const it = await world(fan.name, 40);
    const keys = [...it.actor.state.open];
    await Promise.all([...keys, ...keys].map((key) => it.actor.change(done(key))));
    expect(it.appends.length).toBe(2);
    expect(it.appends[1]?.length).toBe(41);
    expect(it.actor.state.status).toBe("completed");
    await expectSound(it, it.actor);
  });

  it("A2: a decision that throws, or whose event does not match its schema, fails alone", async () => {
    const it = await world(fan.name, 3);
    const results = await Promise.allSettled([
      it.actor.change(done("all/0/step")),
      it.actor.change(() => {
        throw new BatonError("BATON_NO_RUN", "No.");
      }),
      it.actor.change(() => [{ type: "run.paused", by: alice } as unknown as RunEvent]),
      it.actor.change(done("all/1/step")),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    expect(it.appends.length).toBe(2);
    await expectSound(it, it.actor);
  });

  it("decides the turn on the text that the journal keeps", async () => {
    const it = await world();
    await it.actor.change(done("step", `https://x.example/${secret}`));
    expect(it.actor.state.effects.get("step" as EffectKey)?.output).toMatchObject({ url: "https://x.example/***" });
    await expectSound(it, it.actor);
  });
});

describe("an append that fails after the process moved", () => {
  it("A3: by another replica's event, replays the journal and decides again; nothing is asked twice", async () => {
    const it = await world();
    const held = it.actor.state.effects.get("step" as EffectKey);
    it.hooks.before = async () => {
      const visitor = await RunActor.load({ ...it.dependencies, store: it.plain }, it.runId, null);
      await visitor.change(() => [{ type: "run.paused", by: alice, reason: "meanwhile" }]);
    };
    await it.actor.change(done("step"));
    expect((await it.plain.read(it.runId)).map(({ event }) => event.type.replace("effect.", ""))).toEqual([
      "run.created",
      "requested",
      "run.paused",
      "succeeded",
      "requested",
      "started",
    ]);
    expect(it.actor.state.effects.get("step" as EffectKey)).toBe(held);
    await it.actor.change(done("step#2"));
    await expectSound(it, it.actor);
  });

  it("A3: by another replica's cancel, answers the cancel first and books the late result", async () => {
    const it = await world();
    it.hooks.before = async () => {
      const visitor = await RunActor.load({ ...it.dependencies, store: it.plain }, it.runId, null);
      await visitor.change((state) => cancel(state, alice, "enough"));
    };
    await it.actor.change(done("step"));
    expect(it.actor.state.status).toBe("cancelled");
    await expectSound(it, it.actor);
  });

  it("A3: by conflicts again and again, every one of them is in the journal once", async () => {
    const it = await world(fan.name, 4);
    const visits = 20;
    let visited = 0;
    const visit = async (): Promise<void> => {
      visited += 1;
      const visitor = await RunActor.load({ ...it.dependencies, store: it.plain }, it.runId, null);
      await visitor.change((state) =>
        state.status === "paused"
          ? [{ type: "run.resumed", by: alice }]
          : [{ type: "run.paused", by: alice, reason: "" }],
      );
      if (visited < visits) it.hooks.before = visit;
    };
    it.hooks.before = visit;
    await Promise.all([0, 1, 2, 3].map((index) => it.actor.change(done(`all/${index}/step`))));
    expect((await it.plain.read(it.runId)).filter(({ event }) => /paused|resumed/.test(event.type))).toHaveLength(
      visits,
    );
    expect(it.actor.state.status).toBe("completed");
    await expectSound(it, it.actor);
  });

  it.each(["before it is written", "after it is written"])(
    "A6: by a fault of the store %s, throws the actor away, and the next one goes on from the journal",
    async (when) => {
      const it = await world();
      const fail = (): never => {
        throw new BatonError("BATON_DATABASE_UNAVAILABLE", "The connection broke.");
      };
      if (when.startsWith("before")) it.hooks.before = async () => fail();
      else it.hooks.after = fail;
      await expect(it.actor.change(done("step"))).rejects.toMatchObject({ code: "BATON_DATABASE_UNAVAILABLE" });
      await expect(it.actor.change(done("step"))).rejects.toMatchObject({ code: "BATON_DATABASE_UNAVAILABLE" });
      const next = await load(it.dependencies, it.runId, it.lease);
      await next.change((state) => (state.open.has("step" as EffectKey) ? done("step")(state) : []));
      expect([...next.state.effects.values()].map(({ status }) => status)).toEqual(["succeeded", "running"]);
      await expectSound(it, next);
    },
  );

  it("L2: under a lease that another one has taken, writes nothing and asks for nothing", async () => {
    const it = await world();
    await it.plain.releaseLease(it.lease);
    await expect(it.actor.change(done("step"))).rejects.toMatchObject({ code: "BATON_LEASE_LOST" });
    expect(await it.plain.position(it.runId)).toBe(2);
    expect(it.actor.state.position).toBe(2);
  });

  it("that had moved nothing leaves the actor as it was", async () => {
    const it = await world();
    it.hooks.before = async () => {
      throw new BatonError("BATON_DATABASE_UNAVAILABLE", "The connection broke.");
    };
    const pause = (): RunEvent[] => [{ type: "run.paused", by: alice, reason: "" }];
    await expect(it.actor.change(pause)).rejects.toThrow("broke");
    await it.actor.change(pause);
    await it.actor.change(done("step"));
    await expectSound(it, it.actor);
  });
});
