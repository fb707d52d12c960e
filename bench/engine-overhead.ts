/**
 * `engine.overheadPerEffectMs`: a run of sequential effects without costs, through the real Runner, by number of effects.
 *
 * From the wake-up of the stored run to its end, divided by its effects. This covers leases, two durable turns an effect,
 * status and last words.
 */
import type { Database } from "../src/ports/store.ts";
import type { Dependencies } from "../src/runner/dependencies.ts";
import { Runner } from "../src/runner/runner.ts";
import { type DatabaseKind, databaseKinds, noPostgres, withDatabase } from "./databases.ts";
import { dependenciesOn } from "./engine/dependencies.ts";
import { createRun, drive, expectDone } from "./engine/drive.ts";
import { driveNaively } from "./engine/naive.ts";
import { against, type Bench, type BenchContext, elapsedMs, figure, type Outcome, rounded } from "./figure.ts";

/** The naive engine stops earlier: at 2,000 effects it reads some 8 million events. */
const plans = {
  quick: { sizes: [10, 50], naiveSizes: [10, 50], repeats: 1 },
  full: { sizes: [10, 100, 500, 2_000], naiveSizes: [10, 100, 500], repeats: 3 },
};
const targets: Record<DatabaseKind, number | null> = { memory: 2, pglite: 6, postgres: null };
/** "Flat": the cost of an effect in the longest run, divided by its cost in the shortest. */
const growthMax = 1.5;

const overheadOf = (kind: DatabaseKind): string => `engine.overheadPerEffectMs.${kind}`;
const growthOf = (kind: DatabaseKind): string => `engine.growth.${kind}`;

export const engineOverhead: Bench = {
  name: "engine-overhead",
  usesPostgres: true,
  summary: "what the engine adds to each of n sequential effects",
  figures: databaseKinds.flatMap((kind) => [overheadOf(kind), growthOf(kind)]),
  async run(context) {
    const outcome: Outcome = { figures: [], skipped: [] };
    for (const kind of databaseKinds) {
      const done = await withDatabase(kind, context, async (database) => {
        outcome.figures.push(...(await measure(kind, database, context)));
        return true;
      });
      if (done === null)
        outcome.skipped.push(...[overheadOf(kind), growthOf(kind)].map((name) => ({ name, reason: noPostgres })));
    }
    return outcome;
  },
};

async function measure(kind: DatabaseKind, database: Database, { quick, say }: BenchContext) {
  const { sizes, naiveSizes, repeats } = quick ? plans.quick : plans.full;
  const dependencies = dependenciesOn(database);
  const runner = new Runner(dependencies);
  await runner.start();
  try {
    const samples: Record<string, number> = {};
    // Not counted: code that runs for the first time.
    await drive(dependencies, runner, "warm-up", 50);
    const perEffect = new Map<number, number>();
    for (const size of sizes) {
      const repeated: number[] = [];
      for (let repeat = 1; repeat <= repeats; repeat += 1)
        repeated.push((await drive(dependencies, runner, `${kind}-${size}-${repeat}`, size)) / size);
      perEffect.set(size, Math.min(...repeated));
      samples[`${size}`] = rounded(Math.min(...repeated));
      say(`${kind}: ${samples[`${size}`]} ms an effect in a run of ${size}`);
    }
    let naive = Number.NaN;
    for (const size of naiveSizes) {
      naive = (await driveOne(dependencies, `naive-${size}`, size)) / size;
      samples[`naive ${size}`] = rounded(naive);
      say(
        `${kind}: ${samples[`naive ${size}`]} ms an effect in a run of ${size}, replayed from the start at each step`,
      );
    }
    const [shortest = 0, longest = 0, compared = 0] = [sizes[0], sizes.at(-1), naiveSizes.at(-1)];
    return [
      figure({
        name: overheadOf(kind),
        unit: "ms",
        value: Math.max(...perEffect.values()),
        target: targets[kind],
        samples,
        baseline: against(`replay from the start, ${compared} effects`, naive, perEffect.get(compared) ?? Number.NaN),
      }),
      figure({
        name: growthOf(kind),
        unit: "ratio",
        value: (perEffect.get(longest) ?? Number.NaN) / (perEffect.get(shortest) ?? Number.NaN),
        target: targets[kind] === null ? null : growthMax,
        baseline: against(
          `replay from the start, ${compared} by ${naiveSizes[0]} effects`,
          naive / (samples[`naive ${naiveSizes[0]}`] ?? Number.NaN),
          (perEffect.get(compared) ?? Number.NaN) / (perEffect.get(shortest) ?? Number.NaN),
        ),
      }),
    ];
  } finally {
    await runner.stop();
    await database.queue.stop(0);
  }
}

async function driveOne(dependencies: Dependencies, name: string, effects: number): Promise<number> {
  const runId = await createRun(dependencies, name, effects);
  const taken = await elapsedMs(() => driveNaively(dependencies, runId));
  await expectDone(dependencies, runId, effects);
  return taken;
}
