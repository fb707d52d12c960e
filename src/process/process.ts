/**
 * The interface for process authors. A process is an async function that asks for effects through `ctx`. Otherwise it
 * is pure: it has no clock, no randomness and no I/O, and awaits only promises of `ctx`. Then a crash at any
 * instruction loses nothing.
 *
 * Owns: the authoring types, `defineProcess`, the registry. Does not own: driving a process (`instance.ts`).
 */
import type { z } from "zod";
import type { EffectInput, EffectKind, EffectOutput, Hints, RetryPolicy } from "../core/effect.ts";
import { BatonError } from "../core/errors.ts";
import type { ProcessSource } from "../core/event.ts";
import type { InstructionsHook } from "../core/instructions.ts";
import type { Json, Thread, Verdict } from "../core/vocabulary.ts";
import type { Committed, Forked, ForkOptions } from "./fork.ts";
import type { Named } from "./named.ts";
import type { Pipeline } from "./pipeline.ts";
import type { PlanOptions, PlanOutcome, StepWork, WorkStep } from "./plan.ts";
import type { Reach } from "./reach.ts";
import type { StepResults, WorkflowSteps } from "./workflow.ts";

export type { ProcessSource } from "../core/event.ts";

export interface EffectOptions {
  retry?: Partial<RetryPolicy>;
  /** From the request for people, facts and time. For workers, the limit of each attempt. */
  timeoutMs?: number;
  hints?: Hints;
}

type Ask<K extends EffectKind> = (
  name: string,
  input: EffectInput<K>,
  options?: EffectOptions,
) => Promise<EffectOutput<K>>;

/** Results by branch name. */
export type ParallelResults<T> =
  T extends ReadonlyMap<string, (ctx: ProcessContext) => Promise<infer R>>
    ? Record<string, R>
    : { [K in keyof T]: T[K] extends (ctx: ProcessContext) => Promise<infer R> ? R : never };

export interface ProcessContext {
  /**
   * Each effect method accepts a name and the input of its kind. The name is unique within its scope: Baton counts a
   * repeated name (`repair#2`).
   */
  readonly agent: Ask<"agent">;
  readonly shell: Ask<"shell">;
  /** Merges commits in order, in the trusted repository. `fork` and `plan` ask for it. */
  readonly join: Ask<"join">;
  /** The current base branch of a pull request. The run uses the settings of that branch from then on. */
  readonly base: Ask<"base">;
  readonly place: Ask<"place">;
  readonly gate: Ask<"gate">;
  readonly breakpoint: Ask<"breakpoint">;
  readonly ask: Ask<"ask">;
  readonly publish: Ask<"publish">;
  /** A child run with its own journal. It returns its verdict and output. */
  readonly subprocess: Ask<"subprocess">;
  sleep(name: string, durationMs: number): Promise<void>;
  /** `until` in milliseconds since the epoch. */
  sleepUntil(name: string, until: number): Promise<void>;
  /** Asks `condition` repeatedly, with durable pauses, until it is true or `timeoutMs` has passed (BATON_TIMEOUT). */
  waitFor(
    name: string,
    condition: (ctx: ProcessContext) => Promise<boolean>,
    options: { everyMs: number; timeoutMs: number },
  ): Promise<void>;
  /** Tries a group of effects again with durable, doubling pauses. It does not retry terminal errors. */
  retryWithBackoff<T>(
    name: string,
    body: (ctx: ProcessContext, attempt: number) => Promise<T>,
    options: { attemptsMax: number; pauseMs: number },
  ): Promise<T>;
  /**
   * Runs all branches at once, each in its own scope, and awaits them all. Then it throws the first failure, in the
   * order of the names.
   */
  parallel<T extends Named<(ctx: ProcessContext) => Promise<unknown>>>(
    name: string,
    branches: T,
    options?: { branchesMax?: number },
  ): Promise<ParallelResults<T>>;
  /**
   * The first branch to succeed wins, and the effects of the others are cancelled. If all branches fail, it throws the
   * first failure. At least one branch.
   */
  race<T>(name: string, branches: Named<(ctx: ProcessContext) => Promise<T>>): Promise<{ winner: string; value: T }>;
  /**
   * Runs steps that depend on each other, as many at once as possible. All steps end. Then it throws the first failure,
   * in the order of the names.
   */
  workflow(name: string, steps: WorkflowSteps): Promise<StepResults>;
  /**
   * Runs branches at once, each from `baseSha` in its own workspace. It merges their commits in the order of the names.
   */
  fork<T extends Committed>(name: string, options: ForkOptions<T>): Promise<Forked<T>>;
  /**
   * Runs the steps of a plan, compiled into waves of forks. Each step may change only its scope. BATON_PLAN_INVALID
   * names invalid steps.
   */
  plan<S extends WorkStep, T extends StepWork>(
    name: string,
    steps: readonly S[],
    options: PlanOptions<S, T>,
  ): Promise<PlanOutcome<T>>;
  /** Runs stages in a row. It checks each result before the next stage begins (BATON_PIPELINE_MISMATCH). */
  pipeline(pipeline: Pipeline, input: unknown): Promise<unknown>;
  /**
   * Effects that run although the run was cancelled: clean-up, last words. After the cancel, at most
   * `limits.shieldedEffectsMax` effects run. Their time is `limits.shieldedMsDefault`, or `atMostMs`, which is at most
   * `limits.shieldedMsMax`. Then the run ends.
   */
  shielded<T>(name: string, body: (ctx: ProcessContext) => Promise<T>, options?: { atMostMs?: number }): Promise<T>;
  /** The time of the last event in milliseconds since the epoch: the same on every replay. */
  now(): number;
  /** A number in [0, 1): the same on every replay. */
  random(): number;
  /** True once somebody asked to cancel. */
  readonly cancelled: boolean;
}

