/** The policy's verdict on each write of a run is in the journal, allowed or refused. `/baton why` shows it. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type WorkInput, workInputSchema } from "../../processes/schema.ts";
import { begin, type Work, write } from "../../processes/stages.ts";
import type { Verdict } from "../../src/core/vocabulary.ts";
import { prompts } from "../../src/index.ts";
import { defineProcess, type ProcessContext, ProcessRegistry } from "../../src/process/process.ts";
import { ThreadWorld } from "./thread-world.ts";

const done: Verdict = { name: "careless", status: "passed", reason: "Done.", evidence: [], children: [] };

type Deed = (ctx: ProcessContext, input: WorkInput, work: Work) => Promise<unknown>;

/** Writes and then acts freely: no question, no check, no review. */
function careless(deed: Deed): ProcessRegistry {
  return new ProcessRegistry().register(
    defineProcess<WorkInput, unknown>({
      name: "careless",
      version: 1,
      summary: "",
      stages: [],
      input: workInputSchema,
      output: z.unknown(),
      verdict: () => done,
      async run(ctx, input) {
        const work = begin(input, "Change the note.");
        const prompt = prompts.implement({ ...input, plan: work.plan, outcomes: [] });
        await write(ctx, input, work, { name: "implement", title: "Implement", stage: "", prompt });
        await deed(ctx, input, work);
        return "done";
      },
    }),
  );
}

const push: Deed = (ctx, { branch, branchSha }, { headSha }) =>
  ctx.publish("push", {
    title: "Push",
    publish: { operation: "push", branch, sha: headSha, expectedSha: branchSha },
  });

const merge: Deed = async (ctx, input, work) => {
  await push(ctx, input, work);
  const { number } = await ctx.publish("open", {
    title: "Open",
    publish: {
      operation: "pull-request",
      head: input.branch,
      base: input.baseBranch,
      title: "Note",
      body: "",
      draft: false,
    },
  });
  await ctx.publish("merge", {
    title: "Merge",
    publish: { operation: "merge", pullRequest: number as number, sha: work.headSha, method: "squash" },
  });
};

const removeMain: Deed = (ctx, { baseBranch, baseSha }) =>
  ctx.publish("delete", {
    title: "Delete",
    publish: { operation: "delete-branch", branch: baseBranch, expectedSha: baseSha },
  });

const protectedNote = "protectedPaths: ['note.txt']\n";

async function run(deed: Deed, more = ""): Promise<ThreadWorld> {
  const thread = new ThreadWorld({ more, processes: careless(deed) });
  await thread.say("/baton run careless");
  for (let turn = 0; turn < 60 && thread.run().outcome === null; turn += 1) await thread.world.pass(5_000);
  return thread;
}

const policy = (thread: ThreadWorld) =>
  thread
    .run()
    .decisions.filter(({ action }) => action === "publish" || action === "merge")
    .map(({ action, verdict }) => [action, verdict.status]);

describe("engine-ends-and-answers: verdicts of publish and merge rules are journaled, and `/baton why` shows them", () => {
  it.each<[string, Deed, string, [string, string][], RegExp]>([
    [
      "a push that a person has to allow",
      push,
      protectedNote,
      [["publish", "pending"]],
      /\*\*publish\*\*: The work changes 1 protected path .*note\.txt.*branch .*commit [0-9a-f]+.*\*\*protected-paths\*\*/s,
    ],
    [
      "a push that nobody can allow",
      push,
      `${protectedNote}breakpoints: { protectedPaths: deny }\n`,
      [["publish", "failed"]],
      /\*\*publish\*\*: .*Nobody can allow it here/,
    ],
    [
      "the removal of a branch that is not the run's",
      removeMain,
      "",
      [["publish", "failed"]],
      /\*\*publish\*\*: main is not a branch that this run began/,
    ],
    [
      "a merge without checks and review",
      merge,
      "",
      [
        ["publish", "passed"],
        ["merge", "failed"],
      ],
      /\*\*publish\*\*: The work may be published.*\*\*merge\*\*: /s,
    ],
  ])("%s is refused with the rule's words", async (_, deed, more, decided, shown) => {
    const thread = await run(deed, more);
    expect(thread.run().outcome?.error?.code).toBe("BATON_POLICY_DENIED");
    expect(policy(thread)).toEqual(decided);
    const refused = thread.run().decisions.at(-1)?.verdict.reason ?? "";
    expect(thread.run().outcome?.error?.message).toContain(refused);
    expect(thread.answer(await thread.say("/baton why", "bob"))).toContain("[Decisions and evidence](");
    expect(thread.words()[0]).toMatch(shown);
  });

  it("a push that is allowed is shown with its branch and commit", async () => {
    const thread = await run(push);
    expect(thread.run().status).toBe("completed");
    expect(policy(thread)).toEqual([["publish", "passed"]]);
    await thread.settle();
    expect(thread.words()[0]).toMatch(/\*\*publish\*\*: The work may be published\. \(branch .*, commit [0-9a-f]{7}\)/);
  });
});
