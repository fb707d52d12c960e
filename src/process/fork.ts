/**
 * Fork and join: branches from one commit, each in a workspace of its own, and their commits merged in the order of their names.
 *
 * Owns: what is joined when, and what a conflict leads to. Does not own: merging (the effect `join`), the branches' work.
 * FJ1 Every branch ends before anything is joined; a branch that failed is joined by nobody.
 * FJ2 What cannot be merged is done again on top of what was: once, and it is told with which paths.
 */

import type { EffectOutput } from "../core/effect.ts";
import { entriesOf, type Named } from "./named.ts";
import type { ProcessContext } from "./process.ts";
import { firstFailure, runWorkflow, type StepResult, type WorkflowStep } from "./workflow.ts";

/** What a branch gives: null, it changed nothing. */
export interface Committed {
  headSha: string | null;
}

/** Where a branch begins. */
export interface Start {
  baseSha: string;
  /** Set when the branch was done before from another base, and its changes of these paths could not be merged. */
  conflict: { paths: string[] } | null;
}

export interface ForkBranch<T> {
  run(ctx: ProcessContext, start: Start): Promise<T>;
  /** The branch alone, again. */
  retry?: WorkflowStep["retry"];
  /** For all tries of the branch together. */
  timeoutMs?: number;
}

export interface ForkOptions<T> {
  baseSha: string;
  branches: Named<ForkBranch<T>>;
  stage?: string;
  /** A branch that fails is told in the result; without it the first failure is thrown, after all have ended. */
  continueOnError?: boolean;
}

export interface Forked<T> {
  /** All that was joined; the base where nothing was. */
  headSha: string;
  branches: Record<string, StepResult<T>>;
  /** Branches that were done again, because of a conflict. */
  again: string[];
}

/** `within` gives a branch the context that its effects are named in; `ctx` is the fork's own. */
export async function runFork<T extends Committed>(
  ctx: ProcessContext,
  { baseSha, branches, stage, continueOnError }: ForkOptions<T>,
  within: (branch: string) => ProcessContext,
): Promise<Forked<T>> {
  const named = new Map(entriesOf(branches));
  const attempt = async (names: readonly string[], start: Start): Promise<ReadonlyMap<string, StepResult<T>>> => {
    const steps = names.map((name): [string, WorkflowStep] => {
      const { run, retry, timeoutMs } = named.get(name) as ForkBranch<T>;
      return [
        name,
        {
          run: (inner) => run(inner, start),
          ...(retry === undefined ? {} : { retry }),
          ...(timeoutMs === undefined ? {} : { timeoutMs }),
        },
      ];
    });
    const found = await runWorkflow(ctx, new Map(steps), within);
    const failure = firstFailure(found);
    if (failure !== null && (continueOnError !== true || ctx.cancelled)) throw failure.error;
    return found as ReadonlyMap<string, StepResult<T>>;
  };

  const results = new Map(await attempt([...named.keys()], { baseSha, conflict: null }));
  let left = [...results].flatMap(([name, { output }]) =>
    output === null || output.headSha === null || output.headSha === baseSha ? [] : [{ name, sha: output.headSha }],
  );
  const again: string[] = [];
  // One alone is its own join.
  if (left.length === 1) return { headSha: left[0]?.sha ?? baseSha, branches: Object.fromEntries(results), again };
  let head = baseSha;
  while (left.length > 0) {
    const joined: EffectOutput<"join"> = await ctx.join("join", {
      title: `Join ${left.map(({ name }) => name).join(", ")}`.slice(0, 200),
      ...(stage === undefined ? {} : { stage }),
      baseSha: head,
      shas: left.map(({ sha }) => sha),
    });
    head = joined.headSha;
    const [stuck, ...others] = left.slice(joined.joined);
    if (joined.conflict === null || stuck === undefined) break;
    left = others;
    again.push(stuck.name);
    const once = await attempt([stuck.name], { baseSha: head, conflict: { paths: joined.conflict.paths } });
    for (const [name, result] of once) results.set(name, result);
    head = results.get(stuck.name)?.output?.headSha ?? head;
  }
  return { headSha: head, branches: Object.fromEntries(results), again };
}
