/** Which questions a run has, and since when, by the state of the run. */
import { expect, it } from "vitest";
import { z } from "zod";
import { alice, RunWorld } from "../../test/fakes/run-world.ts";
import { defineProcess, type ProcessContext } from "../process/process.ts";
import { answer, cancel, observe, raiseBudget } from "./decide.ts";
import type { RunEvent } from "./event.ts";
import { questionsOf } from "./questions.ts";
import type { EffectKey, Verdict } from "./vocabulary.ts";

const verdict: Verdict = { name: "result", status: "passed", reason: "Done.", evidence: [], children: [] };
const pending: Verdict = { ...verdict, status: "pending" };
const [sha, baseSha] = ["b".repeat(40), "a".repeat(40)];
const key = "asked" as EffectKey;

async function asked(run: (ctx: ProcessContext) => Promise<unknown>): Promise<RunWorld> {
  const common = { version: 1, summary: "", stages: [], input: z.object({}), output: z.unknown() };
  return RunWorld.start(defineProcess({ ...common, name: "asking", verdict: () => verdict, run }), {});
}

const shown = (world: RunWorld) => questionsOf(world.state).map(({ id, open }) => `${id} ${open ? "open" : "over"}`);
const seen = (world: RunWorld, facts: object): RunEvent[] => observe(world.state, key, pending, facts as never);

it.each<[string, (ctx: ProcessContext) => Promise<unknown>, object | null]>([
  ["a plan at once", (ctx) => ctx.breakpoint(key, { title: "Plan", kind: "plan", subject: { text: "x" } }), null],
  ["a question at once", (ctx) => ctx.ask(key, { title: "Ask", question: "?", answerKind: "text" }), null],
  [
    "protected files once their change is shown",
    (ctx) =>
      ctx.breakpoint(key, {
        title: "Allow",
        kind: "protected-paths",
        subject: { paths: ["ci.yml"], change: { baseSha, sha } },
      }),
    { files: [], text: "+1" },
  ],
  [
    "a review once a look finds none",
    (ctx) => ctx.breakpoint(key, { title: "Review", kind: "review", subject: { pullRequest: 2, sha } }),
    { headSha: sha },
  ],
  [
    "a merge once a look finds it missing",
    (ctx) => ctx.breakpoint(key, { title: "Merge", kind: "merge", subject: { pullRequest: 2, sha } }),
    { headSha: sha },
  ],
])("%s", async (_, run, facts) => {
  const world = await asked(run);
  if (facts !== null) {
    expect(shown(world)).toEqual([]);
    await world.append(seen(world, facts));
  }
  expect(shown(world)).toEqual(["asked open"]);
  await world.append(cancel(world.state, alice, "no"));
  expect(shown(world)).toEqual(["asked over"]);
});

it("the merge queue is for nobody to answer", async () => {
  const world = await asked((ctx) =>
    ctx.breakpoint(key, { title: "Merge", kind: "merge", subject: { pullRequest: 2, sha, queued: true } }),
  );
  await world.append(seen(world, { headSha: sha }));
  expect(shown(world)).toEqual([]);
});

it("an answer ends its question only", async () => {
  const world = await asked((ctx) =>
    Promise.all([
      ctx.ask(key, { title: "Ask", question: "?", answerKind: "text" }),
      ctx.ask("other", { title: "Ask", question: "?", answerKind: "text" }),
    ]),
  );
  await world.append(answer(world.state, key, { answer: "x", by: alice as never }));
  expect(shown(world)).toEqual(["asked over", "other open"]);
});

it("each time that the money is used up is a question, and the next day's budget is none", async () => {
  const world = await asked((ctx) => ctx.shell(key, { title: "Work", sha, command: ["true"] }));
  const stopped = { type: "run.budget-stopped" as const, key, neededUsd: 1, spentUsd: 5 };
  await world.append([{ ...stopped, day: { until: world.clock + 86_400_000, reason: "The day's budget is used." } }]);
  expect(shown(world)).toEqual([]);
  await world.append([stopped, stopped]);
  expect(shown(world)).toEqual(["@money/0 open"]);
  await world.append(raiseBudget(world.state, alice, 2));
  expect(shown(world)).toEqual(["@money/0 over"]);
  await world.append([stopped]);
  expect(shown(world)).toEqual(["@money/0 over", "@money/1 open"]);
  await world.append(cancel(world.state, alice, "no"));
  expect(shown(world)).toEqual(["@money/0 over", "@money/1 over"]);
});
