/** Workflows that wait for "Approve and run": named, waited for, and no repair is bought for them. */
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../src/demo/sample.ts";
import { repositoryName } from "../../src/demo/world.ts";
import { type ObservedWorld, observedWorld, ownComments, pulls, reaches, say } from "./helpers.ts";

let world: ObservedWorld;
afterEach(async () => {
  await world.close();
});

it("a workflow that waits for approval is named, and goes on once somebody approves it", async () => {
  world = await observedWorld({ script: { ...sampleScript, implement: sampleScript.repair } });
  world.github.setCi({
    repository: repositoryName,
    ci: { name: "test", command: ["node", "--test"], workflow: "ci.yml", needsApproval: true },
  });
  say(world, "/baton run");
  const waiting = await reaches(world, "checks");
  await world.until("the thread to say what it waits for", () =>
    ownComments(world)[0]?.includes("wait for a person to press"),
  );
  expect([...waiting.effects.keys()]).not.toContain("repair");
  world.github.approveWorkflows({ repository: repositoryName, sha: pulls(world)[0]?.pull.headSha as string });
  const state = await reaches(world, "review");
  expect([...state.effects.keys()]).not.toContain("repair");
});
