/** Q3: what a question asks is the same from its request to its answer, so an answer is for what its author read. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { alice, bob, RunWorld } from "../../test/fakes/run-world.ts";
import { answer, observe, pause, raiseBudget, resume } from "../core/decide.ts";
import type { RunEvent } from "../core/event.ts";
import { shownChange } from "../core/shown-change.ts";
import type { EffectState } from "../core/state.ts";
import type { EffectKey, Verdict } from "../core/vocabulary.ts";
import { defineProcess } from "../process/process.ts";
import { breakpointPerformer } from "../runner/perform/breakpoint.ts";
import { demandShown, question } from "./answer-breakpoint.ts";
import { namesQuestion } from "./named-question.ts";

const passed: Verdict = { name: "result", status: "passed", reason: "Done.", evidence: [], children: [] };
const [base, head] = ["a".repeat(40), "b".repeat(40)];
const [plan, files, color] = ["plan-approval", "protected-paths", "color"] as [EffectKey, EffectKey, EffectKey];
const keys = [plan, files, color] as const;

const asking = defineProcess({
  name: "asking",
  version: 1,
  summary: "",
  stages: [],
  input: z.object({}),
  output: z.unknown(),
  verdict: () => passed,
  run: async (ctx) =>
    Promise.all([
      ctx.breakpoint(plan, { title: "Approve the plan", kind: "plan", subject: { text: "Fix the sum." } }),
      ctx.breakpoint(files, {
        title: "Allow 1 file",
        kind: "protected-paths",
        subject: { paths: ["ci.yml"], change: { baseSha: base, sha: head } },
      }),
      ctx.ask(color, { title: "Choose", question: "Which color?", answerKind: "choice", choices: ["red", "blue"] }),
    ]),
});

/** Each look finds another content, as if the repository had changed under the question. */
async function look(world: RunWorld, key: EffectKey, blob: string): Promise<RunEvent[]> {
  const effect = world.state.effects.get(key);
  const seen = await breakpointPerformer.observe({
    state: world.state,
    effect,
    github: { gitAccess: async () => ({ url: "https://example.com/r.git", token: "t" }) },
    dependencies: {
      redact: (text: string) => text,
      workspaces: {
        leftAt: async () => base,
        pathStates: async () => [{ path: "ci.yml", mode: "100644", blob }],
        diff: async () => ({ text: `+${blob}\n`, truncated: false }),
      },
    },
  } as never);
  return observe(world.state, key, seen.verdict, seen.facts);
}

function again(world: RunWorld, key: EffectKey, text: string): RunEvent[] {
  const request = world.journal.map(({ event }) => event).find((one) => "key" in one && one.key === key);
  if (request?.type !== "effect.requested") throw new Error(`${key} was not requested`);
  const input = { ...(request.input as object), subject: { text }, question: text, title: text };
  return [{ ...request, input }];
}

const deeds: Record<string, (world: RunWorld, key: EffectKey, round: number) => Promise<RunEvent[]>> = {
  "a look": (world, key, round) => (key === color ? Promise.resolve([]) : look(world, key, `${round}`.repeat(40))),
  "the same key again": async (world, key, round) => again(world, key, `another text ${round}`),
  "a pause": async (world) => pause(world.state, alice, "wait"),
  "its end": async (world) => resume(world.state, alice),
  "more money": async (world) => raiseBudget(world.state, alice, 1),
  "a word to the run": async (_, __, round) => [
    { type: "policy.decided", action: "status", actor: bob, verdict: passed, operationKey: `comment:${round}` },
  ],
};

function asked(world: RunWorld): unknown {
  return keys.map((key) => {
    const effect = world.state.effects.get(key) as EffectState;
    return structuredClone([effect.title, effect.input, effect.requestedAt, shownChange(effect)]);
  });
}

