/**
 * A Baton that kills itself (SIGKILL) at a durable write where no Baton of this test has died yet.
 *
 * `crash.test.ts` starts it with the environment of its world. It imports everything first, so that it can stand by. It
 * prints `standing by`, starts at a line on stdin, and prints `ready <url>` once it listens. At last, it prints `died
 * <moment> <site>`.
 */
import { appendFileSync, existsSync, readFileSync, writeSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { createInterface } from "node:readline";
import { scriptedHarnesses } from "../../packages/local-github/demo/world.ts";
import { startServer } from "../../src/app/server.ts";
import { limits } from "../../src/core/limits.ts";
import { readSettings } from "../../src/environment/settings.ts";
import { startBaton } from "../../src/wire.ts";
import { happyPathSites, instrument, type Moment } from "./crash-sites.ts";

const environment = process.env as Record<string, string>;
const visitedPath = environment["CRASH_VISITED"] as string;
const moments = (environment["CRASH_MOMENTS"] as string).split(",") as Moment[];
/** Distinguishes writes by their contents, too, not only by their kind. */
const fine = environment["CRASH_EXHAUSTIVE"] !== undefined;
/** By design, an agent that is lost that often ends its run. So the last attempts get no blow. */
const attemptsToKillMax = limits.attemptsPerEffectMax - 2;

const say = (line: string): void => void writeSync(1, `${line}\n`);
const visited = new Set<string>();
let agentAttempt = 0;

instrument((site, moment, events) => {
  for (const event of events) {
    if (event.type === "effect.started" && event.reservedUsd > 0) agentAttempt = event.attempt;
    if (event.type === "effect.succeeded" && moment === "after") agentAttempt = 0;
  }
  if (!moments.includes(moment) || agentAttempt > attemptsToKillMax) return;
  if (!fine && !happyPathSites.includes(site as (typeof happyPathSites)[number])) return;
  const keys = events.flatMap((event) => ("key" in event ? [event.key] : []));
  const place = `${moment} ${site}${fine && keys.length > 0 ? ` [${[...new Set(keys)].join(" ")}]` : ""}`;
  if (visited.has(place)) return;
  appendFileSync(visitedPath, `${place}\n`);
  say(`died ${place}`);
  process.kill(process.pid, "SIGKILL");
});

// A process that dies by SIGKILL does not save its cache of compiled code. So it saves the cache now.
flushCompileCache();
say("standing by");
for await (const _ of createInterface({ input: process.stdin })) break;
if (existsSync(visitedPath)) for (const line of readFileSync(visitedPath, "utf8").split("\n")) visited.add(line);
const settings = readSettings(process.env);
const baton = await startBaton(settings, { harnesses: scriptedHarnesses(environment["AGENT_SCRIPT"] as string) });
const server = await startServer(settings, baton);
say(`ready ${server.url}`);
