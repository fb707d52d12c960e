/**
 * The project's own CI, from its workflow files: checks that will appear on a pull request, and workflows that Baton may
 * start.
 *
 * Owns: names of checks. Does not own: GitHub's value of expressions. A name with an expression is marked as a pattern.
 * WF2 Baton starts a workflow only if a pull request would start it too, and nothing in it may publish.
 */
import { jobPublishes, publishingOf, type ReadFile } from "./publishing.ts";
import { type Asked, readTriggers, requiredInputs, type Triggers } from "./workflow-triggers.ts";
import { type Fields, fieldsOf, parsedYaml, shown } from "./workflow-yaml.ts";

export interface DetectedCheck {
  /** The name on a commit, with `…` for a part that only a run knows. */
  name: string;
  exact: boolean;
  /** Every pull request gets it, and it publishes nothing, so a rule can require it. */
  always: boolean;
  workflow: string;
  path: string;
}

export interface DetectedWorkflow {
  name: string;
  path: string;
  /** A pull request starts it. */
  isCi: boolean;
  /** Baton may start it if a push starts nothing. */
  dispatchable: boolean;
  /** Why Baton does not start it, in sentences. Empty: at most `on: workflow_dispatch` is missing. */
  leftOut: string[];
}

export interface ReadOptions extends Partial<Asked> {
  /** Files of the same commit, for the workflow's calls. */
  read?: ReadFile;
}

const combinationsMax = 30;
/** A branch name as `begin-run.ts` makes them. */
const headDefault = "baton/issue-1-change";

export function readWorkflow(
  path: string,
  text: string,
  { base = "main", head = headDefault, read = () => null }: ReadOptions = {},
): { workflow: DetectedWorkflow; checks: DetectedCheck[] } | null {
  const file = fieldsOf(parsedYaml(text));
  const jobs = fieldsOf(file?.["jobs"]);
  if (file === null || jobs === null) return null;
  const triggers = readTriggers(file["on"] ?? file["true"], { base, head });
  const name = typeof file["name"] === "string" ? file["name"] : path;
  const own = isBaton(jobs);
  const isCi = triggers.startsForPull && !own;
  const leftOut = own || !isCandidate(triggers) ? [] : reasonsOf({ path, file, triggers, read });
  const dispatchable = isCi && leftOut.length === 0 && triggers.events.has("workflow_dispatch");
  const workflow = { name, path, isCi, dispatchable, leftOut };
  if (!isCi) return { workflow, checks: [] };
  const checks = Object.entries(jobs).flatMap(([id, value]) => {
    const job = fieldsOf(value) ?? {};
    const always = triggers.startsForEvery && !jobPublishes(id, job, read);
    return namesOf(id, job).map(({ name: check, exact }) => ({ name: check, exact, always, workflow: name, path }));
  });
  return { workflow, checks };
}

/** A workflow is not CI if only other workflows call it, or only the clock starts it. */
function isCandidate({ events }: Triggers): boolean {
  return ["pull_request", "pull_request_target", "push", "merge_group", "workflow_dispatch"].some((name) =>
    events.has(name),
  );
}

function reasonsOf({
  path,
  file,
  triggers,
  read,
}: {
  path: string;
  file: Fields;
  triggers: Triggers;
  read: ReadFile;
}): string[] {
  const inputs = requiredInputs(triggers.events);
  return [
    ...triggers.reasons,
    ...publishingOf(path, file, read),
    ...(inputs.length === 0 ? [] : [`It needs the inputs ${inputs.map(shown).join(", ")}.`]),
  ];
}

/** Baton's own job is not a check of the project. */
function isBaton(jobs: Fields): boolean {
  return Object.values(jobs).some((job) => {
    const steps = fieldsOf(job)?.["steps"];
    return Array.isArray(steps) && steps.some((step) => callsBaton(fieldsOf(step)?.["uses"]));
  });
}

function callsBaton(uses: unknown): boolean {
  return typeof uses === "string" && /\bbaton\/action@/.test(uses);
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

/** null: only GitHub knows them, as with `include`, `exclude` or an expression. */
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
