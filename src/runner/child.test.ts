/** Child runs with their parents: shares, their display, and commands that reach the children through the parent. */
import { setImmediate as macrotask } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { defaultSettings } from "../config/schema.ts";
import { answer, cancel, changePriority, pause, raiseBudget, resume } from "../core/decide.ts";
import { BatonError } from "../core/errors.ts";
import type { RunState } from "../core/state.ts";
import type { Actor, Json, RunId } from "../core/vocabulary.ts";
import type { Store } from "../ports/store.ts";
import { defineProcess, type ProcessContext, type ProcessDefinition, ProcessRegistry } from "../process/process.ts";
import { stoppedChildOf } from "../summary/child.ts";
import { waitingFor } from "../summary/waiting.ts";
import { headline } from "../thread/render/headline.ts";
import { stepsTable } from "../thread/render/parts.ts";
import { createRun } from "./create-run.ts";
import type { Dependencies } from "./dependencies.ts";
import { childRunIdOf } from "./perform/child.ts";
import { Runner } from "./runner.ts";

const bob: Actor = { id: 2, login: "bob", kind: "user", permission: "maintain" };

const define = (name: string, run: (ctx: ProcessContext, input: Json) => Promise<unknown>): ProcessDefinition =>
  defineProcess({
    name,
    version: 1,
    summary: "",
    stages: ["Work"],
    input: z.unknown(),
    output: z.unknown(),
    verdict: () => ({ name, status: "passed", reason: "All of it.", evidence: [], children: [] }),
    run: run as never,
  });
const child = (process: string, more: object = {}) => ({
  title: `Run ${process}`,
  stage: "Work",
  process,
  input: null,
  ...more,
});

const asks = define("asks", (ctx) =>
  ctx.ask("which", { title: "Which", question: "Red or blue?", answerKind: "text" }),
);
const agent = define("works", (ctx) =>
  ctx.agent("work", {
    title: "Work",
    role: "implement",
    access: "write",
    baseSha: "a".repeat(40),
    prompt: { system: "", user: "Do it." },
  }),
);

class World {
  readonly clock = new ManualClock();
  readonly database = openMemory({ clock: this.clock, log: silentLog });
  readonly processes = new ProcessRegistry();
  store: Store = this.database.store;
  runner!: Runner;
  dependencies!: Dependencies;
  runId!: RunId;

  async start(): Promise<void> {
    this.dependencies = {
      store: this.store,
      queue: this.database.queue,
      clock: this.clock,
      log: silentLog,
      github: new SmallGithub("", () => this.clock.now()).app(),
      processes: this.processes,
      harnesses: new Map([["claude-code", {}]]),
      redact: (given: string) => given,
      settle: async () => {
        await macrotask();
      },
      killSurvivors: async () => 0,
      owner: "new",
      soleOwner: true,
    } as unknown as Dependencies;
    this.runner = new Runner(this.dependencies);
    await this.runner.start();
  }

  async begin(
    definition: ProcessDefinition,
    children: ProcessDefinition[],
    budgetUsd = 5,
    budget = defaultSettings.budget,
    change: (store: Store) => Store = (store) => store,
  ): Promise<void> {
    this.store = change(this.store);
    for (const one of [definition, ...children]) this.processes.register(one);
    await this.start();
    this.runId = await createRun(this.dependencies, {
      operationKey: "test",
      definition,
      input: null,
      thread: { repository, number: 1, kind: "issue" },
      requestedBy: { id: 1, login: "alice", kind: "user", permission: "write" },
      commentId: null,
      instructions: "",
      budgetUsd,
      settings: { ...defaultSettings, budget } as unknown as Json,
      settingsSha: null,
      retryOf: null,
    });
    await this.runner.wake(this.runId, true);
  }

  /** As after a kill: only the store remains. */
  async crash(): Promise<void> {
    await this.runner.stop();
    await this.start();
    await this.runner.wake(this.runId, true);
  }

  async state(): Promise<RunState> {
    return (await this.runner.state(this.runId)) as RunState;
  }

  async childOf(key: string): Promise<RunState | null> {
    const effect = (await this.state()).effects.get(key as never);
    return effect === undefined ? null : this.runner.state(childRunIdOf(await this.state(), effect));
  }

  async until(what: string, condition: (parent: RunState) => unknown): Promise<RunState> {
    for (let turn = 0; turn < 3_000; turn += 1) {
      const state = await this.state();
      if (await condition(state)) return state;
      if (turn % 20 === 19) this.clock.advance(1_000);
      await macrotask();
    }
    throw new Error(`It did not come to: ${what}.`);
  }
}

let world: World;
afterEach(() => world.runner.stop());
const fresh = (): World => {
  world = new World();
  return world;
};
const noteOf = (state: RunState): string =>
  waitingFor(state)
    .map(({ kind, sentence }) => `${kind}: ${sentence}`)
    .join();

