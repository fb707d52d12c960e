/**
 * `run.deliveredToSpawnMs`: from the answer to the delivery of `/baton run` to the first instruction of the harness's
 * process.
 *
 * Everything between is real: the delivery's job, the command, permission and configuration over HTTP from the local GitHub.
 * So are the run, fetch and workspace by git, and the process. The local GitHub shares this process with Baton, so the
 * figure includes its work.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { repositoryName, startWorld, type World } from "../packages/local-github/demo/world.ts";
import { commandHarness } from "../src/adapters/harness/command/harness.ts";
import { type Bench, figure, spread } from "./figure.ts";

const repeats = { quick: 2, full: 10 };
const targetMs = 1_500;
const patienceMs = 60_000;
const lookIntervalMs = 5;
const agentPath = fileURLToPath(new URL("./load/clock-agent.mjs", import.meta.url));

export const deliveredToSpawn: Bench = {
  name: "delivered-to-spawn",
  summary: "from `/baton run` delivered to the harness's process, warm App, local repository",
  figures: ["run.deliveredToSpawnMs"],
  async run({ quick, directory, say }) {
    const clockPath = join(directory, "clock");
    const command = [process.execPath, agentPath, clockPath];
    const world = await startWorld({
      ci: false,
      harnesses: new Map([["command", commandHarness({ command, keys: {}, scripted: true })]]),
    });
    try {
      // Not counted: the first run warms up the App and loads the repository.
      await once(world, clockPath);
      const taken: number[] = [];
      for (let repeat = 0; repeat < (quick ? repeats.quick : repeats.full); repeat += 1) {
        taken.push(await once(world, clockPath));
        say(`${Math.round(taken.at(-1) ?? 0)} ms`);
      }
      const samples = spread(taken);
      // The median, because a person waits for one run, not for the best of ten.
      const value = samples["p50"] ?? Number.NaN;
      return {
        figures: [figure({ name: "run.deliveredToSpawnMs", unit: "ms", value, target: targetMs, samples })],
        skipped: [],
      };
    } finally {
      await world.close();
    }
  },
};

/** One run of a new issue, to its end. The agent changes nothing, so the run is short. */
async function once(world: World, clockPath: string): Promise<number> {
  const before = (await spawns(clockPath)).length;
  const { github } = world;
  const { number } = github.openIssue({ repository: repositoryName, as: "alice", title: "Measure", body: "Nothing." });
  await github.settle();
  const comment = github.comment({ repository: repositoryName, number, as: "alice", body: "/baton run" });
  const deliveredAt = await until(() => answeredAt(world, comment.id));
  const spawnedAt = await until(async () => (await spawns(clockPath))[before]);
  await until(async () => {
    const [row] = await world.baton.dependencies.store.runs({ limit: 1 });
    return row !== undefined && ["completed", "failed", "cancelled"].includes(row.status) ? true : undefined;
  });
  await world.baton.runner.idle();
  await github.settle();
  return spawnedAt - deliveredAt;
}

/** The time at which the App answered the delivery of this comment. */
function answeredAt({ github }: World, commentId: number): number | undefined {
  const delivery = github.deliveries.find(
    ({ event, request }) =>
      event === "issue_comment" && (request.payload as { comment?: { id?: number } }).comment?.id === commentId,
  );
  return delivery === undefined ? undefined : Date.parse(delivery.deliveredAt);
}

async function spawns(clockPath: string): Promise<number[]> {
  const text = await readFile(clockPath, "utf8").catch(() => "");
  return text.split("\n").filter(Boolean).map(Number);
}

async function until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`Nothing came within ${patienceMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
  }
}
