/** `baton run start`: the effect of `/baton run` in a thread, requested over the socket of a running App. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startWorld, type World } from "../../packages/local-github/demo/world.ts";
import { startRun } from "../../src/app/control/start-run.ts";

const by = { id: 0, login: "olga (command line)", kind: "user", permission: "admin" } as const;
let world: World;
beforeAll(async () => {
  world = await startWorld({ logLevel: "error" });
});
afterAll(() => world.close());

const ask = (request: { repository?: string; number?: number; text?: string }): Promise<string> =>
  startRun(world.baton.dependencies, world.baton.runner, {
    repository: "acme/shop",
    number: world.issue,
    text: "",
    by,
    ...request,
  });

it.each([
  ["a repository that the App does not reach", { repository: "acme/elsewhere" }, "BATON_GITHUB_NOT_FOUND"],
  ["a thread that is not there", { number: 999 }, "BATON_GITHUB_NOT_FOUND"],
  ["a slip of the pen", { text: "plam" }, "BATON_COMMAND_INVALID"],
  ["a wrong option", { text: "--budget much" }, "BATON_INPUT_INVALID"],
  ["more money than is allowed", { text: "--budget 5000" }, "BATON_COMMAND_INVALID"],
])("%s starts nothing", async (_, request, code) => {
  await expect(ask(request)).rejects.toMatchObject({ code });
  expect(await world.baton.runs.list()).toEqual([]);
});

it("begins the run of the words, by the operator, and no second one next to it", async () => {
  const runId = await ask({ repository: "Acme/Shop", text: "plan --budget 1 Keep it small." });
  expect(await world.baton.runs.read(runId)).toMatchObject({
    runId,
    process: { name: "plan" },
    requestedBy: { login: by.login },
    thread: { number: world.issue },
    money: { budgetUsd: 1 },
  });
  await expect(ask({})).rejects.toMatchObject({ code: "BATON_RUN_ACTIVE" });
  await world.baton.runs.cancel(runId, by, "seen");
});