describe("what a child waits for", () => {
  it("is said by its parent, and its answer comes back", async () => {
    await fresh().begin(
      define("parent", (ctx) => ctx.subprocess("child", child("asks"))),
      [asks],
    );
    const asking = await world.until("the question", (state) => noteOf(state).includes("Red or blue?"));
    expect(headline(asking)).toMatchObject({ icon: "🙋", sentence: expect.stringContaining("/baton answer") });
    expect(stepsTable(asking)).toMatch(/🏃 running \| Run asks \| .*Red or blue\?.*\$0\.00 of its \$4\.00/);
    const { runId } = (await world.childOf("child")) as RunState;
    const urgent = { priority: "high", deadline: 9 } as const;
    await world.runner.change(world.runId, (state) => changePriority(state, bob, urgent));
    await world.until("the child's priority", async () => (await world.childOf("child"))?.priority === "high");
    expect(await world.childOf("child")).toMatchObject({ ...urgent, priorityBy: { login: "bob" } });
    await world.runner.change(runId, (state) =>
      answer(state, [...state.open][0] as never, { answer: "red", by: bob as never }),
    );
    const over = await world.until("the end", ({ outcome }) => outcome !== null);
    expect(over.outcome?.output).toMatchObject({ runId, verdict: { status: "passed" }, output: { answer: "red" } });
    expect(stepsTable(over)).toContain("| ✅ done | Run asks | All of it.");
  });

  it("may be money: the top-up is the child's, set aside for it", async () => {
    await fresh().begin(
      define("parent", (ctx) => ctx.subprocess("child", child("works"))),
      [agent],
      0,
    );
    const stopped = await world.until("the stop", (state) => stoppedChildOf(state) !== null);
    expect(headline(stopped)).toMatchObject({ icon: "💰" });
    await world.runner.change(world.runId, (state) => raiseBudget(state, bob, 2, stoppedChildOf(state)));
    await world.until("the child's money", async () => (await world.childOf("child"))?.money.budgetUsd === 2);
    const raised = (await world.database.store.read(world.runId)).filter(
      ({ event }) => event.type === "run.budget-raised",
    );
    expect(raised).toMatchObject([{ event: { addUsd: 2, key: "child" } }]);
    expect((await world.childOf("child"))?.topUps).toMatchObject([{ by: { login: "bob" }, addUsd: 2 }]);
  });
});

describe("shares", () => {
  it.each([
    ["alone, what `budget.childShare` says of what is left", { a: {} }, { a: 2 }, 0.4],
    ["beside each other, evenly, whoever begins first", { a: {}, b: {}, c: {}, d: {} }, { a: 1, b: 1, c: 1, d: 1 }],
    ["what the process says", { a: { shareUsd: 0.5 }, b: {} }, { a: 0.5, b: 2 }],
    ["never more than is left", { a: { shareUsd: 4.5 }, b: { shareUsd: 3 } }, { a: 4.5, b: 0.5 }],
  ] as [string, Record<string, object>, Record<string, number>, number?][])(
    "%s",
    async (_, wanted, given, part = defaultSettings.budget.childShare) => {
      const parent = define("parent", (ctx) =>
        ctx.parallel(
          "all",
          Object.fromEntries(
            Object.entries(wanted).map(([name, more]) => [
              name,
              (inner: ProcessContext) => inner.subprocess("run", child("asks", more)),
            ]),
          ),
        ),
      );
      await fresh().begin(parent, [asks], 5, { ...defaultSettings.budget, childShare: part });
      const state = await world.until(
        "all children",
        ({ effects }) =>
          Object.keys(given).length === [...effects.values()].filter(({ observed }) => observed !== null).length,
      );
      for (const [name, usd] of Object.entries(given)) {
        const key = [...state.effects.keys()].find((one) => one.includes(`/${name}/`)) as string;
        expect((await world.childOf(key))?.money.budgetUsd).toBeCloseTo(usd);
      }
      expect(state.money.spentUsd + state.money.reservedUsd).toBeLessThanOrEqual(state.money.budgetUsd + 1e-9);
    },
  );
});

