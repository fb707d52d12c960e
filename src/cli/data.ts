/** The data of Baton for one command: opened, used, closed again. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { children } from "../adapters/child/children.ts";
import { ownEnvironment } from "../adapters/child/own-environment.ts";
import type { ServerAddress } from "../app/api/client.ts";
import { runningBaton } from "../app/control/client.ts";
import type { Operator } from "../app/control/protocol.ts";
import { BatonError } from "../core/errors.ts";
import type { Actor } from "../core/vocabulary.ts";
import { readSettings } from "../environment/settings.ts";
import type { RunReader } from "../library.ts";
import { createRedactor } from "../text/redact.ts";
import type { CliContext } from "./context.ts";

/** The environment with the additions of the App's `.env`: the same that `baton start` reads. */
export function environmentOf({ environment, directory }: CliContext): Record<string, string | undefined> {
  const path = join(directory, ".env");
  return existsSync(path) ? { ...parseEnv(readFileSync(path, "utf8")), ...environment } : environment;
}

/** For reading only: the App's data, or the git of a repository that works without an App. */
export async function readRuns<T>(
  context: CliContext,
  git: string | undefined,
  use: (runs: RunReader) => Promise<T>,
): Promise<T> {
  if (git === undefined) return withRuns(context, use);
  const { openGitRuns } = await import("../library.ts");
  const url = await addressOf(resolve(context.directory, git), git);
  return closing(await openGitRuns({ url, token: context.environment["GITHUB_TOKEN"] ?? null }), use);
}

/** A clone does not fetch these refs, but its origin has them. */
async function addressOf(folder: string, given: string): Promise<string> {
  if (!existsSync(folder)) return given;
  const { exitCode, stdout } = await children.call({
    command: ["git", "-C", folder, "remote", "get-url", "origin"],
    env: ownEnvironment(),
    timeoutMs: 10_000,
    outputBytesMax: 64 * 1024,
  });
  return exitCode === 0 ? stdout.toString("utf8").trim() : folder;
}

/** Asks a running Baton over its socket. Without one, it opens Baton's data. */
export async function withRuns<T>(context: CliContext, use: (runs: OperatedRuns) => Promise<T>): Promise<T> {
  const server = serverOf(context);
  // The server has redacted its texts.
  if (server !== null) {
    // The table of routes loads slowly, and other commands do not need it.
    const { serverOperator } = await import("../app/api/client.ts");
    return use({ ...serverOperator(server), redact: (text) => text, async close() {} });
  }
  const settings = readSettings(environmentOf(context));
  const running = await runningBaton(settings.dataDir);
  if (running !== null) {
    const redact = createRedactor({ secrets: settings.secrets });
    return use({ ...running.operator, redact, async close() {} });
  }
  // Reading must not create anything: an empty database in a misspelled folder would only hide the mistake.
  if (settings.databaseUrl === null && !existsSync(join(settings.dataDir, "database")))
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `There is no data of Baton in ${settings.dataDir}. Go where Baton runs, or name its folder by BATON_DATA or its server by DATABASE_URL.`,
    );
  // The database loads slowly, and help and checks do not need it.
  const { openRuns } = await import("../library.ts");
  return closing(await openRuns(settings), use);
}

/** Another machine's Baton, asked over its HTTP API. null: this machine's. */
function serverOf({ environment }: CliContext): ServerAddress | null {
  const url = environment["BATON_SERVER"];
  if (url === undefined || url === "") return null;
  const token = environment["BATON_TOKEN"] ?? "";
  if (!/^https?:\/\/\S+$/.test(url))
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `The server is "${url}": an address as https://baton.example.com is expected.`,
    );
  if (token === "")
    throw new BatonError("BATON_TOKEN_REFUSED", `BATON_TOKEN is not set. The Baton at ${url} needs a token.`);
  return { url, token };
}

export type OperatedRuns = RunReader & Operator;

async function closing<R extends RunReader, T>(runs: R, use: (runs: R) => Promise<T>): Promise<T> {
  try {
    return await use(runs);
  } finally {
    await runs.close();
  }
}

/** A person with access to Baton's data may do anything with its runs. The journal names this person. */
export function operator({ environment }: CliContext): Actor {
  const name = environment["USER"] ?? environment["USERNAME"] ?? "operator";
  return { id: 0, login: `${name} (command line)`, kind: "user", permission: "admin" };
}
