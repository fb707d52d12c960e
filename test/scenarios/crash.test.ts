/**
 * kill -9 at the durable writes of the happy path: a Baton dies at its n-th write, the next one goes on, again and again until the job is done.
 * n and the moment come from a seed, printed with every failure. Replay one: CRASH_SEED=<seed>.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { openPglite } from "../../src/adapters/database/open.ts";
import { silentLog } from "../../src/adapters/system/log.ts";
import { fold } from "../../src/core/fold.ts";
import { sampleScript } from "../../src/demo/sample.ts";
import { repositoryName, type Stage, setStage } from "../../src/demo/world.ts";

const seeds = process.env["CRASH_SEED"] === undefined ? [1] : [Number(process.env["CRASH_SEED"])];
/** An agent that is lost five times ends the run by design, so every third life may be longer. */
const livesMax = 60;
const lifeMs = 9_000;

let stage: Stage;
let child: ChildProcess | null = null;
afterEach(async () => {
  child?.kill("SIGKILL");
  await stage.close();
});

describe("kill -9 at durable writes, then restart", () => {
  it.each(seeds)(
    "seed %i: nothing lost, nothing twice",
    async (seed) => {
      stage = await setStage({
        script: { ...sampleScript, implement: sampleScript.repair },
        config: "version: 1\nharness: { default: command }\nmerge: auto\n",
      });
      const random = mulberry(seed);
      const deaths: string[] = [];
      let asked = false;
      let reviewed = false;
      for (let life = 0; life < livesMax; life += 1) {
        const alive = await live(
          {
            at: 1 + Math.floor(random() * (life % 3 === 2 ? 40 : 8)),
            moment: random() < 0.5 ? "before" : "after",
            ingest: life < 4,
          },
          async (url) => {
            // GitHub does not send again by itself: what was missed while nobody listened is sent again here, as the App's poll does.
            stage.listen(url);
            for (const delivery of missed()) stage.github.redeliver(delivery.id);
            if (!asked)
              stage.github.comment({
                repository: repositoryName,
                number: stage.issue,
                as: "alice",
                body: "/baton run",
              });
            asked = true;
          },
        );
        deaths.push(alive);
        if (process.env["CRASH_TRACE"] !== undefined)
          process.stderr.write(`${Math.round(performance.now())} life ${life}: ${alive}\n`);
        const pull = threads().find(({ pull: found }) => found !== null);
        const green = [...repository().checkRuns.values()].some(
          ({ name, conclusion, headSha }) =>
            name === "test" && conclusion === "success" && headSha === pull?.pull?.headSha,
        );
        if (pull !== undefined && green && !reviewed) {
          stage.github.review({ repository: repositoryName, number: pull.number, as: "bob", event: "APPROVE" });
          reviewed = true;
        }
        if (bodies().some((body) => body.includes("baton:op=final:")) && pull?.pull?.mergedAt != null) break;
      }
      const context = `seed ${seed}, deaths: ${deaths.join(", ")}`;
      const pulls = threads().filter(({ pull }) => pull !== null);
      expect(pulls.length, context).toBe(1);
      expect(pulls[0]?.pull?.mergedAt, context).not.toBeNull();
      const own = bodies();
      expect(own.filter((body) => body.includes("baton:op=status:")).length, context).toBe(1);
      expect(own.filter((body) => body.includes("baton:op=final:")).length, context).toBe(1);
      const checks = [...repository().checkRuns.values()]
        .filter(({ name }) => name === "Baton")
        .map(({ headSha }) => headSha);
      expect(new Set(checks).size, context).toBe(checks.length);
      const pushes = stage.github.log.filter(
        ({ method, path }) => method === "POST" && path.includes("git-receive-pack"),
      ).length;
      expect(pushes, context).toBeLessThanOrEqual(2);
      await journalIsWhole(context);
      expect(deaths.filter((death) => death !== "idle").length, context).toBeGreaterThan(5);
    },
    400_000,
  );
});

/** One run, chain intact, every attempt charged once. */
async function journalIsWhole(context: string): Promise<void> {
  const database = await openPglite({ directory: `${stage.environment["BATON_DATA"]}/database`, log: silentLog });
  try {
    const runs = await database.store.runs({});
    expect(runs.length, context).toBe(1);
    const state = fold(await database.store.read(runs[0]?.runId as never));
    expect(state.outcome?.verdict.status, context).toBe("passed");
    const settled = (await database.store.ledger({ runId: state.runId }))
      .filter(({ kind }) => kind === "settle")
      .map(({ key, attempt, model }) => `${key}/${attempt}/${model}`);
    expect(new Set(settled).size, context).toBe(settled.length);
  } finally {
    await database.queue.stop(0);
    await database.close();
  }
}

/** Starts a Baton and waits for its death; one that finds nothing more to do is killed after a while. */
async function live(
  crash: { at: number; moment: string; ingest: boolean },
  onReady: (url: string) => Promise<void>,
): Promise<string> {
  const env = {
    ...stage.environment,
    AGENT_SCRIPT: stage.scriptPath,
    CRASH_AT: `${crash.at}`,
    CRASH_MOMENT: crash.moment,
    ...(crash.ingest ? { CRASH_INGEST: "1" } : {}),
    PATH: process.env["PATH"],
  };
  const started = spawn(process.execPath, [fileURLToPath(new URL("./crash-child.ts", import.meta.url))], {
    env: Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined)) as NodeJS.ProcessEnv,
    stdio: ["ignore", "pipe", "inherit"],
  });
  child = started;
  const ended = new Promise<void>((resolve) => started.once("exit", () => resolve()));
  let death = "idle";
  started.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const url = /ready (\S+)/.exec(text)?.[1];
    if (url !== undefined) void onReady(url);
    death = /died (.*)/.exec(text)?.[1] ?? death;
  });
  const patience = setTimeout(() => started.kill("SIGKILL"), lifeMs);
  await ended;
  clearTimeout(patience);
  stage.listen(null);
  return death;
}

/** One delivery for each GUID that never got through. */
function missed() {
  const through = new Set(
    stage.github.deliveries.filter(({ statusCode }) => statusCode >= 200 && statusCode <= 299).map(({ guid }) => guid),
  );
  return [
    ...new Map(
      stage.github.deliveries.filter(({ guid }) => !through.has(guid)).map((delivery) => [delivery.guid, delivery]),
    ).values(),
  ];
}

function repository() {
  const found = [...stage.github.state.repositories.values()].find(({ name }) => name === "shop");
  if (found === undefined) throw new Error("no repository");
  return found;
}

function threads() {
  return [...repository().threads.values()];
}

function bodies(): string[] {
  return [...repository().comments.values()].filter(({ appId }) => appId !== null).map(({ body }) => body);
}

function mulberry(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
