/**
 * `budget.dayUsd`: the most that all runs of a repository may spend in a day. The message names the spenders, the next
 * budget and the remedy.
 */
import { afterEach, expect } from "vitest";
import { planOf, sampleScript } from "../../packages/local-github/demo/sample.ts";
import { ends, type ObservedWorld, ownComments, runState, say } from "./helpers.ts";
import { scenariosOf, scenarioWorld } from "./modes.ts";

const scenario = scenariosOf("day-budget");

let world: ObservedWorld;
afterEach(() => world.close());

const { implement, repair } = sampleScript;
const script = (costUsd: number) => ({
  plan: [{ text: planOf("A plan."), usage: { input: 10, output: 10, costUsd } }],
  implement: repair,
  repair: implement,
});
const config = (dayUsd: number, more = "") =>
  `harness: { default: command }\nbudget: { dayUsd: ${dayUsd}, timeZone: Asia/Kathmandu${more} }\n`;

scenario("the step that does not fit waits for the next day, and no other run starts", async () => {
  world = await scenarioWorld({ script: script(0.295), config: config(0.3) });
  say(world, "/baton run");
  const state = await world.until("the stop", async () => {
    const now = await runState(world);
    return now?.money.stop == null ? null : now;
  });
  const { day } = state.money.stop ?? {};
  expect(day?.reason).toMatch(
    /^This repository has used \$0\.\d\d of \$0\.30 on 20\d\d-\d\d-\d\d \(@alice \$0\.\d\d\)\. The next day begins at 20\d\d-\d\d-\d\d 00:00 \(Asia\/Kathmandu\)\.$/,
  );
  // Kathmandu is 5:45 ahead of UTC.
  expect(new Date(day?.until ?? 0).toISOString()).toMatch(/T18:15:00\.000Z$/);
  expect([...state.effects.values()].find(({ status }) => status === "stopped")?.retryAt).toBe(day?.until);
  await world.until("the thread to say so", () => ownComments(world)[0]?.includes("The step then starts by itself"));
  say(world, "/baton cancel");
  await ends(world);
  say(world, "/baton run");
  const refusal = await world.until("the refusal", () =>
    ownComments(world).find((body) => body.includes("BATON_DAY_BUDGET")),
  );
  expect(refusal).toContain("alice $0.29");
  expect(refusal).toMatch(/raise `budget\.dayUsd` in `baton\.yaml`/);
  expect(await world.baton.dependencies.store.runs({})).toHaveLength(1);
});

scenario("without money for the day nothing starts at all", async () => {
  world = await scenarioWorld({ script: script(0.1), config: config(0) });
  say(world, "/baton run");
  const refusal = await world.until("the refusal", () => ownComments(world)[0]);
  expect(refusal).toContain("This repository has used $0.00 of $0.00");
  expect(await world.baton.dependencies.store.runs({})).toEqual([]);
});
