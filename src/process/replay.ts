/**
 * Turns a journal back into a live process, and drives it one event at a time.
 *
 * Owns: comparing the process's current requests with its former requests. Does not own: appending.
 * R1 After each delivered event, the process must repeat exactly the requests that the journal holds for that event.
 * R2 The process may ask for more only at the end of the journal: that is new work.
 * R3 A divergence stops the run and names the step and both values (BATON_DIVERGENCE).
 */
import { canonicalJson } from "../core/canonical.ts";
import { BatonError } from "../core/errors.ts";
import type { RunEvent, RunEventOf, StoredEvent } from "../core/event.ts";
import type { Turn } from "../core/turn.ts";
import type { EffectKey, Json, RunId } from "../core/vocabulary.ts";
import { ProcessInstance } from "./instance.ts";
import type { ProcessDefinition } from "./process.ts";

type Requested = RunEventOf<"effect.requested">;

export interface Replayed {
  instance: ProcessInstance;
  /** The process's requests beyond the journal, to append. */
  turn: Turn;
}

export async function replay(
  definition: ProcessDefinition,
  events: readonly StoredEvent[],
  settle: () => Promise<void>,
): Promise<Replayed> {
  const created = events[0];
  if (created === undefined || created.event.type !== "run.created")
    throw new BatonError("BATON_EVENT_INVALID", "A journal begins with run.created.");
  const expected = requestsByCause(events);
  const lastCause = Math.max(0, ...expected.keys());
  const ended = endedKeys(events);
  const instance = new ProcessInstance(definition, created.event.runId as RunId, settle);
  const beyond: Turn = { requests: [], cancellations: [], end: null };
  for (const stored of events) {
    if (stored !== created && !ProcessInstance.moves(stored)) continue;
    const turn = stored === created ? await instance.begin(stored) : await instance.deliver(stored);
    const recorded = expected.get(stored.position) ?? [];
    if (recorded.length > 0 || stored.position < lastCause) compare(definition, stored, recorded, turn.requests);
    else beyond.requests.push(...turn.requests);
    for (const key of turn.cancellations) if (!ended.has(key)) beyond.cancellations.push(key);
    beyond.end = turn.end;
  }
  return { instance, turn: beyond };
}

function requestsByCause(events: readonly StoredEvent[]): Map<number, Requested[]> {
  const byCause = new Map<number, Requested[]>();
  for (const { event } of events) {
    if (event.type !== "effect.requested") continue;
    const list = byCause.get(event.cause);
    if (list === undefined) byCause.set(event.cause, [event]);
    else list.push(event);
  }
  return byCause;
}

function endedKeys(events: readonly StoredEvent[]): Set<EffectKey> {
  const ended = new Set<EffectKey>();
  for (const { event } of events) if (isOutcome(event)) ended.add(event.key);
  return ended;
}

function isOutcome(event: RunEvent): event is RunEventOf<"effect.succeeded" | "effect.failed" | "effect.cancelled"> {
  return event.type === "effect.succeeded" || event.type === "effect.failed" || event.type === "effect.cancelled";
}

function compare(definition: ProcessDefinition, after: StoredEvent, recorded: Requested[], asked: Requested[]): void {
  for (let index = 0; index < Math.max(recorded.length, asked.length); index += 1) {
    const then = recorded[index];
    const now = asked[index];
    if (then !== undefined && now !== undefined && same(then, now)) continue;
    throw new BatonError(
      "BATON_DIVERGENCE",
      `Process ${definition.name} v${definition.version} diverged after event ${after.position} (${after.event.type}): the journal has ${describe(then)}, the process asks for ${describe(now)}.`,
      {
        details: {
          step: then?.key ?? now?.key ?? "",
          journal: then === undefined ? "nothing" : canonicalJson(then),
          process: now === undefined ? "nothing" : canonicalJson(now),
        },
      },
    );
  }
}

function same(then: Requested, now: Requested): boolean {
  if (then.key !== now.key || then.kind !== now.kind) return false;
  return canonicalJson(then.input) === canonicalJson(asJournaled(then.input, now.input));
}

/** In older journals a question names no commit. It is the same question, but its answer allows nothing. */
function asJournaled(then: Json, now: Json): Json {
  const [before, after] = [then, now] as { subject?: { change?: Json } }[];
  if (after?.subject?.change === undefined || before?.subject === undefined || before.subject.change !== undefined)
    return now;
  const { change: _, ...subject } = after.subject;
  return { ...(now as object), subject } as Json;
}

function describe(request: Requested | undefined): string {
  if (request === undefined) return "nothing";
  const input = canonicalJson(request.input);
  return `${request.kind} "${request.key}" with ${input.length > 300 ? `${input.slice(0, 300)}…` : input}`;
}
