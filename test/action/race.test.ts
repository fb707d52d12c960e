/** `/baton race` without a server: job after job, CI as the judge, the table in the thread, one pull request. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { sampleScript } from "../../packages/local-github/demo/sample.ts";
import { comments, pulls } from "../scenarios/helpers.ts";
import { type FinishedJob, type Platform, startPlatform } from "./platform.ts";

// Each job is a process that starts a dozen git processes, which takes long on a busy machine.

let platform: Platform;
afterEach(() => platform.close());

/** One program, whose model decides its quality. */
function agent(directory: string): string {
  const path = join(directory, "racer.mjs");
  const files = { hasty: sampleScript.implement[0]?.files, tidy: sampleScript.repair[0]?.files };
  writeFileSync(
    path,
    `import { writeFileSync } from "node:fs";
     for await (const _ of process.stdin);
     const { BATON_ACCESS: access, BATON_MODEL: model } = process.env;
     console.log(JSON.stringify({ type: "usage", model: model ?? "none", input: 100, output: 10, costUsd: 0.02 }));
     if (access === "write")
       for (const [file, text] of Object.entries(${JSON.stringify(files)}[model] ?? {})) writeFileSync(file, text);
     console.log(JSON.stringify({ type: "result", text: ${JSON.stringify(sampleScript.plan[0]?.text)} }));`,
  );
  return path;
}

it("the green one wins; the losers' branches and drafts go, one pull request stays", async () => {
  platform = await startPlatform({
    config: "version: 1\nharness: { default: command }\nbreakpoints: { review: auto }\n",
  });
  const environment = { BATON_HARNESS_COMMAND: JSON.stringify([process.execPath, agent(platform.directory)]) };
  const command = platform.comment("/baton race command:hasty command:tidy --budget 4");
  let job: FinishedJob = await platform.run("issue_comment", command, environment);
  for (let more = 0; more < 6 && job.outputs["verdict"] === "waiting"; more += 1) {
    // CI has ended, and its end is an event. This job checks the thread after it.
    await platform.settle();
    const thread = { inputs: { thread: `${platform.issue}` }, ...platform.about() };
    job = await platform.run("workflow_dispatch", thread, environment);
  }
  expect(job.errors).toBe("");
  expect(job).toMatchObject({ exitCode: 0, outputs: { verdict: "passed" } });
  const said = comments(platform as never, platform.issue).map(({ body }) => body);
  const tables = said.filter((body) => body.includes("### The race"));
  expect(tables).toHaveLength(1);
  expect(tables[0]).toMatch(/\| \*\*1\*\* \| command:tidy .*\| ✅ green \|/);
  expect(tables[0]).toMatch(/\| 2 \| command:hasty .*\| ❌ 1 failed \|.*behind .*its checks are green/);
  const open = pulls(platform as never).filter(({ state }) => state === "open");
  expect(open).toHaveLength(1);
  expect(open[0]?.pull.draft).toBe(false);
  expect(job.outputs["pull-request"]).toBe(`${open[0]?.number}`);
  const [shop] = [...platform.github.state.repositories.values()].filter(({ name }) => name === "shop");
  const branches = [...(shop?.refs.keys() ?? [])].filter((ref) => ref.startsWith("refs/heads/baton/"));
  expect(branches).toEqual([`refs/heads/${open[0]?.pull.headRef}`]);
  // The agents' commits are on the branch, or nobody needs them.
  expect([...(shop?.refs.keys() ?? [])].filter((ref) => ref.includes("/kept/"))).toEqual([]);
});