describe("late-approve-takes-the-next-plan: an answer counts for the content that was asked", () => {
  it("nothing that happens while a question is open changes its text, its choices or the files that it shows", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...Object.keys(deeds)), fc.constantFrom(...keys)), { maxLength: 12 }),
        async (happened) => {
          const world = await RunWorld.start(asking, {});
          await world.append(await look(world, files, "1".repeat(40)));
          const before = asked(world);
          for (const [round, [deed, key]] of happened.entries())
            await world.append(await (deeds[deed] as (typeof deeds)[string])(world, key, round + 2));
          expect(asked(world)).toEqual(before);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("a run that Baton takes up again asks the same, and an upgrade that would ask another thing stops the run", async () => {
    const world = await RunWorld.start(asking, {});
    await world.append(await look(world, files, "1".repeat(40)));
    const before = asked(world);
    await world.crash();
    await world.append(await look(world, files, "2".repeat(40)));
    expect(asked(world)).toEqual(before);
    const rewritten = {
      ...asking,
      run: async (ctx: Parameters<typeof asking.run>[0]) =>
        ctx.breakpoint(plan, { title: "Approve the plan", kind: "plan", subject: { text: "Delete the sum." } }),
    };
    await expect(world.crash(rewritten as never)).rejects.toMatchObject({ code: "BATON_DIVERGENCE" });
  });

  it("an answer is journaled with the key of what was asked, and the next question has another", async () => {
    const twice = defineProcess({
      ...asking,
      run: async (ctx) => [
        await ctx.breakpoint(plan, { title: "Approve the plan", kind: "plan", subject: { text: "First." } }),
        await ctx.breakpoint(plan, { title: "Approve the plan", kind: "plan", subject: { text: "Second." } }),
      ],
    });
    const world = await RunWorld.start(twice, {});
    const output = { decision: "approved", by: bob, feedback: "", sha: null, reviewId: null } as const;
    await world.append(answer(world.state, plan, { ...output }));
    expect(world.open()).toEqual([`${plan}#2`]);
    expect(() => answer(world.state, plan, { ...output })).toThrow(/not open any more/);
  });
});

describe("protected-paths-allowed-unseen: an approval of what the thread does not show is refused", () => {
  const effect = (paths: string[], shown: string[] | null, change: object | null = { baseSha: base, sha: head }) =>
    ({
      kind: "breakpoint",
      input: { kind: "protected-paths", subject: { paths, ...(change === null ? {} : { change }) } },
      observed:
        shown === null ? null : { facts: { files: shown.map((path) => ({ path, mode: null, blob: null })), text: "" } },
    }) as unknown as EffectState;

  it.each<[string, EffectState, RegExp | null]>([
    ["all of it is shown", effect(["a", "b"], ["a", "b"]), null],
    ["a plan", effect([], null, null), null],
    ["nothing is shown yet", effect(["a"], null), /not shown the change/],
    ["one file has no room", effect(["a", "b"], ["a"]), /whole change of 1 protected file,.*`b`\. Reject/],
    ["no file has", effect(["a", "b"], []), /whole change of 2 protected files,.*`a`, `b`/],
  ])("%s", (_, asked, expected) => {
    if (expected === null) expect(() => demandShown(asked)).not.toThrow();
    else expect(() => demandShown(asked)).toThrow(expected);
  });
});

describe("engine-ends-and-answers: of several questions of one name none is guessed", () => {
  const roof = ["all/two/color", "all/one/color", "all/size/size"] as [EffectKey, EffectKey, EffectKey];
  const house = defineProcess({
    ...asking,
    run: async (ctx) =>
      ctx.parallel("all", {
        one: async (own) => own.ask("color", { title: "Color of the door", question: "?", answerKind: "text" }),
        two: async (own) => own.ask("color", { title: "Color of the roof", question: "?", answerKind: "text" }),
        size: async (own) => own.ask("size", { title: "Size", question: "?", answerKind: "text" }),
      }),
  });
  const ask = async (text: string) => {
    const world = await RunWorld.start(house, {});
    const command = { name: "answer", positional: [], options: {}, text };
    const context = { command, writtenAt: "2026-11-30T10:00:01Z", commentId: null };
    const post = { at: Date.parse("2026-11-30T10:00:00Z"), commentId: 7 };
    return question(world.state, "ask", context, new Map(roof.map((key) => [key, post])));
  };

  it.each(["color blue", "color", "blue"])("`/baton answer %s` is asked for the key", async (text) => {
    const refusal = await ask(text).catch((thrown: unknown) => thrown as Error);
    expect(refusal).toMatchObject({ code: "BATON_COMMAND_INVALID" });
    const { message } = refusal as Error;
    for (const key of roof.slice(0, 2)) expect(message).toContain(`\`/baton answer ${key} …\``);
    expect(message).toMatch(/`\/baton answer size …`/);
  });

  it.each([
    [`${roof[0]} blue`, roof[0], "blue"],
    [`${roof[1]} light blue`, roof[1], "light blue"],
    ["size 3", "all/size/size", "3"],
  ])("%j is for one", async (text, key, rest) => {
    const { effect, text: given } = await ask(text);
    expect([effect.key, given]).toEqual([key, rest]);
  });

  it("a name that two have names a question, so the run that asks it hears of it", async () => {
    const world = await RunWorld.start(house, {});
    expect(namesQuestion(world.state, "ask", "color blue")).toBe(true);
    expect(namesQuestion(world.state, "ask", "size 3")).toBe(true);
    expect(namesQuestion(world.state, "ask", "blue")).toBe(false);
    expect(namesQuestion(world.state, "breakpoint", "size 3")).toBe(false);
  });
});
