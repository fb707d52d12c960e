/** The committed bundle matches the sources, is small, and starts quickly. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { parse } from "yaml";
import { bundleBytes, firstGitMs } from "../../bench/action-start.ts";
import { bundleAction } from "../../tools/bundle-action.ts";

const committed = fileURLToPath(new URL("../../action/dist", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "baton-bundle-test-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it("is what `npm run bundle` makes of the sources", async () => {
  const built = join(directory, "dist");
  await bundleAction(built);
  expect(readdirSync(committed).sort()).toEqual(readdirSync(built).sort());
  for (const name of readdirSync(built))
    expect(readFileSync(join(committed, name)).equals(readFileSync(join(built, name))), `${name} is stale`).toBe(true);
});

it("is at most 5 MB and names no path of the machine that built it", () => {
  const files = readdirSync(committed).map((name) => readFileSync(join(committed, name), "utf8"));
  expect(bundleBytes(committed)).toBeLessThanOrEqual(5 * 1024 * 1024);
  const root = fileURLToPath(new URL("../..", import.meta.url));
  for (const text of files) expect(text).not.toContain(root);
});

it("goes to git before it asks anybody else; how soon is measured by `npm run bench`", async () => {
  expect(await firstGitMs(committed, directory)).toBeGreaterThan(0);
});

it("action.yml names the files that are there, and every input and output that the code reads and writes", () => {
  const action = parse(readFileSync(fileURLToPath(new URL("../../action/action.yml", import.meta.url)), "utf8")) as {
    inputs: Record<string, unknown>;
    outputs: Record<string, unknown>;
    runs: { using: string; main: string; post: string };
  };
  expect(action.runs).toMatchObject({ using: "node24", main: "dist/main.js", post: "dist/post.js" });
  expect(readdirSync(committed)).toEqual(expect.arrayContaining(["main.js", "post.js"]));
  expect(Object.keys(action.inputs).sort()).toEqual([
    "agent",
    "app-slug",
    "cache-directory",
    "check-run-id",
    "dispatch-workflows",
    "endpoint",
    "job",
    "read-check",
    "sandbox",
    "state-key",
    "time-limit-minutes",
    "token",
    "wake-up",
    "workflow",
  ]);
  expect(Object.keys(action.outputs).sort()).toEqual([
    "agent",
    "cache-key",
    "check",
    "cost-usd",
    "pull-request",
    "run-id",
    "start",
    "verdict",
  ]);
});
