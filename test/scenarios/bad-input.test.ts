/**
 * Failures around a run, each with a clear outcome in the thread. Examples: agents that hang or crash, missing programs,
 * bots, a moved branch.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import type { WebhookExchange } from "../../packages/local-github/src/exchange.ts";
import { commandHarness } from "../../src/adapters/harness/command/harness.ts";
import { outcomeOf } from "../../src/intake/outcome.ts";
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
afterEach(() => world.close());

const config = (text: string): string => `version: 1\nharness: { default: command }\n${text}`;
const [done] = sampleScript.repair;

it("an agent that hangs, then one that crashes, is tried again, and each try is in the thread", async () => {
  world = await observedWorld({ config: config("limits: { silenceMinutes: 0.05 }\n") });
  writeFileSync(
    world.scriptPath,
    JSON.stringify({
      ...sampleScript,
      plan: [{ waitFor: join(world.directory, "never") }, ...sampleScript.plan],
      implement: [{ exitCode: 3 }, done],
    }),
  );
  say(world, "/baton run");
  await world.until("the hang to be told", () => ownComments(world)[0]?.includes("Retries at"));
  const state = await world.until("the review", async () => {
    const now = await runState(world);
    return now?.open.has("review" as never) ? now : null;
  });
  const errors = (key: string) => state.effects.get(key as never)?.attempts.map(({ error }) => error?.code ?? null);
  expect(errors("plan")).toEqual(["BATON_HARNESS_HUNG", null]);
  expect(errors("implement")).toEqual(["BATON_HARNESS_CRASHED", null]);
});

it("a program that is not installed: the thread says which and what to do; it is not tried again", async () => {
  const missing = commandHarness({ command: ["no-such-agent"], keys: {}, scripted: true });
  world = await observedWorld({ harnesses: new Map([["command", missing]]) });
  say(world, "/baton run");
  const state = await ends(world);
  expect(state.outcome?.error?.code).toBe("BATON_HARNESS_MISSING");
  expect(state.effects.get("plan" as never)?.attempts).toHaveLength(1);
  expect(ownComments(world)[0]).toMatch(/no-such-agent.*What to do:.*Install/s);
});

it("a branch that somebody took meanwhile is not overwritten, and the run says so", async () => {
  world = await observedWorld();
  const go = join(world.directory, "go");
  writeFileSync(world.scriptPath, JSON.stringify({ ...sampleScript, implement: [{ ...done, waitFor: go }] }));
  say(world, "/baton run");
  await world.until("the agent to be at work", () => existsSync(`${go}.waiting`));
  const branch = ((await runState(world))?.input as { branch: string }).branch;
  await world.github.push({
    repository: repositoryName,
    as: "alice",
    branch,
    files: { "mine.txt": "x" },
    message: "Mine",
  });
  const head = repositoryOf(world).refs.get(`refs/heads/${branch}`);
  writeFileSync(go, "");
  const state = await ends(world);
  expect(state.outcome).toMatchObject({ verdict: { status: "failed" }, error: { code: "BATON_BRANCH_MOVED" } });
  expect(repositoryOf(world).refs.get(`refs/heads/${branch}`)).toBe(head);
  expect(ownComments(world)[0]).toMatch(/`\/baton retry` to continue from the new head\. Baton overwrote nothing/);
});

it("bots are silent to Baton unless `commands.bots` lists their id, and then need the permission like anybody", async () => {
  const webhooks: WebhookExchange[] = [];
  world = await observedWorld({
    github: { onExchange: (exchange) => exchange.kind === "webhook" && webhooks.push(exchange) },
  });
  const app = world.github.createApp({
    slug: "helper",
    ownerLogin: "acme",
    grants: { issues: "write" },
    events: [],
    webhook: null,
  });
  world.github.installApp({ appId: app.id, account: "acme", as: "alice" });
  const bot = [...world.github.state.accounts.values()].find(({ login }) => login === "helper[bot]");
  say(world, "/baton status", "helper[bot]");
  await world.until("the silence", async () => {
    const { headers = {} } = webhooks.find(({ event }) => event === "issue_comment") ?? {};
    const of = (name: string): string => new Headers(headers).get(name) ?? "";
    const { store } = world.baton.dependencies;
    return (await store.delivery(of("x-github-hook-id"), of("x-github-delivery")))?.state === "handled";
  });
  expect(ownComments(world)).toEqual([]);
  await world.github.push({
    repository: repositoryName,
    as: "alice",
    branch: "main",
    files: { "baton.yaml": config(`commands: { bots: [${bot?.id}] }\n`) },
    message: "Listen to the helper",
  });
  say(world, "/baton run", "helper[bot]");
  const answer = await world.until("the refusal", () => ownComments(world)[0]);
  expect(ownComments(world)).toHaveLength(1);
  expect(answer).not.toMatch(/people can give this command/);
  expect(answer).toContain("needs the permission **write**");
  expect(await world.baton.dependencies.store.runs({})).toEqual([]);
});

it("accounts that the operator does not serve get silence, and nothing runs", async () => {
  const webhooks: WebhookExchange[] = [];
  world = await observedWorld({
    environment: { BATON_OWNERS: "somebody-else, another" },
    github: { onExchange: (exchange) => exchange.kind === "webhook" && webhooks.push(exchange) },
  });
  say(world, "/baton run");
  const { store } = world.baton.dependencies;
  const handled = await world.until("the delivery to be handled", async () => {
    const headers = new Headers(webhooks[0]?.headers ?? {});
    const delivery = await store.delivery(
      headers.get("x-github-hook-id") ?? "",
      headers.get("x-github-delivery") ?? "",
    );
    return delivery?.state === "handled" ? delivery : null;
  });
  expect(outcomeOf(handled.note ?? "")).toEqual({ kind: "ignored", reason: "acme is not among BATON_OWNERS" });
  expect([await store.runs({}), ownComments(world)]).toEqual([[], []]);
});

it("commands that fit nothing in the present state say what the run needs, and on Baton's own pull request where it is", async () => {
  world = await observedWorld();
  const told = async (
    command: string,
    expected: string | RegExp,
    number = world.issue,
    as = "alice",
  ): Promise<void> => {
    const id = say(world, command, as, number);
    const answer = await world.until(`the answer to ${command}`, () =>
      ownComments(world, number).find((body) => body.includes(`baton:op=reply:${id} `)),
    );
    expect(answer).toMatch(expected);
  };
  await told("/baton approve", /No run is active in this thread\.\n.*Start one/s);
  say(world, "/baton run");
  await reaches(world, "review");
  const [pull] = pulls(world);
  await told(
    "/baton answer 42",
    /Nothing to answer right now\..*waiting for something else\. Review of .*`\/baton why`/s,
  );
  await told("/baton approve", /#2 needs a review on GitHub.*Review changes.*`\/baton why`/s, world.issue, "bob");
  await told("/baton resume", /The run is not paused\. The run is waiting for something else\. Review of /);
  await told("/baton retry", /is active in this thread/);
  await told("/baton status", /Nothing ran in this thread yet\. This pull request is the work on #1/, pull?.number);
  await told(
    "/baton approve",
    /No run is active in this thread\. This pull request is the work on #1/,
    pull?.number,
    "bob",
  );
  say(world, "/baton pause");
  await world.until("the pause", async () => (await runState(world))?.status === "paused");
  await told("/baton pause", /paused already, by @.*alice; `\/baton resume` goes on/);
  say(world, "/baton cancel");
  await ends(world);
  await told("/baton cancel", /No run is active in this thread\. The last one is over\./);
});
