/** patience: the parts of `ctx` that wait, try again and clean up. */
import { z } from "zod";
import { defineProcess, shaSchema } from "../../src/index.ts";

const day = 24 * 3_600_000;

export const patience = defineProcess({
  name: "patience",
  version: 1,
  summary: "Waits for a person, then for a command to succeed.",
  stages: ["Ask", "Prove"],
  input: z.object({ thread: z.object({ number: z.number().int() }), baseSha: shaSchema }),
  output: z.object({ answer: z.string().nullable() }),
  verdict: ({ answer }) => ({
    name: "result",
    status: answer === null ? "skipped" : "passed",
    reason: answer === null ? "Nobody answered within three days." : `The answer was ${answer}.`,
    evidence: [],
    children: [],
  }),

  async run(ctx, { thread, baseSha }) {
    const first = await ctx.race("first", {
      person: async (branch) =>
        (await branch.ask("ask", { title: "Ask", question: "Shall I?", answerKind: "confirm" })).answer,
      time: async (branch) => {
        await branch.sleep("three-days", 3 * day);
        return null;
      },
    });
    if (first.winner === "time") return { answer: null };
    try {
      await ctx.waitFor(
        "proof",
        async (branch) =>
          (await branch.shell("test", { title: "Test", command: ["npm", "test"], sha: baseSha })).exitCode === 0,
        { everyMs: 3_600_000, timeoutMs: day },
      );
    } catch (thrown) {
      if (ctx.cancelled)
        await ctx.shielded("last-words", (branch) =>
          branch.publish("comment", {
            title: "Say that it was stopped",
            publish: { operation: "comment", number: thread.number, body: "Stopped before the proof." },
          }),
        );
      throw thrown;
    }
    return { answer: first.value };
  },
});
