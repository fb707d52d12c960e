/** `replay.tenThousandEventsMs`: from a stored journal of 10,000 events back to a live process: read, verify, fold, replay. */
import { turnEvents } from "../src/core/decide.ts";
import type { RunEvent, StoredEvent } from "../src/core/event.ts";
import { applyEvent, fold } from "../src/core/fold.ts";
import type { RunState } from "../src/core/state.ts";
import type { RunId } from "../src/core/vocabulary.ts";
import { ProcessInstance } from "../src/process/instance.ts";
import type { ProcessDefinition } from "../src/process/process.ts";
import { replay } from "../src/process/replay.ts";
import type { Dependencies } from "../src/runner/dependencies.ts";
import { RunActor } from "../src/runner/run-actor.ts";
import { type DatabaseKind, databaseKinds, noPostgres, withDatabase } from "./databases.ts";
import { dependenciesOn } from "./engine/dependencies.ts";
import { createdEvent, runIdOf, sequence } from "./engine/run.ts";
import { type Bench, elapsedMs, figure, type Outcome, rounded, spread } from "./figure.ts";

const sizes = { quick: { events: 1_000, repeats: 2 }, full: { events: 10_000, repeats: 5 } };
const targetMs = 1_000;
const appendedAtOnce = 500;

const nameOf = (kind: DatabaseKind): string =>
  kind === "pglite" ? "replay.tenThousandEventsMs" : `replay.tenThousandEventsMs.${kind}`;

export const replayJournal: Bench = {
  name: "replay-journal",
  usesPostgres: true,
  summary: "a stored journal of 10,000 events back to a live process",
  figures: databaseKinds.map(nameOf),
  async run(context) {
    const outcome: Outcome = { figures: [], skipped: [] };
    const { events, repeats } = context.quick ? sizes.quick : sizes.full;
    const journal = await journalOf(events);
    for (const kind of databaseKinds) {
      const samples = await withDatabase(kind, context, async (database) => {
        const dependencies = dependenciesOn(database);
        const runId = runIdOf("replay");
        for (let position = 0; position < journal.length; position += appendedAtOnce) {
          const some = journal.slice(position, position + appendedAtOnce);
          await database.store.append({ runId, expectedPosition: position, events: some, now: Date.now() });
        }
        return load(dependencies, runId, events, repeats);
      });
      if (samples === null) outcome.skipped.push({ name: nameOf(kind), reason: noPostgres });
      else {
        outcome.figures.push(
          figure({ name: nameOf(kind), unit: "ms", value: samples["min"] ?? 0, target: targetMs, samples }),
        );
      }
    }
    return outcome;
  },
};

async function load(
  dependencies: Dependencies,
  runId: RunId,
  events: number,
  repeats: number,
): Promise<Record<string, number>> {
  const whole: number[] = [];
  const parts = { read: Number.POSITIVE_INFINITY, fold: Number.POSITIVE_INFINITY, replay: Number.POSITIVE_INFINITY };
  const keep = (part: keyof typeof parts, ms: number): void => {
    parts[part] = Math.min(parts[part], rounded(ms));
  };
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    whole.push(
      await elapsedMs(async () => {
        const actor = await RunActor.load(dependencies, runId, null);
        if (actor.state.position !== events || actor.state.open.size !== 1)
          throw new Error(`The replayed run is at ${actor.state.position} with ${actor.state.open.size} open.`);
      }),
    );
    // The same work again in parts, to see where the time goes.
    let stored: StoredEvent[] = [];
    keep("read", await elapsedMs(async () => (stored = await dependencies.store.read(runId))));
    keep("fold", await elapsedMs(async () => fold(stored)));
    const definition = dependencies.processes.latest(sequence.name);
    keep("replay", await elapsedMs(() => replay(definition, stored, dependencies.settle)));
  }
  return { ...spread(whole), ...parts };
}

/** The journal of a run with that many events. The process itself makes it, so the process could have written it. */
async function journalOf(count: number): Promise<RunEvent[]> {
  const runId = runIdOf("replay");
  const definition = sequence as unknown as ProcessDefinition;
  const instance = new ProcessInstance(definition, runId, () => new Promise((resolve) => setImmediate(resolve)));
  const events: RunEvent[] = [];
  let state = null as RunState | null;
  const happen = async (event: RunEvent): Promise<void> => {
    events.push(event);
    const position = events.length;
    const stored = { stream: runId, position, at: position, schemaVersion: 1, event, previousHash: "", hash: "" };
    state = applyEvent(state, stored);
    const turn =
      event.type === "run.created"
        ? await instance.begin(stored)
        : ProcessInstance.moves(stored)
          ? await instance.deliver(stored)
          : null;
    if (turn === null) return;
    for (const asked of turnEvents(state, definition, turn)) await happen(asked);
  };
  await happen(createdEvent(runId, sequence.name, { effects: count }));
  for (;;) {
    const [key] = (state as RunState).open;
    if (key === undefined) throw new Error("The sequence ended too early.");
    await happen({ type: "effect.started", key, attempt: 1, worker: "bench", reservedUsd: 0 });
    // An outcome brings the next request along. Without room for both, the last effect only makes progress.
    if (events.length + 2 > count) {
      while (events.length < count)
        await happen({ type: "effect.progress", key, attempt: 1, note: "working", usage: [] });
      return events;
    }
    const output = { number: 1, url: null, sha: null };
    await happen({ type: "effect.succeeded", key, attempt: 1, output, usage: [] });
  }
}
