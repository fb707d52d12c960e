/** The job's time limit: Baton saves the finished work, and a successor continues from it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { pulls } from "../scenarios/helpers.ts";
import { type FinishedJob, type Platform, type RunningJob, startPlatform } from "./platform.ts";

let platform: Platform;
afterEach(() => platform.close());

const limitMs = 330 * 60_000;

/**
 * A job whose clock jumps past its limit while its agent works. The program asks for exactly this much time. Otherwise the
 * jump ends nothing.
 */
async function jobPastItsLimit(grants: object = {}): Promise<FinishedJob> {
  const gate = "go";
  const plan = [{ waitFor: gate }, ...sampleScript.plan];
  platform = await startPlatform({ script: { ...sampleScript, implement: sampleScript.repair, plan } });
  const token = platform.github.state.tokens.get(platform.token);
  if (token !== undefined) token.grants = { ...token.grants, ...grants };
  const past = join(platform.directory, "past-the-limit");
  const clock = join(platform.directory, "clock.mjs");
  writeFileSync(
    clock,
    `import { existsSync } from "node:fs";
const timeout = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (ms) => {
  if (ms !== ${limitMs}) return timeout(ms);
  const control = new AbortController();
  setInterval(() => existsSync(${JSON.stringify(past)}) && control.abort(), 20).unref();
  return control.signal;
};
`,
  );
  const running: RunningJob = platform.start("issue_comment", platform.comment("/baton run"), {
    NODE_OPTIONS: `--import=${clock}`,
  });
  await platform.waitForAgent(gate);
  writeFileSync(past, "");
  return running.done;
}

const dispatched = () =>
  platform.github.log.filter(({ path }) => path.endsWith("/actions/workflows/baton.yml/dispatches"));

it("after five and a half hours the job saves what it has and starts its successor, which goes on with the run", async () => {
  const job = await jobPastItsLimit();
  expect(job).toMatchObject({ exitCode: 0, outputs: { verdict: "handed-over" } });
  expect(job.summary).toContain("a successor goes on");
  expect(dispatched().map(({ body }) => body)).toMatchObject([
    { ref: "main", inputs: { thread: `${platform.issue}` } },
  ]);
  // Nothing holds the thread any longer.
  expect(job.log).not.toContain("is free again");

  const { inputs } = dispatched()[0]?.body as { inputs: Record<string, string> };
  const successor = await platform.run("workflow_dispatch", { inputs, ...platform.about() });
  expect(successor).toMatchObject({
    exitCode: 0,
    outputs: { verdict: "waiting", "run-id": job.outputs["run-id"], "pull-request": "2" },
  });
  expect(pulls(platform as never)).toHaveLength(1);
});

it("where no successor may be started the job says so, and the schedule goes on", async () => {
  const job = await jobPastItsLimit({ actions: "read" });
  expect(job).toMatchObject({ exitCode: 0, outputs: { verdict: "handed-over" } });
  expect(job.summary).toMatch(/no successor could be started.*`actions: write`.*schedule goes on/);
  // An attempt that was cut off pauses for some seconds. The first schedule after that continues.
  let next = await platform.run("schedule", platform.about());
  for (let tries = 0; tries < 30 && next.outputs["verdict"] === "nothing"; tries += 1)
    next = await platform.run("schedule", platform.about());
  expect(next).toMatchObject({ outputs: { verdict: "waiting", "run-id": job.outputs["run-id"] } });
});
