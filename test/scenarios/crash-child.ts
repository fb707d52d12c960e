/**
 * A Baton that kills itself (SIGKILL) at its n-th durable write: `before` it, with everything done that led there, or `after` it.
 * Started by `crash.test.ts` with the environment of its world; says `ready <url>` once it listens.
 */
import { SqlStore } from "../../src/adapters/database/sql-store.ts";
import { startServer } from "../../src/app/server.ts";
import { readSettings } from "../../src/app/settings.ts";
import { scriptedHarnesses } from "../../src/demo/world.ts";
import { startBaton } from "../../src/wire.ts";

const crashAt = Number(process.env["CRASH_AT"] ?? 0);
const moment = process.env["CRASH_MOMENT"] ?? "after";
let writes = 0;

// Many deliveries come in for each step; dying at them is tried in the first lives only, or the job would take hours.
const durable = [
  "append",
  "write",
  "finishDelivery",
  "outboxDone",
  "outboxDelay",
  "putBlob",
  ...(process.env["CRASH_INGEST"] === undefined ? [] : ["insertDelivery"]),
];
const store = SqlStore.prototype as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
for (const name of durable) {
  const original = store[name] as (...args: unknown[]) => Promise<unknown>;
  store[name] = async function (this: unknown, ...args: unknown[]) {
    writes += 1;
    const mine = writes;
    if (mine === crashAt && moment === "before") die(name);
    const result = await original.apply(this, args);
    if (mine === crashAt) die(name);
    return result;
  };
}

function die(name: string): void {
  process.stdout.write(`died ${moment} ${name}\n`);
  process.kill(process.pid, "SIGKILL");
}

const settings = readSettings(process.env);
const baton = await startBaton(settings, { harnesses: scriptedHarnesses(process.env["AGENT_SCRIPT"] ?? "") });
const server = await startServer(settings, baton);
process.stdout.write(`ready ${server.url}\n`);
