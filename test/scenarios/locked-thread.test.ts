/** Threads and repositories that accept no comment: Baton spends nothing without a message. */
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { BatonError } from "../../src/core/errors.ts";
import { type ObservedWorld, observedWorld, pulls, reaches, repositoryOf, runState, say } from "./helpers.ts";
import { ThreadWorld } from "./thread-world.ts";

let world: ObservedWorld;
afterEach(async () => {
  await world.close();
});

const green = { ...sampleScript, implement: sampleScript.repair };
const locked = "Unable to create comment because issue is locked.";

it.each([
  [locked, "BATON_THREAD_CLOSED"],
  // https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#resource-not-accessible
  ["Resource not accessible by integration", "BATON_GITHUB_DENIED"],
])("locked-thread: where GitHub takes no comment, nothing is started: %s", async (refusal, code) => {
  world = await observedWorld({ script: green });
  world.github.faults.add({
    match: { method: "POST", path: /\/issues\/\d+\/comments$/ },
    kind: "status",
    status: 403,
    message: refusal,
    times: 50,
  });
  say(world, "/baton run");
  const state = await world.until("the run to end", async () => {
    const now = await runState(world);
    return now?.outcome == null ? null : now;
  });
  expect(state).toMatchObject({ status: "failed", outcome: { error: { code } } });
  expect(state.outcome?.verdict.reason).toContain(refusal);
  expect([...state.effects.values()].flatMap(({ attempts }) => attempts)).toEqual([]);
  expect(state.money.spentUsd).toBe(0);
});

it("locked-thread: where GitHub takes no comment, Baton does not try without end", async () => {
  const thread = new ThreadWorld();
  let refused = 0;
  thread.github.ensureComment = async () => {
    refused += 1;
    throw new BatonError("BATON_THREAD_CLOSED", locked);
  };
  await thread.say("/baton run fix the sum");
  expect(thread.run().status).toBe("failed");
  await thread.settle();
  // The status before and after the end, and the last words.
  expect(refused).toBeLessThanOrEqual(3);
});

it("locked-thread: a pull request that is locked shows why on its head", async () => {
  world = await observedWorld({ script: { ...green, address: [{ files: { "a.txt": "1" }, text: "Did it." }] } });
  await world.github.push({ repository: repositoryName, as: "alice", branch: "feature", files: { "b.txt": "1" } });
  const { number } = await world.github.openPullRequest({
    repository: repositoryName,
    as: "alice",
    title: "Feature",
    head: "feature",
  });
  world.github.lock({ repository: repositoryName, number, as: "bob" });
  say(world, "/baton run please add it", "alice", number);
  await world.until("the check run of the head", () =>
    [...repositoryOf(world).checkRuns.values()].find(
      ({ name, conclusion, output }) => name === "Baton" && conclusion !== null && output.summary?.includes("locked"),
    ),
  );
  expect((await runState(world, number))?.money.spentUsd).toBe(0);
});

it("locked-thread: locked while it runs, the run pauses and says so on its pull request", async () => {
  const config = "version: 1\nharness: { default: command }\nlimits: { reviewRounds: 3 }\n";
  world = await observedWorld({
    script: { ...green, address: [{ files: { "a.txt": "1" }, text: "Did it." }] },
    config,
  });
  say(world, "/baton run");
  await reaches(world, "review");
  world.github.lock({ repository: repositoryName, number: world.issue, as: "bob" });
  const number = pulls(world)[0]?.number as number;
  world.github.review({ repository: repositoryName, number, as: "bob", event: "REQUEST_CHANGES", body: "Add a.txt." });
  await world.until("the pause on the pull request", () =>
    [...repositoryOf(world).comments.values()].find(
      ({ threadNumber, body }) => threadNumber === number && body.includes("takes no comments"),
    ),
  );
  const paused = await runState(world);
  expect(paused?.status).toBe("paused");
  world.github.lock({ repository: repositoryName, number: world.issue, as: "bob", locked: false });
  say(world, "/baton resume");
  await world.until("the run to go on", async () => (await runState(world))?.status === "running");
});

it("locked-thread: an archived repository starts nothing", async () => {
  world = await observedWorld({ script: green });
  world.github.archive({ repository: repositoryName });
  const id = say(world, "/baton run");
  const reply = await world.until("the refusal", () => world.baton.dependencies.store.outboxRow(`reply:${id}`));
  expect(JSON.stringify(reply.payload)).toContain("The repository is archived");
  expect(await runState(world)).toBeNull();
});
