/**
 * What a process author sees. A process is an async function that asks for effects through `ctx` and is otherwise pure:
 * no clock, no randomness, no I/O, nothing awaited but what `ctx` gives. Then a crash at any instruction loses nothing.
 *
 * Owns: the authoring types, `defineProcess`, the registry. Does not own: how a process is driven (`instance.ts`).
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
  /** From the request for people, facts and time; per attempt for workers. */
  timeoutMs?: number;
  hints?: Hints;
}

type Ask<K extends EffectKind> = (
  name: string,
  input: EffectInput<K>,
  options?: EffectOptions,
) => Promise<EffectOutput<K>>;

/** By the names of the branches. */
export type ParallelResults<T> =
  T extends ReadonlyMap<string, (ctx: ProcessContext) => Promise<infer R>>
    ? Record<string, R>
    : { [K in keyof T]: T[K] extends (ctx: ProcessContext) => Promise<infer R> ? R : never };

export interface ProcessContext {
  /** Each effect method takes a name, unique by itself within its scope (a repeated one is counted: `repair#2`), and the input of its kind. */
  readonly agent: Ask<"agent">;
  readonly shell: Ask<"shell">;
  /** Commits merged in order, in the trusted repository; `fork` and `plan` ask for it. */
  readonly join: Ask<"join">;
  /** Where a pull request goes now; the settings of the run are those of that branch from then on. */
  readonly base: Ask<"base">;
  readonly gate: Ask<"gate">;
  readonly breakpoint: Ask<"breakpoint">;
  readonly ask: Ask<"ask">;
  readonly publish: Ask<"publish">;
  /** A child run with its own journal; its verdict and output come back. */
  readonly subprocess: Ask<"subprocess">;
  sleep(name: string, durationMs: number): Promise<void>;
  /** `until` in milliseconds since the epoch. */
  sleepUntil(name: string, until: number): Promise<void>;
  /** Asks `condition` again and again, with durable pauses, until it is true or `timeoutMs` passed (BATON_TIMEOUT). */
  waitFor(
    name: string,
    condition: (ctx: ProcessContext) => Promise<boolean>,
    options: { everyMs: number; timeoutMs: number },
  ): Promise<void>;
  /** Tries a group of effects again with durable, doubling pauses; terminal errors are not tried again. */
  retryWithBackoff<T>(
    name: string,
    body: (ctx: ProcessContext, attempt: number) => Promise<T>,
    options: { attemptsMax: number; pauseMs: number },
  ): Promise<T>;
  /** All branches at once, each in its own scope. All are awaited; then the first failure, by order of the names given, is thrown. */
  parallel<T extends Named<(ctx: ProcessContext) => Promise<unknown>>>(
    name: string,
    branches: T,
    options?: { branchesMax?: number },
  ): Promise<ParallelResults<T>>;
  /** The first branch to succeed wins, the effects of the others are cancelled. All failed: the first failure is thrown. At least one branch. */
  race<T>(name: string, branches: Named<(ctx: ProcessContext) => Promise<T>>): Promise<{ winner: string; value: T }>;
  /** Steps that need each other, as many at once as can be. All end; then the first failure, by order of the names given, is thrown. */
  workflow(name: string, steps: WorkflowSteps): Promise<StepResults>;
  /** Branches at once, each from `baseSha` in a workspace of its own; their commits are merged in the order of the names. */
  fork<T extends Committed>(name: string, options: ForkOptions<T>): Promise<Forked<T>>;
  /** Steps of a plan, compiled into waves of forks; each may change its scope only (BATON_PLAN_INVALID names the steps at fault). */
  plan<S extends WorkStep, T extends StepWork>(
    name: string,
    steps: readonly S[],
    options: PlanOptions<S, T>,
  ): Promise<PlanOutcome<T>>;
  /** Stages in a row; what each gives is checked before the next begins (BATON_PIPELINE_MISMATCH). */
  pipeline(pipeline: Pipeline, input: unknown): Promise<unknown>;
  /**
   * Effects that run although the run was cancelled: clean-up, last words. After the cancel `limits.shieldedEffectsMax` of them,
   * within `limits.shieldedMsDefault`, or `atMostMs`, which is `limits.shieldedMsMax` at most. Then the run ends.
   */
  shielded<T>(name: string, body: (ctx: ProcessContext) => Promise<T>, options?: { atMostMs?: number }): Promise<T>;
  /** Milliseconds since the epoch of the last thing that happened: the same on every replay. */
  now(): number;
  /** In [0, 1): the same on every replay. */
  random(): number;
  /** True once somebody asked to cancel. */
  readonly cancelled: boolean;
}

export interface ProcessDefinition<I = unknown, O = unknown> {
  /** kebab-case. */
  name: string;
  /** Raised with every change of what the process asks for. */
  version: number;
  /** The text that it was made of, for one that is no code; kept in the journal of each run. */
  source?: ProcessSource;
  summary: string;
  /** Threads that it works on; without it both. */
  on?: readonly Thread["kind"][];
  /** The most that its effects may do; without it anything that the repository allows. */
  reach?: Reach;
  /** For the reference of processes: when to take it, what it asks people, what it costs. */
  guide?: {
    when: string;
    asks: string;
    costs: string;
    /** By name, without the branches that it stands in. */
    effects?: Readonly<Record<string, string>>;
  };
  /** What people see as the plan, in order. */
  stages: string[];
  input: z.ZodType<I>;
  output: z.ZodType<O>;
  run(ctx: ProcessContext, input: I): Promise<O>;
  /** Sees, and may change, what each agent of a run is told; changes are journaled. Pure, as `run` is. */
  onInstructionsLoaded?: InstructionsHook;
  /** The honest verdict of a finished run. */
  verdict(output: O): Verdict;
}

export function defineProcess<I, O>(definition: ProcessDefinition<I, O>): ProcessDefinition<I, O> {
  if (!/^[a-z][a-z0-9-]*$/.test(definition.name))
    throw new BatonError("BATON_INPUT_INVALID", `Process name "${definition.name}" is not kebab-case.`);
  return definition;
}

/** Processes by name and version. A run goes on with the version that it began with, so old versions stay registered while they run. */
export class ProcessRegistry {
  readonly #byName = new Map<string, Map<number, ProcessDefinition>>();

  register<I, O>(definition: ProcessDefinition<I, O>): this {
    const versions = this.#byName.get(definition.name) ?? new Map<number, ProcessDefinition>();
    if (versions.has(definition.version))
      throw new BatonError("BATON_INTERNAL", `Process ${definition.name} v${definition.version} is registered twice.`);
    // The registry hands a definition only input that its own schema parsed, so widening the types is sound.
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

/** Input checked by the process's schema; BATON_INPUT_INVALID names each field (PROC-004). */
export function parseProcessInput(definition: ProcessDefinition, input: unknown): Json {
  return parseInput(`Input of ${definition.name}`, definition.input, input) as Json;
}

/** What comes from outside, checked; the error names each field with what is wrong. */
export function parseInput<T>(what: string, schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map((issue) => `${issue.path.join(".") || "(input)"}: ${issue.message}`);
  throw new BatonError("BATON_INPUT_INVALID", `${what}: ${fields.join("; ")}`);
}
