/** Progress as a function of the journal. Properties test bounds and order, and cases test figures and words. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { RunWorld } from "../../test/fakes/run-world.ts";
import { defineProcess, type ProcessContext } from "../process/process.ts";
import { progressLine, progressText } from "../thread/render/progress.ts";
import type { RunEvent } from "./event.ts";
import { type Agent, progressOf, type StageHistory, samplesOfRun } from "./progress.ts";

const stages = ["Plan", "Work", "Checks", "Finish"];
const sha = "a".repeat(40);
const verdict = (status: "passed" | "failed") => ({ name: "x", status, reason: "r", evidence: [], children: [] });

/** Asks for steps in these stages, one after the other. */
const process = (order: readonly number[], status: "passed" | "failed" = "passed") =>
  defineProcess({
    name: "staged",
    version: 1,
    summary: "",
    stages,
    input: z.object({}),
    output: z.object({}),
    verdict: () => verdict(status),
    async run(ctx: ProcessContext) {
      for (const index of order) {
        const stage = stages[index] as string;
        const title = `Step of ${stage}`;
        if (stage === "Checks") await ctx.gate("checks", { title, stage, gate: "checks-green", sha });
        else
          await ctx.agent(stage.toLowerCase(), {
            title,
            stage,
            role: "implement",
            access: "write",
            baseSha: sha,
            prompt: { system: "", user: "" },
          });
      }
      return {};
    },
  });

const output = {
  harness: "h",
  model: "m",
  text: "",
  sessionId: null,
  baseSha: sha,
  headSha: null,
  commits: 0,
  files: [],
  rescued: false,
  turns: 1,
  transcriptId: null,
  promptId: null,
};

/** Events that may happen to the open step. null ends it. */
const happens = fc.constantFrom("started", "progress", "attempt-failed", "ended");
const historyOf = (runs: number[][]): StageHistory =>
  Object.fromEntries(
    stages.map((stage, index) => [stage, runs.map((run) => ({ activeMs: run[index] ?? 0, steps: 1 }))]),
  );

async function world(
  order: readonly number[],
  history: StageHistory | null,
  status: "passed" | "failed" = "passed",
): Promise<RunWorld> {
  const made = await RunWorld.start(process(order, status), {});
  made.state.history = history;
  return made;
}

/** Applies one event to the open step. An event that does not fit the step's state ends it. */
async function step(run: RunWorld, what: string): Promise<void> {
  const key = run.open()[0] as never;
  const effect = run.state.effects.get(key);
  const attempt = Math.max(1, effect?.attempts.length ?? 0);
  const isAgent = effect?.kind === "agent";
  const events: Record<string, RunEvent> = {
    started: { type: "effect.started", key, attempt: (effect?.attempts.length ?? 0) + 1, worker: "w", reservedUsd: 0 },
    progress: {
      type: "effect.progress",
      key,
      attempt,
      note: "edit a.js",
      usage: [],
      partial: { text: "", todo: "", lastAction: "", turns: 4 },
    },
    "attempt-failed": {
      type: "effect.attempt-failed",
      key,
      attempt,
      error: { code: "BATON_TIMEOUT", message: "" },
      usage: [],
      retryAt: 0,
      kept: null,
    },
  };
  const running = effect?.status === "running";
  const fits = isAgent && (what === "started" ? !running : what === "ended" ? false : running);
  if (fits) await run.append([events[what] as RunEvent]);
  else await run.succeed(key, (isAgent ? output : verdict("passed")) as never);
}

