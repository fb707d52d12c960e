/** Packages over two jobs: a later job finds the downloads of the first setup through the platform's cache steps. */
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { planOf, sampleFiles } from "../../packages/local-github/demo/sample.ts";
import { repositoryName } from "../../packages/local-github/demo/world.ts";
import { clonedReader } from "../git-reader.ts";
import { sandboxWorks } from "../sandbox-here.ts";
import { type FinishedJob, type Platform, startPlatform } from "./platform.ts";

/** Keeps the contents of the package cache, and then replaces them. */
const agent = `
import { readFileSync, writeFileSync } from "node:fs";
for await (const _ of process.stdin);
const { BATON_ROLE: role, npm_config_cache: cache } = process.env;
if (role === "implement") {
  writeFileSync("found.txt", readFileSync(cache + "/one", "utf8"));
  writeFileSync(cache + "/one", "poison");
}
console.log(JSON.stringify({ type: "result", text: role === "plan" ? ${JSON.stringify(planOf("Write it down."))} : "Done." }));
`;
const setup =
  'test -e "$npm_config_cache/one" || { mkdir -p "$npm_config_cache" && date +%s%N > "$npm_config_cache/one"; }';

let folder: string;
let platform: Platform;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "baton-caches-"));
  platform = await startPlatform({
    // Its checks are green from the start: this is not about repairs.
    files: { ...sampleFiles, "cart.test.js": "", "agent.mjs": agent, "package-lock.json": "{}" },
    config: [
      "version: 1",
      "harness: { default: command, command: [node, agent.mjs] }",
      `sandbox: { mode: require, setup: [${JSON.stringify(setup)}] }`,
      "breakpoints: { plan: auto }",
      "gates: { appearSeconds: 3600 }",
      "",
    ].join("\n"),
  });
});
afterEach(async () => {
  await platform.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A job for a new issue, on its own machine. `restored` holds the files that a step before Baton's restored. */
async function job(
  name: string,
  restored: string | null,
): Promise<{ ended: FinishedJob; directory: string; found: string }> {
  const directory = join(folder, name);
  if (restored !== null) cpSync(restored, directory, { recursive: true });
  const { number } = platform.github.openIssue({ repository: repositoryName, as: "alice", title: name, body: "" });
  const ended = await platform.run("issue_comment", platform.comment("/baton run", "alice", number), {
    "INPUT_CACHE-DIRECTORY": directory,
    INPUT_SANDBOX: "require",
  });
  const reader = await clonedReader(`${platform.github.url}/${repositoryName}.git`, join(folder, `clone-${name}`));
  const branch = Object.keys(await reader.refs()).find((ref) => ref.includes(`issue-${number}-`)) ?? "";
  return { ended, directory, found: (await reader.file(branch, "found.txt").catch(() => "")).trim() };
}

it.skipIf(!sandboxWorks)(
  "a job saves what its setup downloaded; the next one starts from it, untouched by agents",
  async () => {
    const first = await job("one", null);
    expect(first.ended, first.ended.summary).toMatchObject({
      exitCode: 0,
      outputs: { "cache-key": expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    expect(first.found).toMatch(/^\d+$/);
    // The step after Baton's saves under this name. The step before it restores on another machine.
    const second = await job("two", first.directory);
    expect(second.ended, second.ended.summary).toMatchObject({ exitCode: 0, outputs: { "cache-key": "" } });
    expect(second.found).toBe(first.found);
    const without = await job("three", null);
    expect(without.found).toMatch(/^\d+$/);
    expect(without.found).not.toBe(first.found);
    // One repository, one key, and no partial copy.
    expect(existsSync(second.directory) && readdirSync(second.directory)).toHaveLength(1);
  },
);
