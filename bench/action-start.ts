/**
 * `action.firstGitMs`: from the start of a job's process to its first git command. `action.bundleKb`: the size of the bundle
 * that a runner loads for it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bench, figure, spread } from "./figure.ts";

const dist = fileURLToPath(new URL("../action/dist", import.meta.url));
const repeats = { quick: 1, full: 10 };
const firstGitMsMax = 400;
const bundleKbMax = 5 * 1024;

export const actionStart: Bench = {
  name: "action-start",
  summary: "a job of the Action from its start to its first git command",
  figures: ["action.firstGitMs", "action.bundleKb"],
  async run({ quick, directory }) {
    const taken: number[] = [];
    for (let repeat = 0; repeat < (quick ? repeats.quick : repeats.full); repeat += 1)
      taken.push(await firstGitMs(dist, directory));
    return {
      figures: [
        figure({
          name: "action.firstGitMs",
          unit: "ms",
          value: Math.min(...taken),
          target: firstGitMsMax,
          samples: spread(taken),
        }),
        figure({ name: "action.bundleKb", unit: "count", value: bundleBytes(dist) / 1024, target: bundleKbMax }),
      ],
      skipped: [],
    };
  },
};

export function bundleBytes(bundle: string): number {
  return readdirSync(bundle).reduce((sum, name) => sum + statSync(join(bundle, name)).size, 0);
}

/** Starts a job as the platform does. A fake git in front of the real one reports when it was called. */
export async function firstGitMs(bundle: string, directory: string): Promise<number> {
  const asked = join(directory, "asked");
  writeFileSync(join(directory, "git"), `#!/bin/sh\ndate +%s%3N > "${asked}"\nexit 1\n`, { mode: 0o755 });
  const event = join(directory, "event.json");
  const comment = { id: 5, body: "/baton run", user: { id: 1, login: "a", type: "User" } };
  const repository = { id: 1, name: "b", default_branch: "main", owner: { login: "a" } };
  writeFileSync(event, JSON.stringify({ action: "created", issue: { number: 1 }, comment, repository }));
  const startedAt = Date.now();
  const child = spawn(process.execPath, [join(bundle, "main.js")], {
    env: {
      PATH: `${directory}:${process.env["PATH"]}`,
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
  return Number(readFileSync(asked, "utf8")) - startedAt;
}
