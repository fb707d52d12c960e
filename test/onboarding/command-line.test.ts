/** `baton run`, `journal`, `prompt` over the data of a stopped Baton, and next to a running one. */
import { afterEach, expect, it } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import { shortRunId } from "../../src/core/vocabulary.ts";
import type { RunSummary } from "../../src/library.ts";
import { type ObservedWorld, observedWorld, ownComments, reaches, say } from "../scenarios/helpers.ts";

let world: ObservedWorld;
afterEach(() => world.close());

async function baton(...words: string[]) {
  let [out, err] = ["", ""];
  const code = await runCli(words, {
    environment: { ...world.environment, USER: "olga" },
    directory: world.directory,
    print: (text) => (out += `${text}\n`),
    note: (text) => (err += `${text}\n`),
  });
  return { code, out, err };
}

async function stop(): Promise<void> {
  world.listen(null);
  await world.server.close();
  await world.baton.stop();
}

it("runs are listed, shown, inspected, cancelled and begun anew while Baton is down; the thread hears of it afterwards", async () => {
  world = await observedWorld({
    config: "harness: { default: command }\nbreakpoints: { plan: ask }\n",
  });
  say(world, "/baton run");
  const { runId } = await reaches(world, "plan-approval");

  const locked = await baton("run", "list");
  expect(locked).toMatchObject({
    code: 4,
    out: "",
    err: expect.stringMatching(/BATON_DATABASE_LOCKED[\s\S]*in use by/),
  });
  expect(JSON.parse((await baton("run", "show", runId, "--json")).out)).toMatchObject({
    error: { code: "BATON_DATABASE_LOCKED", remedy: expect.stringContaining("Stop the other Baton") },
  });
  await stop();

  const listed = await baton("run", "list", "--active");
  expect(listed.code).toBe(0);
  expect(listed.out).toMatch(new RegExp(`${shortRunId(runId)} +acme/shop#1 +issue-to-pr +\\w+ `));
  expect(JSON.parse((await baton("run", "list", "--json")).out)).toMatchObject([{ runId, thread: { number: 1 } }]);
  const shown = await baton("run", "show", shortRunId(runId));
  expect(shown.out).toMatch(/plan +succeeded +1/);
  expect(shown.out).toContain("waits: ");

  const journal = await baton("journal", "cat", runId);
  expect(journal.out).toMatch(/^1 .* run\.created/);
  expect(journal.out).toMatch(/\d+ events; the chain holds, its last hash is [0-9a-f]{64}\.\n$/);
  const { chain, events } = JSON.parse((await baton("journal", "cat", runId, "--json")).out) as {
    chain: { lastHash: string };
    events: { hash: string; event: { type: string } }[];
  };
  expect(chain).toEqual({ holds: true, lastHash: events.at(-1)?.hash });

  const prompt = await baton("prompt", "inspect", runId, "plan");
  expect(prompt.out).toMatch(/told to command\nkept as [0-9a-f]{64}\n/);
  expect(prompt.out).toMatch(/^stable +identity +0 +\d+ +\d+$/m);
  expect(prompt.out).toMatch(/the head of its prompt: a cache can reuse up to character \d+\.\nIt is the first prompt/);
  const words = await baton("prompt", "inspect", runId, "plan", "--text", "--attempt", "1");
  expect(words.out).toMatch(/\n--- system: .* ---\n## Role[\s\S]*\n--- user: /);
  const told = JSON.parse((await baton("prompt", "inspect", runId, "plan", "--json")).out) as {
    cacheBoundary: number;
    system: string;
  };
  expect(told).toMatchObject({ runId, step: "plan", attempt: 1, before: null });
  expect(told.cacheBoundary).toBe(told.system.length);
  const unknownStep = await baton("prompt", "inspect", runId, "plann");
  expect(unknownStep).toMatchObject({ code: 2, err: expect.stringContaining("It has: plan.") });

  for (const words of [
    ["run", "show"],
    ["journal", "cat"],
    ["run", "cancel"],
  ])
    expect(await baton(...words, "run_00000000000")).toMatchObject({
      code: 3,
      err: expect.stringContaining("BATON_NO_RUN"),
    });

  expect(await baton("run", "retry", runId)).toMatchObject({
    code: 1,
    err: expect.stringContaining("Cancel it first"),
  });
  const cancelled = await baton("run", "cancel", runId, "--reason", "Not today.");
  expect(cancelled).toMatchObject({ code: 0, err: "", out: `${runId} will be cancelled as soon as Baton runs.\n` });
  await world.restart();
  await world.until("the thread to be told", () => ownComments(world).some((body) => body.includes("Not today.")));

  await stop();
  const again = JSON.parse((await baton("run", "retry", runId, "--json")).out) as RunSummary;
  expect(again).toMatchObject({ retryOf: runId, requestedBy: { login: expect.stringContaining("olga") } });
  await world.restart();
  await world.until("the new run", async () => {
    const state = await world.baton.runner.state(again.runId);
    return state?.open.has("plan-approval" as never) ?? false;
  });
});
