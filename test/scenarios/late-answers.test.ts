/** An answer counts only for the question that it was written under. */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Verdict } from "../../src/core/vocabulary.ts";
import { defineProcess, type ProcessContext, ProcessRegistry } from "../../src/process/process.ts";
import { ThreadWorld } from "./thread-world.ts";

const asking = { more: "breakpoints: { plan: ask }\n" };

const common = {
  version: 1,
  summary: "",
  stages: [],
  input: z.looseObject({}),
  output: z.unknown(),
  verdict: (): Verdict => ({ name: "questions", status: "passed", reason: "Asked.", evidence: [], children: [] }),
};

function questions(): ProcessRegistry {
  const ask = (ctx: ProcessContext) => ctx.ask("go", { title: "Go", question: "Go?", answerKind: "text" });
  const again = defineProcess({
    ...common,
    name: "again",
    run: async (ctx) => [await ask(ctx), await ask(ctx)],
  });
  return new ProcessRegistry().register(again).register(
    defineProcess({
      ...common,
      name: "questions",
      run: async (ctx) =>
        ctx.parallel("all", {
          one: async (c) =>
            (
              await c.ask("color", {
                title: "Choose the color",
                question: "Which color?",
                answerKind: "choice",
                choices: ["red", "blue"],
              })
            ).answer,
          two: async (c) =>
            (await c.ask("sure", { title: "Be sure", question: "Are you sure?", answerKind: "confirm" })).answer,
          three: async (c) => (await c.ask("why", { title: "Say why", question: "Why?", answerKind: "text" })).answer,
        }),
    }),
  );
}

describe("late-approve-takes-the-next-plan", () => {
  it("an approval that was written for the first plan, and comes late, does not approve the second", async () => {
    const thread = new ThreadWorld(asking);
    await thread.say("/baton run");
    await thread.reaches("plan-approval");
    const late = thread.github.say(11, "bob", "/baton approve");
    const held = thread.github.news.splice(0);
    await thread.say("/baton reject Another plan, please.", "carol");
    await thread.reaches("plan-approval#2");
    thread.github.news.push(...held);
    await thread.settle();
    expect(thread.run().effects.get("plan-approval#2" as never)?.status).not.toBe("succeeded");
    expect(thread.answer(late)).toMatch(/was asked after you wrote/);
    await thread.say("/baton approve", "bob");
    expect(thread.run().effects.get("plan-approval#2" as never)?.output).toMatchObject({ by: { login: "bob" } });
  });

  it("nor where both were written within one second, by the order in which GitHub numbered them", async () => {
    const thread = new ThreadWorld({ processes: questions() });
    await thread.say("/baton run again");
    await thread.reaches("go");
    const late = thread.github.say(11, "bob", "/baton answer yes, the first");
    const held = thread.github.news.splice(0);
    thread.github.say(11, "carol", "/baton answer I was first");
    await thread.world.pass(1);
    thread.github.news.push(...held);
    await thread.settle();
    expect(thread.run().effects.get("go" as never)?.output).toMatchObject({ by: { login: "carol" } });
    expect(thread.answer(late)).toMatch(/`go#2` was asked after you wrote/);
    await thread.say("/baton answer now", "bob");
    expect(thread.run().status).toBe("completed");
  });

  it("nor a rejection or an answer", async () => {
    const thread = new ThreadWorld({ processes: questions() });
    const early = thread.github.say(11, "bob", "/baton answer why Because.");
    const rejection = thread.github.say(11, "bob", "/baton reject No.");
    const held = thread.github.news.splice(0);
    await thread.world.pass(5_000);
    await thread.say("/baton run questions");
    thread.github.news.push(...held);
    await thread.settle();
    expect(thread.answer(early)).toMatch(/`why` was asked after you wrote: Say why/);
    expect(thread.answer(rejection)).toMatch(/Nothing/);
    expect(thread.run().open.size).toBe(3);
  });
});

describe("engine-ends-and-answers: refusals are journaled, and `/baton why` shows them", () => {
  it.each([
    ["a stranger's cancel", "mallory", "/baton cancel", /needs the permission \*\*write\*\*/],
    ["a self-approval", "alice", "/baton approve", /own|another person|requested/i],
    ["a budget beyond all bounds", "alice", "/baton budget +1000", /budget/],
    ["an approval of nothing", "bob", "/baton answer yes", /Nothing to answer/],
  ])("%s", async (_, login, command, reason) => {
    const thread = new ThreadWorld(asking);
    await thread.say("/baton run");
    await thread.reaches("plan-approval");
    const before = thread.run().decisions.length;
    await thread.say(command, login);
    const refused = thread.run().decisions.slice(before);
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ actor: { login }, verdict: { status: "failed" } });
    const id = await thread.say("/baton why", "bob");
    expect(thread.answer(id)?.split("\n").slice(0, 2).join("\n")).toMatch(/\[Decisions and evidence\]\(/);
    expect(thread.words()[0]).toMatch(reason);
    expect(thread.run().open.has("plan-approval" as never)).toBe(true);
  });
});

describe("engine-ends-and-answers: questions have names", () => {
  it("each of several is answered by its name, and none is guessed", async () => {
    const thread = new ThreadWorld({ processes: questions() });
    await thread.say("/baton run questions");
    expect(thread.words().join("\n")).toContain("/baton answer color red|blue");
    const unnamed = await thread.say("/baton answer blue");
    expect(thread.answer(unnamed)).toMatch(/has 3 open questions\. Name one of them.*\/baton answer color …/);
    expect(thread.run().open.size).toBe(3);
    await thread.say("/baton answer color blue");
    for (const unsure of ["maybe, who knows", "yes and no", ""]) {
      const id = await thread.say(`/baton answer sure ${unsure}`);
      expect(thread.answer(id)).toMatch(unsure === "" ? /Write the answer/ : /is neither `yes` nor `no`/);
    }
    await thread.say("/baton answer sure Yes.");
    // The last question needs no name.
    await thread.say("/baton answer blue is the color of the sky");
    expect(thread.run().outcome?.output).toEqual({ one: "blue", two: "yes", three: "blue is the color of the sky" });
  });

  it("a choice is one of the choices, and the key of a question is its name too", async () => {
    const thread = new ThreadWorld({ processes: questions() });
    await thread.say("/baton run questions");
    const green = await thread.say("/baton answer color green");
    expect(thread.answer(green)).toMatch(/"green" is not one of: red, blue/);
    await thread.say("/baton answer all/one/color Red");
    expect(thread.run().effects.get("all/one/color" as never)?.output).toMatchObject({ answer: "red" });
  });
});
