/** `npm run demo` for a newcomer and for a script: its last words, its end, its remains. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterEach, beforeEach, expect, it } from "vitest";
import { shortLived } from "./short-lived.ts";

const main = fileURLToPath(new URL("../packages/local-github/demo/main.ts", import.meta.url));

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-demo-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));

/** Its own temporary directory shows its remains. */
function demo(
  onNews: (told: string) => void = () => {},
  environment: Record<string, string> = {},
  words: readonly string[] = [],
) {
  const keys = { ANTHROPIC_API_KEY: "", OPENAI_API_KEY: "" };
  const child = execa(process.execPath, [...shortLived, main, "--json", ...words], {
    env: { ...keys, TMPDIR: directory, ...environment },
    reject: false,
    // On a busy machine, it needs long to remove the world.
    forceKillAfterDelay: false,
  });
  let told = "";
  child.stderr.on("data", (chunk: Buffer) => {
    told += chunk.toString("utf8");
    onNews(told);
  });
  return child;
}

function expectNothingLeft(): void {
  expect(readdirSync(directory)).toEqual([]);
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(directory);
}

const lastLine = (stdout: string): Record<string, unknown> => JSON.parse(stdout.split("\n").at(-1) ?? "");

const fields = [
  "verdict",
  "steps",
  "pullRequest",
  "checks",
  "comments",
  "pushes",
  "costUsd",
  "tokens",
  "durationMs",
] as const;

it("does the whole job, says so in one object of a fixed shape, and leaves nothing", async () => {
  const { stdout, exitCode } = await demo();
  const summary = lastLine(stdout);
  expect(Object.keys(summary)).toEqual(fields);
  expect(summary).toMatchObject({
    verdict: "passed",
    pullRequest: { number: 2, headSha: expect.stringMatching(/^[0-9a-f]{40}$/), merged: true },
    // A separate comment asks Bob for his review.
    comments: { status: 1, total: 3 },
    pushes: 2,
    costUsd: 0.0558,
    tokens: { input: 6_700, output: 1_230, cacheRead: 20_500, cacheWrite: 3_100 },
    durationMs: expect.any(Number),
  });
  const steps = summary["steps"] as { key: string; status: string }[];
  expect(steps.map(({ key }) => key)).toContain("repair");
  expect(steps.every(({ status }) => status === "succeeded")).toBe(true);
  const { headSha } = summary["pullRequest"] as { headSha: string };
  expect(summary["checks"]).toContainEqual({ name: "test", headSha, conclusion: "success" });
  expect(exitCode).toBe(0);
  expectNothingLeft();
});

it("the story `sweep`: from SARIF to a merged pull request that the dashboard counts", async () => {
  const { stdout, stderr, exitCode } = await demo(undefined, {}, ["--story", "sweep"]);
  const summary = lastLine(stdout);
  expect(Object.keys(summary)).toEqual(fields);
  expect(summary, stderr).toMatchObject({ verdict: "passed", pullRequest: { merged: true }, pushes: 1 });
  const steps = (summary["steps"] as { key: string }[]).map(({ key }) => key);
  expect(steps).toEqual(expect.arrayContaining(["detect", "implement", "detect-again", "pull-request", "merge"]));
  expect(stderr).toContain("Baton opens its dashboard: #2");
  expect(exitCode).toBe(0);
  expectNothingLeft();
});

it("the story `review`: a comment at a line, its suggestion applied, its thread resolved", async () => {
  const { stdout, stderr, exitCode } = await demo(undefined, {}, ["--story", "review"]);
  const summary = lastLine(stdout);
  expect(Object.keys(summary)).toEqual(fields);
  expect(summary, stderr).toMatchObject({ verdict: "passed", pullRequest: { merged: false } });
  expect(exitCode).toBe(0);
  expectNothingLeft();
});

it("a story that there is not is said, with those that there are", async () => {
  const { stderr, exitCode } = await demo(undefined, {}, ["--story", "sweeps"]);
  expect(stderr).toContain("Unknown value `sweeps` of `--story`. Did you mean `sweep`? Known: job, review, sweep.");
  expect(exitCode).toBe(2);
});

it.each([
  ["SIGTERM", "Starting", 143],
  ["SIGINT", "✓ ", 130],
] as const)("%s at “%s” ends the world before the process, and is no success", async (signal, moment, code) => {
  let sent = false;
  const child = demo((told) => {
    if (sent || !told.includes(moment)) return;
    sent = true;
    child.kill(signal);
  });
  const { stdout, exitCode } = await child;
  const summary = lastLine(stdout);
  expect(Object.keys(summary)).toEqual(fields);
  expect([summary["verdict"], exitCode]).toEqual([null, code]);
  expectNothingLeft();
});

it("a world that cannot begin is said, with a summary that claims nothing", async () => {
  const { stdout, stderr, exitCode } = await demo(undefined, { BATON_WORLD_TEMPLATE: join(directory, "nowhere") });
  expect(stderr).toMatch(/BATON_INTERNAL: .*nowhere/);
  expect(lastLine(stdout)).toMatchObject({ verdict: null, steps: [], pullRequest: null, costUsd: 0 });
  expect(exitCode).toBe(1);
  expectNothingLeft();
});
