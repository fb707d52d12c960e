/** The App as a background process, found by the socket in its data directory. */
import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningBaton, runningBaton } from "../app/control/client.ts";
import { BatonError } from "../core/errors.ts";
import { readSettings } from "../environment/settings.ts";
import type { CliContext } from "./context.ts";
import { environmentOf } from "./data.ts";

const lookMs = 100;
/** Agents get 5 s, requests and the database get their own time, and a busy machine needs more. */
const stopMs = 60_000;
const startMs = 60_000;

export async function runningHere(context: CliContext): Promise<RunningBaton | null> {
  return runningBaton(readSettings(environmentOf(context)).dataDir);
}

export async function stopHere(context: CliContext, running: RunningBaton): Promise<void> {
  await running.stop();
  const { pid } = running.about;
  const isGone = async (): Promise<boolean> => !isAlive(pid) && (await runningHere(context)) === null;
  if (!(await within(stopMs, isGone)))
    throw new BatonError("BATON_DATABASE_LOCKED", `Baton (process ${pid}) has not stopped within ${stopMs / 1_000} s.`);
}

export async function startDetached(context: CliContext): Promise<void> {
  const { dataDir, app } = readSettings(environmentOf(context));
  if (app === null)
    throw new BatonError(
      "BATON_SETTINGS_INVALID",
      "APP_ID is not set. Run `baton start` without `--detach` first: its page registers the App.",
    );
  const before = await runningBaton(dataDir);
  if (before !== null) return context.print(`Baton runs already, as process ${before.about.pid}.`);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const logPath = join(dataDir, "baton.log");
  const log = openSync(logPath, "a", 0o600);
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] as string, "start"], {
    cwd: context.directory,
    env: context.environment,
    detached: true,
    stdio: ["ignore", log, log],
  });
  let ended = false;
  child.once("exit", () => {
    ended = true;
  });
  child.unref();
  let running: RunningBaton | null = null;
  await within(startMs, async () => {
    running = ended ? null : await runningBaton(dataDir);
    return ended || running !== null;
  });
  const { about } = (running ?? {}) as Partial<RunningBaton>;
  if (about === undefined) {
    // Nothing that nobody can find stays behind.
    if (!ended) child.kill("SIGTERM");
    throw new BatonError(
      "BATON_SETTINGS_INVALID",
      `Baton did not start. The end of ${logPath}:\n${readFileSync(logPath, "utf8").trim().split("\n").slice(-5).join("\n")}`,
    );
  }
  context.print(`Baton runs as process ${about.pid}${about.url === null ? "" : ` at ${about.url}`}. Log: ${logPath}`);
}

async function within(ms: number, isSo: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + ms;
  for (;;) {
    if (await isSo()) return true;
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}
