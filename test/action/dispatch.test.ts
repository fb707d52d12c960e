/**
 * CI after a push with the job's own token, which starts no workflow: `gates.dispatch`, the input, or a thread command.
 */
import { afterEach, describe, expect, it } from "vitest";
import { sampleFiles, sampleScript } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { comments, pulls } from "../scenarios/helpers.ts";
import { type FinishedJob, type Platform, type PlatformOptions, startPlatform } from "./platform.ts";

let platform: Platform;
afterEach(() => platform.close());

// The agent succeeds at once: one push, one CI.
const begin = async (options: PlatformOptions = {}): Promise<void> => {
  platform = await startPlatform({ script: { ...sampleScript, implement: sampleScript.repair }, ...options });
};
const said = (login = "github-actions[bot]"): string[] =>
  comments(platform as never, platform.issue).flatMap((comment) => (comment.login === login ? [comment.body] : []));
const dispatches = (): unknown[] =>
  platform.github.log.flatMap(({ path, body }) => (path.endsWith("/ci.yml/dispatches") ? [body] : []));
/** CI of Baton's push. CI of the repository's first commit has ended. */
const checkRuns = () =>
  [...platform.github.state.repositories.values()].flatMap(({ checkRuns: runs, refs }) =>
    [...runs.values()].filter(({ name, headSha }) => name === "test" && headSha !== refs.get("refs/heads/main")),
  );
const run = (environment: Record<string, string> = {}): Promise<FinishedJob> =>
  platform.run("issue_comment", platform.comment("/baton run"), environment);
const head = (): { headRef: string; headSha: string } => {
  const [pull] = pulls(platform as never);
  if (pull === undefined) throw new Error("There is not a pull request.");
  return pull.pull;
};
const ended = (sha: string): Promise<FinishedJob> =>
  platform.run("workflow_run", { action: "completed", workflow_run: { id: 1, head_sha: sha }, ...platform.about() });

describe("with the job's own token", () => {
  it.each([
    ["the input", {}, { "INPUT_DISPATCH-WORKFLOWS": "ci.yml" }],
    [
      "the configuration",
      { config: "version: 1\nharness: { default: command }\ngates: { dispatch: [ci.yml] }\n" },
      { "INPUT_DISPATCH-WORKFLOWS": "" },
    ],
  ] as const)(
    "%s names the workflow that Baton starts, says in the thread, and sees end green",
    async (_, options, more) => {
      await begin(options);
      const first = await run(more);
      expect(first).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting" } });
      const { headRef, headSha } = head();
      expect(dispatches()).toMatchObject([{ ref: headRef, inputs: {} }]);
      expect(said().filter((body) => body.includes("starts no workflow") && body.includes("`ci.yml`"))).toHaveLength(1);
      await platform.settle();
      expect(checkRuns().map(({ headSha: sha, conclusion }) => ({ sha, conclusion }))).toEqual([
        { sha: headSha, conclusion: "success" },
      ]);
      const next = await ended(headSha);
      expect(next).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting" } });
      expect(next.summary).toMatch(/#\d+ is green and needs a review/);
    },
  );

  it("init-dispatches-release-and-deploy: a workflow that no pull request starts is named with its reason, the other one is started", async () => {
    const pages = "name: Pages\non: { push: { branches: [main] }, workflow_dispatch: {} }\njobs: { deploy: {} }\n";
    await begin({ files: { ...sampleFiles, ".github/workflows/pages.yml": pages } });
    expect(await run({ "INPUT_DISPATCH-WORKFLOWS": "pages.yml ci.yml 17" })).toMatchObject({ exitCode: 0 });
    const started = platform.github.log.flatMap(
      ({ path }) => /\/workflows\/([^/]+)\/dispatches$/.exec(path)?.[1] ?? [],
    );
    expect(started).toEqual(["ci.yml"]);
    const told = said().filter((body) => body.includes("Baton does not start"));
    expect(told).toHaveLength(1);
    for (const text of ["`pages.yml`", "Job `deploy` is named like a release.", "`17`", "Baton starts `ci.yml`"])
      expect(told[0]).toContain(text);
  });

  it("without a name no CI starts: the thread says what is missing, and the run ends instead of waiting for ever", async () => {
    await begin({ config: "version: 1\nharness: { default: command }\ngates: { appearSeconds: 1 }\n" });
    const first = await run({ "INPUT_DISPATCH-WORKFLOWS": "" });
    await platform.settle();
    expect(dispatches()).toEqual([]);
    expect(checkRuns()).toEqual([]);
    const told = said().filter((body) => body.includes("starts no workflow"));
    expect(told).toHaveLength(1);
    for (const way of ["gates: { dispatch: [ci.yml] }", "`dispatch-workflows`", "token of an App"])
      expect(told[0]).toContain(way);
    // The next look, which a schedule would trigger.
    const thread = { inputs: { thread: `${platform.issue}` }, ...platform.about() };
    // On a slow machine, the second run ends within the first job.
    const isOver = first.outputs["verdict"] === "failed";
    const last = isOver ? first : await platform.run("workflow_dispatch", thread);
    expect(last).toMatchObject({ exitCode: 1, outputs: { verdict: "failed" } });
    expect(last.log).toMatch(/::error title=Baton: failed::.*check/i);
  });

  it("a workflow that cannot be started is named with what it needs", async () => {
    await begin();
    await run({ "INPUT_DISPATCH-WORKFLOWS": "absent.yml" });
    const told = said().filter((body) => body.includes("could not be started"));
    expect(told).toHaveLength(1);
    for (const need of ["`absent.yml`", "on: workflow_dispatch", "actions: write"]) expect(told[0]).toContain(need);
  });
});

it("with an App's token nothing is started and nothing said: its push starts CI by itself", async () => {
  await begin();
  const app = { INPUT_TOKEN: platform.appToken(), "INPUT_APP-SLUG": "baton", "INPUT_DISPATCH-WORKFLOWS": "ci.yml" };
  expect(await run(app)).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting" } });
  await platform.settle();
  expect(dispatches()).toEqual([]);
  expect(checkRuns().map(({ conclusion }) => conclusion)).toEqual(["success"]);
  expect(said("baton[bot]").length).toBeGreaterThan(0);
  expect(said("baton[bot]").some((body) => body.includes("starts no workflow"))).toBe(false);
});

it("with a person's token neither", async () => {
  await begin();
  const { token } = platform.github.createUser({ login: "robot" });
  platform.github.setPermission({ repository: repositoryName, login: "robot", permission: "write" });
  expect(await run({ INPUT_TOKEN: token })).toMatchObject({ exitCode: 0, outputs: { verdict: "waiting" } });
  await platform.settle();
  expect(dispatches()).toEqual([]);
  expect(checkRuns().map(({ conclusion }) => conclusion)).toEqual(["success"]);
  expect(said("robot").length).toBeGreaterThan(0);
  expect(said("robot").some((body) => body.includes("starts no workflow"))).toBe(false);
});
