/**
 * The project's own CI as its workflow files tell it: which checks will appear on a pull request.
 *
 * Owns: names of checks. Does not own: what GitHub makes of expressions; a name that holds one is marked as a pattern.
 */
import { parse } from "yaml";

export interface DetectedCheck {
  /** As it appears on a commit; with `…` where only a run tells. */
  name: string;
  exact: boolean;
  workflow: string;
  path: string;
}

export interface DetectedWorkflow {
  name: string;
  path: string;
  /** Its jobs appear on pull requests or branches. */
  isCi: boolean;
  /** It can be started by Baton where a push starts nothing. */
  dispatchable: boolean;
}

type Fields = Record<string, unknown>;
const combinationsMax = 30;

export function readWorkflow(
  path: string,
  text: string,
): { workflow: DetectedWorkflow; checks: DetectedCheck[] } | null {
  const file = fieldsOf(parsed(text));
  const jobs = fieldsOf(file?.["jobs"]);
  if (file === null || jobs === null) return null;
  const triggers = triggersOf(file["on"] ?? file["true"]);
  const name = typeof file["name"] === "string" ? file["name"] : path;
  const isCi = ["pull_request", "push", "merge_group"].some((trigger) => triggers.includes(trigger)) && !isBaton(jobs);
  const workflow = { name, path, isCi, dispatchable: triggers.includes("workflow_dispatch") };
  if (!isCi) return { workflow, checks: [] };
  const checks = Object.entries(jobs).flatMap(([id, job]) =>
    namesOf(id, fieldsOf(job) ?? {}).map(({ name: check, exact }) => ({ name: check, exact, workflow: name, path })),
  );
  return { workflow, checks };
}

/** Baton's own job is no check of the project. */
function isBaton(jobs: Fields): boolean {
  return Object.values(jobs).some((job) => {
    const steps = fieldsOf(job)?.["steps"];
    return Array.isArray(steps) && steps.some((step) => callsBaton(fieldsOf(step)?.["uses"]));
  });
}

function callsBaton(uses: unknown): boolean {
  return typeof uses === "string" && /\bbaton\/action@/.test(uses);
}

function triggersOf(on: unknown): string[] {
  if (typeof on === "string") return [on];
  if (Array.isArray(on)) return on.map(String);
  return Object.keys(fieldsOf(on) ?? {});
}

function namesOf(id: string, job: Fields): { name: string; exact: boolean }[] {
  const given = typeof job["name"] === "string" ? job["name"] : null;
  // A called workflow reports its own jobs below the caller's name.
  if (typeof job["uses"] === "string") return [{ name: `${given ?? id} / …`, exact: false }];
  const matrix = fieldsOf(fieldsOf(job["strategy"])?.["matrix"]);
  const combinations = matrix === null ? (fieldsOf(job["strategy"]) === null ? [{}] : null) : combinationsOf(matrix);
  if (combinations === null) return [{ name: `${plain(given ?? id)}…`, exact: false }];
  const names = combinations.map((values) => {
    if (given === null) {
      const shown = Object.values(values).map(String);
      return shown.length === 0 ? id : `${id} (${shown.join(", ")})`;
    }
    return given.replaceAll(/\$\{\{\s*matrix\.([\w-]+)\s*\}\}/g, (whole, key: string) =>
      Object.hasOwn(values, key) ? String(values[key]) : whole,
    );
  });
  return [...new Set(names)].map((name) =>
    name.includes("${{") ? { name: `${plain(name)}…`, exact: false } : { name, exact: true },
  );
}

/** The text before the first expression. */
function plain(text: string): string {
  return text.split("${{")[0]?.trimEnd() ?? "";
}

/** null: only GitHub can tell, as with `include`, `exclude` or an expression. */
function combinationsOf(matrix: Fields): Fields[] | null {
  if ("include" in matrix || "exclude" in matrix) return null;
  let all: Fields[] = [{}];
  for (const [key, values] of Object.entries(matrix)) {
    if (!Array.isArray(values) || values.some((value) => typeof value === "object" && value !== null)) return null;
    all = all.flatMap((before) => values.map((value: unknown) => ({ ...before, [key]: value })));
    if (all.length > combinationsMax) return null;
  }
  return all;
}

function parsed(text: string): unknown {
  try {
    return parse(text, { logLevel: "error", maxAliasCount: 20 });
  } catch {
    return null;
  }
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}
