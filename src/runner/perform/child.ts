/**
 * `subprocess`: a child run with its own journal, budget share and thread of its parent (PROC-002).
 *
 * The child's id follows from the parent's id and the effect's key, so that asking twice makes one child.
 */

import type { AttemptResult } from "../../core/decide.ts";
import { isOver } from "../../core/decide.ts";
import { subprocessInputSchema } from "../../core/effect.ts";
import { BatonError } from "../../core/errors.ts";
import { fold } from "../../core/fold.ts";
import { limits } from "../../core/limits.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import type { Json, RunId } from "../../core/vocabulary.ts";
import { createRun, runIdOf } from "../create-run.ts";
import { childDefinition } from "../definitions.ts";
import type { Dependencies } from "../dependencies.ts";

function operationKeyOf(state: Pick<RunState, "runId">, key: string): string {
  return `child:${state.runId}/${key}`;
}

export function childRunIdOf(state: Pick<RunState, "runId">, key: string): RunId {
  return runIdOf(operationKeyOf(state, key));
}

/** Creates the child if it is not there; true when it must be driven. */
export async function ensureChild(dependencies: Dependencies, parent: RunState, effect: EffectState): Promise<boolean> {
  const { store, processes } = dependencies;
  const runId = childRunIdOf(parent, effect.key);
  const existing = await store.run(runId);
  if (existing !== null) return existing.status === "running" || existing.status === "waiting";
  const input = subprocessInputSchema.parse(effect.input);
  const depth = (parent.parent?.depth ?? 0) + 1;
  if (depth > limits.subprocessDepthMax) {
    throw new BatonError(
      "BATON_PROCESS_FAILED",
      `Child runs nest at most ${limits.subprocessDepthMax} deep; "${effect.key}" would be the ${depth}th.`,
    );
  }
  await createRun(dependencies, {
    operationKey: operationKeyOf(parent, effect.key),
    definition: childDefinition(processes, parent, input.process),
    input: input.input,
    thread: parent.thread,
    requestedBy: parent.requestedBy,
    commentId: null,
    instructions: "",
    budgetUsd: Math.max(0, parent.money.budgetUsd - parent.money.spentUsd - parent.money.reservedUsd),
    settings: parent.settings,
    settingsSha: parent.settingsSha,
    retryOf: null,
    parent: { runId: parent.runId, key: effect.key, depth },
  });
  return true;
}

/** What the child came to, with its money rolled up; null while it goes on. */
export async function childOutcome(
  dependencies: Dependencies,
  parent: RunState,
  effect: EffectState,
): Promise<AttemptResult | null> {
  const runId = childRunIdOf(parent, effect.key);
  const events = await dependencies.store.read(runId);
  if (events.length === 0) return null;
  const child = fold(events);
  if (!isOver(child) || child.outcome === null) return null;
  const usage = [...child.effects.values()].flatMap(({ attempts }) => attempts.flatMap((attempt) => attempt.usage));
  if (child.status !== "completed") {
    const error = child.outcome.error ?? { code: "BATON_CANCELLED" as const, message: child.outcome.verdict.reason };
    return { ok: false, error, usage, kept: null };
  }
  return {
    ok: true,
    output: { runId, verdict: child.outcome.verdict as unknown as Json, output: child.outcome.output ?? null },
    usage,
  };
}
