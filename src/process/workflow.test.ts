/** Workflows and pipelines: order, failures, tries, limits. A crash at any point changes nothing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { RunWorld } from "../../test/fakes/run-world.ts";
import type { Json } from "../core/vocabulary.ts";
import { definePipeline, defineStage, processStage } from "./pipeline.ts";
import { defineProcess, type ProcessContext, type ProcessDefinition } from "./process.ts";
import { orderProblems, type StepResults, type WorkflowStep, type WorkflowSteps } from "./workflow.ts";

const sha = "a".repeat(40);
const shell = (ctx: ProcessContext, name: string) => ctx.shell(name, { title: name, command: ["true"], sha });
const done: Json = { exitCode: 0, signal: null, output: "", durationMs: 1 };
const no = { code: "BATON_HARNESS_MISSING" as const, message: "no" };

function processOf(run: (ctx: ProcessContext) => Promise<unknown>): ProcessDefinition {
  return defineProcess({
    name: "test",
    version: 1,
    summary: "",
    stages: [],
    input: z.unknown(),
    output: z.unknown(),
    verdict: () => ({ name: "result", status: "passed", reason: "", evidence: [], children: [] }),
    run,
  });
}
const workflowOf = (steps: WorkflowSteps): ProcessDefinition => processOf((ctx) => ctx.workflow("w", steps));
const start = (definition: ProcessDefinition): Promise<RunWorld> => RunWorld.start(definition, null);
const fail = (world: RunWorld, key: string): Promise<void> =>
  world.append([{ type: "effect.failed", key: key as never, attempt: 1, error: no, usage: [] }]);
const step = (needs: string[] = []): WorkflowStep => ({ needs, run: (ctx) => shell(ctx, "do") });

describe("workflow", () => {
  it("whatever the graph and whichever order steps end in: each begins after all that it needs, all end, a crash at every position changes nothing", async () => {
    const graph = fc.integer({ min: 1, max: 7 }).chain((size) =>
      fc.record({
        // Needs point back, so an order exists. The numbers shuffle the names.
        needs: fc.tuple(
          ...Array.from({ length: size }, (_, index) =>
            fc.subarray(Array.from({ length: index }, (__, before) => `s${before}`)),
          ),
        ),
        picks: fc.array(fc.nat(), { minLength: size, maxLength: size }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(graph, async ({ needs, picks }) => {
        const names = needs.map((_, index) => `s${index}`);
        const steps = Object.fromEntries(names.map((name, index) => [name, step(needs[index])]).reverse());
        const world = await start(workflowOf(steps));
        const ended = new Set<string>();
        for (const pick of picks) {
          await world.crash();
          const open = world.open();
          const ready = names.filter(
            (name, index) => !ended.has(name) && (needs[index] as string[]).every((need) => ended.has(need)),
          );
          expect(open.map((key) => key.split("/")[1]).sort()).toEqual(ready.sort());
          const key = open[pick % open.length] as string;
          await world.succeed(key, done);
          ended.add(key.split("/")[1] as string);
        }
        expect(world.state.outcome?.verdict.status).toBe("passed");
      }),
      { numRuns: 60 },
    );
  });

  it.each<[string, Record<string, string[]>, RegExp, string | null]>([
    ["a need that is not there", { build: [], test: ["biuld"] }, /`test` needs `biuld`, which is not there/, "build"],
    ["a circle", { a: ["c"], b: ["a"], c: ["b"] }, /circle: `a` needs `c` needs `b` needs `a`/, null],
    ["itself", { a: ["a"] }, /circle: `a` needs `a`/, null],
  ])("%s is told", (_, needs, message, suggestion) => {
    const problems = orderProblems(new Map(Object.entries(needs)));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ message: expect.stringMatching(message), suggestion });
  });

  it("a failure stops what needs it, the others end first, and then it is thrown", async () => {
    const world = await start(workflowOf({ a: step(), b: step(), c: step(["a"]), d: step(["b"]) }));
    expect(world.open()).toEqual(["w/a/do", "w/b/do"]);
    await fail(world, "w/a/do");
    expect(world.open()).toEqual(["w/b/do"]);
    await world.succeed("w/b/do", done);
    expect(world.open()).toEqual(["w/d/do"]);
    await world.succeed("w/d/do", done);
    expect(world.state.outcome?.error).toMatchObject({ code: "BATON_HARNESS_MISSING", message: "Step `a`: no" });
  });

  it("an allowed failure is seen by those after it; a condition decides over a failure and without one", async () => {
    const seen: StepResults[] = [];
    const world = await start(
      workflowOf({
        a: { ...step(), continueOnError: true },
        never: { ...step(["a"]), if: ({ a }: StepResults) => a?.outcome === "succeeded" },
        last: {
          needs: ["never"],
          run: (ctx, results) => {
            seen.push(results);
            return shell(ctx, "do");
          },
        },
      }),
    );
    await fail(world, "w/a/do");
    expect(world.open()).toEqual(["w/last/do"]);
    expect(seen[0]).toMatchObject({ a: { outcome: "failed", allowed: true }, never: { outcome: "skipped" } });
    await world.succeed("w/last/do", done);
    expect(world.state.outcome?.verdict.status).toBe("passed");
  });

  it("a step is tried again when that may help, and not when it may not", async () => {
    const retry = { attemptsMax: 2, pauseMs: 1_000 };
    const world = await start(workflowOf({ a: { ...step(), retry } }));
    const busy = { code: "BATON_HARNESS_UNAVAILABLE" as const, message: "busy" };
    await world.append([{ type: "effect.failed", key: "w/a/do" as never, attempt: 1, error: busy, usage: [] }]);
    expect(world.open()).toEqual(["w/a/pause"]);
    await world.crash();
    await world.succeed("w/a/pause", { wokeAt: world.clock });
    await fail(world, "w/a/do#2");
    expect(world.state.outcome?.error?.code).toBe("BATON_HARNESS_MISSING");
    const once = await start(workflowOf({ a: { ...step(), retry } }));
    await fail(once, "w/a/do");
    expect(once.state.outcome?.error?.code).toBe("BATON_HARNESS_MISSING");
  });

  it("a step that is over its time has failed, and what it asked for is cancelled", async () => {
    const world = await start(workflowOf({ a: { ...step(), timeoutMs: 5_000 } }));
    expect(world.open()).toEqual(["w/a/limit/work/do", "w/a/limit/time/time"]);
    await world.crash();
    await world.succeed("w/a/limit/time/time", { wokeAt: world.clock });
    expect(world.open()).toEqual([]);
    expect(world.state.outcome?.error?.code).toBe("BATON_TIMEOUT");
    const failed = await start(workflowOf({ a: { ...step(), timeoutMs: 5_000 } }));
    await fail(failed, "w/a/limit/work/do");
    expect(failed.state.outcome?.error?.code).toBe("BATON_HARNESS_MISSING");
  });

  it("a cancelled run begins no further step, whatever its condition", async () => {
    const world = await start(
      workflowOf({
        a: { ...step(), continueOnError: true },
        b: { ...step(["a"]), if: () => true },
      }),
    );
    await world.append([{ type: "run.cancel-requested", by: world.state.requestedBy, reason: "stop" }]);
    expect(world.open()).toEqual([]);
    expect(world.state.status).toBe("cancelled");
  });
});

describe("pipeline", () => {
  const text = defineStage({
    name: "count",
    input: z.object({ text: z.string() }),
    output: z.object({ words: z.number(), parts: z.array(z.object({ size: z.number() })) }),
    run: async (ctx, { text: given }) => {
      await shell(ctx, "do");
      return { words: given.split(" ").length, parts: [{ size: given as unknown as number }] };
    },
  });
  const report = (input: z.ZodType): ReturnType<typeof defineStage> =>
    defineStage({ name: "report", input, output: z.string(), run: async () => "done" });

  it.each<[string, z.ZodType, RegExp | null]>([
    ["fits", z.object({ words: z.number().int() }), null],
    ["another type", z.object({ words: z.string() }), /`count` gives a number at `words`, and `report` takes a text/],
    ["something that is not given", z.object({ lines: z.number() }), /gives nothing at `lines`.*takes a number/],
    ["not needed", z.object({ lines: z.number().optional() }), null],
    ["a form of several", z.union([z.string(), z.object({ words: z.number() })]), null],
    ["none of several", z.union([z.string(), z.number()]), /gives a map at the whole.*takes a text or a number/],
    ["no such key", z.strictObject({ words: z.number() }), /a list at `parts`.*no such key/],
  ])("what the next stage takes is checked when it is defined: %s", (_, input, message) => {
    const define = (): unknown => definePipeline("p", [text, report(input)]);
    if (message === null) expect(define).not.toThrow();
    else expect(define).toThrow(message);
  });

  it.each<[string, z.ZodType, z.ZodType, RegExp | null]>([
    [
      "a key that may be missing",
      z.object({ a: z.string().optional() }),
      z.object({ a: z.string() }),
      /a text that may be missing at `a`/,
    ],
    [
      "a nested key that may be missing",
      z.object({ a: z.object({ b: z.number().optional() }) }),
      z.object({ a: z.object({ b: z.number() }) }),
      /at `a\.b`/,
    ],
    [
      "null where it is not taken",
      z.object({ a: z.string().nullable() }),
      z.object({ a: z.string() }),
      /gives a text or null at `a`/,
    ],
    [
      "any text for one of some words",
      z.object({ a: z.string() }),
      z.object({ a: z.enum(["x", "y"]) }),
      /gives a text at `a`.*"x" or "y"/,
    ],
    ["a word too many", z.object({ a: z.enum(["x", "z"]) }), z.object({ a: z.enum(["x", "y"]) }), /"x" or "z" at `a`/],
    ["any text in a list of words", z.array(z.string()), z.array(z.enum(["x"])), /at `0`/],
    [
      "a key that may be missing and has a default",
      z.object({ a: z.string().optional() }),
      z.object({ a: z.string().default("") }),
      null,
    ],
    ["some of the words", z.object({ a: z.enum(["x"]) }), z.object({ a: z.enum(["x", "y"]) }), null],
    ["a word for any text", z.object({ a: z.enum(["x"]) }), z.object({ a: z.string() }), null],
    ["what no schema says", z.object({ a: z.unknown() }), z.object({ a: z.enum(["x"]) }), null],
  ])("what does not always fit is told when it is defined: %s", (_, output, input, message) => {
    const give = defineStage({ name: "give", input: z.unknown(), output, run: async () => null as never });
    const define = (): unknown => definePipeline("p", [give, report(input)]);
    if (message === null) expect(define).not.toThrow();
    else expect(define).toThrow(message);
  });

  it("runs stage by stage, and a crash in between changes nothing", async () => {
    const good = definePipeline("p", [
      defineStage({
        name: "first",
        input: z.object({ n: z.number() }),
        output: z.object({ n: z.number() }),
        run: async (ctx, { n }) => {
          await shell(ctx, "do");
          return { n: n + 1 };
        },
      }),
      processStage(workflowOf({})),
    ]);
    const world = await start(processOf((ctx) => ctx.pipeline(good, { n: 1 })));
    expect(world.open()).toEqual(["p/first/do"]);
    await world.crash();
    await world.succeed("p/first/do", done);
    expect(world.state.effects.get("p/test/run" as never)?.input).toMatchObject({ process: "test", input: { n: 2 } });
    await world.crash();
    const verdict = { name: "r", status: "passed", reason: "", evidence: [], children: [] };
    await world.succeed("p/test/run", { runId: "run_0123456789abcdef", verdict, output: { all: "well" } });
    expect(world.state.outcome?.output).toEqual({ all: "well" });
  });

  it("what does not fit at run time ends it with stage, path, expected and found", async () => {
    const pipeline = definePipeline("p", [text, report(z.object({ words: z.number() }))]);
    const world = await start(processOf((ctx) => ctx.pipeline(pipeline, { text: "a b" })));
    await world.succeed("p/count/do", done);
    const message =
      'Pipeline "p": the output of stage "count" does not fit its schema: `parts.0.size`: expected number, found "a b".';
    expect(world.state.outcome?.error).toMatchObject({ code: "BATON_PIPELINE_MISMATCH", message });
    const wrong = await start(processOf((ctx) => ctx.pipeline(pipeline, { text: 3 })));
    expect(wrong.state.outcome?.error?.message).toMatch(/its input is not what stage "count" takes: `text`.*found 3/);
    expect(() => definePipeline("p", [text, text])).toThrow(/two stages "count"/);
  });
});
