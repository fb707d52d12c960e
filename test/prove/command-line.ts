/** `npm run prove -- <suite> [--flag n]`: turns words into a suite and its options, or into their problems. */
import { nearest } from "../../src/core/nearest.ts";
import type { Suite } from "./suite.ts";

export type Asked =
  | { kind: "help"; text: string }
  | { kind: "wrong"; text: string }
  | { kind: "suite"; suite: Suite; seed: number; flags: Record<string, number> };

const seedMax = 2 ** 32 - 1;

export function readCommandLine(words: readonly string[], suites: readonly Suite[]): Asked {
  const [name, ...rest] = words;
  if (name === "--help" || name === "-h") return { kind: "help", text: usage(suites) };
  if (name === undefined) return { kind: "wrong", text: `Name a suite.\n\n${usage(suites)}` };
  const suite = suites.find((one) => one.name === name);
  if (suite === undefined) {
    const names = suites.map((one) => one.name);
    return { kind: "wrong", text: `Unknown suite \`${name}\`.${meant(nearest(name, names))}\n\n${usage(suites)}` };
  }
  if (rest.includes("--help") || rest.includes("-h")) return { kind: "help", text: usageOf(suite) };
  return readFlags(suite, rest);
}

function readFlags(suite: Suite, words: readonly string[]): Asked {
  const wrong = (what: string): Asked => ({ kind: "wrong", text: `${what}\n\n${usageOf(suite)}` });
  const known = new Map([
    ["seed", { min: 0, max: seedMax }],
    ...suite.flags.map(({ name, min }) => [name, { min, max: Number.MAX_SAFE_INTEGER }] as const),
  ]);
  const given = new Map<string, number>();
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    const [, name, attached] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) return wrong(`Unexpected word \`${word}\`.`);
    const bounds = known.get(name);
    if (bounds === undefined) {
      const near = nearest(name, [...known.keys()]);
      return wrong(`Unknown flag \`--${name}\`.${meant(near === null ? null : `--${near}`)}`);
    }
    if (given.has(name)) return wrong(`\`--${name}\` is there twice.`);
    const text = attached ?? words[++index] ?? "";
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= bounds.min && value <= bounds.max))
      return wrong(`\`--${name}\` needs a whole number from ${bounds.min}, not \`${text}\`.`);
    given.set(name, value);
  }
  const flags = Object.fromEntries(suite.flags.map((flag) => [flag.name, given.get(flag.name) ?? flag.default]));
  return { kind: "suite", suite, seed: given.get("seed") ?? 1, flags };
}

function meant(word: string | null): string {
  return word === null ? "" : ` Did you mean \`${word}\`?`;
}

function usage(suites: readonly Suite[]): string {
  const width = Math.max(...suites.map(({ name }) => name.length));
  return [
    "Usage: npm run prove -- <suite> [--seed n] [--flag n]",
    "",
    "Suites:",
    ...suites.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    "",
    "Progress goes to standard error. The last line of standard output is one JSON object.",
    "Exit code 0: the proof held. 1: it did not. 2: the command line is wrong.",
    "`npm run prove -- <suite> --help` lists the flags of a suite.",
  ].join("\n");
}

function usageOf({ name, summary, flags }: Suite): string {
  const rows = [{ name: "seed", summary: "the same seed asks the same questions", default: 1 }, ...flags];
  const width = Math.max(...rows.map((row) => row.name.length)) + 4;
  return [
    `Usage: npm run prove -- ${name} ${rows.map((row) => `[--${row.name} n]`).join(" ")}`,
    "",
    summary,
    "",
    ...rows.map((row) => `  ${`--${row.name} n`.padEnd(width)}  ${row.summary} (default ${row.default})`),
  ].join("\n");
}
