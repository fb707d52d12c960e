/**
 * From nothing to the first pull request of an agent. The test counts the person's steps, and the proposal itself asks for
 * each. GitHub's settings page has no API here, and that step changes nothing in the local GitHub.
 */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, expect, it } from "vitest";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { runCli } from "../../src/cli/program.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { shortRunId } from "../../src/core/vocabulary.ts";
import { type Platform, startPlatform } from "../action/platform.ts";
import { pulls, repositoryOf } from "../scenarios/helpers.ts";
import { workflowProblems } from "./workflow-problems.ts";

const stepsMax = 5;

let platform: Platform;
afterEach(() => platform.close());

/** This person does not have the App of the world. */
async function begin(): Promise<{ clone: string; token: string }> {
  platform = await startPlatform();
  const { github, directory } = platform;
  const baton = [...github.state.apps.values()].find(({ slug }) => slug === "baton");
  for (const { id, appId } of github.state.installations.values())
    if (appId === baton?.id) github.state.installations.delete(id);
  github.setPermission({ repository: repositoryName, login: "alice", permission: "admin" });
  const ci = "name: CI\non: [push, workflow_dispatch]\njobs: { test: { runs-on: x, steps: [{ run: node --test }] } }\n";
  const files = { "baton.yaml": null, ".github/workflows/baton.yml": null, ".github/workflows/ci.yml": ci };
  await github.push({ repository: repositoryName, as: "alice", branch: "main", files, message: "As others have it" });
  const alice = [...github.state.accounts.values()].find(({ login }) => login === "alice");
  const token = [...github.state.tokens.values()].find(({ userId }) => userId === alice?.id)?.value ?? "";
  const clone = mkdtempSync(join(directory, "clone-"));
  const address = `${github.url}/${repositoryName}.git`.replace("//", `//alice:${token}@`);
  await execa("git", ["clone", "-q", address, clone]);
  return { clone, token };
}

it(`takes at most ${stepsMax} steps of a person`, async () => {
  const { clone, token } = await begin();
  const { github } = platform;
  const repository = repositoryOf({ github } as never);
  const asked: string[] = [];
  let steps = 0;
  const step = async <T>(what: string, does: () => T | Promise<T>): Promise<T> => {
    steps += 1;
    asked.push(what);
    return does();
  };
  const baton = async (...words: string[]): Promise<string> => {
    let out = "";
    const code = await runCli(words, {
      environment: { GITHUB_TOKEN: token, GITHUB_API_URL: github.apiUrl, GITHUB_SERVER_URL: github.url },
      directory: clone,
      print: (text) => (out += `${text}\n`),
      note: (text) => (out += `${text}\n`),
    });
    expect({ code, out }).toMatchObject({ code: 0 });
    return out;
  };

  // A release knows the repository of its Action; here it is named.
  const init = (): Promise<string> => baton("init", "--pull-request", "--action", "acme/baton@v1");

  const told = await step("`baton init --pull-request`", init);
  expect(told).toContain(`${github.url}/${repositoryName}/pull/2`);
  expect(told).toContain("no secret yet; `ANTHROPIC_API_KEY` is expected");

  await step("Add the secret", () => github.setSecret({ repository: repositoryName, name: "ANTHROPIC_API_KEY" }));
  await step("Allow Actions to create pull requests", () => {});
  // Not a step: a repeated request returns the same pull request, which now knows the secret.
  expect(await init()).toContain("`ANTHROPIC_API_KEY` (repository secret; for claude-code");
  const proposal = pulls({ github } as never);
  expect(proposal.map(({ number, title }) => ({ number, title }))).toEqual([{ number: 2, title: "Set up Baton" }]);
  expect(proposal[0]?.body).not.toContain("Add the secret");

  await step("Merge this pull request", () =>
    github.merge({ repository: repositoryName, number: 2, as: "alice", method: "squash" }),
  );
  await execa("git", ["-C", clone, "pull", "-q"]);
  const show = async (path: string): Promise<string> =>
    (await execa("git", ["-C", clone, "show", `origin/main:${path}`])).stdout;
  expect(parseConfig(await show("baton.yaml"))).toMatchObject({ ok: true, problems: [] });
  expect(await workflowProblems(await show(".github/workflows/baton.yml"))).toEqual([]);
  expect(await init()).toContain("as it should be");

  // The runner has a scripted agent instead of a model.
  const files = { "baton.yaml": (await show("baton.yaml")).replace("default: claude-code", "default: command") };
  await github.push({ repository: repositoryName, as: "alice", branch: "main", files, message: "The test's agent" });
  const job = await step("Comment `/baton run`", () => platform.run("issue_comment", platform.comment("/baton run")));
  expect(job).toMatchObject({ exitCode: 0, errors: "", outputs: { verdict: "waiting" } });
  const first = pulls({ github } as never).find(({ number }) => `${number}` === job.outputs["pull-request"]);
  expect(first?.body).toContain(`Closes #${platform.issue}`);
  expect(repository.threads.size).toBe(3);

  // The clone can read the job's records in git.
  const runId = job.outputs["run-id"] ?? "";
  expect(await baton("run", "list", "--git", ".")).toMatch(
    new RegExp(`${shortRunId(runId)} +acme/shop#1 +issue-to-pr +waiting`),
  );
  expect(await baton("journal", "cat", runId, "--git", clone)).toMatch(/run\.created[\s\S]*the chain holds/);
  expect(await baton("prompt", "inspect", runId, "implement", "--git", clone, "--text")).toMatch(
    /^runtime +project [\s\S]*Against plan, attempt 1[\s\S]*--- system: [\s\S]*## Role/m,
  );

  expect(steps).toBeLessThanOrEqual(stepsMax);
  // The person did exactly what the proposal asked for, and needs no other knowledge.
  for (const [index, what] of asked.slice(1).entries()) expect(told).toMatch(new RegExp(`${index + 1}\\. ${what}`));
});
