/**
 * Runs for a process that does not drive them. It reads and decides, and leaves the rest to a running Baton.
 *
 * V1 A visitor performs nothing and contacts nobody outside: it appends to the journal and asks for a wake-up.
 */
import { fold } from "../core/fold.ts";
import type { RunId } from "../core/vocabulary.ts";
import type { Dependencies } from "./dependencies.ts";
import { RunActor } from "./run-actor.ts";
import type { Driving } from "./runs.ts";

export function visitor(dependencies: Pick<Dependencies, "store" | "clock" | "settle" | "processes">): Driving {
  const { store } = dependencies;
  const askToWake = (runId: RunId): Promise<void> =>
    store.write({ jobs: [{ queue: "run", data: { runId, facts: true }, singletonKey: runId }] });
  return {
    async wake(runId) {
      await askToWake(runId);
      return false;
    },
    async change(runId, decide) {
      const actor = await RunActor.load(dependencies, runId, null);
      const stored = await actor.change(decide);
      await askToWake(runId);
      return { stored, state: actor.state };
    },
    async state(runId) {
      const events = await store.read(runId);
      return events.length === 0 ? null : fold(events);
    },
    async left() {},
  };
}
