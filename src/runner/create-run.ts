/**
 * Creates a run for a command, the library or a parent. One transaction writes its first events, index row, thread and
 * wake-up.
 *
 * CR1 The run's id follows from the operation key: a repeated request creates one run.
 * CR2 A thread has at most one active run. BATON_RUN_ACTIVE names it.
 */
import { sha256 } from "../adapters/system/sha256.ts";
import { BatonError, hasCode } from "../core/errors.ts";
import type { RunEvent, StartedBy } from "../core/event.ts";
import type { Priority } from "../core/priority.ts";
import { type Actor, type EffectKey, type Json, type RunId, runIdSchema, type Thread } from "../core/vocabulary.ts";
import type { Fence } from "../ports/store.ts";
import { type ProcessDefinition, parseProcessInput } from "../process/process.ts";
import type { Dependencies } from "./dependencies.ts";
import { slotOf, threadKeyOf } from "./ledger-rows.ts";
import { stageHistory } from "./stage-history.ts";

export interface NewRun {
  operationKey: string;
  definition: ProcessDefinition;
  /** Checked by the process's schema (PROC-004). */
  input: unknown;
  thread: Thread;
  requestedBy: Actor;
  commentId: number | null;
  instructions: string;
  budgetUsd: number;
  settings: Json;
  settingsSha: string | null;
  retryOf: RunId | null;
  /** Set for a child run: it shares its parent's thread and does not occupy it. */
  parent?: { runId: RunId; key: EffectKey; depth: number };
  /** Set if a rule begins the run. In the dashboard issue, the run then occupies the rule's place. */
  startedBy?: StartedBy;
  priority?: Priority;
  /** When people want the result. */
  deadline?: number | null;
  /** The lease under which the start was decided: without the lease, Baton writes nothing. */
  holds?: Fence;
  /** Decisions to journal with the run's first events. */
  events?: RunEvent[];
}

export function runIdOf(operationKey: string): RunId {
  return runIdSchema.parse(`run_${sha256(operationKey).slice(0, 26)}`);
}

/**
 * CR2, before Baton gathers or writes anything for the run. The store keeps two simultaneous requests from both
 * passing.
 */
export async function refuseSecondRun(
  store: Pick<Dependencies["store"], "activeRun">,
  threadKey: string,
  runId: RunId,
): Promise<void> {
  const active = await store.activeRun(threadKey);
  if (active !== null && active !== runId)
    throw new BatonError("BATON_RUN_ACTIVE", `The run \`${active}\` is active in this thread.`);
}

export async function createRun({ store, clock }: Pick<Dependencies, "store" | "clock">, run: NewRun): Promise<RunId> {
  const runId = runIdOf(run.operationKey);
  const { definition, thread, parent = null } = run;
  const threadKey = threadKeyOf({ thread });
  const slot = slotOf({ thread, startedBy: run.startedBy ?? null });
  if (parent === null) await refuseSecondRun(store, slot, runId);
  const history = await stageHistory(store, thread.repository.id, definition);
  const events: RunEvent[] = [
    {
      type: "run.created",
      runId,
      process: {
        name: definition.name,
        version: definition.version,
        stages: definition.stages,
        ...(definition.source === undefined ? {} : { source: definition.source }),
      },
      input: parseProcessInput(definition, run.input),
      thread,
      requestedBy: run.requestedBy,
      trigger: { operationKey: run.operationKey, commentId: run.commentId, text: run.instructions },
      budgetUsd: run.budgetUsd,
      settings: run.settings,
      settingsSha: run.settingsSha,
      parent,
      retryOf: run.retryOf,
      ...(history === null ? {} : { history }),
      ...(run.startedBy === undefined ? {} : { startedBy: run.startedBy }),
      ...(run.priority === undefined ? {} : { priority: run.priority }),
      ...(run.deadline == null ? {} : { deadline: run.deadline }),
    },
    ...(run.events ?? []),
  ];
  const now = clock.now();
  try {
    await store.append({
      runId,
      expectedPosition: 0,
      now,
      events,
      also: {
        run: {
          runId,
          threadKey,
          process: definition.name,
          status: "running",
          position: events.length,
          createdAt: now,
          updatedAt: now,
          wakeAt: null,
          watches: [],
        },
        ...(parent === null ? { thread: { threadKey: slot, activeRunId: runId } } : {}),
        jobs: [{ queue: "run", data: { runId, facts: true }, singletonKey: runId }],
        ...(run.holds === undefined ? {} : { holds: run.holds }),
      },
    });
  } catch (thrown) {
    // The same request was handled elsewhere at the same time: the run exists.
    if (!hasCode(thrown, "BATON_JOURNAL_CONFLICT")) throw thrown;
  }
  return runId;
}
