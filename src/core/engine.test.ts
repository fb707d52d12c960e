import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { alice, RunWorld } from "../../test/fakes/run-world.ts";
import { defineProcess, type ProcessContext, type ProcessDefinition } from "../process/process.ts";
import { waitingFor } from "../summary/waiting.ts";
import { cancel, endShield, judged, observe, pause, raiseBudget } from "./decide.ts";
import { due, nextWakeAt, shieldEndsAt } from "./due.ts";
import { type RunEvent, storedEventSchema } from "./event.ts";
import { fold } from "./fold.ts";
import { limits } from "./limits.ts";
import type { EffectKey } from "./vocabulary.ts";

const passed = { name: "result", status: "passed" as const, reason: "done", evidence: [], children: [] };
const sha = "a".repeat(40);

function process(
  run: (ctx: ProcessContext, input: { n: number }) => Promise<unknown>,
  version = 1,
): ProcessDefinition<{ n: number }, { value: unknown }> {
  return defineProcess({
    name: "sample",
    version,
    summary: "",
    stages: [],
    input: z.object({ n: z.number() }),
    output: z.object({ value: z.unknown() }),
    verdict: () => passed,
    run: async (ctx, input) => ({ value: await run(ctx, input) }),
  });
}

const shell = (ctx: ProcessContext, name: string) => ctx.shell(name, { title: name, command: ["true"], sha });
const shellDone = (output: string) => ({ exitCode: 0, signal: null, output, durationMs: 1 });

