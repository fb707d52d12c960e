/** The example of a plan, with a crash before every answer. */
import { expect, it } from "vitest";
import { RunWorld } from "../../test/fakes/run-world.ts";
import { agent, base, first, input, second, sha } from "../../test/fakes/story.ts";
import { divide } from "./divide.ts";

it("two steps at once, then the one that comes after both", async () => {
  const { thread, instructions, repository, baseBranch } = input();
  const step = { dependsOn: [] as string[], approval: false };
  const world = await RunWorld.start(divide, {
    thread,
    instructions,
    repository,
    baseBranch,
    projectInstructions: "",
    baseSha: base as string,
    steps: [
      { ...step, id: "code", title: "Count", scope: ["cart.js"] },
      { ...step, id: "docs", title: "Say it", scope: ["docs"] },
      { ...step, id: "news", title: "Tell it", scope: ["CHANGELOG.md"], dependsOn: ["code", "docs"] },
    ],
  });
  for (const [open, key, answer] of [
    [["work/code/do", "work/docs/do"], "work/docs/do", agent(second as string, "docs/cart.md")],
    [["work/code/do"], "work/code/do", agent(first as string, "cart.js")],
    [["work/join"], "work/join", { headSha: sha("3"), joined: 2, conflict: null }],
    [["work/news/do"], "work/news/do", agent(sha("4"), "CHANGELOG.md")],
  ] as const) {
    await world.crash();
    expect(world.open()).toEqual(open);
    await world.succeed(key, answer);
  }
  expect(world.state.outcome?.output).toEqual({ headSha: sha("4"), undone: [] });
});
