/**
 * `step`: one step that does nothing, by its cost to the database. Statements and commits at any load; times only as ratios to
 * the same work by others, interleaved in one run, on a quiet machine.
 */
import { join } from "node:path";
import { loadPglite, openPglite, openPostgres } from "../src/adapters/database/open.ts";
import { silentLog } from "../src/adapters/system/log.ts";
import type { Database } from "../src/ports/store.ts";
import { Runner } from "../src/runner/runner.ts";
import { createPostgresDatabase } from "../test/fakes/postgres.ts";
import { noPostgres } from "./databases.ts";
import { openDbos, type Peer } from "./engine/dbos.ts";
import { dependenciesOn } from "./engine/dependencies.ts";
import { drive } from "./engine/drive.ts";
import { fan, sequence } from "./engine/run.ts";
import { type Counts, countStatements } from "./engine/statements.ts";
import { type Bench, type BenchContext, elapsedMs, figure, type Outcome, percentile, rounded } from "./figure.ts";

const plans = { quick: { steps: 20, repeats: 1 }, full: { steps: 200, repeats: 5 } };

const targets = {
  "step.postgres.commits": 1.1,
  "step.postgres.statements": 2,
  "step.postgres.toDbos": 0.5,
  "parallel.postgres.commits": 0.2,
  "parallel.postgres.toDbos": 0.5,
  "step.pglite.toInsert": 2,
} as const;
type Name = keyof typeof targets;
const names = Object.keys(targets) as Name[];

type Ways = Record<string, () => Promise<number>>;

export const step: Bench = {
  name: "step",
  usesPostgres: true,
  summary: "a step that does nothing, by statements, commits and its ratio to others",
  figures: names,
  async run(context) {
    const outcome: Outcome = { figures: [], skipped: [] };
    const skip = (reason: string, ...skipped: Name[]) =>
      outcome.skipped.push(...skipped.map((name) => ({ name, reason })));
    if (context.postgresUrl === null) skip(noPostgres, ...names.filter((name) => name.includes("postgres")));
    else await measurePostgres(context.postgresUrl, context, outcome);
    if (context.busy === null) await measurePglite(context, outcome);
    else skip(context.busy, "step.pglite.toInsert");
    return outcome;
  },
};

async function measurePostgres(serverUrl: string, context: BenchContext, outcome: Outcome): Promise<void> {
  const { steps, repeats } = context.quick ? plans.quick : plans.full;
  await using resources = new AsyncDisposableStack();
  const database = async (): Promise<string> => {
    const { url, drop } = await createPostgresDatabase(serverUrl);
    resources.defer(drop);
    return url;
  };
  const baton = resources.use(await openBaton(await openPostgres(await database(), silentLog)));
  const peer = await openDbos(await database());
  if (peer !== null) resources.use(peer);
  for (const [kind, process] of [
    ["step", sequence.name],
    ["parallel", fan.name],
  ] as const) {
    const counts = await counted(() => baton.run(steps, process));
    const theirs = await peer?.counted(() => runPeer(peer, kind, steps));
    const samples = samplesOf("baton", counts, steps, theirs);
    add(outcome, `${kind}.postgres.commits`, counts.commits / steps, samples);
    if (kind === "step") add(outcome, "step.postgres.statements", counts.statements / steps, samples);
    const name = `${kind}.postgres.toDbos` as const;
    if (peer === null) outcome.skipped.push({ name, reason: "@dbos-inc/dbos-sdk is not installed" });
    else if (context.busy !== null) outcome.skipped.push({ name, reason: context.busy });
    else {
      context.say(`${name}: DBOS Transact ${peer.version}`);
      await ratio(outcome, name, repeats, {
        baton: () => baton.run(steps, process),
        dbos: () => elapsedMs(() => runPeer(peer, kind, steps)),
      });
    }
  }
}

/** The INSERT has the size of the events of one step. */
async function measurePglite(context: BenchContext, outcome: Outcome): Promise<void> {
  const { steps, repeats } = context.quick ? plans.quick : plans.full;
  await using resources = new AsyncDisposableStack();
  const directory = join(context.directory, "baton");
  const baton = resources.use(await openBaton(await openPglite({ directory, log: silentLog })));
  const PGlite = await loadPglite();
  const plain = await PGlite.create({ dataDir: join(context.directory, "plain") });
  resources.defer(() => plain.close());
  await plain.exec("create table rows (id serial primary key, content text not null)");
  const content = "x".repeat(1_000);
  await ratio(outcome, "step.pglite.toInsert", repeats, {
    baton: () => baton.run(steps, sequence.name),
    insert: () =>
      elapsedMs(async () => {
        for (let index = 0; index < steps; index += 1)
          await plain.query("insert into rows (content) values ($1)", [content]);
      }),
  });
}

async function openBaton(
  database: Database,
): Promise<AsyncDisposable & { run(steps: number, process: string): Promise<number> }> {
  const dependencies = dependenciesOn(database);
  // Not started: a queue looks for work by time, and a count must not depend on the time that the machine takes.
  const runner = new Runner(dependencies);
  let runs = 0;
  const run = (steps: number, process: string): Promise<number> => {
    runs += 1;
    return drive(dependencies, runner, `${process} ${runs}`, steps, process);
  };
  // Not counted: code that runs for the first time.
  for (const process of [sequence.name, fan.name]) await run(20, process);
  return {
    run,
    async [Symbol.asyncDispose]() {
      await runner.stop();
      await database.queue.stop(0);
      await database.close();
    },
  };
}

function runPeer(peer: Peer, kind: "step" | "parallel", steps: number): Promise<void> {
  return kind === "step" ? peer.sequential(steps) : peer.parallel(steps);
}

async function counted(work: () => Promise<unknown>): Promise<Counts> {
  using counts = countStatements();
  await work();
  return { statements: counts.statements, commits: counts.commits };
}

function samplesOf(name: string, ours: Counts, steps: number, theirs: Counts | undefined): Record<string, number> {
  const each = (who: string, { statements, commits }: Counts): Record<string, number> => ({
    [`${who} statements`]: rounded(statements / steps),
    [`${who} commits`]: rounded(commits / steps),
  });
  return { steps, ...each(name, ours), ...(theirs === undefined ? {} : each("dbos", theirs)) };
}

/** Interleaved, so that both meet the same machine. The raw times stay in the samples. */
async function ratio(outcome: Outcome, name: Name, repeats: number, ways: Ways): Promise<void> {
  const taken = Object.fromEntries(Object.keys(ways).map((way): [string, number[]] => [way, []]));
  for (let repeat = 0; repeat < repeats; repeat += 1)
    for (const [way, run] of Object.entries(ways)) taken[way]?.push(await run());
  const [ours = Number.NaN, theirs = Number.NaN] = Object.values(taken).map((times) => percentile(times, 0.5));
  const samples = Object.entries(taken).flatMap(([way, times]) =>
    times.map((time, index): [string, number] => [`${way} ms ${index + 1}`, rounded(time)]),
  );
  add(outcome, name, ours / theirs, Object.fromEntries(samples));
}

function add(outcome: Outcome, name: Name, value: number, samples: Record<string, number>): void {
  const unit = name.includes(".to") ? "ratio" : "count";
  outcome.figures.push(figure({ name, unit, value, target: targets[name], samples }));
}
