/** A pull request that changes `baton.yaml`, and the messages about a configuration in force. */
import { afterEach, expect, it } from "vitest";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { type ObservedWorld, observedWorld, ownComments, repositoryOf, say } from "./helpers.ts";

let world: ObservedWorld;
afterEach(() => world.close());

async function proposed(text: string): Promise<{ number: number; sha: string }> {
  const files = { "baton.yaml": text };
  await world.github.push({ repository: repositoryName, as: "alice", branch: "settings", files, message: "Settings" });
  const { number } = await world.github.openPullRequest({
    repository: repositoryName,
    as: "alice",
    title: "Settings",
    head: "settings",
  });
  const pull = [...repositoryOf(world).threads.values()].find((thread) => thread.number === number)?.pull;
  return { number, sha: pull?.headSha ?? "" };
}

const check = (): Promise<NonNullable<ReturnType<typeof find>>> => world.until("the check run", find);
const find = () => [...repositoryOf(world).checkRuns.values()].find(({ name }) => name === "Baton configuration");

it("what a change really changes stands in a check run, what allows more is marked", async () => {
  world = await observedWorld();
  const { sha } = await proposed("version: 1\nharness: { default: command }\nbudget: { runUsd: 9 }\n");
  const run = await check();
  expect(run).toMatchObject({ headSha: sha, status: "completed", conclusion: "neutral" });
  expect(run.output.summary).toContain("| `budget.runUsd` | `5` | `9` | **allows more** |");
});

it("problems stand at their lines, with what was meant", async () => {
  world = await observedWorld();
  await proposed("version: 1\nharness: { default: command }\nbudget:\n  runUSD: 3\n");
  const run = await check();
  expect(run.conclusion).toBe("failure");
  expect(run.annotations).toMatchObject([
    { path: "baton.yaml", start_line: 4, annotation_level: "failure", message: expect.stringContaining("`runUsd`") },
  ]);
});

it("a fork's proposal is checked, too; a pull request that leaves the file alone is not", async () => {
  world = await observedWorld();
  await world.github.forkRepository({ repository: repositoryName, owner: "mallory" });
  const push = (branch: string, files: Record<string, string>) =>
    world.github.push({ repository: "mallory/shop", as: "mallory", branch, files, message: branch });
  const open = (head: string) =>
    world.github.openPullRequest({ repository: repositoryName, as: "mallory", title: head, head: `mallory:${head}` });
  await push("other", { "notes.txt": "hello" });
  await open("other");
  await push("settings", { "baton.yaml": "version: 1\nharness: { default: command }\nmerge: auto\n" });
  await open("settings");
  expect((await check()).output.summary).toContain("`merge.mode`");
  expect([...repositoryOf(world).checkRuns.values()].filter(({ name }) => name === "Baton configuration")).toHaveLength(
    1,
  );
});

it("warnings hinder nothing, and help shows them", async () => {
  world = await observedWorld({ config: "version: 1\nharness: { default: comand }\n" });
  say(world, "/baton help");
  const body = await world.until("the help", () => ownComments(world)[0]);
  expect(body).toMatch(/baton\.yaml:2: .*"comand".*Did you mean `command`/);
});
