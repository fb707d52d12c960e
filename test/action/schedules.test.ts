/** Schedules in Actions mode: GitHub's schedule wakes jobs, the dashboard's thread says what is due, an occurrence runs once. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { comments, repositoryOf } from "../scenarios/helpers.ts";
import { type Platform, startPlatform } from "./platform.ts";

let platform: Platform;
afterEach(() => platform.close());

const config = [
  "harness: { default: command }",
  "schedules:",
  "  - name: nightly",
  '    cron: "0 3 * * *"',
  "    process: explore",
  "    with: { instructions: Which modules have no tests? }",
  "",
].join("\n");
const script = { plan: [{ text: "All have.", usage: { input: 10, output: 10, costUsd: 0.02 } }] };

/** The environment of a job this many hours from now. */
function later(hours: number): Record<string, string> {
  const path = join(platform.directory, `later-${hours}.mjs`);
  writeFileSync(path, `const { now } = Date;\nDate.now = () => now() + ${hours * 3_600_000};\n`);
  return { NODE_OPTIONS: `--import=${path}` };
}
const dashboards = () =>
  [...repositoryOf(platform as never).threads.values()].filter(({ title }) => title === "Baton dashboard");

it("a wake-up opens the dashboard; two jobs at once start an occurrence once; when nothing is due nothing is pushed", async () => {
  platform = await startPlatform({ config, script });
  const wake = (hours: number) => platform.run("schedule", platform.about(), later(hours));
  await wake(0);
  const [dashboard] = dashboards();
  expect(dashboard?.body).toContain("`nightly` (`explore`)");
  const idle = await wake(0);
  expect(idle.outputs["verdict"]).toBe("nothing");
  const jobs = await Promise.all([wake(25), wake(25)]);
  expect(jobs.map(({ errors }) => errors).join("")).toBe("");
  await wake(25.5);
  expect(dashboards()).toHaveLength(1);
  const said = comments(platform as never, dashboard?.number ?? 0).filter(({ body }) => body.includes("All have."));
  expect(said).toHaveLength(1);
  expect(jobs.map(({ outputs }) => outputs["verdict"]).sort()).toContain("passed");
  await wake(26);
  expect(dashboards()[0]?.body).toMatch(/completed, \$0\.02/);
});
