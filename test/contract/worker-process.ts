/**
 * A process that uses a database until somebody kills it. Tests of survival after its death start it.
 *
 * `write <directory>`   opens PGlite, says `ready`, then appends without end and prints each acknowledged position.
 *                       A `file:` or `http:` address is a repository whose git keeps the state.
 * `hold <url|directory> <queue>`  takes one job, says `holding <data>`, and never ends it.
 * Lines go to stdout with a synchronous write, so they are complete when the process dies.
 */
import { mkdtempSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPglite, openPostgres } from "../../src/adapters/database/open.ts";
import { openGitDatabase } from "../../src/adapters/git-state/open.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { systemRandom } from "../../src/adapters/system/random.ts";
import type { RunEvent } from "../../src/core/event.ts";
import type { RunId } from "../../src/core/vocabulary.ts";
import type { Database } from "../../src/ports/store.ts";

const [mode, place, name] = process.argv.slice(2) as [string, string, string];
const say = (line: string): void => void writeSync(1, `${line}\n`);
const { store, queue } = await open();

if (mode === "hold") {
  await queue.work(name, 1, async (job) => {
    say(`holding ${JSON.stringify(job.data)}`);
    await new Promise(() => {});
  });
  say("ready");
} else {
  const runId = name as RunId;
  const by = { id: 1, login: "alice", kind: "user", permission: "write" } as const;
  const event: RunEvent = { type: "run.paused", by, reason: "x".repeat(2_000) };
  let position = await store.position(runId);
  say("ready");
  for (;;) {
    position += 1;
    const key = `${runId}:${position}`;
    const row = {
      operationKey: key,
      installationId: 1,
      repositoryId: 1,
      kind: "comment",
      payload: {},
      contentHash: "v1",
      priority: 1,
      notBefore: 0,
      runId,
    };
    await store.append({
      runId,
      expectedPosition: position - 1,
      events: [event],
      now: position,
      also: { outbox: [row], jobs: [{ queue: "run", data: { key } }] },
    });
    say(`acknowledged ${position}`);
  }
}

function open(): Promise<Database> {
  if (place.startsWith("postgres")) return openPostgres(place, silentLog);
  if (!/^(file|https?):/.test(place)) return openPglite({ directory: place, log: silentLog });
  return openGitDatabase({
    url: place,
    token: async () => null,
    scratchDir: mkdtempSync(join(process.env["BATON_TEST_SCRATCH"] ?? tmpdir(), "scratch-")),
    home: "thread/7",
    durability: "write",
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
  });
}
