/** release: checks that need each other, then a pipeline that writes the notes. */
import { z } from "zod";
import {
  BatonError,
  definePipeline,
  defineProcess,
  defineStage,
  type ProcessContext,
  shaSchema,
} from "../../src/index.ts";

const notes = definePipeline("notes", [
  defineStage({
    name: "read",
    input: z.object({ sha: shaSchema }),
    output: z.object({ log: z.string() }),
    run: readLog,
  }),
  defineStage({
    name: "write",
    input: z.object({ log: z.string() }),
    output: z.object({ text: z.string() }),
    run: async (_, { log }) => ({
      text: log
        .split("\n")
        .map((line) => `- ${line}`)
        .join("\n"),
    }),
  }),
]);

export const release = defineProcess({
  name: "release",
  version: 1,
  summary: "Checks, then release notes.",
  stages: ["Check", "Notes"],
  input: z.object({ baseSha: shaSchema }),
  output: z.object({ packed: z.boolean(), text: z.string() }),
  verdict: ({ text }) => ({ name: "result", status: "passed", reason: text, evidence: [], children: [] }),

  async run(ctx, { baseSha }) {
    const steps = await ctx.workflow("checks", {
      lint: { run: (branch) => npm(branch, "lint", baseSha) },
      test: { retry: { attemptsMax: 2, pauseMs: 60_000 }, run: (branch) => npm(branch, "test", baseSha) },
      pack: {
        needs: ["lint", "test"],
        if: ({ test }) => test?.outcome === "succeeded",
        run: (branch) => npm(branch, "pack", baseSha),
      },
    });
    const { text } = z.object({ text: z.string() }).parse(await ctx.pipeline(notes, { sha: baseSha }));
    return { packed: steps["pack"]?.outcome === "succeeded", text };
  },
});

async function npm(ctx: ProcessContext, script: string, sha: string): Promise<void> {
  const { exitCode } = await ctx.shell(script, {
    title: `npm run ${script}`,
    stage: "Check",
    command: ["npm", "run", script],
    sha,
  });
  if (exitCode !== 0) throw new BatonError("BATON_STEP_FAILED", `npm run ${script} ended with ${exitCode}.`);
}

async function readLog(ctx: ProcessContext, { sha }: { sha: string }): Promise<{ log: string }> {
  const { output } = await ctx.shell("log", {
    title: "Read the log",
    stage: "Notes",
    command: ["git", "log", "--format=%s", "-5"],
    sha,
  });
  return { log: output.trim() };
}
