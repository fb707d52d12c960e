/**
 * A YAML process from text: all problems at once, each with its place, the allowed values and a suggestion.
 *
 * Owns: the only way from text to a process file. Does not own: YAML (`config/yaml-text.ts`), sense (`check.ts`).
 */
import { problemsOfIssue } from "../config/messages.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { bounded, problemsMax, readYaml } from "../config/yaml-text.ts";
import { findProblems, type KnownProcesses } from "./check.ts";
import { processJsonSchema } from "./json-schema.ts";
import { type ProcessFile, processFileSchema } from "./schema.ts";

export type ParsedProcess =
  | { ok: true; file: ProcessFile; problems: ConfigProblem[] }
  | { ok: false; problems: ConfigProblem[] };

export function parseProcess(text: string, known: KnownProcesses | null): ParsedProcess {
  const read = readYaml(text);
  if (!read.ok) return { ok: false, problems: bounded(read.problems) };
  const { data, place, placeWithin } = read;
  const problems: ConfigProblem[] = [...read.problems];
  const parsed = processFileSchema.safeParse(data);
  if (!parsed.success) {
    const found = parsed.error.issues
      .flatMap((issue) => problemsOfIssue(issue, data, processJsonSchema()))
      .slice(0, problemsMax * 4);
    for (const { path, onKey, message, suggestion } of found)
      problems.push({ ...place(path, onKey), path: path.join("."), message, suggestion, severity: "error" });
    return { ok: false, problems: bounded(problems) };
  }
  for (const { path, onKey, within, message, suggestion } of findProblems(parsed.data, known).slice(
    0,
    problemsMax * 4,
  )) {
    const at = within === null ? place(path, onKey) : placeWithin(path, "${{", within.nth, within.offset);
    problems.push({ ...at, path: path.join("."), message, suggestion, severity: "error" });
  }
  if (problems.some(({ severity }) => severity === "error")) return { ok: false, problems: bounded(problems) };
  return { ok: true, file: parsed.data, problems: bounded(problems) };
}
