/** Stages and verdicts as people read them, in cases where a simple look would mislead. */
import { expect, it } from "vitest";
import { z } from "zod";
import { RunWorld } from "../../../test/fakes/run-world.ts";
import type { Json } from "../../core/vocabulary.ts";
import { defineProcess } from "../../process/process.ts";
import { headline } from "./headline.ts";
import { verdictTree } from "./parts.ts";
import { stageTable } from "./stage-table.ts";

const sha = "a".repeat(40);
const verdict = (status: "passed" | "failed", reason = "r") => ({
  name: "x",
  status,
  reason,
  evidence: [],
  children: [],
});
const worked = {
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

/** Red checks, a repair, and perhaps checks again. */
async function repaired(again: "passed" | "failed" | null): Promise<RunWorld> {
  const process = defineProcess({
    name: "repairs",
    version: 1,
    summary: "",
    stages: ["Checks", "Finish"],
    input: z.object({}),
    output: z.object({}),
    verdict: () => verdict("failed", "It fell.\n  at line 3\n| over"),
    async run(ctx) {
      const gate = { title: "Checks", stage: "Checks", gate: "checks-green", sha };
      await ctx.gate("checks", gate);
      await ctx.agent("repair", {
        title: "Repair",
        stage: "Checks",
        role: "repair",
        access: "write",
        baseSha: sha,
        prompt: { system: "", user: "" },
      });
      if (again !== null) await ctx.gate("checks", gate);
      return {};
    },
  });
  const world = await RunWorld.start(process, {});
  await world.succeed("checks", verdict("failed"));
  await world.succeed("repair", worked);
  if (again !== null) await world.succeed("checks#2", verdict(again));
  return world;
}

it.each([
  [null, "❌ failed"],
  ["failed", "❌ failed"],
  ["passed", "✅ done"],
] as const)("after a repair and checks that %s its stage is as the last checks found it", async (again, shown) => {
  const { state } = await repaired(again);
  const [, , checks, finish] = stageTable(state).split("\n");
  expect(checks).toMatch(new RegExp(`^\\| ${shown} \\| Checks \\| .*\\(1 repair\\) \\|`));
  expect(finish).toBe("| ➖ not begun | Finish |  |  |");
});

const check = { ...verdict("passed"), name: "test" };
const other = "b".repeat(40);

/** A run that waits for a review of `sha`, after one gate. */
async function underReview(gate: string, gateSha: string, output: Json): Promise<string> {
  const process = defineProcess({
    name: "reviewed",
    version: 1,
    summary: "",
    stages: [],
    input: z.object({}),
    output: z.object({}),
    verdict: () => verdict("passed"),
    async run(ctx) {
      await ctx.gate("gate", { title: "Gate", gate, sha: gateSha });
      await ctx.breakpoint("review", { title: "Review", kind: "review", subject: { pullRequest: 2, sha } });
      return {};
    },
  });
  const world = await RunWorld.start(process, {});
  await world.succeed("gate", output);
  return headline(world.state).sentence;
}

it.each<[string, string, string, Json, boolean]>([
  ["a green check", "checks-green", sha, { ...verdict("passed"), children: [check] }, true],
  ["no check at all, as the settings accept it", "checks-green", sha, verdict("passed"), false],
  [
    "only a check that was skipped",
    "checks-green",
    sha,
    { ...verdict("passed"), children: [{ ...check, status: "skipped" }] },
    false,
  ],
  ["green checks of another commit", "checks-green", other, { ...verdict("passed"), children: [check] }, false],
  ["another gate that passed", "diff-size", sha, { ...verdict("passed"), children: [check] }, false],
  ["red checks", "checks-green", sha, { ...verdict("failed"), children: [check] }, false],
])("the headline of a review says green only for green checks: %s", async (_, gate, gateSha, output, isGreen) => {
  const line = await underReview(gate, gateSha, output);
  expect(line).toMatch(isGreen ? /^\*\*.?#2 is green and needs a review\.\*\*/u : /^\*\*.?#2 needs a review\.\*\*/u);
});

it("a reason of several lines stays in its headline and its place of the list", async () => {
  const { state } = await repaired(null);
  expect(headline(state).sentence).toBe("**Not done.** It fell. at line 3 | over");
  const tree = verdictTree({ ...verdict("failed", "a\nb"), children: [verdict("failed", "c\r\n- d")] });
  expect(tree.split("\n")).toEqual(["- ❌ **x**: a b", "  - ❌ **x**: c - d"]);
});
