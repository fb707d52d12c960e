/**
 * `subprocess`: a child run with its own journal, its share of the budget and the thread of its parent (PROC-002,
 * AGENT-001).
 *
 * The child's id follows from the parent's id, the effect's key and the try. So a repeated request creates one child.
 * The child speaks through its parent, whose journal records the child's state at each check (`summary/child.ts`).
 */
import { settingsSchema } from "../../config/schema.ts";
import { type AttemptResult, isOver, observe } from "../../core/decide.ts";
import { subprocessInputSchema } from "../../core/effect.ts";
import { BatonError } from "../../core/errors.ts";
import type { RunEvent } from "../../core/event.ts";
import { fold } from "../../core/fold.ts";
import { limits } from "../../core/limits.ts";
import type { EffectState, RunState } from "../../core/state.ts";
import type { Json, RunId } from "../../core/vocabulary.ts";
import { refuseHarness } from "../../routing/harness-names.ts";
import { childSeen, childShareUsd, openChildrenOf, usageOf } from "../../summary/child.ts";
import { createRun, runIdOf } from "../create-run.ts";
import { childDefinition } from "../definitions.ts";
import type { Dependencies } from "../dependencies.ts";
import { settingsOf } from "../settings-of.ts";

/** The current try, or the next one. */
function childAttempt({ status, attempts }: Pick<EffectState, "status" | "attempts">): number {
  return status === "retrying" ? attempts.length + 1 : Math.max(1, attempts.length);
}

function operationKeyOf(state: Pick<RunState, "runId">, key: string, attempt: number): string {
  return `child:${state.runId}/${key}${attempt === 1 ? "" : `@${attempt}`}`;
}

export function childRunIdOf(state: Pick<RunState, "runId">, effect: EffectState): RunId {
  return runIdOf(operationKeyOf(state, effect.key, childAttempt(effect)));
}

/** core-child.CH1: reserves the share before the child begins. Empty if it is already reserved. */
export function beginChild(parent: RunState, effect: EffectState): RunEvent[] {
  if (!parent.open.has(effect.key) || effect.status === "running") return [];
  const reservedUsd = childShareUsd(parent, effect, settingsOf(parent).budget.childShare);
  const attempt = childAttempt(effect);
  return [
    { type: "effect.started", key: effect.key, attempt, worker: `run:${childRunIdOf(parent, effect)}`, reservedUsd },
  ];
}

/** Creates the child if it does not exist. */
export async function ensureChild(
  dependencies: Pick<Dependencies, "store" | "clock" | "processes" | "harnesses">,
  parent: RunState,
  effect: EffectState,
): Promise<void> {
  const { store, processes } = dependencies;
  if ((await store.run(childRunIdOf(parent, effect))) !== null) return;
  const input = subprocessInputSchema.parse(effect.input);
  const depth = (parent.parent?.depth ?? 0) + 1;
  if (depth > limits.subprocessDepthMax) {
    throw new BatonError(
      "BATON_PROCESS_FAILED",
      `Child runs nest at most ${limits.subprocessDepthMax} deep; "${effect.key}" would be the ${depth}th.`,
    );
  }
  if (input.harness !== undefined && !dependencies.harnesses.has(input.harness))
    refuseHarness(input.harness, [...dependencies.harnesses.keys()]);
  await createRun(dependencies, {
    operationKey: operationKeyOf(parent, effect.key, childAttempt(effect)),
    definition: childDefinition(processes, parent, input.process),
    input: input.input,
    thread: parent.thread,
    requestedBy: parent.requestedBy,
    commentId: null,
    instructions: "",
    budgetUsd: effect.attempts.at(-1)?.reservedUsd ?? 0,
    settings: settingsFor(parent, input),
    settingsSha: parent.settingsSha,
    retryOf: null,
    priority: parent.priority,
    deadline: parent.deadline,
    parent: { runId: parent.runId, key: effect.key, depth },
  });
}

/** The parent's settings, with the harness and model that the process chose for this child. */
function settingsFor(
  parent: RunState,
  { harness, model }: { harness?: string | undefined; model?: string | undefined },
): Json {
  if (harness === undefined && model === undefined) return parent.settings;
  const settings = settingsSchema.parse(parent.settings);
  const none = Object.fromEntries(Object.keys(settings.models).map((role) => [role, null]));
  return {
    ...settings,
    ...(harness === undefined ? {} : { harness: { ...settings.harness, default: harness } }),
    ...(model === undefined ? {} : { models: { ...none, any: model } }),
  } as unknown as Json;
}

/** null: the child does not exist. */
export async function childState(
  { store }: Pick<Dependencies, "store">,
  parent: Pick<RunState, "runId">,
  effect: EffectState,
): Promise<RunState | null> {
  const events = await store.read(childRunIdOf(parent, effect));
  return events.length === 0 ? null : fold(events);
}

/** The children that have not ended. */
export async function openChildren(dependencies: Pick<Dependencies, "store">, parent: RunState): Promise<RunState[]> {
  const found = await Promise.all(openChildrenOf(parent).map((effect) => childState(dependencies, parent, effect)));
  return found.filter((child) => child !== null && !isOver(child)) as RunState[];
}

/** The outcome of the child, with its money. null: it has not ended. */
export function childOutcome(child: RunState): AttemptResult | null {
  if (!isOver(child) || child.outcome === null) return null;
  const usage = usageOf(child);
  if (child.status !== "completed") {
    const error = child.outcome.error ?? { code: "BATON_CANCELLED" as const, message: child.outcome.verdict.reason };
    return { ok: false, error, usage, kept: null };
  }
  return {
    ok: true,
    output: {
      runId: child.runId,
      verdict: child.outcome.verdict as unknown as Json,
      output: child.outcome.output ?? null,
    },
    usage,
  };
}

/** The child's progress for the parent's journal. Empty if the journal has it already. */
export function childLook(parent: RunState, effect: EffectState, child: RunState): RunEvent[] {
  if (!parent.open.has(effect.key)) return [];
  const { verdict, facts } = childSeen(child);
  return observe(parent, effect.key, verdict, facts);
}
