/**
 * Runs of texts: they keep the child processes that they began with. A process must handle a child that can never
 * begin.
 */
import { setImmediate as macrotask } from "node:timers/promises";
import { expect, it } from "vitest";
import { z } from "zod";
import { ManualClock } from "../../test/fakes/manual-clock.ts";
import { repository, SmallGithub } from "../../test/fakes/small-github.ts";
import { openMemory } from "../adapters/memory/open.ts";
import { silentLog } from "../adapters/system/log.ts";
import { defaultSettings } from "../config/schema.ts";
import type { RunState } from "../core/state.ts";
import type { Json } from "../core/vocabulary.ts";
import { defineProcess, type ProcessDefinition, ProcessRegistry } from "../process/process.ts";
import { compileSource, languageVersion } from "../workflow/compile.ts";
import { createRun } from "./create-run.ts";
import { definitionOf } from "./definitions.ts";
import type { Dependencies } from "./dependencies.ts";
import { Runner } from "./runner.ts";

const sha = "a".repeat(40);
const facts = {
  thread: { number: 1, kind: "issue", title: "T", body: "", author: "a", authorPermission: "write", comments: [] },
  instructions: "",
  projectInstructions: "",
  repository: { owner: "acme", name: "shop" },
  baseBranch: "main",
  baseSha: sha,
  branch: "baton/1",
  branchSha: null,
  choice: {},
  settings: {
    planBreakpoint: "auto",
    reviewBreakpoint: "auto",
    protectedPaths: [],
    protectedPathsBreakpoint: "ask",
    checksTimeoutMs: 1_000,
    reviewers: [],
    teams: [],
  },
  pullRequest: null,
};

const text = (name: string, body: string) => ({ name, path: `${name}.yaml`, hash: name, text: `summary: S\n${body}` });

/** Drives a run to its end. `registered` are the processes of code. */
async function run(definition: ProcessDefinition, input: unknown, registered: ProcessDefinition[]): Promise<RunState> {
  const clock = new ManualClock();
  const database = openMemory({ clock, log: silentLog });
  const processes = new ProcessRegistry();
  for (const one of registered) processes.register(one);
  const dependencies = {
    store: database.store,
    queue: database.queue,
    clock,
    log: silentLog,
    github: new SmallGithub("", () => clock.now()).app(),
    processes,
    redact: (given: string) => given,
    settle: async () => {
      await macrotask();
    },
    killSurvivors: async () => 0,
    owner: "new",
    soleOwner: true,
  } as unknown as Dependencies;
  const runner = new Runner(dependencies);
  await runner.start();
  const runId = await createRun(dependencies, {
    operationKey: "test",
    definition,
    input,
    thread: { repository, number: 1, kind: "issue" },
    requestedBy: { id: 1, login: "alice", kind: "user", permission: "write" },
    commentId: null,
    instructions: "",
    budgetUsd: 5,
    settings: defaultSettings as unknown as Json,
    settingsSha: null,
    retryOf: null,
  });
  await runner.wake(runId, true);
  for (let turn = 0; turn < 20_000; turn += 1) {
    const state = await runner.state(runId);
    if (state?.outcome != null) {
      await runner.stop();
      return state;
    }
    await macrotask();
  }
  throw new Error("It did not end.");
}

it("children and theirs are the texts that the run began with, their outputs come back", async () => {
  const leaf = text(
    "leaf",
    'inputs: { n: { type: integer } }\nsteps: [{ id: a, if: false, shell: [x] }]\noutputs: { n: "${{ inputs.n }}" }',
  );
  const middle = text(
    "middle",
    'steps: [{ id: b, uses: leaf, with: { n: 6 } }]\noutputs: { twice: "${{ steps.b.outputs.n }}" }',
  );
  const { name, ...top } = text("top", 'steps: [{ id: c, uses: middle }]\noutputs: { all: "${{ steps.c.outputs }}" }');
  const state = await run(compileSource(name, { ...top, uses: [middle, leaf] }), facts, []);
  expect(state.outcome).toMatchObject({ verdict: { status: "passed" }, output: { outputs: { all: { twice: 6 } } } });
});

it.each([
  ["is not there", { process: "gone", input: {} }, "BATON_PROCESS_UNKNOWN"],
  ["does not take its input", { process: "strict", input: { n: "x" } }, "BATON_INPUT_INVALID"],
])("a child that %s is an error of its step, not of the engine", async (_, child, code) => {
  const define = (name: string, more: Partial<ProcessDefinition>): ProcessDefinition =>
    defineProcess({
      name,
      version: 1,
      summary: "",
      stages: [],
      input: z.unknown(),
      output: z.unknown(),
      verdict: () => ({ name, status: "passed", reason: "", evidence: [], children: [] }),
      run: async () => null,
      ...more,
    });
  const parent = define("parent", { run: (ctx) => ctx.subprocess("child", { title: "Child", ...child }) });
  const strict = define("strict", { input: z.object({ n: z.number() }) });
  const state = await run(parent, null, [parent, strict]);
  expect(state.status).toBe("failed");
  expect(state.outcome?.error?.code).toBe(code);
});

it("a text that this Baton does not read any more stops its run, with the line", () => {
  const process = {
    name: "old",
    version: languageVersion,
    stages: [],
    source: { path: "old.yaml", hash: "h", text: "stepz: []", uses: [] },
  };
  expect(() => definitionOf(new ProcessRegistry(), { process })).toThrow(
    expect.objectContaining({ code: "BATON_PROCESS_UNKNOWN", message: expect.stringContaining("old.yaml:1: ") }),
  );
});

it("a text of another version of the language stops its run, and says which", () => {
  const source = { path: "old.yaml", hash: "abcdef0123", text: "summary: S\nsteps: [{ id: a, shell: [x] }]", uses: [] };
  const of = (version: number) => ({ process: { name: "old", version, stages: [], source } });
  expect(definitionOf(new ProcessRegistry(), of(languageVersion)).summary).toBe("S");
  for (const version of [languageVersion + 1, languageVersion + 5])
    expect(() => definitionOf(new ProcessRegistry(), of(version))).toThrow(
      expect.objectContaining({
        code: "BATON_PROCESS_UNKNOWN",
        message: expect.stringMatching(
          `language version ${version}; this Baton has ${languageVersion}.*old\\.yaml.*abcdef0`,
        ),
      }),
    );
});
