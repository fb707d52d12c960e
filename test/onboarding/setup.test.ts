/** `/baton setup` in App mode: by the API alone, refreshed on a second request, refused to people without permission. */
import { afterEach, expect, it } from "vitest";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { claudeCode } from "../../src/adapters/harness/claude-code/harness.ts";
import { parseConfig } from "../../src/config/parse.ts";
import type { Github } from "../../src/ports/github.ts";
import { type ObservedWorld, observedWorld, ownComments, pulls, repositoryOf, say } from "../scenarios/helpers.ts";
import { workflowProblems } from "./workflow-problems.ts";

const workflowPath = ".github/workflows/baton-runner.yml";
const ci = (job: string): string =>
  `name: CI\non: [push, workflow_dispatch]\njobs: { ${job}: { runs-on: x, steps: [{ run: 'true' }] } }\n`;

let world: ObservedWorld;
afterEach(() => world.close());

async function begin(config: string | null, grants: Record<string, "read" | "write"> = {}): Promise<void> {
  const files = { "index.ts": "export {};\n", ".github/workflows/ci.yml": ci("test") };
  const harness = claudeCode({ binary: "none", apiKey: undefined, baseUrl: undefined });
  const harnesses = new Map([[harness.name, harness]]);
  world = await observedWorld({ files, harnesses, grants, ...(config === null ? {} : { config }) });
  world.github.setPermission({ repository: repositoryName, login: "alice", permission: "admin" });
  // The world has a configuration of its own.
  if (config === null) await push("main", { "baton.yaml": null });
}

const push = (branch: string, files: Record<string, string | null>): Promise<string> =>
  world.github.push({ repository: repositoryName, as: "alice", branch, files, message: "change" });

/** Asks, and waits for the answer. */
async function setUp(as = "alice"): Promise<string> {
  const before = ownComments(world).length;
  say(world, "/baton setup", as);
  return world.until("the answer", () => ownComments(world)[before]);
}

const proposals = () => pulls(world).filter(({ pull }) => pull.headRef === "baton/setup");

async function read(path: string, branch = "baton/setup"): Promise<string> {
  const { id } = repositoryOf(world);
  const installationId = [...world.github.state.installations.keys()][0] ?? 0;
  const github: Github = await world.baton.dependencies.github.installation(installationId);
  return (await github.file(await github.repository(id), path, branch)) ?? "";
}

it("from nothing: refused without admin, one pull request, refreshed, people's changes kept, done", {}, async () => {
  await begin(null);
  expect(await setUp("bob")).toContain("needs the permission **admin**");
  expect(pulls(world)).toEqual([]);

  expect(await setUp()).toMatch(/^#2 sets Baton up/);
  const [first] = proposals();
  expect(first).toMatchObject({ number: 2, title: "Set up Baton" });
  for (const part of ["| Languages | TypeScript (1) |", "| CI checks | `test` |", "reads the base", "About **$"])
    expect(first?.body).toContain(part);
  expect(parseConfig(await read("baton.yaml"))).toMatchObject({ ok: true, problems: [] });
  // Agents work on the App's machine, so no workflow is proposed, and none of people changes.
  expect(await read(workflowPath)).toBe("");
  expect(await read("baton.yaml")).toContain("gates: { required: [ test ] }");
  // Baton checks its own proposal like any other.
  await world.until("the check", () =>
    [...repositoryOf(world).checkRuns.values()].find(({ name }) => name === "Baton configuration"),
  );

  await push("main", { ".github/workflows/ci.yml": ci("unit") });
  expect(await setUp()).toMatch(/^#2 sets Baton up/);
  expect(proposals()).toHaveLength(1);
  expect(await read("baton.yaml")).toContain("gates: { required: [ unit ] }");
  expect(proposals()[0]?.body).toContain("| CI checks | `unit` |");
  const commits = proposals()[0]?.pull.headSha;
  await setUp();
  expect(proposals()[0]?.pull.headSha).toBe(commits);

  const mine = (await read("baton.yaml")).replace("runUsd: 5", "runUsd: 3");
  await push("baton/setup", { "baton.yaml": mine });
  await setUp();
  expect(await read("baton.yaml")).toBe(mine);
  expect(proposals()[0]?.body).toContain("-budget.runUsd: 3\n+budget.runUsd: 5");

  await world.github.merge({ repository: repositoryName, number: 2, as: "alice" });
  const told = await setUp();
  expect(told).toMatch(/^Everything is set up already/);
  expect(told).toContain("-budget.runUsd: 3\n+budget.runUsd: 5");
  expect(pulls(world)).toHaveLength(1);
});

it("with `executor: actions` the runners' workflow is proposed, and shown for adding by hand where GitHub refuses it", async () => {
  const config = "version: 1\nharness: { default: command }\nexecutor: actions\n";
  await begin(config);
  // Without anything that Baton may write, there is no pull request to open.
  const told = await setUp();
  expect(told).toContain("could not be added");
  expect(told).toContain("name: Baton runner");
  expect(told).toContain(`/acme/shop/new/baton/setup?filename=${encodeURIComponent(workflowPath)}`);
  expect(pulls(world)).toEqual([]);

  // An owner accepts the permission: https://docs.github.com/en/apps/maintaining-github-apps/modifying-a-github-app-registration
  for (const one of world.github.state.installations.values()) one.grants = { ...one.grants, workflows: "write" };
  // The token from before has what was granted then, and ends within the hour.
  for (const [value, { installationId }] of world.github.state.tokens)
    if (installationId !== null) world.github.state.tokens.delete(value);
  expect(await setUp()).toMatch(/^#2 sets Baton up/);
  const workflow = await read(workflowPath);
  expect(workflow).toContain("workflow_dispatch");
  expect(await workflowProblems(workflow)).toEqual([]);
  expect(await read("baton.yaml")).toBe(config);
});
