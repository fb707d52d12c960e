/** A start's recovery of earlier work, over the store in memory and by a clock of the test. */
import { setImmediate as macrotask } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { alice } from "../../test/fakes/run-world.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { spy } from "../../test/scenarios/helpers.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { defaultSettings } from "../config/schema.ts";
import { cancel, changePriority, pause } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import type { Priority } from "../core/priority.ts";
import type { Json, RunId } from "../core/vocabulary.ts";
import type { RunRow, Store } from "../ports/store.ts";
import { defineProcess, ProcessRegistry } from "../process/process.ts";
import { waitingFor } from "../summary/waiting.ts";
import { AgentSlots } from "./agent-slots.ts";
import type { Dependencies } from "./dependencies.ts";
import { Runner } from "./runner.ts";

const nothing = defineProcess({
  name: "nothing",
  version: 1,
  summary: "Ends at once.",
  stages: [],
  input: z.object({}),
  output: z.object({}),
  verdict: () => ({ name: "nothing", status: "passed", reason: "Nothing to do.", evidence: [], children: [] }),
  run: async () => ({}),
});

/** One step, by an agent. */
const asks = defineProcess({
  ...nothing,
  name: "asks",
  run: async (ctx) => {
    const prompt = { system: "", user: "" };
    await ctx.agent("it", { title: "Answer", role: "plan", access: "read-only", baseSha: "a".repeat(40), prompt });
    return {};
  },
});

function world({ soleOwner = true } = {}) {
  const clock = new ManualClock();
  const database = openMemory({ clock, log: silentLog });
  const dependencies = {
    store: database.store,
    queue: database.queue,
    clock,
    log: silentLog,
    github: new SmallGithub("", () => clock.now()).app(),
    processes: new ProcessRegistry()
      .register(nothing)
      .register(asks)
      .register({ ...asks, name: "sweep" }),
    redact: (text: string) => text,
    settle: async () => {
      await macrotask();
    },
    killSurvivors: async () => 0,
    owner: "new",
    soleOwner,
  } as unknown as Dependencies;
  return { clock, store: database.store, dependencies };
}

const idOf = (index: number): RunId => `run_${String(index).padStart(12, "0")}` as RunId;

async function created(
  store: Store,
  index: number,
  status: RunRow["status"] = "running",
  change: { process?: "nothing" | "asks" | "sweep"; priority?: Priority; sweepDayUsd?: number } = {},
): Promise<RunId> {
  const { process = "nothing", priority = "normal", sweepDayUsd = null } = change;
  const runId = idOf(index);
  await store.append({
    runId,
    expectedPosition: 0,
    now: index,
    events: [
      {
        type: "run.created",
        runId,
        process: { name: process, version: 1, stages: [] },
        priority,
        input: {},
        thread: { repository, number: index + 1, kind: "issue" },
        requestedBy: { id: 1, login: "alice", kind: "user", permission: "write" },
        trigger: { operationKey: `comment:${index}`, commentId: index, text: "" },
        budgetUsd: 5,
        settings: {
          ...defaultSettings,
          sweep: { ...defaultSettings.sweep, dayUsd: sweepDayUsd },
        } as unknown as Json,
        settingsSha: null,
        parent: null,
        retryOf: null,
      },
    ],
    also: {
      run: {
        runId,
        threadKey: `7#${index}`,
        process,
        status,
        position: 1,
        createdAt: Math.floor(index / 10),
        updatedAt: index,
        wakeAt: null,
        watches: [],
      },
    },
  });
  return runId;
}

async function allOver(store: Store, ids: RunId[]): Promise<boolean> {
  const rows = await Promise.all(ids.map((runId) => store.run(runId)));
  return rows.every((row) => row?.status === "completed");
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (await condition()) return;
    await macrotask();
  }
  throw new Error("It did not come to that.");
}

describe("a start", () => {
  it("takes up every run that was under way, also beyond the first thousand", async () => {
    const { store, dependencies } = world();
    const ids: RunId[] = [];
    for (let index = 0; index < 1_120; index += 1) ids.push(await created(store, index));
    const runner = new Runner(dependencies);
    await runner.start();
    // Created first, so listed last.
    await until(async () => (await allOver(store, ids.slice(0, 5))) && allOver(store, ids));
    await runner.stop();
  });

  it("takes up a run whose row says that it waits, when its lease says that it was being driven", async () => {
    const { clock, store, dependencies } = world();
    const runId = await created(store, 1, "waiting");
    const left = await created(store, 2, "waiting");
    await store.acquireLease(`run:${runId}`, "dead", clock.now(), 30_000);
    const runner = new Runner(dependencies);
    await runner.start();
    await until(() => allOver(store, [runId]));
    expect(await store.run(left)).toMatchObject({ status: "waiting" });
    await runner.stop();
  });

  it("S7: leaves a run alone whose journal was cut off, says so, and takes up the others", async () => {
    const { store, dependencies } = world();
    const cut = await created(store, 1);
    const row = (await store.run(cut)) as RunRow;
    await store.write({ run: { ...row, position: 5 } });
    const whole = await created(store, 2);
    const runner = new Runner(dependencies);
    await runner.start();
    await until(() => allOver(store, [whole]));
    await expect(runner.state(cut)).rejects.toMatchObject({
      code: "BATON_JOURNAL_BROKEN",
      message: expect.stringContaining("ends at event 1, but 5 were written"),
    });
    expect(await store.position(cut)).toBe(1);
    await runner.stop();
  });
});

