/**
 * Processes that do everything wrong, through a whole Baton. The thread names the end of each run, and the others get their
 * turn.
 */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { RunEvent } from "../../src/core/event.ts";
import { fold } from "../../src/core/fold.ts";
import type { RunState } from "../../src/core/state.ts";
import type { EffectKey, Verdict } from "../../src/core/vocabulary.ts";
import { defineProcess, type ProcessContext, ProcessRegistry } from "../../src/process/process.ts";
import { Simulation } from "./simulation-world.ts";

const sha = "a".repeat(40);
const passed: Verdict = { name: "sample", status: "passed", reason: "Done.", evidence: [], children: [] };
const shell = (ctx: ProcessContext, name: string) => ctx.shell(name, { title: name, command: ["true"], sha });
const nap = (ctx: ProcessContext, name = "nap") => ctx.sleep(name, 3_600_000);

type Run = (ctx: ProcessContext) => Promise<unknown>;

function registry(run: Run, verdict: () => Verdict = () => passed): ProcessRegistry {
  const common = { version: 1, summary: "", stages: [], input: z.looseObject({}), output: z.unknown() };
  return new ProcessRegistry()
    .register(defineProcess({ ...common, name: "sample", verdict, run: async (ctx) => run(ctx) }))
    .register(defineProcess({ ...common, name: "calm", verdict: () => passed, run: async () => "done" }));
}

class Thread {
  readonly world: Simulation;

  constructor(run: Run, verdict?: () => Verdict) {
    this.world = new Simulation(1, { processes: registry(run, verdict) });
    this.world.wild = false;
  }

  async say(body: string, number = 11): Promise<void> {
    this.world.github.say(number, "alice", body);
    for (let turn = 0; turn < 4; turn += 1) await this.world.pass(2_000);
  }

  /** Newest run of a thread. */
  state(number = 11): RunState {
    const states = [...this.world.tables.events.values()].map((journal) => fold(journal));
    const found = states.filter(({ thread }) => thread.number === number).at(-1);
    if (found === undefined) throw new Error("no run");
    return found;
  }

  said(number = 11): string {
    return [...this.world.github.said.values()]
      .filter((comment) => comment.number === number && comment.author.login === "baton[bot]")
      .map(({ body }) => body)
      .join("\n---\n");
  }

  row(number = 11) {
    return this.world.tables.run(this.state(number).runId);
  }

  append(event: RunEvent): void {
    const { runId, position } = this.state();
    this.world.tables.append({
      runId,
      expectedPosition: position,
      events: [event],
      now: 0,
      also: { now: 0 },
      seed: "",
    });
  }
}

function cyclic(): unknown {
  const value: { again?: unknown } = {};
  value.again = value;
  return value;
}