describe("whoever asks the parent asks its children", () => {
  const nested = [define("middle", (ctx) => ctx.subprocess("leaf", child("asks"))), asks];
  const leafOf = async (): Promise<RunState | null> => {
    const middle = await world.childOf("child");
    const leaf = middle?.effects.get("leaf" as never);
    return middle === null || leaf === undefined ? null : world.runner.state(childRunIdOf(middle, leaf));
  };

  it("pauses and resumes them, also theirs", async () => {
    await fresh().begin(
      define("parent", (ctx) => ctx.subprocess("child", child("middle"))),
      nested,
    );
    await world.until("the leaf", leafOf);
    await world.runner.change(world.runId, (state) => pause(state, bob, "wait"));
    await world.until("the pause", async () => (await leafOf())?.status === "paused");
    await world.runner.change(world.runId, (state) => resume(state, bob));
    await world.until("that it goes on", async () => (await leafOf())?.status === "running");
  });

  it.each([
    ["", false],
    [", also where Baton died in between", true],
  ])("cancels them, also theirs%s", async (_, crash) => {
    await fresh().begin(
      define("parent", (ctx) => ctx.subprocess("child", child("middle"))),
      nested,
    );
    await world.until("the leaf", leafOf);
    if (crash) {
      // The parent's part is durable, and the children know nothing of it.
      await world.runner.stop();
      const { store } = world.database;
      const position = await store.position(world.runId);
      const now = world.clock.now();
      const events = cancel(await world.state(), bob, "enough");
      await store.append({ runId: world.runId, expectedPosition: position, events, now, also: {} });
      await world.start();
      await world.runner.wake(world.runId, true);
    } else await world.runner.change(world.runId, (state) => cancel(state, bob, "enough"));
    const over = await world.until("the end", ({ outcome }) => outcome !== null);
    expect(over.status).toBe("cancelled");
    await world.until("the leaf's end", async () => (await leafOf())?.outcome !== null);
    expect((await leafOf())?.outcome?.verdict.reason).toContain("Cancelled by @bob: enough");
  });

  it("a child that nobody wants any more is cancelled: its parent's time is over", async () => {
    const parent = define("parent", async (ctx) => {
      await ctx.subprocess("child", child("asks"), { timeoutMs: 5_000 }).catch(() => null);
      await ctx.ask("more", { title: "More", question: "More?", answerKind: "text" });
    });
    await fresh().begin(parent, [asks]);
    await world.until("the child", () => world.childOf("child"));
    world.clock.advance(6_000);
    await world.until("the child's end", async () => (await world.childOf("child"))?.status === "cancelled");
    expect((await world.childOf("child"))?.outcome?.verdict.reason).toContain("waited");
  });
});

it("a child that fails as the outside does is tried again, each time as another run with a share of its own", async () => {
  const fails = define("fails", (ctx) => ctx.waitFor("never", async () => false, { everyMs: 500, timeoutMs: 1_000 }));
  const parent = define("parent", (ctx) =>
    ctx.subprocess("child", child("fails"), { retry: { attemptsMax: 2, pauseMs: 10, pauseMaxMs: 10 } }),
  );
  await fresh().begin(parent, [fails]);
  const over = await world.until("the end", ({ outcome }) => outcome !== null);
  expect(over.outcome?.error).toMatchObject({ code: "BATON_TIMEOUT" });
  expect(over.effects.get("child" as never)?.attempts).toMatchObject([{ reservedUsd: 4 }, { reservedUsd: 4 }]);
  expect(over.money.reservedUsd).toBe(0);
  expect(await world.database.store.runs({})).toHaveLength(3);
});

it("a child that could not be created is created by the next drive, once, from the share that was set aside", async () => {
  await fresh().begin(
    define("parent", (ctx) => ctx.subprocess("child", child("asks"))),
    [asks],
    5,
    undefined,
    (store) => {
      let broken = true;
      return new Proxy(store, {
        get(target, key) {
          const member = Reflect.get(target, key) as (...args: unknown[]) => unknown;
          if (key !== "append") return member.bind(target);
          return async (change: Parameters<Store["append"]>[0]) => {
            const first = change.events[0];
            if (broken && first?.type === "run.created" && first.parent !== null) {
              broken = false;
              throw new BatonError("BATON_DATABASE_UNAVAILABLE", "no connection");
            }
            return target.append(change);
          };
        },
      });
    },
  );
  const asking = await world.until("the question", (state) => noteOf(state).includes("Red or blue?"));
  expect(asking.effects.get("child" as never)?.attempts).toMatchObject([{ attempt: 1, reservedUsd: 4 }]);
  expect((await world.childOf("child"))?.money.budgetUsd).toBe(4);
  expect(await world.database.store.runs({})).toHaveLength(2);
});

it("a crash of everything between any two looks makes no second child", async () => {
  await fresh().begin(
    define("parent", (ctx) => ctx.subprocess("child", child("asks"))),
    [asks],
  );
  await world.until("the child", () => world.childOf("child"));
  await world.crash();
  const asking = await world.until("the question", (state) => noteOf(state).includes("Red or blue?"));
  await world.crash();
  expect(asking.effects.get("child" as never)?.attempts).toHaveLength(1);
  expect(await world.database.store.runs({})).toHaveLength(2);
});
