/**
 * The project's own CI, from its workflow files: checks that will appear on a pull request, and workflows that Baton may
 * start.
 *
 * Owns: names of checks. Does not own: GitHub's value of expressions. A name with an expression is marked as a pattern.
 * WF2 Baton starts a workflow only if a pull request would start it too, nothing in it may publish, and it works without
 *     the event of a pull request.
 */
import { pullNeededBy } from "./needs-pull.ts";
import { jobPublishes, publishingOf, type ReadFile } from "./publishing.ts";
import { type Asked, readTriggers, requiredInputs, type Triggers } from "./workflow-triggers.ts";
import { type Fields, fieldsOf, parsedYaml, shown, textsOf } from "./workflow-yaml.ts";

export interface DetectedCheck {
  /** The name on a commit, with `…` for a part that only a run knows. */
  name: string;
  exact: boolean;
  /** Every pull request gets it, and it publishes nothing, so a rule can require it. */
  always: boolean;
  /** Its job fails if one of the others in the workflow failed, and runs in any case. */
  collects: boolean;
  /** Its job, or one that it needs, has a condition or may fail. */
  optional: boolean;
  workflow: string;
  path: string;
}

export interface DetectedWorkflow {
  name: string;
  path: string;
  /** A pull request starts it. */
  isCi: boolean;
  /** Every pull request starts it. */
  everyPull: boolean;
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
  const workflow = { name, path, isCi, everyPull: isCi && triggers.startsForEvery, dispatchable, leftOut };
  if (!isCi) return { workflow, checks: [] };
  const all = new Map(Object.entries(jobs).map(([id, value]) => [id, fieldsOf(value) ?? {}]));
  const publishes = (id: string): boolean => jobPublishes(id, all.get(id) ?? {}, read);
  const checks = [...all].flatMap(([id, job]) => {
    const common = {
      always: triggers.startsForEvery && !publishes(id),
      collects: collects(id, all),
      optional: isOptional(id, all),
      workflow: name,
      path,
    };
    return namesOf(id, job).map((check) => ({ ...check, ...common }));
  });
  return { workflow, checks };
}

type Jobs = ReadonlyMap<string, Fields>;

/** The jobs that one needs, through others as well. */
function neededBy(id: string, jobs: Jobs, seen = new Set<string>()): Set<string> {
  for (const one of textsOf(jobs.get(id)?.["needs"] ?? [])) {
    if (seen.has(one)) continue;
    seen.add(one);
    neededBy(one, jobs, seen);
  }
  return seen;
}

function isOptional(id: string, jobs: Jobs): boolean {
  return [id, ...neededBy(id, jobs)].some((one) => {
    const job = jobs.get(one);
    return job?.["if"] !== undefined || (job?.["continue-on-error"] ?? false) !== false;
  });
}

/**
 * Without `always()`, GitHub skips a job whose needs failed, and a skipped check blocks nothing. Source:
 * https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/collaborating-on-repositories-with-code-quality-features/troubleshooting-required-status-checks
 * A job that only tells somebody also runs always, so it must fail by the results of the others.
 */
function collects(id: string, jobs: Jobs): boolean {
  const job = jobs.get(id) ?? {};
  const steps = JSON.stringify(job["steps"] ?? []);
  const readsResults = /\bneeds(?:\.[\w*-]+)?\.result\b|toJSON\(needs\)/i.test(steps);
  const mayFail = /\bexit \$?[1-9a-z{]|alls-green|setFailed|\bjq -e\b/i.test(steps);
  if (!/always\(\)|!\s*cancelled\(\)/.test(textsOf(job["if"] ?? "").join("")) || !readsResults || !mayFail)
    return false;
  const needed = neededBy(id, jobs);
  if (needed.size === 0) return false;
  return [...jobs.keys()].every(
    (other) => other === id || needed.has(other) || neededBy(other, jobs).has(id) || isOptional(other, jobs),
  );
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
    ...pullNeededBy(file),
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
  if (combinations === null) return [{ name: patternOf(given ?? id, id), exact: false }];
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
    name.includes("${{") ? { name: patternOf(name, id), exact: false } : { name, exact: true },
  );
}

/** The words before the first expression. Without any, the job's id says more. */
function patternOf(text: string, id: string): string {
  const words = text.split("${{")[0]?.replace(/[\s([{:,/-]+$/, "") ?? "";
  return `${words === "" ? id : words}…`;
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