describe("engine-ends-and-answers: what a process does wrong is the end of its run", () => {
  const wrong: [string, Run, RegExp][] = [
    ["undefined", async () => undefined, /output of process sample is not JSON: the value is undefined/],
    ["NaN", async () => ({ deep: [Number.NaN] }), /is not JSON: .*deep\.0.* is NaN/],
    ["a BigInt", async () => ({ total: 1n }), /total.* is a bigint/],
    ["a Date", async () => new Date(0), /the value is a Date/],
    ["a Map", async () => ({ at: new Map() }), /at.* is a Map/],
    ["a function", async () => ({ f: () => 1 }), /f.* is a function/],
    ["a cycle", async () => cyclic(), /nested more than/],
    [
      "a member whose getter throws",
      async () => ({
        get x() {
          throw new Error("no x");
        },
      }),
      /no x/,
    ],
    [
      "a key of 201 characters",
      (ctx) => ctx.shell("k".repeat(201), { title: "s", command: ["true"], sha }),
      /the key has 201 characters/,
    ],
    ["an empty key", (ctx) => ctx.shell("", { title: "s", command: ["true"], sha }), /cannot hold this request: key/],
    ["a key with a zero byte", (ctx) => shell(ctx, "a\0b"), /the key has control characters/],
    [
      "one key three times",
      async (ctx) => {
        void shell(ctx, "x#2");
        void shell(ctx, "x");
        return shell(ctx, "x");
      },
      /step .x#2.: two steps have this key/,
    ],
    [
      "a key of a branch written out",
      async (ctx) => {
        void shell(ctx, "a/b/s");
        return ctx.parallel("a", { b: (c) => shell(c, "s") });
      },
      /step .a\/b\/s.: two steps have this key/,
    ],
    [
      "a taken key, in a catch that goes on",
      async (ctx) => {
        void nap(ctx, "x#2");
        void nap(ctx, "x");
        try {
          await nap(ctx, "x");
        } catch {}
        return "all is well";
      },
      /two steps have this key/,
    ],
    [
      "a time limit of zero",
      (ctx) => ctx.shell("s", { title: "s", command: ["x"], sha }, { timeoutMs: 0 }),
      /timeoutMs/,
    ],
    [
      "no tries",
      (ctx) => ctx.shell("s", { title: "s", command: ["x"], sha }, { retry: { attemptsMax: 0 } }),
      /retry\.attemptsMax/,
    ],
    [
      "half a priority",
      (ctx) => ctx.shell("s", { title: "s", command: ["x"], sha }, { hints: { priority: 0.5 } }),
      /hints\.priority/,
    ],
    [
      "something without text thrown",
      async () => {
        throw Object.create(null);
      },
      /threw something that has no text/,
    ],
    ["what a schema says", async () => z.object({ n: z.number() }).parse({ n: "x" }), /n: .*expected number/],
  ];
  it.each(wrong)("%s", async (_, run, reason) => {
    const thread = new Thread(run);
    await thread.say("/baton run sample");
    expect(thread.state().outcome?.error).toMatchObject({
      code: "BATON_PROCESS_FAILED",
      message: expect.stringMatching(reason),
    });
    expect(thread.row()?.status).toBe("failed");
    expect(
      [...thread.state().effects.values()].map(({ status }) => status).filter((one) => one !== "cancelled"),
    ).toEqual([]);
    const words = thread.said();
    expect(words).toContain("BATON_PROCESS_FAILED");
    expect(words).not.toMatch(/"code": "|invalid_union/);
    // The thread is free, also for another life of Baton.
    await thread.say("/baton run calm");
    expect(thread.state().status).toBe("completed");
  });

  const verdicts: [string, () => unknown, RegExp][] = [
    [
      "throws",
      () => {
        throw new TypeError("no verdict today");
      },
      /its .verdict. failed: no verdict today/,
    ],
    ["gives nothing", () => undefined, /its .verdict. failed/],
    ["gives a promise", async () => passed, /its .verdict. failed/],
    ["gives a word that is no status", () => ({ ...passed, status: "fine" }), /its .verdict. failed: status/],
  ];
  it.each(verdicts)("a verdict that %s", async (_, verdict, reason) => {
    const thread = new Thread(async () => "done", verdict as () => Verdict);
    await thread.say("/baton run sample");
    expect(thread.state().outcome?.error).toMatchObject({
      code: "BATON_PROCESS_FAILED",
      message: expect.stringMatching(reason),
    });
    expect(thread.row()?.status).toBe("failed");
  });
});

describe("engine-ends-and-answers: a turn of a process has a bound", () => {
  const loops: [string, Run][] = [
    [
      "asks again for what the cancel refused",
      async (ctx) => {
        for (;;) {
          try {
            await nap(ctx);
          } catch {}
        }
      },
    ],
    [
      "in two branches at once",
      (ctx) => {
        const loop = async (c: ProcessContext) => {
          for (;;) {
            try {
              await nap(c);
            } catch {}
          }
        };
        return ctx.parallel("both", { a: loop, b: loop });
      },
    ],
    [
      "waits for a condition that swallows the cancel",
      async (ctx) => {
        for (;;)
          try {
            await ctx.waitFor("ready", async () => false, { everyMs: 60_000, timeoutMs: 3_600_000 });
          } catch {}
      },
    ],
    [
      "watches the clock",
      async (ctx) => {
        try {
          await nap(ctx);
        } catch {}
        for (const end = ctx.now() + 1; ctx.now() < end; ) await Promise.resolve();
      },
    ],
  ];
  it.each(loops)("a process that %s ends as cancelled", async (_, run) => {
    const thread = new Thread(run);
    await thread.say("/baton run sample");
    expect(thread.state().status).toBe("running");
    await thread.say("/baton cancel enough");
    expect(thread.state().status).toBe("cancelled");
    expect(thread.said()).toContain("Cancelled by @");
    expect([...thread.state().open]).toEqual([]);
    await thread.say("/baton run calm", 12);
    expect(thread.state(12).status).toBe("completed");
  });

  it("a process that loops in shielded work ends as cancelled", async () => {
    const thread = new Thread(async (ctx) => {
      try {
        await nap(ctx);
      } catch {}
      await ctx.shielded("cleanup", async (shielded) => {
        for (;;) await Promise.all(Array.from({ length: 10 }, () => shielded.sleep("again", 10)));
      });
    });
    await thread.say("/baton run sample");
    await thread.say("/baton cancel enough");
    for (let turn = 0; turn < 200 && thread.state().status === "running"; turn += 1) await thread.world.pass(1_000);
    expect(thread.state().status).toBe("cancelled");
    expect([...thread.state().open]).toEqual([]);
    await thread.say("/baton run calm");
    expect(thread.state().status).toBe("completed");
  });

  it("a shielded wait of 30 days ends the run ten minutes after the cancel, and the thread says why", async () => {
    const thread = new Thread(async (ctx) => {
      try {
        await nap(ctx);
      } catch {}
      await ctx.shielded("cleanup", (shielded) => shielded.sleep("month", 30 * 24 * 3_600_000));
    });
    await thread.say("/baton run sample");
    await thread.say("/baton cancel enough");
    expect(thread.state().status).toBe("running");
    for (let minute = 0; minute < 11 && thread.state().status === "running"; minute += 1)
      await thread.world.pass(60_000);
    expect(thread.state().status).toBe("cancelled");
    await thread.world.pass(5_000);
    expect(thread.said()).toContain("Baton stopped the clean-up after 10 min.");
    await thread.say("/baton run calm", 12);
    expect(thread.state(12).status).toBe("completed");
  });

  it.each<[string, Run]>([
    [
      "asks for nothing in a loop",
      async (ctx) => {
        for (;;) await ctx.parallel("nothing", {});
      },
    ],
    [
      "asks again and again for what no schema allows",
      async (ctx) => {
        for (;;)
          try {
            await ctx.shell("s", { title: "s", command: [], sha });
          } catch {}
      },
    ],
    [
      "asks for more than a run may, and goes on",
      async (ctx) => {
        for (let step = 0; ; step += 1) {
          if (step % 100 === 0) await Promise.resolve();
          void nap(ctx).catch(() => {});
        }
      },
    ],
    [
      "waits again and again for what is settled",
      async (ctx) => {
        const settled = ctx.base("b", { sha: "no" } as never);
        for (;;)
          try {
            await settled;
          } catch {}
      },
    ],
    [
      "catches what is settled in a chain",
      async (ctx) => {
        const settled = ctx.base("b", { sha: "no" } as never);
        const again = (): Promise<unknown> => settled.catch(again);
        await again();
      },
    ],
    [
      "waits for all of what is settled until one of them is well",
      async (ctx) => {
        const tasks = [ctx.base("b", { sha: "no" } as never), ctx.base("c", { sha: "no" } as never)];
        while ((await Promise.allSettled(tasks)).every(({ status }) => status === "rejected"));
      },
    ],
    [
      "waits again and again for what follows from it",
      async (ctx) => {
        const after = ctx.base("b", { sha: "no" } as never).then(() => 1);
        for (;;)
          try {
            await after;
          } catch {}
      },
    ],
  ])("a process that %s ends as failed", async (_, run) => {
    const thread = new Thread(run);
    await thread.say("/baton run sample");
    expect(thread.state().outcome?.error).toMatchObject({
      code: "BATON_PROCESS_FAILED",
      message: expect.stringContaining("without waiting for anything"),
    });
  });
});

describe("engine-ends-and-answers: nothing of a run that ended is at work", () => {
  const waits: Run = async (ctx) => {
    void nap(ctx, "second");
    await nap(ctx);
    return "done";
  };

  it("a run that an upgrade stops has no step under way, on disk or in words", async () => {
    const thread = new Thread(waits);
    await thread.say("/baton run sample");
    expect(thread.state().open.size).toBe(2);
    thread.world.processes = registry((ctx) => nap(ctx, "another"));
    thread.world.restart();
    await thread.say("/baton refresh");
    expect(thread.state().outcome?.error?.code).toBe("BATON_DIVERGENCE");
    expect([...thread.state().effects.values()].map(({ status }) => status)).toEqual(["cancelled", "cancelled"]);
    expect(thread.row()).toMatchObject({ status: "failed", watches: [] });
    expect(thread.said()).not.toMatch(/\| (?:🏃|⏳|🔁) /);
  });

  it("a journal of an older Baton that ended with steps open is read as ended", async () => {
    const thread = new Thread(waits);
    await thread.say("/baton run sample");
    thread.append({ type: "effect.started", key: "nap" as EffectKey, attempt: 1, worker: "old", reservedUsd: 1 });
    thread.append({ type: "run.failed", error: { code: "BATON_DIVERGENCE", message: "old" }, verdict: passed });
    const state = thread.state();
    expect([...state.effects.values()].map(({ status, endedAt }) => [status, endedAt !== null])).toEqual([
      ["cancelled", true],
      ["cancelled", true],
    ]);
    expect(state.money.reservedUsd).toBe(0);
  });

  it("a journal that an older Baton spoiled with a key twice is readable, and its run ends", async () => {
    const thread = new Thread(waits);
    await thread.say("/baton run sample");
    const journal = thread.world.tables.events.get(thread.state().runId) ?? [];
    thread.append(journal.find(({ event }) => event.type === "effect.requested")?.event as RunEvent);
    thread.world.restart();
    await thread.say("/baton refresh");
    expect(thread.row()?.status).toBe("failed");
    await thread.say("/baton run calm");
    expect(thread.state().status).toBe("completed");
  });
});
