/**
 * A plan as work: ordered steps, each with the paths that it may change. Baton compiles them into waves and runs these.
 *
 * Owns: the order, parallel steps, scopes, approval of steps. Does not own: reading a plan from an agent's words
 * (`prompt/plan.ts`), the work of a step.
 * PL1 A step is in a later wave than all steps that it depends on. The steps of a wave run at once, from one commit.
 * PL2 Two steps of a wave never share a path that both may change.
 * PL3 Git measures the changes of a step. A change outside the step's scope counts only after a person allowed it.
 * PL4 A step does not begin if a step that it depends on failed. All other steps begin.
 */
import type { FileChange } from "../core/effect.ts";
import { BatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { type Committed, type Forked, runFork, type Start } from "./fork.ts";
import type { ProcessContext } from "./process.ts";
import { inScope, overlap, scopePattern } from "./scope.ts";
import { orderProblems } from "./workflow.ts";

export interface WorkStep {
  id: string;
  title: string;
  /** Ids of the steps that must come earlier. */
  dependsOn: readonly string[];
  /** Paths that the step may change (`scope.ts`). Empty: any path. */
  scope: readonly string[];
  /** A person approves the step before it begins. */
  approval: boolean;
}

export interface PlanProblem {
  step: string;
  message: string;
}

export interface CompiledPlan<S extends WorkStep = WorkStep> {
  /** Empty if there are problems. */
  waves: S[][];
  problems: PlanProblem[];
}

/** Puts each step into the earliest wave that its dependencies allow. */
export function compilePlan<S extends WorkStep>(steps: readonly S[]): CompiledPlan<S> {
  if (steps.length > limits.planStepsMax)
    return {
      waves: [],
      problems: [
        {
          step: steps[limits.planStepsMax]?.id ?? "",
          message: `The plan has ${steps.length} steps; at most ${limits.planStepsMax} are allowed. Join steps that belong together, or make several plans.`,
        },
      ],
    };
  const ids = steps.map(({ id }) => id);
  const problems: PlanProblem[] = ids
    .filter((id, index) => ids.indexOf(id) !== index)
    .map((id) => ({ step: id, message: `Two steps are called \`${id}\`.` }));
  for (const { id, scope } of steps)
    for (const glob of scope)
      if (!scopePattern.test(glob))
        problems.push({
          step: id,
          message: `Step \`${id}\`: "${glob.slice(0, 100)}" is not a scope. Write a path from the root of the repository; \`*\`, \`?\`, and \`**\` are allowed.`,
        });
  for (const { step, message, suggestion } of orderProblems(new Map(steps.map((one) => [one.id, one.dependsOn]))))
    problems.push({ step, message: suggestion === null ? message : `${message} Was \`${suggestion}\` meant?` });
  if (problems.length > 0) return { waves: [], problems };
  const waves = wavesOf(steps);
  for (const wave of waves)
    wave.forEach((step, index) => {
      for (const other of wave.slice(index + 1)) {
        const shared = overlap(step.scope, other.scope);
        if (shared !== null) problems.push({ step: other.id, message: overlapMessage(step, other, shared) });
      }
    });
  return problems.length > 0 ? { waves: [], problems } : { waves, problems };
}

function wavesOf<S extends WorkStep>(steps: readonly S[]): S[][] {
  const depth = new Map<string, number>();
  const byId = new Map(steps.map((step) => [step.id, step]));
  const depthOf = (id: string): number => {
    const known = depth.get(id);
    if (known !== undefined) return known;
    const before = byId.get(id)?.dependsOn ?? [];
    const found = before.length === 0 ? 0 : 1 + Math.max(...before.map(depthOf));
    depth.set(id, found);
    return found;
  };
  const waves: S[][] = [];
  for (const step of steps) (waves[depthOf(step.id)] ??= []).push(step);
  return waves;
}

function overlapMessage(step: WorkStep, other: WorkStep, [one, two]: [string, string]): string {
  const unlimited = [step, other].filter(({ scope }) => scope.length === 0).map(({ id }) => `\`${id}\``);
  const why =
    unlimited.length > 0
      ? `${unlimited.join(" and ")} may change any path (no scope)`
      : one === two
        ? `both may change \`${one}\``
        : `\`${one}\` and \`${two}\` have paths in common`;
  return `Steps \`${step.id}\` and \`${other.id}\` would run at once, and ${why}. Let one come after the other, or part their scopes.`;
}

/** The result of a step: its commit, and its changes as git measures them. */
export interface StepWork extends Committed {
  files: readonly Pick<FileChange, "path">[];
}

export interface StepTask<S, T> extends Start {
  step: S;
  /** The results of the earlier steps. */
  before: Readonly<Record<string, T>>;
  /** Steps that run at the same time. */
  beside: readonly S[];
}

export interface PlanOptions<S extends WorkStep, T extends StepWork> {
  baseSha: string;
  stage?: string;
  run(ctx: ProcessContext, task: StepTask<S, T>): Promise<T>;
  /** For a change outside the step's scope: Baton asks a person (`ask`), or the step fails. */
  outside: "ask" | "refuse";
}

export interface StepOutcome<T> {
  /**
   * `unchanged`: the step made no commit. `refused`: a person rejected it. `skipped`: a step that it depends on did not
   * finish.
   */
  outcome: "done" | "unchanged" | "failed" | "refused" | "skipped";
  output: T | null;
  /** Empty if the step is done. */
  reason: string;
}

export interface PlanOutcome<T> {
  /** The commit with all completed steps. */
  headSha: string;
  steps: Record<string, StepOutcome<T>>;
  /** Steps that ran again on top of others, because git could not merge their changes. */
  again: string[];
}

/** `nested` gives a named context below the plan's own. */
export async function runPlan<S extends WorkStep, T extends StepWork>(
  steps: readonly S[],
  options: PlanOptions<S, T>,
  nested: (name: string) => ProcessContext,
  ctx: ProcessContext,
): Promise<PlanOutcome<T>> {
  const { waves, problems } = compilePlan(steps);
  if (problems.length > 0) throw new BatonError("BATON_PLAN_INVALID", problems.map(({ message }) => message).join(" "));
  const outcomes = new Map<string, StepOutcome<T>>();
  const again: string[] = [];
  let headSha = options.baseSha;
  for (const wave of waves) {
    const ready: S[] = [];
    for (const step of wave) {
      const refusal = missing(step, outcomes) ?? (await approval(step, options, nested));
      if (refusal === null) ready.push(step);
      else outcomes.set(step.id, refusal);
    }
    if (ready.length === 0) continue;
    const forked = await runFork<T>(
      ctx,
      {
        baseSha: headSha,
        continueOnError: true,
        ...(options.stage === undefined ? {} : { stage: options.stage }),
        branches: new Map(
          ready.map((step) => [
            step.id,
            {
              run: (inner: ProcessContext, start: Start) =>
                withinScope(inner, step, options, () =>
                  options.run(inner, {
                    ...start,
                    step,
                    before: doneOf(outcomes),
                    beside: ready.filter((other) => other !== step),
                  }),
                ),
            },
          ]),
        ),
      },
      nested,
    );
    headSha = forked.headSha;
    again.push(...forked.again);
    for (const [id, outcome] of outcomesOf(forked)) outcomes.set(id, outcome);
  }
  const inOrder = steps.map(({ id }) => [id, outcomes.get(id) as StepOutcome<T>]);
  return { headSha, steps: Object.fromEntries(inOrder), again };
}

/** PL4 */
function missing<T>(step: WorkStep, outcomes: ReadonlyMap<string, StepOutcome<T>>): StepOutcome<T> | null {
  const without = step.dependsOn.filter((id) => {
    const before = outcomes.get(id)?.outcome;
    return before !== "done" && before !== "unchanged";
  });
  if (without.length === 0) return null;
  return { outcome: "skipped", output: null, reason: `It comes after ${without.map((id) => `\`${id}\``).join(", ")}.` };
}

async function approval<S extends WorkStep, T extends StepWork>(
  step: S,
  { stage }: PlanOptions<S, T>,
  nested: (name: string) => ProcessContext,
): Promise<StepOutcome<T> | null> {
  if (!step.approval) return null;
  const paths = step.scope.length === 0 ? "any path" : step.scope.map((glob) => `\`${glob}\``).join(", ");
  const answer = await nested(step.id).breakpoint("approval", {
    title: `Approve the step ${step.id}`,
    ...(stage === undefined ? {} : { stage }),
    kind: "plan",
    subject: { text: `The step \`${step.id}\` is to begin: ${step.title}\n\nIt may change ${paths}.` },
  });
  if (answer.decision === "approved") return null;
  return { outcome: "refused", output: null, reason: `It was not approved. ${answer.feedback}`.trim() };
}

