/** What the next attempt is told of one whose worker died: its last milestone is all there is. */
import { expect, it } from "vitest";
import { z } from "zod";
import { alice, bob, RunWorld } from "../../test/fakes/run-world.ts";
import { lostAttempts } from "../core/decide.ts";
import type { Json } from "../core/vocabulary.ts";
import { defineProcess } from "../process/process.ts";
import { resumeOf } from "./resume.ts";
import { again } from "./sections/resume.ts";

const step = defineProcess({
  name: "one-step",
  version: 1,
  summary: "",
  stages: [],
  input: z.object({}),
  output: z.object({}),
  verdict: () => ({ name: "x", status: "passed", reason: "", evidence: [], children: [] }),
  async run(ctx) {
    await ctx.ask("which", { title: "Say which", question: "Which?", answerKind: "text" });
    await ctx.breakpoint("plan", { title: "Approve the plan", kind: "plan", subject: { text: "Do it." } });
    await ctx.agent("work", {
      title: "Work",
      role: "implement",
      access: "write",
      baseSha: "a".repeat(40),
      prompt: { system: "", user: "" },
    });
    return {};
  },
});

it("the words of the last milestone reach who goes on after a crash", async () => {
  const world = await RunWorld.start(step, {});
  await world.succeed("which", { answer: "The\nsecond.", by: bob as unknown as Json });
  await world.succeed("plan", {
    decision: "approved",
    by: bob as unknown as Json,
    feedback: "",
    sha: null,
    reviewId: null,
  });
  const key = world.open()[0] as never;
  const partial = { text: "I found it.", todo: "- [ ] mend", lastAction: "edit a.js", turns: 3 };
  await world.append([
    { type: "effect.started", key, attempt: 1, worker: "w", reservedUsd: 0 },
    { type: "effect.progress", key, attempt: 1, note: "edit a.js", usage: [], partial },
  ]);
  await world.append(lostAttempts(world.state, () => false, world.clock));
  await world.append([{ type: "effect.started", key, attempt: 2, worker: "w", reservedUsd: 0 }]);
  const effect = world.state.effects.get(key);
  const given = { attempt: 2, takenOverFrom: null, session: false, baseSha: "a".repeat(40), headSha: null };
  const resume = effect === undefined ? null : resumeOf(world.state, effect, given);
  expect(resume?.partial).toEqual(partial);
  const told = resume === null ? "" : again(resume).body;
  expect(told).toMatch(/got this far in 3 turns/);
  expect(told).toContain("I found it.");
  // What people decided is no step that is done, but what the work has to keep to.
  expect(resume).toMatchObject({ done: [], pending: [] });
  expect(told).toContain(
    "Decided by people:\n```\n- Say which: @bob answered: The second.\n- Approve the plan: @bob approved\n```",
  );
  expect(told).toContain("ended early: The worker stopped or died during an attempt.");
  // With its session it knows its own words.
  expect(resume === null ? "" : again({ ...resume, session: true }).body).not.toContain("I found it.");
  expect(world.state.requestedBy).toEqual(alice);
});

it.each([
  ["BATON_TIMEOUT", /took longer than its limit\. Do what is left by the shortest way/],
  ["BATON_HARNESS_CRASHED", /ended by a signal, with a failure, or without a result\. It left no change/],
  ["BATON_OF_A_LATER_TIME", /ended early: BATON_OF_A_LATER_TIME/],
])("why the attempt before ended is said in words: %s", (ended, expected) => {
  const facts = { attempt: 2, ended, takenOverFrom: null, session: false, baseSha: "a".repeat(40), headSha: null };
  expect(again({ ...facts, partial: null, done: [], pending: [], decided: [] }).body).toMatch(expected);
});
