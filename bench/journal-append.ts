/** `journal.appendMs`: appends single events in sequence under a lease, as the runner does. */
import type { RunEvent } from "../src/core/event.ts";
import type { Database } from "../src/ports/store.ts";
import { databaseKinds, noPostgres, withDatabase } from "./databases.ts";
import { createdEvent, runIdOf } from "./engine/run.ts";
import { type Bench, figure, type Outcome, percentile, rounded } from "./figure.ts";

const sizes = { quick: 50, full: 1_000 };
const leaseMs = 3_600_000;

export const journalAppend: Bench = {
  name: "journal-append",
  usesPostgres: true,
  summary: "one event appended under a lease, sequentially",
  figures: databaseKinds.map((kind) => `journal.appendMs.${kind}`),
  async run(context) {
    const outcome: Outcome = { figures: [], skipped: [] };
    const count = context.quick ? sizes.quick : sizes.full;
    for (const kind of databaseKinds) {
      const name = `journal.appendMs.${kind}`;
      const taken = await withDatabase(kind, context, (database) => append(database, count));
      if (taken === null) {
        outcome.skipped.push({ name, reason: noPostgres });
        continue;
      }
      const samples = { p50: rounded(percentile(taken, 0.5)), p99: rounded(percentile(taken, 0.99)), count };
      outcome.figures.push(figure({ name, unit: "ms", value: samples.p50, target: null, samples }));
    }
    return outcome;
  },
};

async function append({ store }: Database, count: number): Promise<number[]> {
  const runId = runIdOf("append");
  const fence = await store.acquireLease(`run:${runId}`, "bench", Date.now(), leaseMs);
  if (fence === null) throw new Error("The lease of a new run is free.");
  await store.append({ runId, expectedPosition: 0, events: [createdEvent(runId, "bench", {})], now: Date.now() });
  const event = {
    type: "run.paused",
    by: { id: 1, login: "alice", kind: "user", permission: "write" },
    reason: "x".repeat(400),
  } satisfies RunEvent;
  const taken: number[] = [];
  for (let position = 1; position <= count; position += 1) {
    const begunAt = performance.now();
    await store.append({ runId, expectedPosition: position, events: [event], now: Date.now(), fence });
    taken.push(performance.now() - begunAt);
  }
  return taken;
}
