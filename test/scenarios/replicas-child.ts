/** One App process of several on one PostgreSQL, started by `replicas.test.ts`; says `ready <url>` once it listens. */
import { writeSync } from "node:fs";
import { startServer } from "../../src/app/server.ts";
import { readSettings } from "../../src/app/settings.ts";
import { scriptedHarnesses } from "../../src/demo/world.ts";
import { startBaton } from "../../src/wire.ts";

const settings = readSettings(process.env);
const baton = await startBaton(settings, { harnesses: scriptedHarnesses(process.env["AGENT_SCRIPT"] ?? "") });
const server = await startServer(settings, baton);
writeSync(1, `ready ${server.url}\n`);
