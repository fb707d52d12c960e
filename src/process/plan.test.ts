/** Plans and forks: order, scopes, approval, joins and conflicts. A crash at any point changes nothing. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { bob, RunWorld } from "../../test/fakes/run-world.ts";
import type { Json } from "../core/vocabulary.ts";
import { compilePlan, type PlanOutcome, type StepWork, type WorkStep } from "./plan.ts";
import { defineProcess, type ProcessContext, type ProcessDefinition } from "./process.ts";
import { overlap } from "./scope.ts";

const sha = (digit: string): string => digit.repeat(40);
const base = sha("a");
const step = (id: string, dependsOn: string[] = [], scope: string[] = [id], approval = false): WorkStep => ({
  id,
  title: `Do ${id}`,
  dependsOn,
  scope,
  approval,
});

describe("a plan compiled into waves", () => {
  it("each step is as early as it can be, in the order given", () => {
    const { waves, problems } = compilePlan([step("d", ["b", "c"]), step("b", ["a"]), step("c"), step("a"), step("e")]);
    expect(problems).toEqual([]);
    expect(waves.map((wave) => wave.map(({ id }) => id))).toEqual([["c", "a", "e"], ["b"], ["d"]]);
  });

  it.each<[string, WorkStep[], string, RegExp]>([
    ["a circle", [step("a", ["b"]), step("b", ["a"])], "b", /circle: `a` needs `b` needs `a`/],
    ["a step after itself", [step("a", ["a"])], "a", /circle/],
    ["an unknown dependency", [step("first"), step("b", ["frist"])], "b", /`b` needs `frist`.*Was `first` meant/],
    ["two of a name", [step("a", [], ["x"]), step("a", [], ["y"])], "a", /Two steps are called `a`/],
    ["a scope that is none", [step("a", [], ["../x"])], "a", /`a`: "\.\.\/x" is not a scope/],
    [
      "overlapping scopes at once",
      [step("a", [], ["src"]), step("b", [], ["src/x.ts"])],
      "b",
      /`a` and `b` .*`src` and `src\/x\.ts` have paths in common/,
    ],
    ["the same scope at once", [step("a", [], ["src"]), step("b", [], ["src"])], "b", /both may change `src`/],
    ["thousands of steps", Array.from({ length: 3_000 }, (_, n) => step(`s${n}`)), "s200", /3000 steps; at most 200/],
    ["no scope beside another step", [step("a", [], []), step("b")], "b", /`a` may change any path \(no scope\)/],
  ])("%s is told with the step's name", (_, steps, at, message) => {
    const { waves, problems } = compilePlan(steps);
    expect(waves).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ step: at, message: expect.stringMatching(message) });
  });

  it("whatever the plan: all steps once, each after what it needs, no two of a wave with a path in common, or a problem", () => {
    const globs = fc.subarray(["src", "src/a", "src/b", "docs/*", "docs/x", "test/**"], { minLength: 1, maxLength: 2 });
    const plan = fc.integer({ min: 1, max: 8 }).chain((size) =>
      fc.tuple(
        ...Array.from({ length: size }, (_, index) =>
          fc.record({
            dependsOn: fc.subarray(Array.from({ length: index }, (__, before) => `s${before}`)),
            scope: globs,
          }),
        ),
      ),
    );
    fc.assert(
      fc.property(plan, (parts) => {
        const steps = parts.map(({ dependsOn, scope }, index) => step(`s${index}`, dependsOn, scope)).toReversed();
        const { waves, problems } = compilePlan(steps);
        if (problems.length > 0) {
          for (const problem of problems) expect(problem.message).toContain(`\`${problem.step}\``);
          return;
        }
        const at = new Map(waves.flatMap((wave, index) => wave.map(({ id }) => [id, index] as const)));
        expect([...at.keys()].sort()).toEqual(steps.map(({ id }) => id).sort());
        for (const one of steps)
          for (const before of one.dependsOn) expect(at.get(before)).toBeLessThan(at.get(one.id) as number);
        for (const wave of waves)
          for (const one of wave)
            for (const other of wave) if (one !== other) expect(overlap(one.scope, other.scope)).toBeNull();
      }),
      { numRuns: 300 },
    );
  });
});

const work = (headSha: string | null, ...paths: string[]): Json => ({
  harness: "command",
  model: "m",
  text: "Did it.",
  sessionId: null,
  baseSha: base,
  headSha,
  commits: 1,
  files: paths.map((path) => ({ path, added: 1, removed: 0 })),
  rescued: false,
  turns: 1,
  transcriptId: null,
  promptId: null,
});
const joined = (headSha: string, count: number, conflict: Json = null): Json => ({ headSha, joined: count, conflict });
const answered = (decision: string, feedback = ""): Json => ({
  decision,
  by: bob as unknown as Json,
  feedback,
  sha: null,
  reviewId: null,
});

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

const planned = (steps: WorkStep[], outside: "ask" | "refuse" = "ask"): ProcessDefinition =>
  processOf((ctx) =>
    ctx.plan("work", steps, {
      baseSha: base,
      outside,
      run: (inner, { step: { title }, baseSha, conflict, beside, before }): Promise<StepWork> =>
        inner.agent("do", {
          title: conflict === null ? title : `${title} again: ${conflict.paths.join(", ")}`,
          role: "implement",
          access: "write",
          baseSha,
          prompt: {
            system: "",
            user: `beside: ${beside.map(({ id }) => id).join(", ")}; before: ${Object.keys(before).join(", ")}`,
          },
        }),
    }),
  );

type Step = [open: string[], key: string, answer: Json | { code: string }];

async function play(definition: ProcessDefinition, story: Step[], crashes: boolean): Promise<RunWorld> {
  const world = await RunWorld.start(definition, null);
  for (const [open, key, answer] of story) {
    if (crashes) await world.crash();
    expect(world.open()).toEqual(open);
    if (typeof answer === "object" && answer !== null && "code" in answer) {
      const error = { code: answer.code as never, message: "no" };
      await world.append([{ type: "effect.failed", key: key as never, attempt: 1, error, usage: [] }]);
    } else await world.succeed(key, answer as Json);
  }
  expect(world.open()).toEqual([]);
  return world;
}

const inputOf = (world: RunWorld, key: string): Record<string, Json> =>
  world.state.effects.get(key as never)?.input as Record<string, Json>;

describe.each([false, true])("a plan carried out, with a crash before every answer: %s", (crashes) => {
  it("steps of a wave begin at one commit, are joined in order, and the next wave begins at the join", async () => {
    const world = await play(
      planned([step("a"), step("b"), step("c", ["a", "b"])]),
      [
        [["work/a/do", "work/b/do"], "work/b/do", work(sha("2"), "b/x")],
        [["work/a/do"], "work/a/do", work(sha("1"), "a/x")],
        [["work/join"], "work/join", joined(sha("3"), 2)],
        [["work/c/do"], "work/c/do", work(sha("4"), "c")],
      ],
      crashes,
    );
    expect(inputOf(world, "work/join")).toMatchObject({
      baseSha: base,
      shas: [sha("1"), sha("2")],
      title: "Join a, b",
    });
    expect(inputOf(world, "work/a/do")).toMatchObject({ baseSha: base, prompt: { user: "beside: b; before: " } });
    expect(inputOf(world, "work/c/do")).toMatchObject({
      baseSha: sha("3"),
      prompt: { user: "beside: ; before: a, b" },
    });
    expect(world.state.outcome?.output).toMatchObject({
      headSha: sha("4"),
      steps: { a: { outcome: "done" }, b: { outcome: "done" }, c: { outcome: "done" } },
      again: [],
    });
  });

  it("what cannot be merged is done again on top of what was, and what comes after it is joined then", async () => {
    const world = await play(
      planned([step("a"), step("b"), step("c")]),
      [
        [["work/a/do", "work/b/do", "work/c/do"], "work/a/do", work(sha("1"), "a")],
        [["work/b/do", "work/c/do"], "work/b/do", work(sha("2"), "b")],
        [["work/c/do"], "work/c/do", work(sha("3"), "c")],
        [["work/join"], "work/join", joined(sha("1"), 1, { sha: sha("2"), paths: ["b"] })],
        [["work/b#2/do"], "work/b#2/do", work(sha("4"), "b")],
        [["work/join#2"], "work/join#2", joined(sha("5"), 1)],
      ],
      crashes,
    );
    expect(inputOf(world, "work/b#2/do")).toMatchObject({ baseSha: sha("1"), title: "Do b again: b" });
    expect(inputOf(world, "work/join#2")).toMatchObject({ baseSha: sha("4"), shas: [sha("3")] });
    expect(world.state.outcome?.output).toMatchObject({ headSha: sha("5"), again: ["b"] });
  });

  it("a step that fails stops what comes after it; the others are joined", async () => {
    const world = await play(
      planned([step("a"), step("b"), step("c", ["a"]), step("d", ["b"])]),
      [
        [["work/a/do", "work/b/do"], "work/a/do", { code: "BATON_HARNESS_MISSING" }],
        [["work/b/do"], "work/b/do", work(sha("2"), "b")],
        [["work/d/do"], "work/d/do", work(null)],
      ],
      crashes,
    );
    expect(world.state.outcome?.output).toMatchObject({
      headSha: sha("2"),
      steps: {
        a: { outcome: "failed", reason: expect.stringContaining("no") },
        b: { outcome: "done" },
        c: { outcome: "skipped", reason: "It comes after `a`." },
        d: { outcome: "unchanged" },
      },
    });
  });

  it("a step that wants approval is begun after a person gave it, and not after a no", async () => {
    const world = await play(
      planned([step("a", [], ["a"], true), step("b", [], ["b"], true)]),
      [
        [["work/a/approval"], "work/a/approval", answered("approved")],
        [["work/b/approval"], "work/b/approval", answered("rejected", "Too much.")],
        [["work/a#2/do"], "work/a#2/do", work(sha("1"), "a")],
      ],
      crashes,
    );
    expect(inputOf(world, "work/a/approval")).toMatchObject({
      kind: "plan",
      subject: { text: expect.stringMatching(/`a`.*Do a.*`a`/s) },
    });
    expect(world.state.outcome?.output).toMatchObject({
      headSha: sha("1"),
      steps: { a: { outcome: "done" }, b: { outcome: "refused", reason: "It was not approved. Too much." } },
    });
  });

  it.each<[string, "ask" | "refuse", Step[], Partial<PlanOutcome<never>>]>([
    [
      "allowed by a person",
      "ask",
      [[["work/a/outside"], "work/a/outside", answered("approved")]],
      { headSha: sha("1"), steps: { a: { outcome: "done" } as never } },
    ],
    [
      "not allowed",
      "ask",
      [[["work/a/outside"], "work/a/outside", answered("rejected")]],
      {
        headSha: base,
        steps: { a: { outcome: "failed", reason: expect.stringMatching(/`a` changed .*docs\/y/) } as never },
      },
    ],
    ["refused unasked", "refuse", [], { headSha: base, steps: { a: { outcome: "failed" } as never } }],
  ])("a change outside the scope counts only when it was allowed: %s", async (_, outside, more, output) => {
    const world = await play(
      planned([step("a", [], ["src/**"])], outside),
      [[["work/a/do"], "work/a/do", work(sha("1"), "src/x", "docs/y")], ...more],
      crashes,
    );
    expect(world.state.outcome?.output).toMatchObject(output);
    if (outside === "ask") expect(inputOf(world, "work/a/outside")).toMatchObject({ subject: { paths: ["docs/y"] } });
  });
});

it("names that look like integers keep their order: joined as they are written, not as they count", async () => {
  const steps = ["10", "2", "1"].map((id) => step(id));
  const world = await RunWorld.start(
    defineProcess({
      name: "numbers",
      version: 1,
      summary: "",
      stages: [],
      input: z.object({}),
      output: z.unknown(),
      verdict: () => ({ name: "numbers", status: "passed", reason: "", evidence: [], children: [] }),
      run: async (ctx) =>
        ctx.plan("work", steps, {
          baseSha: base,
          outside: "refuse",
          run: async (branch, { step: { id, title } }) => {
            await branch.shell("do", { title, command: ["true"], sha: base });
            return { headSha: sha(id.slice(0, 1)), files: [] };
          },
        }),
    }),
    {},
  );
  expect(world.open()).toEqual(["work/10/do", "work/2/do", "work/1/do"]);
  for (const key of world.open()) await world.succeed(key, { exitCode: 0, signal: null, output: "", durationMs: 1 });
  expect(world.state.effects.get("work/join" as never)?.input).toMatchObject({
    title: "Join 10, 2, 1",
    shas: [sha("1"), sha("2"), sha("1")],
  });
});

it("a plan that makes no sense asks for nothing and names its steps", async () => {
  const world = await RunWorld.start(planned([step("a", [], ["x"]), step("b", [], ["x/y"])]), null);
  expect(world.open()).toEqual([]);
  expect(world.state.outcome?.error).toMatchObject({
    code: "BATON_PLAN_INVALID",
    message: expect.stringContaining("`b`"),
  });
});

describe("fork", () => {
  const forked = (continueOnError: boolean): ProcessDefinition =>
    processOf((ctx) =>
      ctx.fork("both", {
        baseSha: base,
        continueOnError,
        branches: {
          a: {
            retry: { attemptsMax: 2, pauseMs: 1_000 },
            run: async (branch, { baseSha }) => {
              const { exitCode } = await branch.shell("do", { title: "Do", command: ["true"], sha: baseSha });
              return { headSha: exitCode === 0 ? sha("1") : null };
            },
          },
          b: {
            run: async (branch, { baseSha }) => (
              await branch.shell("do", { title: "Do", command: ["true"], sha: baseSha }), { headSha: sha("2") }
            ),
          },
        },
      }),
    );
  const shell: Json = { exitCode: 0, signal: null, output: "", durationMs: 1 };

  it("a branch is tried again alone", async () => {
    const world = await play(
      forked(false),
      [
        [["both/a/do", "both/b/do"], "both/a/do", { code: "BATON_HARNESS_UNAVAILABLE" }],
        [["both/b/do", "both/a/pause"], "both/b/do", shell],
        [["both/a/pause"], "both/a/pause", { wokeAt: 1 }],
        [["both/a/do#2"], "both/a/do#2", shell],
        [["both/join"], "both/join", joined(sha("3"), 2)],
      ],
      true,
    );
    expect(world.state.outcome?.output).toMatchObject({ headSha: sha("3"), branches: { a: { outcome: "succeeded" } } });
  });

  it.each([false, true])(
    "a failure is thrown after all have ended, or told: continueOnError %s",
    async (continueOnError) => {
      const world = await play(
        forked(continueOnError),
        [
          [["both/a/do", "both/b/do"], "both/a/do", { code: "BATON_HARNESS_MISSING" }],
          [["both/b/do"], "both/b/do", shell],
        ],
        true,
      );
      if (continueOnError)
        expect(world.state.outcome?.output).toMatchObject({
          headSha: sha("2"),
          branches: { a: { outcome: "failed" } },
        });
      else expect(world.state.outcome?.error).toMatchObject({ code: "BATON_HARNESS_MISSING" });
    },
  );
});
