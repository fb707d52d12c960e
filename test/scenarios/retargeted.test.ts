/** Somebody changes a pull request's base branch while its run waits: no verdict for the old base counts. */
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import {
  ends,
  type ObservedWorld,
  observedWorld,
  ownComments,
  pulls,
  reaches,
  repositoryOf,
  runState,
  say,
} from "./helpers.ts";

let world: ObservedWorld;
afterEach(async () => {
  await world.close();
});

const green = { ...sampleScript, implement: sampleScript.repair };
const config = (text: string): string => `version: 1\nharness: { default: command }\n${text}`;
const number = (): number => pulls(world)[0]?.number as number;
const approve = (as = "bob"): void => {
  world.github.review({ repository: repositoryName, number: number(), as, event: "APPROVE" });
};

async function waitsForReview(base: { name: string; config: string }): Promise<void> {
  world = await observedWorld({ script: green, config: config("merge: auto\n") });
  await world.github.push({
    repository: repositoryName,
    as: "alice",
    branch: base.name,
    files: { "baton.yaml": base.config },
  });
  say(world, "/baton run");
  await reaches(world, "review");
}

it("retargeted-pull-request: the new base's checks, settings and approvers decide, and the thread says so", async () => {
  await waitsForReview({ name: "production", config: config("merge: manual\napprovals: { count: 1 }\n") });
  world.github.setRequiredChecks({ repository: repositoryName, branch: "production", checks: ["release"] });
  await world.github.retarget({ repository: repositoryName, number: number(), as: "alice", base: "production" });
  approve();
  const state = await reaches(world, "checks#2");
  await world.until("the thread to name the new base", () =>
    ownComments(world)[0]?.includes("The base is now production"),
  );
  expect(pulls(world)[0]?.pull.mergedAt).toBeNull();
  const sha = pulls(world)[0]?.pull.headSha as string;
  await world.github.setStatus({ repository: repositoryName, as: "alice", sha, state: "success", context: "release" });
  // Bob's approval was for `main`.
  await reaches(world, "review#2");
  expect(state.effects.get("review" as never)?.output).toMatchObject({ decision: "voided", base: "production" });
  approve();
  const end = await ends(world);
  expect(end.outcome?.verdict).toMatchObject({
    status: "passed",
    reason: expect.stringContaining("merging is left to people"),
  });
  expect(pulls(world)[0]?.pull.mergedAt).toBeNull();
});

it("retargeted-pull-request: changed without a word to Baton, an approval merges nothing", async () => {
  await waitsForReview({ name: "release/1.x", config: config("merge: auto\n") });
  const thread = [...repositoryOf(world).threads.values()].find(({ pull }) => pull !== null);
  if (thread?.pull == null) throw new Error("no pull request");
  thread.pull.baseRef = "release/1.x";
  approve();
  await reaches(world, "review#2");
  expect(thread.pull.mergedAt).toBeNull();
  approve();
  const end = await ends(world);
  expect(end.outcome?.output).toMatchObject({ merged: true });
  expect(end.effects.get("merge" as never)?.input).toMatchObject({ publish: { base: "release/1.x" } });
});

it("retargeted-pull-request: changed and changed back between two looks, an approval from before counts for nothing", async () => {
  await waitsForReview({ name: "release/1.x", config: config("merge: auto\n") });
  const thread = [...repositoryOf(world).threads.values()].find(({ pull }) => pull !== null);
  if (thread?.pull == null) throw new Error("no pull request");
  const { pull } = thread;
  const ago = (seconds: number): string => `${new Date(Date.now() - seconds * 1_000).toISOString().slice(0, 19)}Z`;
  // All before anybody can look.
  approve();
  for (const review of pull.reviews) review.submittedAt = ago(20);
  pull.baseChangedAt = ago(10);
  await world.until("the thread to wait for another review", async () => {
    const seen = (await runState(world))?.effects.get("review" as never)?.observed;
    return JSON.stringify(seen ?? null).includes("approved it for another base");
  });
  expect(pull.mergedAt).toBeNull();
  approve();
  expect((await ends(world)).outcome?.output).toMatchObject({ merged: true });
});

it("retargeted-pull-request: a new base that protects what was changed asks for it", async () => {
  await waitsForReview({ name: "frozen", config: config("merge: auto\nprotectedPaths: ['cart.js']\n") });
  await world.github.retarget({ repository: repositoryName, number: number(), as: "alice", base: "frozen" });
  const state = await reaches(world, "protected-paths");
  expect(state.effects.get("protected-paths" as never)?.input).toMatchObject({ subject: { paths: ["cart.js"] } });
  say(world, "/baton reject not there", "bob");
  expect((await ends(world)).outcome?.verdict).toMatchObject({
    status: "failed",
    reason: expect.stringMatching(/base is now `frozen`.*protects paths/),
  });
});
