/**
 * `npm run bench [-- --json] [-- --quick] [-- --only <name>]`: every figure with its target. Exits with 1 if a figure misses
 * its target.
 *
 * Each benchmark runs in its own process, so that none pays for the remains of another. With `--here` it runs in this
 * process, for a profiler.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFlags } from "../src/core/flags.ts";
import { nearest } from "../src/core/nearest.ts";
import { notDurable } from "./databases.ts";
import type { Bench, Outcome } from "./figure.ts";
import { benches } from "./index.ts";
import { detail, table } from "./report.ts";

const words = readFlags(process.argv.slice(2), {
  json: {},
  quick: {},
  here: {},
  only: { value: "NAME", many: true },
  help: {},
});
const flags = words.ok ? words.flags : {};
const values = {
  json: flags["json"] !== undefined,
  quick: flags["quick"] !== undefined,
  here: flags["here"] !== undefined,
  only: flags["only"],
  help: flags["help"] !== undefined,
};
const postgresUrl = process.env["BATON_TEST_DATABASE_URL"] ?? process.env["DATABASE_URL"] ?? null;
/** Above this load for each core, a time says more about the other programs. */
const loadMax = 0.5;
const say = (text: string): void => console.error(text);

if (!words.ok) {
  say(`${words.wrong}\n\`npm run bench -- --help\` lists the flags.`);
  process.exitCode = 2;
} else if (values.help) {
  console.log(
    [
      "npm run bench [-- options]",
      "",
      "  --json         the last line is one JSON object",
      "  --quick        few and small: shows that it works, says little about speed",
      "  --only <name>  a benchmark or a figure by the beginning of its name; may be repeated",
      "  --here         in this process, for a profiler",
      "",
      ...benches.map(({ name, summary, figures }) => `${name}: ${summary}\n  ${figures.join("\n  ")}`),
    ].join("\n"),
  );
} else {
  process.exitCode = await main();
}

async function main(): Promise<number> {
  const chosen = benches.filter(
    ({ name, figures }) =>
      values.only === undefined ||
      values.only.some((wanted) => name.startsWith(wanted) || figures.some((known) => known.startsWith(wanted))),
  );
  if (chosen.length === 0) {
    const names = benches.map(({ name }) => name);
    const meant = nearest(values.only?.[0] ?? "", [...names, ...benches.flatMap(({ figures }) => figures)]);
    say(
      `Nothing is called ${values.only?.join(", ")}.${meant === null ? "" : ` Did you mean \`${meant}\`?`} There are: ${names.join(", ")}.`,
    );
    return 2;
  }
  const outcome: Outcome = { figures: [], skipped: [] };
  const isApart = process.send !== undefined;
  const needsServer = !isApart && chosen.some(({ usesPostgres }) => usesPostgres === true);
  const refusal = needsServer && postgresUrl !== null ? await notDurable(postgresUrl) : null;
  if (refusal !== null) {
    const reason = `Refused: ${refusal}, so its figures say nothing. Name a server with its default settings in BATON_TEST_DATABASE_URL.`;
    say(reason);
    const skipped = chosen.flatMap(({ figures }) => figures).map((name) => ({ name, reason }));
    if (values.json)
      console.log(JSON.stringify({ machine: machine(), ...flat({ figures: [], skipped }), refused: reason }));
    return 2;
  }
  const failed: string[] = [];
  for (const bench of chosen) {
    if (process.send === undefined) say(`${bench.name}: ${bench.summary} …`);
    try {
      const { figures, skipped } = await (values.here ? runHere(bench) : runApart(bench));
      outcome.figures.push(...figures);
      outcome.skipped.push(...skipped);
    } catch (thrown) {
      failed.push(bench.name);
      say(`${bench.name} failed: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
    }
  }
  // A child answers its parent and is silent otherwise.
  if (process.send !== undefined) {
    if (failed.length === 0) process.send(outcome);
  } else if (values.json) {
    const missed = outcome.figures.filter(({ ok }) => !ok).map(({ name }) => name);
    console.log(
      JSON.stringify({ quick: values.quick, machine: machine(), ...outcome, missed, failed, ...flat(outcome) }),
    );
  } else {
    const { cpus: count, cpu, node, loadAverage } = machine();
    console.log(`\n${table(outcome)}\n\n${detail(outcome)}\n`);
    console.log(
      `${count} × ${cpu}, Node ${node}, load ${loadAverage}${values.quick ? "; --quick: not for comparison" : ""}`,
    );
  }
  return failed.length === 0 && outcome.figures.every(({ ok }) => ok) ? 0 : 1;
}

async function runHere(bench: Bench): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), "baton-bench-"));
  try {
    return await bench.run({
      quick: values.quick,
      postgresUrl,
      busy: busyness(),
      directory,
      say: (text) => say(`  ${text}`),
    });
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Each figure by its name. One without a value says why. */
function flat({ figures, skipped }: Outcome): Record<string, object> {
  return Object.fromEntries([
    ...figures.map(({ name, ...rest }): [string, object] => [name, rest]),
    ...skipped.map(({ name, reason }): [string, object] => [name, { value: null, reason }]),
  ]);
}

/** Measured before a benchmark, because it is load itself. */
function busyness(): string | null {
  const load = (loadavg()[0] ?? 0) / availableParallelism();
  return load < loadMax ? null : `the machine is busy: load ${load.toFixed(2)} for each core, at most ${loadMax}`;
}

async function runApart(bench: Bench): Promise<Outcome> {
  const args = ["--here", "--only", bench.name, ...(values.quick ? ["--quick"] : [])];
  const child = fork(fileURLToPath(import.meta.url), args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  let answer: Outcome | null = null;
  child.on("message", (message) => {
    answer = message as Outcome;
  });
  await once(child, "close");
  if (answer === null) throw new Error(`Its process ended with ${child.exitCode ?? child.signalCode} and no figures.`);
  return answer;
}

function machine() {
  return {
    cpus: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memoryMb: Math.round(totalmem() / 2 ** 20),
    platform: `${process.platform} ${release()}`,
    node: process.version,
    loadAverage: Number((loadavg()[0] ?? 0).toFixed(2)),
  };
}
