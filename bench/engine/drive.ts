/** One run of the benchmarks, from its stored beginning to its end. */
import type { Json, RunId } from "../../src/core/vocabulary.ts";
import type { Dependencies } from "../../src/runner/dependencies.ts";
import { threadKeyOf } from "../../src/runner/ledger-rows.ts";
import type { Runner } from "../../src/runner/runner.ts";
import { elapsedMs } from "../figure.ts";
import { createdEvent, runIdOf, sequence } from "./run.ts";

/** The time from the wake-up of the stored run to its end, in milliseconds. */
export async function drive(
  dependencies: Dependencies,
  runner: Runner,
  name: string,
  effects: number,
  process = sequence.name,
): Promise<number> {
  const runId = await createRun(dependencies, name, effects, process);
  const taken = await elapsedMs(async () => {
    await runner.wake(runId, false);
    await runner.idle();
  });
  await expectDone(dependencies, runId, effects);
  return taken;
}

export async function createRun(
  { store }: Dependencies,
  name: string,
  effects: number,
  process = sequence.name,
): Promise<RunId> {
  const runId = runIdOf(name);
  // As many effects at once as the settings allow.
  const settings: Json = { limits: { parallel: 8 } };
  const event = { ...createdEvent(runId, process, { effects }), settings };
  const now = Date.now();
  const run = {
    runId,
    threadKey: threadKeyOf(event),
    process,
    status: "running" as const,
    position: 1,
    createdAt: now,
    updatedAt: now,
    wakeAt: null,
    watches: [],
  };
  await store.append({ runId, expectedPosition: 0, events: [event], now, also: { run } });
  return runId;
}

/** A run that failed early would give a false figure. */
export async function expectDone({ store }: Dependencies, runId: RunId, effects: number): Promise<void> {
  const last = (await store.read(runId)).at(-1)?.event;
  if (last?.type !== "run.completed" || (last.output as { done?: number }).done !== effects)
    throw new Error(`${runId} did not do its ${effects} effects: it ended with ${JSON.stringify(last)}.`);
}
