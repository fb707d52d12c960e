/** `merge: auto` when GitHub does not merge at once: temporary obstacles, rules, and tasks for people. */
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName, type WorldOptions } from "../../packages/local-github/demo/world.ts";
import { ends, type ObservedWorld, observedWorld, pulls, reaches, repositoryOf, say } from "./helpers.ts";

let world: ObservedWorld;
afterEach(async () => {
  await world.close();
});

const green = { ...sampleScript, implement: sampleScript.repair };
const number = (): number => pulls(world)[0]?.number as number;
const approve = (as = "bob"): void => {
  world.github.review({ repository: repositoryName, number: number(), as, event: "APPROVE" });
};
const merged = (): boolean => pulls(world)[0]?.pull.mergedAt !== null;

async function waitsForReview(options: WorldOptions = {}, more = ""): Promise<void> {
  const config = `version: 1\nharness: { default: command }\nmerge: auto\n${more}`;
  world = await observedWorld({ script: green, config, ...options });
  say(world, "/baton run");
  await reaches(world, "review");
}

it("merge-refused-once: a base that was just modified is tried again", async () => {
  await waitsForReview();
  world.github.faults.add({
    match: { method: "PUT", path: /\/merge$/ },
    kind: "status",
    status: 405,
    message: "Base branch was modified. Review and try the merge again.",
  });
  approve();
  const state = await ends(world);
  expect(merged()).toBe(true);
  expect(state.outcome?.output).toMatchObject({ merged: true });
});

it("merge-refused-once: a method that the repository does not allow gives way to one that it does", async () => {
  await waitsForReview();
  world.github.setMerging({ repository: repositoryName, methods: ["rebase"] });
  approve();
  await ends(world);
  expect(merged()).toBe(true);
});

it("merge-refused-once: a head behind a strict base is brought up to date and judged again", async () => {
  await waitsForReview();
  world.github.requireUpToDate({ repository: repositoryName, branch: "main" });
  await world.github.push({ repository: repositoryName, as: "alice", branch: "main", files: { "other.txt": "1" } });
  const before = pulls(world)[0]?.pull.headSha;
  approve();
  await reaches(world, "review#2");
  expect(pulls(world)[0]?.pull.headSha).not.toBe(before);
  expect(merged()).toBe(false);
  approve();
  await ends(world);
  expect(merged()).toBe(true);
});

it("merge-refused-once: where the base has a merge queue, the approved head goes into it", async () => {
  await waitsForReview();
  world.github.setRules({
    repository: repositoryName,
    ruleSets: [{ branches: "main", rules: [{ type: "merge_queue" }] }],
  });
  approve();
  await reaches(world, "merge-wait");
  await world.until("the queue to have it", () => pulls(world)[0]?.pull.queuedSha);
  await world.github.endQueue({ repository: repositoryName, number: number(), as: "bob", merged: true });
  const state = await ends(world);
  expect(state.outcome?.verdict).toMatchObject({ status: "passed", reason: expect.stringMatching(/^Merged/) });
  expect(repositoryOf(world).threads.get(world.issue)?.state).toBe("closed");
});

it("one reviewer who cannot be asked does not drop the others", async () => {
  await waitsForReview({}, "approvals: { reviewers: [bob, mallory] }\n");
  const bob = [...world.github.state.accounts.values()].find(({ login }) => login === "bob")?.id;
  expect(pulls(world)[0]?.pull.requestedReviewerIds).toEqual([bob]);
});
