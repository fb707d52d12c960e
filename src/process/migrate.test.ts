import { setImmediate as macrotask } from "node:timers/promises";
import { expect, it } from "vitest";
import { z } from "zod";
import { alice, RunWorld } from "../../test/fakes/run-world.ts";
import { checkMigration } from "./migrate.ts";
import { defineProcess, type ProcessContext, type ProcessDefinition } from "./process.ts";
import { replay } from "./replay.ts";

const settle = async (): Promise<void> => {
  await macrotask();
};
const sha = "a".repeat(40);
const shell = (ctx: ProcessContext, name: string, title = name) => ctx.shell(name, { title, command: ["true"], sha });
const done = { exitCode: 0, signal: null, output: "", durationMs: 1 };

function version(
  number: number,
  run: (ctx: ProcessContext) => Promise<unknown>,
  input: z.ZodType = z.looseObject({}),
): ProcessDefinition {
  return defineProcess({
    name: "sample",
    version: number,
    summary: "",
    stages: [`stage of v${number}`],
    input,
    output: z.unknown(),
    verdict: () => ({ name: "sample", status: "passed", reason: "", evidence: [], children: [] }),
    run: async (ctx) => (await run(ctx)) ?? null,
  }) as ProcessDefinition;
}

const first = version(1, async (ctx) => {
  await shell(ctx, "a");
  await shell(ctx, "b");
});

/** A run of `first` that waits for `b`. */
async function atB(): Promise<RunWorld> {
  const world = await RunWorld.start(first, {});
  await world.succeed("a", done);
  expect(world.open()).toEqual(["b"]);
  return world;
}

it("a version that asks for the same so far goes on with the run, also after a crash", async () => {
  const second = version(2, async (ctx) => {
    await shell(ctx, "a");
    await shell(ctx, "b");
    await shell(ctx, "c");
  });
  const world = await atB();
  const migration = await checkMigration(second, world.journal, settle);
  expect(migration).toMatchObject({ from: "sample v1", to: "sample v2", asks: [] });
  await world.append(migration.decide(world.state, alice));
  expect(world.state.process).toEqual({ name: "sample", version: 2, stages: ["stage of v2"] });
  await world.crash(second);
  expect(world.open()).toEqual(["b"]);
  await world.succeed("b", done);
  await world.crash(second);
  expect(world.open()).toEqual(["c"]);
  // The old version no longer accepts such a journal.
  await expect(replay(first, world.journal, settle)).rejects.toMatchObject({ code: "BATON_DIVERGENCE" });
});

it.each<[string, ProcessDefinition, RegExp]>([
  ["asks for another key", version(2, async (ctx) => shell(ctx, "z")), /asks for something else.*shell "a".*shell "z"/],
  [
    "asks for the same key with other words",
    version(2, async (ctx) => shell(ctx, "a", "A better title")),
    /asks for something else/,
  ],
  [
    "asks for more at a place that is past",
    version(2, async (ctx) => Promise.all([first.run(ctx, {}), shell(ctx, "too late")])),
    /asks for something else/,
  ],
  ["leaves out what is under way", version(2, async (ctx) => shell(ctx, "a")), /asks for something else/],
  [
    "does not take its input",
    version(2, async (ctx) => first.run(ctx, {}), z.object({ n: z.number() })),
    /input of the run/,
  ],
  ["is the one that it has", version(1, async (ctx) => first.run(ctx, {})), /no newer version/],
])("a version that %s is refused, and nothing is changed", async (_, definition, message) => {
  const world = await atB();
  const { length } = world.journal;
  await expect(checkMigration(definition, world.journal, settle)).rejects.toMatchObject({
    code: "BATON_MIGRATION_REFUSED",
    message: expect.stringMatching(message),
  });
  expect(world.journal).toHaveLength(length);
});

it("M2: what happened since the check asks for another check", async () => {
  const world = await atB();
  const migration = await checkMigration(
    version(2, async (ctx) => first.run(ctx, {})),
    world.journal,
    settle,
  );
  await world.append([{ type: "run.paused", by: alice, reason: "meanwhile" }]);
  expect(() => migration.decide(world.state, alice)).toThrow(
    expect.objectContaining({ code: "BATON_JOURNAL_CONFLICT" }),
  );
});

it("a run that is over is not migrated", async () => {
  const world = await atB();
  await world.succeed("b", done);
  await expect(
    checkMigration(
      version(2, async () => null),
      world.journal,
      settle,
    ),
  ).rejects.toThrow(/nothing to migrate/);
});
