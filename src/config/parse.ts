/**
 * `baton.yaml` from text: all problems at once, each with its line, the allowed values and, if possible, a suggestion.
 *
 * Owns: making settings of the data. Does not own: YAML and places in it (`yaml-text.ts`), words of schema problems
 * (`messages.ts`), sense across keys (`sense.ts`).
 * Y4 A file with any error gives no settings: fail closed. Warnings do not prevent settings.
 */
import { problemsOfIssue } from "./messages.ts";
import type { ConfigProblem } from "./problem.ts";
import { type Settings, settingsSchema } from "./schema.ts";
import { type ConfigSurroundings, senseProblems } from "./sense.ts";
import { bounded, problemsMax, readYaml } from "./yaml-text.ts";

export type { ConfigProblem } from "./problem.ts";
export type { ConfigSurroundings } from "./sense.ts";

/** `problems` of a good file are warnings. */
export type ParsedConfig =
  | { ok: true; settings: Settings; problems: ConfigProblem[] }
  | { ok: false; problems: ConfigProblem[] };

/** A repository has one of them. The first is the usual one. */
export const configPaths = ["baton.yaml", "baton.yml", ".github/baton.yaml", ".github/baton.yml"] as const;

/** The only problem of a repository with two configurations: nobody knows which one counts. */
export function twoFilesProblem(paths: readonly string[]): ConfigProblem {
  const names = paths.map((path) => `\`${path}\``).join(" and ");
  return {
    line: 1,
    column: 1,
    path: "",
    message: `this repository has ${names}, and only one may be there`,
    suggestion: `delete ${paths
      .slice(1)
      .map((path) => `\`${path}\``)
      .join(" and ")}`,
    severity: "error",
  };
}

export function parseConfig(text: string, surroundings: ConfigSurroundings = {}): ParsedConfig {
  const read = readYaml(text);
  if (!read.ok) return failed(read.problems);
  const { data, place } = read;
  const problems = [...read.problems];
  const parsed = settingsSchema.safeParse(data);
  if (!parsed.success) {
    // Each search for a place reads the whole file, so Baton searches only for the problems that it shows.
    const found = parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, data)).slice(0, problemsMax * 4);
    for (const { path, onKey, message, suggestion } of found) {
      problems.push({ ...place(path, onKey), path: path.join("."), message, suggestion, severity: "error" });
    }
    return failed(problems);
  }
  for (const { path, ...rest } of senseProblems(parsed.data, surroundings))
    problems.push({ ...place(path, false), path: path.join("."), ...rest });
  if (problems.some(({ severity }) => severity === "error")) return failed(problems);
  return { ok: true, settings: parsed.data, problems: bounded(problems) };
}

function failed(problems: ConfigProblem[]): ParsedConfig {
  return { ok: false, problems: bounded(problems) };
}
