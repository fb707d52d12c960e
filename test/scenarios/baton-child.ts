/**
 * A whole Baton in its own process, for tests that kill it. It imports everything and prints `standing by`. It begins at a
 * line on its standard input, and prints `ready <url>` once it listens.
 *
 * AGENT_SCRIPT: the scripted agent replaces the harnesses that the environment sets up.
 * CHILD_LIMITS: JSON with other values for some of `limits`, so that a test sees a lease end sooner.
 * CHILD_TELLS=1: prints `ack <JSON>` for each durable append to a journal, and each second `unsent <number>`: 0 if every
 * write to GitHub is done, else 1.
 * CHILD_SABOTAGE: a name from `sabotage.ts`. This Baton breaks a promise on purpose, and the test must find it.
 */
import { writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { createInterface } from "node:readline";
import { scriptedHarnesses } from "../../packages/local-github/demo/world.ts";
import { SqlStore } from "../../src/adapters/database/sql-store.ts";
import { startServer } from "../../src/app/server.ts";
import { limits } from "../../src/core/limits.ts";
import { readSettings } from "../../src/environment/settings.ts";
import { startBaton } from "../../src/wire.ts";
import { type Acknowledged, isSabotage, sabotage } from "./sabotage.ts";

const say = (line: string): void => void writeSync(1, `${line}\n`);
const { AGENT_SCRIPT, CHILD_LIMITS, CHILD_SABOTAGE, CHILD_TELLS } = process.env;

// A process that dies by SIGKILL does not save its cache of compiled code. So it saves the cache now.
flushCompileCache();
say("standing by");
for await (const _ of createInterface({ input: process.stdin })) break;

if (CHILD_LIMITS !== undefined) Object.assign(limits, JSON.parse(CHILD_LIMITS));
if (CHILD_TELLS === "1") {
  const { append } = SqlStore.prototype;
  SqlStore.prototype.append = async function (request) {
    const stored = await append.call(this, request);
    const events = stored.map(({ position, hash, event }) => ({
      position,
      hash,
      type: event.type,
      ...("key" in event && event.key !== undefined ? { key: event.key } : {}),
      ...(event.type === "effect.started" ? { attempt: event.attempt, paid: event.reservedUsd > 0 } : {}),
    }));
    say(`ack ${JSON.stringify({ runId: request.runId, events } satisfies Acknowledged)}`);
    return stored;
  };
}
const settings = readSettings(process.env);
if (CHILD_SABOTAGE !== undefined && isSabotage(CHILD_SABOTAGE)) await sabotage[CHILD_SABOTAGE](settings);
const baton = await startBaton(
  settings,
  AGENT_SCRIPT === undefined ? {} : { harnesses: scriptedHarnesses(AGENT_SCRIPT) },
);
const server = await startServer(settings, baton);
say(`ready ${server.url}`);
if (CHILD_TELLS === "1") {
  const tell = async (): Promise<void> => {
    const due = await baton.dependencies.store.outboxDue(Number.MAX_SAFE_INTEGER, 1);
    say(`unsent ${due.length}`);
  };
  // A store that is closed has nothing to tell.
  setInterval(() => void tell().catch(() => {}), 1_000).unref();
}