/** PL3 */
async function withinScope<S extends WorkStep, T extends StepWork>(
  ctx: ProcessContext,
  step: S,
  { outside, stage }: PlanOptions<S, T>,
  run: () => Promise<T>,
): Promise<T> {
  const output = await run();
  const paths = [...new Set(output.files.map(({ path }) => path))].filter((path) => !inScope(path, step.scope));
  if (paths.length === 0 || output.headSha === null) return output;
  const list = paths.map((path) => `- \`${path.replaceAll("`", "")}\``).join("\n");
  if (outside === "ask") {
    const answer = await ctx.breakpoint("outside", {
      title: `Allow ${paths.length} path${paths.length === 1 ? "" : "s"} outside the scope of ${step.id}`,
      ...(stage === undefined ? {} : { stage }),
      kind: "protected-paths",
      subject: { paths, text: `The step \`${step.id}\` changed what is not in its scope:\n\n${list}` },
    });
    if (answer.decision === "approved") return output;
  }
  throw new BatonError(
    "BATON_SCOPE_LEFT",
    `The step \`${step.id}\` changed ${paths.slice(0, 5).join(", ")}${paths.length > 5 ? ` and ${paths.length - 5} more` : ""}; its scope is ${step.scope.join(", ")}.`,
  );
}

function outcomesOf<T extends StepWork>({ branches }: Forked<T>): [string, StepOutcome<T>][] {
  return Object.entries(branches).map(([id, { outcome, output, error }]) => {
    if (outcome !== "succeeded" || output === null)
      return [id, { outcome: "failed", output: null, reason: error?.message ?? "It was not begun." }];
    return [
      id,
      output.headSha === null
        ? { outcome: "unchanged", output, reason: "It changed nothing." }
        : { outcome: "done", output, reason: "" },
    ];
  });
}

function doneOf<T>(outcomes: ReadonlyMap<string, StepOutcome<T>>): Record<string, T> {
  return Object.fromEntries([...outcomes].flatMap(([id, { output }]) => (output === null ? [] : [[id, output]])));
}
