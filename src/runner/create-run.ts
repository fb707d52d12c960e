/**
 * A run's first events, its index row, its thread and its wake-up in one transaction: from a command, the library or a parent.
 *
 * CR1 The run's id follows from the operation key: the same request creates one run, however often it comes.
 * CR2 A thread has at most one active run; BATON_RUN_ACTIVE names it.
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
  /** Set for a child run: it shares its parent's thread and does not take it. */
  parent?: { runId: RunId; key: EffectKey; depth: number };
  /** Set where a rule begins it: in the dashboard issue it then holds the rule's place. */
  startedBy?: StartedBy;
  priority?: Priority;
  /** A lease under which its start was decided: without it nothing is written. */
  holds?: Fence;
  /** Decisions to be journaled with it. */
  events?: RunEvent[];
}

export function runIdOf(operationKey: string): RunId {
  return runIdSchema.parse(`run_${sha256(operationKey).slice(0, 26)}`);
}

/** CR2, before anything is gathered or written for the run; that two at once do not both pass is the store's. */
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
    // The same request, handled at the same time elsewhere: the run is there.
    if (!hasCode(thrown, "BATON_JOURNAL_CONFLICT")) throw thrown;
  }
  return runId;
}
