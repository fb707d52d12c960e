/**
 * Fork and join: branches from one commit, each in its own workspace. Their commits are merged in the order of their
 * names.
 *
 * Owns: when branches are joined, and the reaction to a conflict. Does not own: merging (the effect `join`), the
 * branches' work.
 * FJ1 Every branch ends before any join. A failed branch is never joined.
 * FJ2 A branch that git cannot merge runs once again, on top of the joined work. It gets the conflicting paths.
 */

import type { EffectOutput } from "../core/effect.ts";
import { entriesOf, type Named } from "./named.ts";
import type { ProcessContext } from "./process.ts";
import { firstFailure, runWorkflow, type StepResult, type WorkflowStep } from "./workflow.ts";

/** The result of a branch. null: the branch changed nothing. */
export interface Committed {
  headSha: string | null;
}

/** The start of a branch. */
export interface Start {
  baseSha: string;
  /** Set if the branch already ran from another base, and git could not merge its changes of these paths. */
  conflict: { paths: string[] } | null;
}

export interface ForkBranch<T> {
  run(ctx: ProcessContext, start: Start): Promise<T>;
  /** Tries the branch alone again. */
  retry?: WorkflowStep["retry"];
  /** For all tries of the branch together. */
  timeoutMs?: number;
}

export interface ForkOptions<T> {
  baseSha: string;
  branches: Named<ForkBranch<T>>;
  stage?: string;
  /** True: the result reports a failed branch. Otherwise the first failure is thrown after all branches ended. */
  continueOnError?: boolean;
}

export interface Forked<T> {
  /** The commit with all joined branches. Without any, the base. */
  headSha: string;
  branches: Record<string, StepResult<T>>;
  /** Branches that ran again because of a conflict. */
  again: string[];
}

/** `within` gives a branch the context that names its effects. `ctx` is the fork's own context. */
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
  // A single branch needs no join.
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
