/** What is looked at before the first paid step, through the thread. */
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../src/demo/sample.ts";
import { repositoryName } from "../../src/demo/world.ts";
import { type ObservedWorld, observedWorld, ownComments, reaches, runState, say } from "./helpers.ts";

let world: ObservedWorld;
afterEach(async () => {
  await world.close();
});

const green = { ...sampleScript, implement: sampleScript.repair };
const refusedWith = async (text: RegExp): Promise<void> => {
  await world.until(`an answer like ${text}`, () => ownComments(world).some((body) => text.test(body)));
  expect(await runState(world)).toBeNull();
};

it("push-refused-by-rule-told-as-moved: rules and refs in the way stop a run before it costs anything", async () => {
  world = await observedWorld({ script: green });
  await world.github.push({ repository: repositoryName, as: "alice", branch: "baton", files: { "a.txt": "1" } });
  say(world, "/baton run");
  await refusedWith(/`baton` is in the way/);
  await world.github.deleteBranch({ repository: repositoryName, as: "alice", branch: "baton" });
  world.github.setRules({
    repository: repositoryName,
    ruleSets: [{ branches: "baton/**", rules: [{ type: "required_signatures" }] }],
  });
  say(world, "/baton run");
  await refusedWith(/wants signed commits/);
});

it("push-refused-by-rule-told-as-moved: a rule that comes later is told with GitHub's words, once", async () => {
  world = await observedWorld({ script: green });
  world.github.faults.add({
    match: { path: /\/rules\/branches\// },
    kind: "status",
    status: 404,
    message: "Not Found",
    times: 50,
  });
  world.github.setRules({
    repository: repositoryName,
    ruleSets: [{ branches: "baton/**", rules: [{ type: "required_signatures" }] }],
  });
  say(world, "/baton run");
  const state = await world.until("the run to end", async () => {
    const now = await runState(world);
    return now?.outcome == null ? null : now;
  });
  expect(state.outcome?.error).toMatchObject({
    code: "BATON_PUSH_REFUSED",
    message: expect.stringMatching(/GH013.*Commits must have verified signatures\./),
  });
  expect(state.effects.get("push" as never)?.attempts).toHaveLength(1);
});

it("a permission that the installation lacks stops a run before it costs anything, until it is granted", async () => {
  world = await observedWorld({ script: green });
  const [installation] = world.github.state.installations.values();
  if (installation === undefined) throw new Error("Baton is not installed.");
  const { grants } = installation;
  installation.grants = { ...grants, pull_requests: "read" };
  say(world, "/baton run");
  await refusedWith(/lacks `pull_requests: write` here/);
  installation.grants = grants;
  say(world, "/baton run");
  await reaches(world, "checks");
});

it("no CI and nobody who may approve are asked about once, with the word that goes on", async () => {
  const config = "version: 1\nharness: { default: command }\napprovals: { people: [carol] }\n";
  world = await observedWorld({ script: green, ci: false, config });
  say(world, "/baton run");
  await refusedWith(/No CI is to be seen.*Nobody may approve.*--without checks,approver/s);
  say(world, "/baton run --without checks,approver");
  await reaches(world, "checks");
});
