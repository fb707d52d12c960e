/**
 * `npm run prove`: every proof that takes more than a minute. Progress goes to standard error. The last line is one JSON
 * object.
 */
import { readCommandLine } from "./command-line.ts";
import { suites } from "./suites.ts";

const asked = readCommandLine(process.argv.slice(2), suites);
if (asked.kind === "help") {
  process.stdout.write(`${asked.text}\n`);
} else if (asked.kind === "wrong") {
  process.stderr.write(`${asked.text}\n`);
  process.exitCode = 2;
} else {
  const { suite, seed, flags } = asked;
  const startedAt = performance.now();
  const say = (line: string): void => {
    process.stderr.write(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`);
  };
  say(`${suite.name} with seed ${seed}: ${suite.summary}`);
  const { held, result } = await suite.prove({ seed, flags, say });
  const durationMs = Math.round(performance.now() - startedAt);
  process.stdout.write(`${JSON.stringify({ suite: suite.name, seed, ...result, durationMs })}\n`);
  process.exitCode = held ? 0 : 1;
}