export interface ProcessDefinition<I = unknown, O = unknown> {
  /** The name in kebab-case. */
  name: string;
  /** Raise it with every change of the process's requests. */
  version: number;
  /** The text of a process that is not code. The journal of each run keeps it. */
  source?: ProcessSource;
  summary: string;
  /** Kinds of threads that the process works on. Absent: both kinds. */
  on?: readonly Thread["kind"][];
  /** The most that its effects may do. Absent: anything that the repository allows. */
  reach?: Reach;
  /** For the reference of processes: when to use it, its questions to people, its cost. */
  guide?: {
    when: string;
    asks: string;
    costs: string;
    /** By name, without the enclosing branches. */
    effects?: Readonly<Record<string, string>>;
  };
  /** The plan that people see, in order. */
  stages: string[];
  input: z.ZodType<I>;
  output: z.ZodType<O>;
  run(ctx: ProcessContext, input: I): Promise<O>;
  /** Sees, and may change, the prompt of each agent of a run. The journal keeps the changes. Pure, as `run` is. */
  onInstructionsLoaded?: InstructionsHook;
  /** The honest verdict of a finished run. */
  verdict(output: O): Verdict;
}

export function defineProcess<I, O>(definition: ProcessDefinition<I, O>): ProcessDefinition<I, O> {
  if (!/^[a-z][a-z0-9-]*$/.test(definition.name))
    throw new BatonError("BATON_INPUT_INVALID", `Process name "${definition.name}" is not kebab-case.`);
  return definition;
}

/**
 * Processes by name and version. A run keeps its first version, so old versions stay registered while such runs exist.
 */
export class ProcessRegistry {
  readonly #byName = new Map<string, Map<number, ProcessDefinition>>();

  register<I, O>(definition: ProcessDefinition<I, O>): this {
    const versions = this.#byName.get(definition.name) ?? new Map<number, ProcessDefinition>();
    if (versions.has(definition.version))
      throw new BatonError("BATON_INTERNAL", `Process ${definition.name} v${definition.version} is registered twice.`);
    // The registry passes a definition only input that its own schema parsed, so widening the types is sound.
    versions.set(definition.version, definition as unknown as ProcessDefinition);
    this.#byName.set(definition.name, versions);
    return this;
  }

  names(): string[] {
    return [...this.#byName.keys()];
  }

  latest(name: string): ProcessDefinition {
    const versions = this.#byName.get(name);
    if (versions === undefined)
      throw new BatonError(
        "BATON_PROCESS_UNKNOWN",
        `Process "${name}" is not known. Known: ${this.names().join(", ")}.`,
      );
    const version = Math.max(...versions.keys());
    return versions.get(version) as ProcessDefinition;
  }

  find(name: string, version: number): ProcessDefinition | undefined {
    return this.#byName.get(name)?.get(version);
  }

  exact(name: string, version: number): ProcessDefinition {
    const definition = this.find(name, version);
    if (definition !== undefined) return definition;
    const known = [...(this.#byName.get(name)?.keys() ?? [])].map((v) => `${name} v${v}`);
    throw new BatonError(
      "BATON_PROCESS_UNKNOWN",
      `The run began with ${name} v${version}, which this Baton does not have. It has: ${known.join(", ") || this.names().join(", ")}.`,
    );
  }
}

/** Checks the input by the process's schema. BATON_INPUT_INVALID names each field (PROC-004). */
export function parseProcessInput(definition: ProcessDefinition, input: unknown): Json {
  return parseInput(`Input of ${definition.name}`, definition.input, input) as Json;
}

/** Checks a value from outside. The error names each field with its problem. */
export function parseInput<T>(what: string, schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => `${issue.path.join(".") || "(input)"}: ${issue.message}`);
  throw new BatonError("BATON_INPUT_INVALID", `${what}: ${fields.join("; ")}`);
}