describe("percent", () => {
  it("H2: lies between 0 and 100, never falls, and is 100 only for a run that passed", async () => {
    const orders = fc.array(fc.nat(3), { maxLength: 7 });
    const histories = fc.option(
      fc.array(fc.array(fc.nat(20_000), { minLength: 4, maxLength: 4 }), { maxLength: 5 }).map(historyOf),
    );
    await fc.assert(
      fc.asyncProperty(
        orders,
        histories,
        fc.constantFrom("passed" as const, "failed" as const),
        fc.array(happens, { maxLength: 25 }),
        async (order, history, status, happenings) => {
          const run = await world(order, history, status);
          let before = 0;
          const look = (): void => {
            const { percent, left } = progressOf(run.state);
            expect(Number.isInteger(percent)).toBe(true);
            expect(percent).toBeGreaterThanOrEqual(before);
            expect(percent).toBeLessThanOrEqual(100);
            expect(percent === 100).toBe(run.state.outcome?.verdict.status === "passed");
            if (left !== null) {
              expect(left.lowMs).toBeGreaterThanOrEqual(0);
              expect(left.highMs).toBeGreaterThanOrEqual(left.lowMs);
            }
            before = percent;
          };
          look();
          for (const what of [...happenings, ...Array.from({ length: 9 }, () => "ended")]) {
            if (run.open().length === 0) break;
            await step(run, what);
            look();
          }
          expect(run.state.outcome).not.toBeNull();
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("what is left", () => {
  const runs = historyOf([
    [10_000, 60_000, 30_000, 0],
    [12_000, 90_000, 30_000, 0],
    [8_000, 300_000, 60_000, 0],
  ]);
  it("H3: without enough earlier runs there is no figure", async () => {
    const none = await world([0, 1], null);
    expect(progressOf(none.state)).toMatchObject({ left: null, runs: 0 });
    expect(progressLine(progressOf(none.state), null)).toMatch(/ 0 % · step 1 of 4: Step of Plan$/);
    const two = await world(
      [0, 1],
      historyOf([
        [1, 1, 1, 1],
        [2, 2, 2, 2],
      ]),
    );
    expect(progressLine(progressOf(two.state), null)).toContain("an estimate needs 3 earlier runs (2 so far)");
  });

  it("is the range of what earlier runs took from here, and shrinks as steps end", async () => {
    const run = await world([0, 1], runs);
    expect(progressOf(run.state).left).toEqual({ lowMs: 100_000, highMs: 368_000 });
    await step(run, "started");
    await step(run, "ended");
    // The plan stage is over: only work and checks count.
    expect(progressOf(run.state)).toMatchObject({
      left: { lowMs: 90_000, highMs: 360_000 },
      step: { number: 2, of: 4, stage: "Work" },
    });
    expect(progressLine(progressOf(run.state), null)).toContain(
      "about 2–6 min left, based on 3 earlier runs, without time waiting for people",
    );
  });

  it("a stage that takes longer than ever says so instead", async () => {
    const run = await world([0, 1], runs);
    await step(run, "started");
    run.clock += 60_000;
    await step(run, "progress");
    expect(progressOf(run.state).overdue).toBe(true);
    expect(progressLine(progressOf(run.state), null)).toContain(
      "this stage takes longer than in any of 3 earlier runs",
    );
  });

  it("a step that is asked for again is said to make the plan grow, and takes no percent away", async () => {
    const run = await world([0, 1, 2, 1, 2], runs);
    while (run.open()[0] !== "work#2") await step(run, "ended");
    const { percent, grown } = progressOf(run.state);
    expect(grown).toBe(1);
    expect(percent).toBeGreaterThan(60);
    expect(progressLine(progressOf(run.state), null)).toMatch(/the plan grew by 1 step(?!s)/);
  });
});

describe("H4: what is left goes by who does it", () => {
  const claude: Agent = { harness: "claude", model: "opus" };
  const sonnet: Agent = { harness: "claude", model: "sonnet" };
  const codex: Agent = { harness: "codex", model: null };
  /** Minutes of work, and its agents. The checks have no agent and last a minute. */
  const ran = (...runs: [minutes: number, agents: Agent[] | undefined][]): StageHistory => ({
    Plan: runs.map(([, agents]) => ({ activeMs: 0, steps: 1, agents })),
    Work: runs.map(([minutes, agents]) => ({ activeMs: minutes * 60_000, steps: 1, agents })),
    Checks: runs.map(() => ({ activeMs: 60_000, steps: 1, agents: [] })),
    Finish: runs.map(() => ({ activeMs: 0, steps: 0, agents: [] })),
  });
  const thrice = (minutes: number, ...agents: Agent[]): [number, Agent[]][] =>
    [0, 1, 2].map((more) => [minutes + more, agents]);
  const mixed = ran(...thrice(10, claude), ...thrice(40, codex), ...thrice(20, sonnet));

  const table: [string, StageHistory, Agent | null, [lowMinutes: number, highMinutes: number], string][] = [
    ["by its harness and model", mixed, claude, [11, 13], "based on 9 earlier runs, 3 of them with claude:opus,"],
    ["of another model by that", mixed, sonnet, [21, 23], "based on 9 earlier runs, 3 of them with claude:sonnet,"],
    ["by a harness with its own model", mixed, codex, [41, 43], "based on 9 earlier runs, 3 of them with codex,"],
    [
      "of a model without enough runs by its harness",
      mixed,
      { harness: "claude", model: "haiku" },
      [11, 22],
      "based on 9 earlier runs, 6 of them with claude,",
    ],
    [
      "of a harness without enough runs by all",
      mixed,
      { harness: "pi", model: null },
      [12, 42],
      "based on 9 earlier runs, without",
    ],
    ["before anybody is chosen by all", mixed, null, [12, 42], "based on 9 earlier runs, without"],
    [
      "where all runs had it by all",
      ran(...thrice(10, claude)),
      claude,
      [11, 13],
      "based on 3 earlier runs with claude:opus,",
    ],
    [
      "of runs that do not say who by all",
      ran([10, undefined], [11, undefined], [12, [claude]]),
      claude,
      [11, 13],
      "based on 3 earlier runs, without",
    ],
    [
      "of runs with others beside it by all",
      ran(...thrice(10, claude, codex)),
      codex,
      [11, 13],
      "based on 3 earlier runs, without",
    ],
  ];
  it.each(table)("%s", async (_what, history, agent, [low, high], words) => {
    const run = await world([1], history);
    await step(run, "started");
    if (agent !== null)
      await run.append([
        { type: "effect.prompted", key: "work" as never, attempt: 1, promptId: "p", agent, edits: [] },
      ]);
    const progress = progressOf(run.state);
    // In whole minutes, because the step has run for a moment.
    const minutes = [progress.left?.lowMs, progress.left?.highMs].map((ms = 0) => Math.ceil(ms / 60_000));
    expect(minutes).toEqual([low, high]);
    expect(progressLine(progress, null)).toContain(words);
    expect(progressText(progress, 0)).toContain(words);
  });

  it("a stage to come goes by the harness that is at work, and overdue by its own runs", async () => {
    const run = await world([0, 1], mixed);
    await step(run, "started");
    await run.append([
      { type: "effect.prompted", key: "plan" as never, attempt: 1, promptId: "p", agent: codex, edits: [] },
    ]);
    expect(progressOf(run.state).left).toEqual({ lowMs: 41 * 60_000, highMs: 43 * 60_000 });
    await step(run, "ended");
    await step(run, "started");
    await run.append([
      { type: "effect.prompted", key: "work" as never, attempt: 1, promptId: "p", agent: claude, edits: [] },
    ]);
    run.clock += 15 * 60_000;
    await step(run, "progress");
    // Late compared with runs of the same agent, although other agents took longer.
    expect(progressOf(run.state)).toMatchObject({ overdue: true, by: { agents: ["claude:opus"], runs: 3 } });
    expect(samplesOfRun(run.state)).toMatchObject({
      Plan: { agents: [codex] },
      Work: { agents: [claude] },
      Checks: { agents: [] },
    });
  });
});

it("a long step shows its last sign of life: when, what, which turn", async () => {
  const run = await world([0], null);
  await step(run, "started");
  await step(run, "progress");
  const { at } = run.state.effects.get("plan" as never)?.progress ?? { at: 0 };
  const progress = progressOf(run.state);
  expect(progressLine(progress, null)).toMatch(/\nLast activity at \d\d:\d\d:\d\d UTC: edit a\.js · turn 4$/);
  expect(progressLine(progress, at + 42_000)).toMatch(/\nLast activity 42 s ago: edit a\.js · turn 4$/);
  expect(progressText(progress, at + 42_000)).toMatch(/^0 %, step 1 of 4: Step of Plan.*\nLast activity 42 s ago/);
});