describe("a run that cannot be driven because the database fails", () => {
  it("N4: keeps its lease while no wake-up could be written, and is taken up once the lease has ended", async () => {
    const { clock, store, dependencies } = world({ soleOwner: false });
    const runId = await created(store, 1);
    let broken = true;
    const fault = () => Promise.reject(new BatonError("BATON_DATABASE_UNAVAILABLE", "no connection"));
    const failing = new Proxy(store, {
      get(target, key) {
        const member = Reflect.get(target, key) as (...args: unknown[]) => unknown;
        if (broken && (key === "read" || key === "write")) return fault;
        return member.bind(target);
      },
    });
    const runner = new Runner({ ...dependencies, store: failing });
    await runner.start();
    await expect(runner.wake(runId, true)).rejects.toMatchObject({ code: "BATON_DATABASE_UNAVAILABLE" });
    expect(await store.acquireLease(`run:${runId}`, "other", clock.now(), 30_000)).toBeNull();
    broken = false;
    for (let seconds = 0; seconds < 45; seconds += 5) {
      clock.advance(5_000);
      for (let turn = 0; turn < 50; turn += 1) await macrotask();
    }
    expect(await allOver(store, [runId])).toBe(true);
    await runner.stop();
  });
});

describe("`sweep.dayUsd` before each step", () => {
  it.each([
    ["sweep", 0, false],
    ["sweep", 5, true],
    ["asks", 0, true],
  ] as const)("a run of `%s` with %d USD for sweeps: its agent begins: %s", async (process, sweepDayUsd, begins) => {
    const { store, dependencies } = world();
    const runId = await created(store, 1, "running", { process, sweepDayUsd });
    const runner = new Runner(dependencies);
    await runner.start();
    const types = async () => (await store.read(runId)).map(({ event }) => event.type);
    const expected = begins ? "effect.started" : "run.budget-stopped";
    await until(async () => (await types()).includes(expected));
    const state = await runner.state(runId);
    if (!begins) expect(state?.money.stop?.day?.reason).toContain("`sweep.dayUsd`");
    await runner.stop();
  });
});

describe("agents that wait for their turn", () => {
  const scene = async (held: Priority, priority: Priority) => {
    const given = world();
    const slots = new AgentSlots(1, () => given.clock.now());
    const dependencies = { ...given.dependencies, agentSlots: slots };
    const runner = new Runner(dependencies);
    slots.request("other", { priority: held, deadline: null }, () => {});
    const runId = await created(given.store, 1, "running", { process: "asks", priority });
    await runner.start();
    const types = async () => (await given.store.read(runId)).map(({ event }) => event.type);
    return { ...given, dependencies, slots, runner, runId, types };
  };

  it.each([
    ["normal", "low"],
    ["high", "normal"],
    ["normal", "normal"],
  ] as const)("one of %s is at work, and %s waits, says so, and begins on its turn", async (held, priority) => {
    const { runner, runId, slots, types, store } = await scene(held, priority);
    await until(async () => (await types()).includes("effect.observed"));
    expect(await types()).not.toContain("effect.started");
    const state = await runner.state(runId);
    if (state === null) throw new Error("no run");
    expect(waitingFor(state)).toMatchObject([
      { kind: "time", sentence: expect.stringMatching(new RegExp(`1 agent works here at once .*is \`${priority}\``)) },
    ]);
    expect(state.money.reservedUsd).toBe(0);
    slots.leave("other");
    await until(async () => (await types()).includes("effect.started"));
    expect((await store.read(runId)).filter(({ event }) => event.type === "effect.observed")).toHaveLength(1);
    await runner.stop();
    // The slot is free again after any end of the attempt.
    expect(slots.request("next", { priority: "low", deadline: null }, () => {})).toBe(true);
  });

  it.each([
    ["low", "normal"],
    ["normal", "critical"],
  ] as const)("one of %s is at work, and %s begins at once", async (held, priority) => {
    const { runner, types } = await scene(held, priority);
    await until(async () => (await types()).includes("effect.started"));
    expect(await types()).not.toContain("effect.observed");
    await runner.stop();
  });

  it("a higher priority, given while it waits, lets it begin; a lower one, given while it works, lets others begin", async () => {
    const { runner, runId, slots, types, dependencies } = await scene("normal", "normal");
    await until(async () => (await types()).includes("effect.observed"));
    const work = Promise.withResolvers<void>();
    Object.assign(dependencies, {
      harnesses: new Map([["claude-code", spy("claude-code", [])]]),
      workspaces: { fetch: () => work.promise },
    });
    await runner.change(runId, (state) => changePriority(state, alice, { priority: "high" }));
    await until(async () => (await types()).includes("effect.started"));
    let begins = false;
    const begin = (): void => {
      begins = true;
    };
    slots.leave("other");
    expect(slots.request("next", { priority: "normal", deadline: null }, begin)).toBe(false);
    await runner.change(runId, (state) => changePriority(state, alice, { priority: "low" }));
    await until(async () => begins);
    work.reject(new Error("over"));
    await runner.stop();
  });

  it.each([
    ["is cancelled", cancel],
    ["is paused", pause],
  ] as const)("a run that %s leaves the line", async (_, decide) => {
    const { runner, runId, slots, types } = await scene("normal", "low");
    await until(async () => (await types()).includes("effect.observed"));
    expect(slots.waiting).toBe(1);
    await runner.change(runId, (state) => decide(state, { ...alice }, "Enough."));
    await until(async () => slots.waiting === 0);
    await runner.stop();
  });
});
