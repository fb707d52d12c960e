/** The committed bundle is what the sources say, small, and quick to start. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { parse } from "yaml";
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
  expect(files.reduce((sum, text) => sum + Buffer.byteLength(text), 0)).toBeLessThanOrEqual(5 * 1024 * 1024);
  const root = fileURLToPath(new URL("../..", import.meta.url));
  for (const text of files) expect(text).not.toContain(root);
});

it("reaches its first git command soon after its start", async () => {
  // A git that only says when it was asked.
  const asked = join(directory, "asked");
  const git = join(directory, "git");
  writeFileSync(git, `#!/bin/sh\ndate +%s%3N > "${asked}"\nexit 1\n`, { mode: 0o755 });
  const event = join(directory, "event.json");
  const comment = { id: 5, body: "/baton run", user: { id: 1, login: "a", type: "User" } };
  const repository = { id: 1, name: "b", default_branch: "main", owner: { login: "a" } };
  writeFileSync(event, JSON.stringify({ action: "created", issue: { number: 1 }, comment, repository }));
  const times: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const startedAt = Date.now();
    const child = spawn(process.execPath, [join(committed, "main.js")], {
      env: {
        PATH: directory,
        GITHUB_EVENT_NAME: "issue_comment",
        GITHUB_EVENT_PATH: event,
        GITHUB_REPOSITORY: "a/b",
        GITHUB_RUN_ID: "1",
        RUNNER_TEMP: directory,
        INPUT_TOKEN: "ghs_none",
      },
      stdio: "ignore",
    });
    await once(child, "close");
    times.push(Number(readFileSync(asked, "utf8")) - startedAt);
  }
  // The best of three: the machine of a test does other things, too.
  expect(Math.min(...times)).toBeLessThanOrEqual(400);
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
    "app-slug",
    "dispatch-workflows",
    "endpoint",
    "time-limit-minutes",
    "token",
  ]);
  expect(Object.keys(action.outputs).sort()).toEqual(["cost-usd", "pull-request", "run-id", "verdict"]);
});
