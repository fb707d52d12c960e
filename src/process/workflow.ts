/**
 * Steps that need each other: a workflow in code (`ctx.workflow`) and, compiled, in YAML (`workflow/`).
 *
 * Owns: order, conditions, retries, time limits, the effect of a failure on other steps. Does not own: the work of a
 * step.
 * WF1 A step begins only after all its needs have ended. It sees only their results, and the results of their own
 *     needs.
 * WF2 A failed step stops only the steps that need it. All steps end before the workflow does.
 * WF3 A cancelled run begins no further step, whatever its condition.
 */
import { BatonError, type ErrorCode, isBatonError, toBatonError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { nearest } from "../core/nearest.ts";
import { entriesOf, type Named } from "./named.ts";
import type { ProcessContext } from "./process.ts";

export interface StepResult<T = unknown> {
  /** `skipped`: its condition was false, or one of its needs failed. */
  outcome: "succeeded" | "failed" | "skipped";
  /** null unless it succeeded. */
  output: T | null;
  error: { code: ErrorCode; message: string } | null;
  /** The step failed, and the others continue as if it had not. */
  allowed: boolean;
}
export type StepResults = Readonly<Record<string, StepResult>>;

export interface WorkflowStep {
  /** Names of the steps that must end first. */
  needs?: readonly string[];
  /** Evaluated after these steps ended. Absent: the step runs if no need, direct or indirect, has failed. */
  if?: (results: StepResults) => boolean;
  run(ctx: ProcessContext, results: StepResults): Promise<unknown>;
  /** Repeats the whole step after durable, doubling pauses, if its error may pass or `when` allows it. */
  retry?: { attemptsMax: number; pauseMs: number; when?: (thrown: unknown) => boolean };
  /** For all tries together. After that the step fails with BATON_TIMEOUT. */
  timeoutMs?: number;
  /** A failure of this step does not fail the workflow. */
  continueOnError?: boolean;
}
export type WorkflowSteps = Named<WorkflowStep>;

export interface OrderProblem {
  step: string;
  /** The invalid need. */
  need: string;
  message: string;
  suggestion: string | null;
}

/** Needs without a target, or in a circle. Empty: there is an order. */
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

/** Everything that a step needs, directly or through others. The graph has an order. */
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

/** True when these results contain only allowed failures. */
export function succeeded(results: StepResults): boolean {
  return Object.values(results).every(({ outcome, allowed }) => outcome !== "failed" || allowed);
}

const skipped: StepResult = { outcome: "skipped", output: null, error: null, allowed: false };

/**
 * Runs every step to its end and throws nothing. `within` gives a step the context that names its effects. `pause`
 * names the pauses between its tries.
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
  // A failure must end the race as well, so the race returns it as a value.
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

/** The catalog says whether another try may help after an error. A bad result may be better next time. */
function mayPass(thrown: unknown): boolean {
  return !isBatonError(thrown) || thrown.treatment === "retryable" || thrown.code === "BATON_STEP_FAILED";
}

/** The first failure that is not allowed, in the written order of the steps. */
export function firstFailure(results: ReadonlyMap<string, StepResult>): { step: string; error: BatonError } | null {
  for (const [step, { outcome, allowed, error }] of results)
    if (outcome === "failed" && !allowed && error !== null)
      return { step, error: new BatonError(error.code, `Step \`${step}\`: ${error.message}`) };
  return null;
}
