/**
 * `webhook.answer.p99Ms`, `webhook.lost`: 100 signed deliveries a second for a minute against the real App, which also
 * handles them.
 *
 * Lost: a sent delivery that is not in the store after the App has ended, whatever its answer was.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDatabase } from "../src/adapters/database/open.ts";
import { silentLog } from "../src/adapters/system/log.ts";
import { createPostgresDatabase } from "../test/fakes/postgres.ts";
import { noPostgres, writtenTransactions } from "./databases.ts";
import {
  against,
  type Bench,
  type BenchContext,
  type Figure,
  figure,
  type Outcome,
  percentile,
  rounded,
} from "./figure.ts";
import { startApp, webhookSecret } from "./load/app.ts";
import type { LoadResult } from "./load/client.ts";

const perSecond = 100;
const seconds = { quick: 3, full: 60 };
const bareSeconds = { quick: 1, full: 10 };
const targetMs = 250;
const syncsTarget = 1;
const kinds = ["pglite", "postgres"] as const;
const names = {
  pglite: { p99: "webhook.answer.p99Ms", lost: "webhook.lost", waiting: "webhook.waiting" },
  postgres: {
    p99: "webhook.answer.p99Ms.postgres",
    lost: "webhook.lost.postgres",
    waiting: "webhook.waiting.postgres",
    syncs: "webhook.syncs",
  },
};

export const webhookAnswer: Bench = {
  name: "webhook-answer",
  usesPostgres: true,
  summary: `${perSecond} signed deliveries a second for ${seconds.full} s at the real door, open loop`,
  figures: kinds.flatMap((kind) => Object.values(names[kind])),
  async run(context) {
    const outcome: Outcome = { figures: [], skipped: [] };
    const bare = await loadBare(context);
    for (const kind of kinds) {
      if (kind === "pglite") {
        outcome.figures.push(...(await measure(kind, context, null, bare)));
      } else if (context.postgresUrl === null) {
        outcome.skipped.push(...Object.values(names[kind]).map((name) => ({ name, reason: noPostgres })));
      } else {
        const { url, drop } = await createPostgresDatabase(context.postgresUrl);
        try {
          outcome.figures.push(...(await measure(kind, context, url, bare)));
        } finally {
          await drop();
        }
      }
    }
    return outcome;
  },
};

async function measure(
  kind: (typeof kinds)[number],
  { quick, directory, say }: BenchContext,
  databaseUrl: string | null,
  bare: number[],
): Promise<Figure[]> {
  const dataDir = join(directory, kind);
  const app = await startApp({ dataDir, databaseUrl });
  let result: LoadResult;
  const before = databaseUrl === null ? 0 : await writtenTransactions(databaseUrl);
  try {
    result = await load(app.webhookUrl, quick ? seconds.quick : seconds.full);
  } finally {
    await app.stop();
  }
  const syncs = databaseUrl === null ? 0 : (await writtenTransactions(databaseUrl)) - before;
  const { stored, handled } = await inspect(dataDir, databaseUrl, result);
  const sent = result.deliveries.length;
  const taken = result.deliveries.map(({ ms }) => ms);
  const answered = result.deliveries.filter(({ status }) => status === 202).length;
  say(
    `${kind}: ${sent} sent, ${answered} answered 202, ${stored} in the store, ${handled} handled when the load ended`,
  );
  const samples = {
    p50: rounded(percentile(taken, 0.5)),
    p99: rounded(percentile(taken, 0.99)),
    p999: rounded(percentile(taken, 0.999)),
    max: rounded(Math.max(...taken)),
    sent,
    refused: sent - answered,
    senderLateMax: rounded(result.lateMsMax),
  };
  return [
    figure({
      name: names[kind].p99,
      unit: "ms",
      value: samples.p99,
      target: targetMs,
      samples,
      baseline: against("a door that keeps nothing", percentile(bare, 0.99), samples.p99),
    }),
    // Not kept, or kept with a failed answer: GitHub would count both as failed.
    figure({ name: names[kind].lost, unit: "count", value: Math.max(sent - stored, sent - answered), target: 0 }),
    figure({ name: names[kind].waiting, unit: "count", value: stored - handled, target: null }),
    // A delivery that still waits has not cost everything yet.
    ...(kind === "postgres"
      ? [
          figure({
            name: names.postgres.syncs,
            unit: "count",
            value: syncs / Math.max(1, handled),
            target: syncsTarget,
          }),
        ]
      : []),
  ];
}

/** The contents of the store after the App has ended. */
async function inspect(dataDir: string, databaseUrl: string | null, { deliveries }: LoadResult) {
  const database = await openDatabase({ databaseUrl, dataDir, log: silentLog });
  try {
    let [stored, handled] = [0, 0];
    for (const { guid } of deliveries) {
      const kept = await database.store.delivery("1", guid);
      if (kept !== null) stored += 1;
      if (kept?.state === "handled") handled += 1;
    }
    return { stored, handled };
  } finally {
    await database.close();
  }
}

function load(url: string, forSeconds: number): Promise<LoadResult> {
  const path = fileURLToPath(new URL("./load/client.ts", import.meta.url));
  return answerOf<LoadResult>(fork(path, [url, webhookSecret, `${perSecond}`, `${forSeconds}`]));
}

async function loadBare({ quick }: BenchContext): Promise<number[]> {
  const server = fork(fileURLToPath(new URL("./load/bare-server.ts", import.meta.url)), [webhookSecret]);
  try {
    const [port] = (await once(server, "message")) as [number];
    const { deliveries } = await load(`http://127.0.0.1:${port}/`, quick ? bareSeconds.quick : bareSeconds.full);
    return deliveries.map(({ ms }) => ms);
  } finally {
    server.kill();
  }
}

async function answerOf<T>(child: ReturnType<typeof fork>): Promise<T> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`The sender ended with ${code} before it answered.`);
  });
  ended.catch(() => {});
  const [answer] = (await Promise.race([once(child, "message"), ended])) as [T];
  return answer;
}
