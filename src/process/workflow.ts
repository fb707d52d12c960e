/**
 * Steps that need each other: what a workflow is in code (`ctx.workflow`) and, compiled, in YAML (`workflow/`).
 *
 * Owns: order, conditions, trying again, time limits, what a failure means for the others. Does not own: what a step does.
 * WF1 A step begins when everything that it needs has ended, and not before; it sees the results of just these and of what they need.
 * WF2 A failed step stops only what needs it. All steps end before the workflow does.
 * WF3 A cancelled run begins no further step, whatever its condition.
 */
import { BatonError, type ErrorCode, isBatonError, toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { nearest } from "../core/nearest.ts";
import { entriesOf, type Named } from "./named.ts";
import type { ProcessContext } from "./process.ts";

export interface StepResult<T = unknown> {
  /** `skipped`: its condition did not hold, or something that it needs failed. */
  outcome: "succeeded" | "failed" | "skipped";
  /** null unless it succeeded. */
  output: T | null;
  error: { code: ErrorCode; message: string } | null;
  /** It failed, and the others go on as if it had not. */
  allowed: boolean;
}
export type StepResults = Readonly<Record<string, StepResult>>;

export interface WorkflowStep {
  /** Names of the steps that must have ended before. */
  needs?: readonly string[];
  /** Asked once they have; without it the step runs when none of what it needs, however far back, has failed. */
  if?: (results: StepResults) => boolean;
  run(ctx: ProcessContext, results: StepResults): Promise<unknown>;
  /** The whole step again, after durable, doubling pauses, when its error says that this may help, or `when` says so. */
  retry?: { attemptsMax: number; pauseMs: number; when?: (thrown: unknown) => boolean };
  /** For all tries together; then it has failed with BATON_TIMEOUT. */
  timeoutMs?: number;
  /** A failure of it is not one of the workflow. */
  continueOnError?: boolean;
}
export type WorkflowSteps = Named<WorkflowStep>;

export interface OrderProblem {
  step: string;
  /** The need at fault. */
  need: string;
  message: string;
  suggestion: string | null;
}

/** Needs that lead nowhere or round in a circle; none: there is an order. */
export function orderProblems(needs: ReadonlyMap<string, readonly string[]>): OrderProblem[] {
  const problems: OrderProblem[] = [];
  for (const [step, wanted] of needs) {
    for (const need of wanted) {
      if (needs.has(need)) continue;
      const known = [...needs.keys()].filter((name) => name !== step);
      problems.push({
        step,
        need,
        message: `Step \`${step}\` needs \`${need}\`, which is not there. There are: ${known.join(", ") || "no others"}.`,
        suggestion: nearest(need, known),
      });
    }
  }
  const done = new Set<string>();
  const visit = (step: string, path: readonly string[]): void => {
    if (done.has(step)) return;
    for (const need of needs.get(step) ?? []) {
      const begin = [...path, step].indexOf(need);
      if (begin === -1) visit(need, [...path, step]);
      else {
        const circle = [...path, step].slice(begin);
        problems.push({
          step,
          need,
          message: `Steps need each other in a circle: ${[...circle, need].map((name) => `\`${name}\``).join(" needs ")}.`,
          suggestion: null,
        });
      }
    }
    done.add(step);
  };
  for (const step of needs.keys()) visit(step, []);
  return problems;
}

/** What a step needs, directly or through others; the graph has an order. */
export function ancestorsOf(step: string, needs: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set<string>();
  const open = [...(needs.get(step) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(needs.get(next) ?? []));
  }
  return found;
}

/** No failure among these, but such as are allowed. */
export function succeeded(results: StepResults): boolean {
  return Object.values(results).every(({ outcome, allowed }) => outcome !== "failed" || allowed);
}

const skipped: StepResult = { outcome: "skipped", output: null, error: null, allowed: false };

/**
 * Every step to its end; nothing is thrown. `within` gives a step the context that its effects are named in, `pause` a
 * name for the pauses between its tries.
 */
export async function runWorkflow(
  ctx: ProcessContext,
  steps: Named<WorkflowStep>,
  within: (step: string) => ProcessContext,
  pause: (step: string) => string = () => "pause",
): Promise<ReadonlyMap<string, StepResult>> {
  const named = new Map(entriesOf(steps));
  if (named.size > limits.workflowStepsMax)
    throw new BatonError(
      "BATON_INPUT_INVALID",
      `A workflow has ${named.size} steps; at most ${limits.workflowStepsMax} are allowed. Part it into several workflows.`,
    );
  const needs = new Map([...named].map(([name, step]) => [name, step.needs ?? []]));
  const [problem] = orderProblems(needs);
  if (problem !== undefined) throw new BatonError("BATON_INPUT_INVALID", problem.message);
  const results = new Map<string, StepResult>();
  const running = new Map<string, Promise<void>>();
  const begin = (name: string): Promise<void> => {
    const known = running.get(name);
    if (known !== undefined) return known;
    const step = named.get(name) as WorkflowStep;
    const started = (async () => {
      await Promise.all((step.needs ?? []).map(begin));
      const seen = Object.fromEntries(
        [...ancestorsOf(name, needs)].sort().map((one) => [one, results.get(one) ?? skipped]),
      );
      results.set(name, await runStep(ctx, { ...step, pauseName: pause(name) }, seen, () => within(name)));
    })();
    running.set(name, started);
    return started;
  };
  const names = [...named.keys()];
  await Promise.all(names.map(begin));
  return new Map(names.map((name) => [name, results.get(name) ?? skipped]));
}

async function runStep(
  ctx: ProcessContext,
  step: WorkflowStep & { pauseName: string },
  results: StepResults,
  within: () => ProcessContext,
): Promise<StepResult> {
  try {
    if (ctx.cancelled || !(step.if === undefined ? succeeded(results) : step.if(results))) return skipped;
    const output = await limited(within(), step, (inner) => again(inner, step, results));
    return { outcome: "succeeded", output: output ?? null, error: null, allowed: false };
  } catch (thrown) {
    const { code, message } = toBatonError(thrown, "BATON_PROCESS_FAILED");
    return {
      outcome: "failed",
      output: null,
      error: { code, message },
      allowed: step.continueOnError === true && !ctx.cancelled,
    };
  }
}

async function limited(
  ctx: ProcessContext,
  { timeoutMs }: WorkflowStep,
  body: (ctx: ProcessContext) => Promise<unknown>,
): Promise<unknown> {
  if (timeoutMs === undefined) return body(ctx);
  type End = { ok: true; value: unknown } | { ok: false; thrown: unknown };
  // A failure must end the race as well, so it is a value in it.
  const { value } = await ctx.race<End>("limit", {
    work: async (branch) => {
      try {
        return { ok: true, value: await body(branch) };
      } catch (thrown) {
        return { ok: false, thrown };
      }
    },
    time: async (branch) => {
      await branch.sleep("time", timeoutMs);
      return { ok: false, thrown: new BatonError("BATON_TIMEOUT", `The step did not end within ${timeoutMs} ms.`) };
    },
  });
  if (!value.ok) throw value.thrown;
  return value.value;
}

async function again(
  ctx: ProcessContext,
  { run, retry, pauseName }: WorkflowStep & { pauseName: string },
  results: StepResults,
): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run(ctx, results);
    } catch (thrown) {
      if (retry === undefined || attempt >= retry.attemptsMax || ctx.cancelled || !(retry.when ?? mayPass)(thrown))
        throw thrown;
      if (retry.pauseMs > 0) await ctx.sleep(pauseName, retry.pauseMs * 2 ** (attempt - 1));
    }
  }
}

/** Errors of the catalogue say of themselves whether another try may help; a result that was not good may be better next time. */
function mayPass(thrown: unknown): boolean {
  return !isBatonError(thrown) || thrown.treatment === "retryable" || thrown.code === "BATON_STEP_FAILED";
}

/** The first failure that is not allowed, by the order in which the steps are written. */
export function firstFailure(results: ReadonlyMap<string, StepResult>): { step: string; error: BatonError } | null {
  for (const [step, { outcome, allowed, error }] of results)
    if (outcome === "failed" && !allowed && error !== null)
      return { step, error: new BatonError(error.code, `Step \`${step}\`: ${error.message}`) };
  return null;
}
