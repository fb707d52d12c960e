/** PROC-003 through a whole Baton: an upgrade brings a newer version of a process, and a run in flight goes on with it. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Verdict } from "../../src/core/vocabulary.ts";
import { defineProcess, type ProcessContext, ProcessRegistry } from "../../src/process/process.ts";
import { ThreadWorld } from "./thread-world.ts";

const common = {
  name: "talk",
  summary: "",
  stages: [],
  input: z.looseObject({}),
  output: z.unknown(),
  verdict: (): Verdict => ({ name: "talk", status: "passed", reason: "Talked.", evidence: [], children: [] }),
};
const ask = async (ctx: ProcessContext, name: string) =>
  (await ctx.ask(name, { title: name, question: `${name}?`, answerKind: "text" })).answer;
const versions = {
  1: defineProcess({ ...common, version: 1, run: async (ctx) => [await ask(ctx, "one"), await ask(ctx, "two")] }),
  2: defineProcess({
    ...common,
    version: 2,
    run: async (ctx) => [await ask(ctx, "one"), await ask(ctx, "two"), await ask(ctx, "three")],
  }),
  3: defineProcess({ ...common, version: 3, run: async (ctx) => [await ask(ctx, "another")] }),
};

async function atTwo(...upgrade: (2 | 3)[]): Promise<ThreadWorld> {
  const thread = new ThreadWorld({ processes: new ProcessRegistry().register(versions[1]) });
  await thread.say("/baton run talk");
  await thread.say("/baton answer first");
  await thread.reaches("two");
  const processes = new ProcessRegistry().register(versions[1]);
  for (const number of upgrade) processes.register(versions[number]);
  thread.world.processes = processes;
  thread.world.restart();
  await thread.settle();
  return thread;
}

describe("/baton migrate", () => {
  it("checks, then moves the run; it goes on with the new version, also after a restart", async () => {
    const thread = await atTwo(2);
    expect(thread.run().process.version).toBe(1);
    const checked = await thread.say("/baton migrate check");
    expect(thread.answer(checked)).toMatch(/can go on with talk v2/);
    expect(thread.run().process.version).toBe(1);
    const moved = await thread.say("/baton migrate");
    expect(thread.answer(moved)).toMatch(/goes on with talk v2/);
    expect(thread.run().process.version).toBe(2);
    thread.world.restart();
    await thread.say("/baton answer second", "bob");
    await thread.reaches("three");
    await thread.say("/baton answer third");
    expect(thread.run().outcome?.output).toEqual(["first", "second", "third"]);
  });

  it("refuses a version that would have asked for something else, and the run goes on with its own", async () => {
    const thread = await atTwo(3);
    const refused = await thread.say("/baton migrate");
    expect(thread.answer(refused)).toMatch(/asks for something else/);
    await thread.say("/baton answer second");
    expect(thread.run().outcome?.output).toEqual(["first", "second"]);
  });

  it("there is nothing to do without a newer version, and a stranger may not", async () => {
    const thread = await atTwo();
    const same = await thread.say("/baton migrate");
    expect(thread.answer(same)).toMatch(/no newer version/);
    const stranger = await thread.say("/baton migrate", "mallory");
    expect(thread.answer(stranger)).toMatch(/needs the permission/);
    expect([...thread.run().open]).toEqual(["two"]);
  });
});