describe("a process and its journal", () => {
  it("asks one effect at a time and ends with its output", async () => {
    const world = await RunWorld.start(
      process(async (ctx, { n }) => {
        const outputs: string[] = [];
        for (let i = 0; i < n; i += 1) outputs.push((await shell(ctx, "step")).output);
        return outputs;
      }),
      { n: 3 },
    );
    expect(world.open()).toEqual(["step"]);
    await world.succeed("step", shellDone("a"));
    expect(world.open()).toEqual(["step#2"]);
    await world.succeed("step#2", shellDone("b"));
    await world.succeed("step#3", shellDone("c"));
    expect(world.state.status).toBe("completed");
    expect(world.state.outcome?.output).toEqual({ value: ["a", "b", "c"] });
  });

  it.each([
    [
      "a schedule, as an older Baton wrote it",
      { schedule: { name: "nightly", at: 5, late: true, missed: 2 } },
      "schedule",
    ],
    ["a trigger", { startedBy: { kind: "trigger", name: "red", on: "push", at: 5, inDashboard: true } }, "trigger"],
    ["a person", {}, undefined],
  ] as const)("began by %s", async (_, began, kind) => {
    const world = await RunWorld.start(
      process(async (ctx) => (await shell(ctx, "step")).output),
      { n: 1 },
    );
    const [first, ...rest] = world.journal;
    if (first?.event.type !== "run.created") throw new Error("no run");
    const kept = storedEventSchema.parse({ ...first, event: { ...first.event, ...began } });
    const { startedBy } = fold([kept, ...rest]);
    expect(startedBy?.kind).toBe(kind);
    if (kind === "schedule") expect(startedBy).toMatchObject({ name: "nightly", at: 5, late: true, missed: 2 });
  });

  it("the same decision again is no news, in whichever order the journal keeps its parts", async () => {
    const world = await RunWorld.start(
      process(async (ctx) => (await shell(ctx, "step")).output),
      { n: 1 },
    );
    const verdict = { name: "checks", status: "pending" as const, reason: "One runs.", evidence: [], children: [] };
    const sorted = { children: [], evidence: [], name: "checks", reason: "One runs.", status: "pending" as const };
    await world.append([{ type: "effect.observed", key: "step" as EffectKey, verdict: sorted, facts: null }]);
    expect(observe(world.state, "step" as EffectKey, verdict, null)).toEqual([]);
    expect(observe(world.state, "step" as EffectKey, { ...verdict, reason: "Two run." }, null)).toHaveLength(1);
    expect(observe(world.state, "step" as EffectKey, { ...verdict, status: "passed" }, null)).toHaveLength(1);
  });

  it("J3: is the same run after a crash at every event", async () => {
    const definition = process(async (ctx) => {
      const { a, b } = await ctx.parallel("both", {
        a: async (c) => (await shell(c, "one")).output + (await shell(c, "two")).output,
        b: async (c) => (await shell(c, "one")).output,
      });
      const waited = ctx.now();
      await ctx.sleep("nap", 60_000);
      return [a, b, ctx.now() > waited, ctx.random() < 1];
    });
    const order = fc.array(fc.nat(), { minLength: 12, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(order, fc.nat(7), async (picks, crashAt) => {
        const world = await RunWorld.start(definition, { n: 0 });
        for (let step = 0; world.state.status === "running"; step += 1) {
          if (step === crashAt) await world.crash();
          const open = world.open();
          const key = open[(picks[step] ?? 0) % open.length] as string;
          await world.succeed(key, key.endsWith("nap") ? { wokeAt: 1 } : shellDone(key));
        }
        expect(world.state.outcome?.output).toEqual({ value: ["both/a/oneboth/a/two", "both/b/one", true, true] });
        const requested = world.journal
          .filter(({ event }) => event.type === "effect.requested")
          .map(({ event }) => "key" in event && event.key);
        expect(new Set(requested).size).toBe(requested.length);
      }),
      { numRuns: 60 },
    );
  });

  it("R1: an outcome that arrives before the process asked its next step is replayed in the journal's order", async () => {
    const definition = process(async (ctx) => {
      const first = shell(ctx, "first");
      const second = shell(ctx, "second");
      const next = await Promise.race([first.then(() => "first"), second.then(() => "second")]);
      await shell(ctx, `after-${next}`);
      return next;
    });
    const world = await RunWorld.start(definition, { n: 0 });
    await world.succeed("second", shellDone(""));
    expect(world.open()).toContain("after-second");
    await world.crash();
    await world.succeed("first", shellDone(""));
    await world.crash();
    await world.succeed("after-second", shellDone(""));
    expect(world.state.outcome?.output).toEqual({ value: "second" });
  });

  it("R3: a process that changed diverges with the step and both values", async () => {
    const world = await RunWorld.start(
      process(async (ctx) => shell(ctx, "old")),
      { n: 0 },
    );
    const changed = process(async (ctx) => shell(ctx, "new"));
    await expect(world.crash(changed as unknown as ProcessDefinition)).rejects.toMatchObject({
      code: "BATON_DIVERGENCE",
      message: expect.stringMatching(/shell "old".*shell "new"/s),
    });
  });

  it("R3: an input that changed diverges although the key is the same", async () => {
    const world = await RunWorld.start(
      process(async (ctx) => ctx.shell("s", { title: "s", command: ["a"], sha })),
      { n: 0 },
    );
    const changed = process(async (ctx) => ctx.shell("s", { title: "s", command: ["b"], sha }));
    await expect(world.crash(changed as unknown as ProcessDefinition)).rejects.toMatchObject({
      code: "BATON_DIVERGENCE",
    });
  });

  it("a sleep until now plus a minute is asked once, whatever the clock says at replay", async () => {
    const world = await RunWorld.start(
      process((ctx) => ctx.sleep("nap", 60_000)),
      { n: 0 },
    );
    world.clock += 3_600_000;
    await world.crash();
    expect(world.open()).toEqual(["nap"]);
    await world.succeed("nap", { wokeAt: 1 });
    expect(world.state.status).toBe("completed");
  });

  it("I3: a process that awaits something else is found stalled, not left hanging", async () => {
    const world = await RunWorld.start(
      process(() => new Promise(() => {})),
      { n: 0 },
    );
    expect(world.state.outcome?.error?.code).toBe("BATON_PROCESS_STALLED");
  });

  it("a synchronous throw is an outcome like any other", async () => {
    const world = await RunWorld.start(
      process(() => {
        throw new TypeError("no");
      }),
      { n: 0 },
    );
    expect(world.state.outcome?.error).toMatchObject({ code: "BATON_PROCESS_FAILED", message: "no" });
  });

  it("input that the schema refuses is refused by field before anything is stored", async () => {
    await expect(
      RunWorld.start(
        process(async () => 1),
        { n: "x" } as unknown as { n: number },
      ),
    ).rejects.toMatchObject({ code: "BATON_INPUT_INVALID", message: expect.stringContaining("n:") });
  });
});

describe("race, parallel and background", () => {
  it("the first to succeed wins and the effects of the others are cancelled", async () => {
    const world = await RunWorld.start(
      process((ctx) => ctx.race("race", { slow: (c) => shell(c, "work"), quick: (c) => shell(c, "work") })),
      { n: 0 },
    );
    await world.succeed("race/quick/work", shellDone("q"));
    expect(world.state.outcome?.output).toMatchObject({ value: { winner: "quick" } });
    expect(world.state.effects.get("race/slow/work" as never)?.status).toBe("cancelled");
  });

  it.each<[string, Parameters<ProcessContext["race"]>[1]]>([
    ["record", {}],
    ["map", new Map()],
  ])("a race of nobody (an empty %s) is an error with a name, not silence", async (_, branches) => {
    const world = await RunWorld.start(
      process((ctx) => ctx.race("race", branches)),
      { n: 0 },
    );
    expect(world.state.outcome?.error).toMatchObject({
      code: "BATON_INPUT_INVALID",
      message: 'The race "race" has no branch, so nobody can win it.',
    });
  });

  it("branches given as a map begin in its order, also where their names look like integers", async () => {
    const world = await RunWorld.start(
      process((ctx) =>
        ctx.parallel("p", new Map(["10", "2", "1"].map((name) => [name, (c: ProcessContext) => shell(c, "w")]))),
      ),
      { n: 0 },
    );
    expect(world.open()).toEqual(["p/10/w", "p/2/w", "p/1/w"]);
  });

  it("a workflow of thousands of steps is refused by name before any begins", async () => {
    const steps = Object.fromEntries(
      Array.from({ length: 1_001 }, (_, n) => [`s${n}`, { run: (c: ProcessContext) => shell(c, "w") }]),
    );
    const world = await RunWorld.start(
      process((ctx) => ctx.workflow("w", steps)),
      { n: 0 },
    );
    expect(world.state.effects.size).toBe(0);
    expect(world.state.outcome?.error).toMatchObject({
      code: "BATON_INPUT_INVALID",
      message: expect.stringMatching(/1001 steps; at most 1000/),
    });
  });

  it("all failed: the first failure is thrown", async () => {
    const world = await RunWorld.start(
      process((ctx) => ctx.race("race", { a: (c) => shell(c, "w"), b: (c) => shell(c, "w") })),
      { n: 0 },
    );
    for (const key of ["race/a/w", "race/b/w"]) {
      await world.append([
        {
          type: "effect.failed",
          key: key as never,
          attempt: 1,
          error: { code: "BATON_TIMEOUT", message: key },
          usage: [],
        },
      ]);
    }
    expect(world.state.outcome?.error).toMatchObject({ code: "BATON_TIMEOUT", message: "race/a/w" });
  });

  it("a branch that fails does not throw the others' work away", async () => {
    const world = await RunWorld.start(
      process((ctx) => ctx.parallel("p", { a: (c) => shell(c, "w"), b: (c) => shell(c, "w") })),
      { n: 0 },
    );
    await world.append([
      {
        type: "effect.failed",
        key: "p/a/w" as never,
        attempt: 1,
        error: { code: "BATON_TIMEOUT", message: "late" },
        usage: [],
      },
    ]);
    expect(world.open()).toEqual(["p/b/w"]);
    await world.succeed("p/b/w", shellDone(""));
    expect(world.state.outcome?.error?.code).toBe("BATON_TIMEOUT");
  });

  it("runs no more branches at once than allowed", async () => {
    const world = await RunWorld.start(
      process((ctx) =>
        ctx.parallel(
          "p",
          { a: (c) => shell(c, "w"), b: (c) => shell(c, "w"), c: (c) => shell(c, "w") },
          { branchesMax: 2 },
        ),
      ),
      { n: 0 },
    );
    expect(world.open()).toEqual(["p/a/w", "p/b/w"]);
    await world.succeed("p/b/w", shellDone(""));
    expect(world.open()).toEqual(["p/a/w", "p/c/w"]);
  });

  it("PAR-002: an effect in the background is awaited later, also when it ended in between", async () => {
    const world = await RunWorld.start(
      process(async (ctx) => {
        const background = shell(ctx, "background");
        await shell(ctx, "front");
        return (await background).output;
      }),
      { n: 0 },
    );
    await world.succeed("background", shellDone("b"));
    await world.succeed("front", shellDone("f"));
    expect(world.state.outcome?.output).toEqual({ value: "b" });
  });

  it("what an ended process left open is cancelled", async () => {
    const world = await RunWorld.start(
      process(async (ctx) => {
        void shell(ctx, "forgotten");
        await shell(ctx, "front");
        return 1;
      }),
      { n: 0 },
    );
    await world.succeed("front", shellDone(""));
    expect(world.state.status).toBe("completed");
    expect(world.state.effects.get("forgotten" as never)?.status).toBe("cancelled");
  });
});

describe("waiting and trying again", () => {
  it("waitFor asks again with durable pauses until the condition holds", async () => {
    const world = await RunWorld.start(
      process(async (ctx) => {
        await ctx.waitFor("ready", async (c) => (await shell(c, "probe")).output === "yes", {
          everyMs: 5_000,
          timeoutMs: 1_000_000,
        });
        return "ready";
      }),
      { n: 0 },
    );
    await world.succeed("ready/probe", shellDone("no"));
    expect(world.open()).toEqual(["ready/pause"]);
    await world.succeed("ready/pause", { wokeAt: 1 });
    await world.succeed("ready/probe#2", shellDone("yes"));
    expect(world.state.outcome?.output).toEqual({ value: "ready" });
  });

  it("waitFor ends with BATON_TIMEOUT", async () => {
    const world = await RunWorld.start(
      process((ctx) =>
        ctx.waitFor("ready", async (c) => (await shell(c, "probe")).output === "yes", { everyMs: 1, timeoutMs: 500 }),
      ),
      { n: 0 },
    );
    await world.succeed("ready/probe", shellDone("no"));
    expect(world.state.outcome?.error?.code).toBe("BATON_TIMEOUT");
  });

  it("retryWithBackoff tries what may pass and not what is final", async () => {
    const definition = process((ctx) =>
      ctx.retryWithBackoff("again", (c) => shell(c, "work"), { attemptsMax: 3, pauseMs: 10 }),
    );
    const world = await RunWorld.start(definition, { n: 0 });
    await world.append([
      {
        type: "effect.failed",
        key: "again/work" as never,
        attempt: 1,
        error: { code: "BATON_TIMEOUT", message: "" },
        usage: [],
      },
    ]);
    expect(world.open()).toEqual(["again/backoff"]);
    await world.succeed("again/backoff", { wokeAt: 1 });
    await world.append([
      {
        type: "effect.failed",
        key: "again/work#2" as never,
        attempt: 1,
        error: { code: "BATON_HARNESS_AUTH", message: "key" },
        usage: [],
      },
    ]);
    expect(world.state.outcome?.error?.code).toBe("BATON_HARNESS_AUTH");
  });
});

describe("cancel", () => {
  const definition = process(async (ctx) => {
    try {
      await shell(ctx, "long");
      return "finished";
    } catch {
      await ctx.shielded("cleanup", (c) => shell(c, "last-words"));
      return ctx.cancelled ? "cleaned" : "not cancelled";
    }
  });

  it("reaches the process, which may clean up in a shielded scope", async () => {
    const world = await RunWorld.start(definition, { n: 0 });
    await world.append(cancel(world.state, alice, "wrong issue"));
    expect(world.state.effects.get("long" as never)?.status).toBe("cancelled");
    expect(world.open()).toEqual(["cleanup/last-words"]);
    await world.crash();
    await world.succeed("cleanup/last-words", shellDone(""));
    expect(world.state.status).toBe("cancelled");
    expect(world.state.outcome?.verdict.reason).toContain("@alice");
  });

  const endless = async (ctx: ProcessContext, step: (c: ProcessContext) => Promise<unknown>) => {
    for (;;) {
      try {
        await step(ctx);
      } catch {}
    }
  };
  it.each<[string, (ctx: ProcessContext) => Promise<unknown>]>([
    ["in one shielded scope", (ctx) => ctx.shielded("cleanup", (c) => endless(c, (inner) => shell(inner, "again")))],
    ["in a new shielded scope each time", (ctx) => endless(ctx, (c) => c.shielded("cleanup", (i) => shell(i, "s")))],
    [
      "in two shielded branches at once",
      (ctx) =>
        ctx.shielded("cleanup", (c) =>
          c.parallel("both", {
            a: (inner) => endless(inner, (i) => shell(i, "a")),
            b: (inner) => endless(inner, (i) => i.sleep("b", 1_000)),
          }),
        ),
    ],
    [
      "in a shielded wait for what never comes true",
      (ctx) =>
        ctx.shielded("cleanup", (c) =>
          c.waitFor("ready", async () => false, { everyMs: 1, timeoutMs: Number.MAX_SAFE_INTEGER }),
        ),
    ],
    [
      "with requests that no schema allows in between",
      (ctx) =>
        ctx.shielded("cleanup", (c) =>
          endless(c, async (inner) => {
            await inner.shell("bad", { title: "bad", command: [], sha }).catch(() => {});
            await shell(inner, "good");
          }),
        ),
    ],
  ])(
    "engine-ends-and-answers: I5: a process that loops %s ends as cancelled, also after a crash",
    async (_, cleanup) => {
      const world = await RunWorld.start(
        process(async (ctx) => {
          try {
            await shell(ctx, "long");
          } catch {}
          await cleanup(ctx);
          return "never";
        }),
        { n: 0 },
      );
      await world.append(cancel(world.state, alice, "enough"));
      let done = 0;
      for (; world.state.status === "running" && done < 1_000; done += 1) {
        if (done === 30) await world.crash();
        const key = world.open()[0] as string;
        const isSleep = world.state.effects.get(key as never)?.kind === "sleep";
        await world.succeed(key, isSleep ? { wokeAt: world.clock } : shellDone(""));
      }
      expect(world.state.status).toBe("cancelled");
      expect(done).toBeGreaterThan(30);
      expect(done).toBeLessThanOrEqual(limits.shieldedEffectsMax);
      expect(world.open()).toEqual([]);
    },
  );

  it("I5: shielded work before a cancel is not counted, and what was asked for within the bound is done", async () => {
    const world = await RunWorld.start(
      process(async (ctx) =>
        ctx.shielded("cleanup", async (c) => {
          for (let step = 0; step < limits.shieldedEffectsMax + 10; step += 1) await shell(c, "step");
          return ctx.cancelled;
        }),
      ),
      { n: 0 },
    );
    for (let step = 0; step < 20; step += 1) await world.succeed(world.open()[0] as string, shellDone(""));
    await world.append(cancel(world.state, alice, "enough"));
    while (world.state.status === "running") await world.succeed(world.open()[0] as string, shellDone(""));
    expect(world.state.effects.size).toBe(limits.shieldedEffectsMax + 10);
    expect([...world.state.effects.values()].every(({ status }) => status === "succeeded")).toBe(true);
  });

  const minute = 60_000;
  describe("engine-ends-and-answers: I5: shielded work that waits too long after a cancel", () => {
    const asks = (c: ProcessContext, name: string) => c.ask(name, { title: name, question: "?", answerKind: "text" });
    const bounded = (atMostMs?: number) =>
      process(async (ctx) =>
        ctx.shielded(
          "cleanup",
          async (c) => {
            await c.sleep("month", 30 * 24 * 60 * minute);
            return shell(c, "last-words");
          },
          atMostMs === undefined ? {} : { atMostMs },
        ),
      );
    it.each<[string, ProcessDefinition<{ n: number }, { value: unknown }>, number]>([
      ["one sleep of 30 days", bounded(), limits.shieldedMsDefault],
      ["a time of its own", bounded(90 * minute), 90 * minute],
      ["less than the default", bounded(minute), minute],
      ["the most that there is", bounded(limits.shieldedMsMax), limits.shieldedMsMax],
      [
        "a question that nobody answers",
        process((ctx) => ctx.shielded("cleanup", (c) => asks(c, "sure"))),
        limits.shieldedMsDefault,
      ],
      [
        "two branches: the longer one",
        process((ctx) =>
          ctx.parallel("both", {
            a: (c) => c.shielded("short", (inner) => asks(inner, "a"), { atMostMs: minute }),
            b: (c) => c.shielded("long", (inner) => asks(inner, "b"), { atMostMs: 20 * minute }),
          }),
        ),
        20 * minute,
      ],
      [
        "a scope within a scope",
        process((ctx) =>
          ctx.shielded("outer", (c) => c.shielded("inner", (inner) => asks(inner, "x")), { atMostMs: 3 * minute }),
        ),
        3 * minute,
      ],
    ])("%s: the run ends then, and says what was not done", async (_, definition, boundMs) => {
      const world = await RunWorld.start(definition, { n: 0 });
      expect(shieldEndsAt(world.state)).toBeNull();
      await world.append(cancel(world.state, alice, "enough"));
      await world.crash();
      const at = (world.state.cancelRequested?.at ?? 0) + boundMs;
      expect(shieldEndsAt(world.state)).toBe(at);
      expect(nextWakeAt(world.state, at - 1)).toBe(at);
      expect(endShield(world.state, at - 1)).toEqual([]);
      expect(due(world.state, at, { parallelMax: 4 })).toEqual([{ action: "end" }]);
      await world.append(endShield(world.state, at));
      expect(world.state.status).toBe("cancelled");
      expect(world.open()).toEqual([]);
      expect(world.state.outcome?.verdict.reason).toMatch(
        new RegExp(
          `^Cancelled by @alice: enough\\. Baton stopped the clean-up after ${boundMs / minute} min\\. Not done: .+\\.$`,
        ),
      );
    });

    it("a paused run ends too", async () => {
      const world = await RunWorld.start(bounded(), { n: 0 });
      await world.append(cancel(world.state, alice, "enough"));
      await world.append(pause(world.state, alice, "wait"));
      const at = (world.state.cancelRequested?.at ?? 0) + limits.shieldedMsDefault;
      expect(due(world.state, at - 1, { parallelMax: 4 })).toEqual([]);
      expect(nextWakeAt(world.state, at - 1)).toBe(at);
      expect(due(world.state, at, { parallelMax: 4 })).toEqual([{ action: "end" }]);
    });

    it.each([0, -1, Number.NaN, limits.shieldedMsMax + 1, Number.POSITIVE_INFINITY])(
      "a process that asks for %s ms is told the limit",
      async (atMostMs) => {
        const world = await RunWorld.start(bounded(atMostMs), { n: 0 });
        expect(world.state.outcome?.error).toMatchObject({
          code: "BATON_INPUT_INVALID",
          message: expect.stringContaining(`at most ${limits.shieldedMsMax}`) as string,
        });
      },
    );

    it("a scope that nobody cancelled has no end", async () => {
      const world = await RunWorld.start(bounded(), { n: 0 });
      expect(due(world.state, world.clock + 29 * 24 * 60 * minute, { parallelMax: 4 })).toEqual([]);
    });
  });

  it("asked twice it is one cancel", async () => {
    const world = await RunWorld.start(definition, { n: 0 });
    await world.append(cancel(world.state, alice, "one"));
    expect(cancel(world.state, alice, "two")).toEqual([]);
  });

  it("C1: is refused once the run is over", async () => {
    const world = await RunWorld.start(
      process(async () => 1),
      { n: 0 },
    );
    expect(() => cancel(world.state, alice, "late")).toThrow(expect.objectContaining({ code: "BATON_NO_RUN" }));
    expect(() => raiseBudget(world.state, alice, 1)).toThrow(expect.objectContaining({ code: "BATON_NO_RUN" }));
  });
});

describe("engine-ends-and-answers: the policy's verdicts on writes", () => {
  const allowed = { ...passed, name: "publish", reason: "The work may be published." };
  const refused = { ...allowed, status: "failed" as const, reason: "The branch is not the run's." };
  const start = (attempt: number): RunEvent => ({
    type: "effect.started",
    key: "push" as never,
    attempt,
    worker: "w",
    reservedUsd: 0,
  });
  const begin = () =>
    RunWorld.start(
      process(async (ctx) =>
        ctx.publish("push", {
          title: "Push",
          publish: { operation: "push", branch: "work", sha, expectedSha: null },
        }),
      ),
      { n: 0 },
    );
  const say = (
    world: RunWorld,
    attempt: number,
    action: "publish" | "merge",
    verdict: typeof passed | typeof refused,
  ) => judged(world.state, { key: "push" as never, attempt }, action, verdict);

  it("the same verdict of the next attempt is kept once, another one is news", async () => {
    const world = await begin();
    await world.append([start(1)]);
    await world.append(say(world, 1, "publish", refused));
    await world.crash();
    await world.append([start(2)]);
    expect(say(world, 2, "publish", refused)).toEqual([]);
    await world.append(say(world, 2, "publish", allowed));
    await world.append(say(world, 2, "publish", refused));
    expect(say(world, 2, "merge", refused)).toHaveLength(1);
    expect(world.state.decisions.map(({ action, verdict }) => [action, verdict.status])).toEqual([
      ["publish", "failed"],
      ["publish", "passed"],
      ["publish", "failed"],
    ]);
  });

  it("an attempt that is not the present one, and a write that has ended, say nothing", async () => {
    const world = await begin();
    await world.append([start(1), start(2)]);
    expect(say(world, 1, "publish", allowed)).toEqual([]);
    await world.append(cancel(world.state, alice, "enough"));
    expect(say(world, 2, "publish", allowed)).toEqual([]);
  });
});

describe("fold", () => {
  it("I7: folding the journal anew gives the state that grew event by event", async () => {
    const world = await RunWorld.start(
      process(async (ctx) => shell(ctx, "a")),
      { n: 0 },
    );
    await world.append([
      { type: "effect.started", key: "a" as never, attempt: 1, worker: "w", reservedUsd: 2 },
      {
        type: "effect.attempt-failed",
        key: "a" as never,
        attempt: 1,
        error: { code: "BATON_HARNESS_HUNG", message: "" },
        usage: [
          {
            harness: "h",
            model: "m",
            tokens: { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 },
            costUsd: 0.5,
            priceSource: "table",
            priceTableVersion: "1",
          },
        ],
        retryAt: 5,
        kept: null,
      },
      { type: "effect.started", key: "a" as never, attempt: 2, worker: "w", reservedUsd: 1 },
    ]);
    expect(world.state.money).toMatchObject({
      spentUsd: 0.5,
      reservedUsd: 1,
      tokens: { input: 1, output: 2, cacheRead: 3, cacheWrite: 4 },
    });
    await world.succeed("a", shellDone(""));
    expect(world.state.money.reservedUsd).toBe(0);
    expect(fold(world.journal)).toEqual(world.state);
  });
});

describe("order, groups and the parallel limit", () => {
  /** Steps that a process asks for at once, with their hints. */
  const asking = (hints: Record<string, object>) =>
    RunWorld.start(
      process(async (ctx) => {
        const steps = Object.entries(hints).map(([name, one]) =>
          ctx.shell(name, { title: name, command: ["true"], sha }, { hints: one }),
        );
        return Promise.all(steps);
      }),
      { n: 0 },
    );
  const next = (world: RunWorld, parallelMax: number): string[] =>
    due(world.state, world.clock, { parallelMax }).map((one) => ("key" in one ? one.key : one.action));
  const begin = (world: RunWorld, key: string) =>
    world.append([{ type: "effect.started", key: key as EffectKey, attempt: 1, worker: "w", reservedUsd: 0 }]);

  it.each<[string, Record<string, object>, number, string[]]>([
    ["no hints: the order of the requests", { a: {}, b: {}, c: {} }, 2, ["a", "b"]],
    ["a higher priority", { a: {}, b: { priority: 2 }, c: { priority: -1 } }, 2, ["b", "a"]],
    ["a group", { a: { group: "db" }, b: { group: "db" }, c: {} }, 4, ["a", "c"]],
    ["two groups", { a: { group: "x" }, b: { group: "y" }, c: { group: "x" }, d: { group: "y" } }, 4, ["a", "b"]],
    ["a priority in a group", { a: { group: "x" }, b: { group: "x", priority: 1 } }, 4, ["b"]],
    [
      "a group takes no place of the limit for its waiting ones",
      { a: { group: "x" }, b: { group: "x" }, c: {}, d: {} },
      2,
      ["a", "c"],
    ],
  ])("%s", async (_, hints, parallelMax, first) => {
    expect(next(await asking(hints), parallelMax)).toEqual(first);
  });

  it("a waiting step of a group begins when the running one has ended, and says what it waits for", async () => {
    const world = await asking({ a: { group: "db" }, b: { group: "db" } });
    await begin(world, "a");
    await world.crash();
    expect(next(world, 4)).toEqual([]);
    expect(waitingFor(world.state).find(({ key }) => key === "b")).toMatchObject({
      kind: "time",
      sentence: 'Waits for "a", because steps of the group `db` run one at a time.',
    });
    await world.succeed("a", shellDone(""));
    expect(next(world, 4)).toEqual(["b"]);
  });
});
