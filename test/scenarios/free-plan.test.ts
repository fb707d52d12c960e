/** A private repository of a free plan has no branch rules, and GitHub refuses to list them. */
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { type ObservedWorld, observedWorld, reaches, say } from "./helpers.ts";

let world: ObservedWorld;
afterEach(async () => {
  await world.close();
});

it("the run goes to the review as in any other repository", async () => {
  world = await observedWorld({ script: { ...sampleScript, implement: sampleScript.repair } });
  world.github.onFreePlan({ repository: repositoryName });
  say(world, "/baton run");
  const state = await reaches(world, "review");
  expect(state.effects.get("checks" as never)?.output).toMatchObject({ status: "passed" });
});
