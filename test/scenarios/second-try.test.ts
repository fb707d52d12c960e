/** A check that people run again may turn a gate green. The thread says that it took two tries. */
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { type ObservedWorld, observedWorld, pulls, reaches, repositoryOf, say } from "./helpers.ts";

let world: ObservedWorld;
afterEach(async () => {
  await world.close();
});

it("a flaky job that somebody re-runs: the gate passes and says so, no repair is bought, and Baton re-runs nothing", async () => {
  world = await observedWorld({ script: { ...sampleScript, implement: sampleScript.repair } });
  const marker = JSON.stringify(join(world.directory, "failed-once"));
  const flaky = `const fs = require("node:fs"); if (!fs.existsSync(${marker})) { fs.writeFileSync(${marker}, ""); process.exit(1); }`;
  world.github.setCi({ repository: repositoryName, ci: { name: "test", command: [process.execPath, "-e", flaky] } });
  // The gate waits for this check while somebody looks at the red job.
  world.github.setRequiredChecks({ repository: repositoryName, branch: "main", checks: ["test", "release"] });
  say(world, "/baton run");
  await reaches(world, "checks");
  const sha = () => pulls(world)[0]?.pull.headSha as string;
  const jobs = () =>
    [...repositoryOf(world).checkRuns.values()].filter(({ name, headSha }) => name === "test" && headSha === sha());
  const red = await world.until("the job to fail", () => jobs().find(({ conclusion }) => conclusion === "failure"));
  world.github.rerunJob({ repository: repositoryName, checkRunId: red.id });
  await world.until("the second try", () => jobs().find(({ conclusion }) => conclusion === "success"));
  await world.github.setStatus({
    repository: repositoryName,
    as: "alice",
    sha: sha(),
    state: "success",
    context: "release",
  });
  const state = await reaches(world, "review");
  expect(state.effects.get("checks" as never)?.output).toMatchObject({
    status: "passed",
    reason: expect.stringMatching(/All 2 required checks are green on .*`test` succeeded on its second try\./),
  });
  expect([...state.effects.keys()]).not.toContain("repair");
  expect(jobs()).toHaveLength(2);
});

it("green-hides-red-of-same-name: two jobs of one workflow run share a name, and the green one does not hide the red one", async () => {
  world = await observedWorld({ script: { ...sampleScript, implement: sampleScript.repair } });
  const end = (code: number) => [process.execPath, "-e", `process.exit(${code})`];
  const more = [{ name: "test", command: end(0) }];
  world.github.setCi({ repository: repositoryName, ci: { name: "test", command: end(1), more } });
  world.github.setRequiredChecks({ repository: repositoryName, branch: "main", checks: ["test"] });
  say(world, "/baton run");
  const state = await reaches(world, "repair");
  expect(state.effects.get("checks" as never)?.output).toMatchObject({
    status: "failed",
    reason: expect.stringMatching(/`test` failed/),
    children: [{ status: "failed" }, { status: "passed" }],
  });
});
