/** Baton keeps the durations of each passed run once, and only while the stages are the same. */
import { expect, it } from "vitest";
import { z } from "zod";
import { RunWorld } from "../../test/fakes/run-world.ts";
import type { Json, RunId } from "../core/vocabulary.ts";
import { defineProcess } from "../process/process.ts";
import { rememberStages, stageHistory } from "./stage-history.ts";

const stages = ["Plan", "Finish"];
const verdictOf = (status: "passed" | "failed") => ({ name: "x", status, reason: "", evidence: [], children: [] });
const store = () => {
  const values = new Map<string, Json>();
  return {
    value: async (name: string) => values.get(name) ?? null,
    setValue: async (name: string, value: Json | null) => void values.set(name, value),
  };
};

async function over(status: "passed" | "failed", id = "run_0123456789abcdef") {
  const process = defineProcess({
    name: "staged",
    version: 1,
    summary: "",
    stages,
    input: z.object({}),
    output: z.object({}),
    verdict: () => verdictOf(status),
    async run(ctx) {
      await ctx.gate("checks", { title: "Checks", stage: "Plan", gate: "g", sha: "a".repeat(40) });
      return {};
    },
  });
  const world = await RunWorld.start(process, {});
  await world.succeed("checks", verdictOf("passed"));
  world.state.runId = id as RunId;
  return world.state;
}

it("a run that passed counts once, however often its end is written", async () => {
  const kept = store();
  expect(await stageHistory(kept, 7, { name: "staged", stages })).toBeNull();
  const state = await over("passed");
  await rememberStages(kept, state);
  await rememberStages(kept, state);
  expect(await stageHistory(kept, 7, { name: "staged", stages })).toEqual({
    Plan: [{ activeMs: 1_000, steps: 1, agents: [] }],
    Finish: [{ activeMs: 0, steps: 0, agents: [] }],
  });
});

it.each([
  ["a run that failed", "failed", 7, stages],
  ["another repository", "passed", 8, stages],
  ["a process that has other stages by now", "passed", 7, ["Plan", "Review"]],
] as const)("%s tells nothing", async (_what, status, repositoryId, wanted) => {
  const kept = store();
  await rememberStages(kept, await over(status));
  expect(await stageHistory(kept, repositoryId, { name: "staged", stages: wanted })).toBeNull();
});

it("only the newest dozen is kept, and what cannot be read is nothing", async () => {
  const kept = store();
  await kept.setValue("stages/7/staged", { odd: true });
  for (let run = 0; run < 14; run += 1)
    await rememberStages(kept, await over("passed", `run_0123456789abcde${run.toString(16)}`));
  expect((await stageHistory(kept, 7, { name: "staged", stages }))?.["Plan"]).toHaveLength(12);
});
