/** Schedules in App mode: the dashboard issue, the owner of a run, one run an occurrence, people's pauses. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { runSchedules } from "../../src/app/schedule-round.ts";
import { hasDue } from "../../src/begin/start-due.ts";
import type { Dependencies } from "../../src/runner/dependencies.ts";
import { readBook } from "../../src/runner/schedule-book.ts";
import { comments, type ObservedWorld, observedWorld, repositoryOf, say } from "./helpers.ts";

const hour = 3_600_000;
const config = [
  "harness: { default: command }",
  "schedules:",
  "  - name: nightly",
  '    cron: "0 3 * * *"',
  "    timeZone: Europe/Berlin",
  "    process: explore",
  "    budgetUsd: 0.5",
  "    with: { instructions: Which modules have no tests? }",
  "",
].join("\n");

let world: ObservedWorld;
beforeEach(async () => {
  world = await observedWorld({
    config,
    script: { plan: [{ text: "All have.", usage: { input: 10, output: 10, costUsd: 0.02 } }] },
  });
  await world.until("the first round", () => text().includes("`nightly` (`explore`)"));
});
afterEach(() => world.close());

const later = (ms: number): Dependencies => {
  const { clock } = world.baton.dependencies;
  const sleepUntil = (at: number, signal?: AbortSignal) => clock.sleepUntil(at - ms, signal);
  return { ...world.baton.dependencies, clock: { now: () => clock.now() + ms, sleepUntil } };
};
const round = (ms: number) => runSchedules(later(ms), async () => {});
const dashboards = () => [...repositoryOf(world).threads.values()].filter(({ title }) => title === "Baton dashboard");
const dashboard = () => dashboards().at(-1)?.number ?? 0;
const text = () => repositoryOf(world).threads.get(dashboard())?.body ?? "";
const runs = () => world.baton.dependencies.store.runs({ threadKey: `${repositoryOf(world).id}#${dashboard()}` });
const said = () => comments(world, dashboard()).filter(({ login }) => login === "baton[bot]");
const reply = async (what: RegExp) =>
  world.until(`an answer like ${what.source}`, () => said().find(({ body }) => what.test(body))?.body);
const over = async (count: number) =>
  world.until("the runs to end", async () => {
    const found = await runs();
    return found.length === count && found.every(({ status }) => status === "completed") ? found : null;
  });

it("an occurrence runs once, whoever asks and however often, as the person who merged the rule, in the dashboard issue", async () => {
  expect(dashboards()).toHaveLength(1);
  expect(await runs()).toEqual([]);
  // Two replicas at once, and again later.
  await Promise.all([round(25 * hour), round(25 * hour)]);
  await round(25 * hour + 60_000);
  const [run] = await over(1);
  const state = await world.baton.runner.state(run?.runId as never);
  expect(state?.requestedBy).toMatchObject({ login: "alice", permission: "write" });
  expect(state?.startedBy).toMatchObject({
    kind: "schedule",
    name: "nightly",
    late: true,
    missed: 0,
    authors: [{ login: "alice" }],
  });
  expect(state?.money.budgetUsd).toBe(0.5);
  await reply(/All have\./);
  await reply(/🕒 `nightly` of \d{4}-\d\d-\d\d \d\d:\d\d UTC, \*\*late\*\*\./);
  await round(26 * hour);
  await world.until("the dashboard to show it", () => /nightly.*completed, \$0\.02/.test(text()));
  expect(text()).toMatch(/\d{4}-\d\d-\d\d 03:0\d \(Europe\/Berlin\)/);
  expect(await hasDue(later(26 * hour), repositoryOf(world).id, 1)).toBe(false);
});

it("without the permission of the rule's author nothing starts, and the dashboard says so; with it the next time runs", async () => {
  world.github.setPermission({ repository: repositoryName, login: "alice", permission: "read" });
  await round(25 * hour);
  await world.until("the reason", () => /Paused until its next time: .*@\u200b?alice has \*\*read\*\*/.test(text()));
  expect(await runs()).toEqual([]);
  world.github.setPermission({ repository: repositoryName, login: "alice", permission: "write" });
  await round(49 * hour);
  await over(1);
});

it("the author of the commit counts for nothing: who merges the pull request does", async () => {
  world.github.setPermission({ repository: repositoryName, login: "alice", permission: "write" });
  await world.github.push({
    repository: repositoryName,
    as: "alice",
    branch: "rules",
    files: { "baton.yaml": `${config}# more\n` },
  });
  const { number } = await world.github.openPullRequest({
    repository: repositoryName,
    as: "alice",
    head: "rules",
    base: "main",
    title: "More",
  });
  await world.github.merge({ repository: repositoryName, number, as: "bob" });
  await round(25 * hour);
  const [run] = await over(1);
  const state = await world.baton.runner.state(run?.runId as never);
  expect(state?.requestedBy).toMatchObject({ login: "bob", permission: "maintain" });
});

it("people list, pause, resume and run schedules there; strangers and other threads do not", async () => {
  say(world, "/baton schedule list", "mallory", dashboard());
  await reply(/needs the permission \*\*write\*\*/);
  say(world, "/baton schedule list", "bob");
  await world.until("where it works", () =>
    comments(world, world.issue).some(({ body }) => body.includes(`works in the dashboard issue: #${dashboard()}`)),
  );
  say(world, "/baton schedule list", "bob", dashboard());
  await reply(/`nightly` \(`explore`\): `0 3 \* \* \*` Europe\/Berlin\. Next: .*Last: none yet/);
  say(world, "/baton schedule pause nigthly", "bob", dashboard());
  await reply(/There is no schedule `nigthly`\. Did you mean `nightly`\?/);
  say(world, "/baton schedule pause nightly", "bob", dashboard());
  await reply(/Paused `nightly`/);
  await world.until("the dashboard", () => text().includes("paused by @"));
  await round(25 * hour);
  expect(await runs()).toEqual([]);
  say(world, "/baton schedule run nightly", "bob", dashboard());
  const [run] = await over(1);
  const state = await world.baton.runner.state(run?.runId as never);
  expect(state?.requestedBy.login).toBe("bob");
  say(world, "/baton schedule resume nightly", "bob", dashboard());
  await reply(/Resumed `nightly`/);
  await round(49 * hour);
  await over(2);
});

it("a dashboard that is deleted is opened again; one that somebody else wrote is never taken for it", async () => {
  const { id } = repositoryOf(world);
  const first = dashboard();
  world.github.deleteIssue({ repository: repositoryName, number: first, as: "bob" });
  world.github.openIssue({
    repository: repositoryName,
    as: "mallory",
    title: "Baton dashboard",
    body: `Mine.\n\n<!-- baton:op=dashboard:${id} -->`,
  });
  await round(25 * hour);
  await over(1);
  const found = dashboards().filter(({ body }) => body?.startsWith("Mine.") === false);
  expect(found.map(({ number }) => number)).not.toContain(first);
  expect(found).toHaveLength(1);
  expect((await readBook(world.baton.dependencies.store, id)).dashboard).toBe(found[0]?.number);
});

it("text that people change there is put back with the next news, and a rule that is gone runs no more", async () => {
  await world.github.push({
    repository: repositoryName,
    as: "bob",
    branch: "main",
    files: { "baton.yaml": "harness: { default: command }\n" },
  });
  await round(25 * hour);
  expect(await runs()).toEqual([]);
  await world.until("the dashboard", () => text().includes("`baton.yaml` has none."));
});
