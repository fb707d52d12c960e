/**
 * A run without a store: journal in memory, process driven by hand. The base world of the engine's tests.
 * Outcomes are given by the test, so that it owns their order.
 */
import { setImmediate as macrotask } from "node:timers/promises";
import { isOver, stop, turnEvents } from "../../src/core/decide.ts";
import { type RunEvent, runEventSchema, type StoredEvent } from "../../src/core/event.ts";
import { applyEvent } from "../../src/core/fold.ts";
import type { RunState } from "../../src/core/state.ts";
import type { Actor, EffectKey, Json, RunId, Thread } from "../../src/core/vocabulary.ts";
import { ProcessInstance } from "../../src/process/instance.ts";
import { type ProcessDefinition, parseProcessInput } from "../../src/process/process.ts";
import { replay } from "../../src/process/replay.ts";

const settle = async (): Promise<void> => {
  await macrotask();
};

export const alice: Actor = { id: 1, login: "alice", kind: "user", permission: "write" };
export const bob: Actor = { id: 2, login: "bob", kind: "user", permission: "maintain" };
const thread: Thread = {
  repository: { id: 7, owner: "acme", name: "shop", defaultBranch: "main", installationId: 3 },
  number: 12,
  kind: "issue",
};
const runId = "run_0123456789abcdef" as RunId;

function createdEvent(
  definition: ProcessDefinition,
  input: unknown,
  change: Partial<Extract<RunEvent, { type: "run.created" }>> = {},
): RunEvent {
  return {
    type: "run.created",
    runId,
    process: { name: definition.name, version: definition.version, stages: definition.stages },
    input: parseProcessInput(definition, input),
    thread,
    requestedBy: alice,
    trigger: { operationKey: "delivery:1", commentId: 99, text: "/baton run" },
    budgetUsd: 5,
    settings: {},
    settingsSha: null,
    parent: null,
    retryOf: null,
    ...change,
  };
}

export class RunWorld {
  readonly journal: StoredEvent[] = [];
  state!: RunState;
  #instance!: ProcessInstance;
  readonly #definition: ProcessDefinition;
  clock = 1_000_000;

  // biome-ignore lint: the definition's types do not matter to the engine
  constructor(definition: ProcessDefinition<never, never> | ProcessDefinition) {
    this.#definition = definition as ProcessDefinition;
  }

  static async start<I, O>(definition: ProcessDefinition<I, O>, input: I): Promise<RunWorld> {
    const world = new RunWorld(definition as unknown as ProcessDefinition);
    const created = world.#store([createdEvent(definition as unknown as ProcessDefinition, input)])[0] as StoredEvent;
    world.state = applyEvent(null, created);
    world.#instance = new ProcessInstance(definition as unknown as ProcessDefinition, runId, settle);
    await world.#take(turnEvents(world.state, world.#definition, await world.#instance.begin(created)));
    return world;
  }

  /** Throws the live process away and brings it back from the journal, with `definition` if the code changed meanwhile. */
  async crash(definition?: ProcessDefinition): Promise<void> {
    const used = definition ?? this.#definition;
    const replayed = await replay(used, this.journal, settle);
    this.#instance = replayed.instance;
    await this.#take(turnEvents(this.state, used, replayed.turn));
  }

  async append(events: RunEvent[]): Promise<void> {
    await this.#take(events);
  }

  async succeed(key: string, output: Json): Promise<void> {
    await this.#take([{ type: "effect.succeeded", key: key as EffectKey, attempt: 1, output, usage: [] }]);
  }

  open(): string[] {
    return [...this.state.open];
  }

  fail(error: Parameters<typeof stop>[1]): Promise<void> {
    return this.#take(stop(this.state, error));
  }

  async #take(events: RunEvent[]): Promise<void> {
    let incoming = events;
    while (incoming.length > 0) {
      let next: RunEvent[] = [];
      for (const stored of this.#store(incoming)) {
        applyEvent(this.state, stored);
        // As the actor does: nothing follows an end.
        if (isOver(this.state)) next = [];
        else if (ProcessInstance.moves(stored))
          next.push(...turnEvents(this.state, this.#definition, await this.#instance.deliver(stored)));
      }
      incoming = next;
    }
  }

  #store(events: RunEvent[]): StoredEvent[] {
    const stored = events.map((event, index): StoredEvent => {
      this.clock += 1_000;
      // As a store would: what is kept is JSON that passed the schema.
      const kept = runEventSchema.parse(JSON.parse(JSON.stringify(event)));
      return {
        stream: runId,
        position: this.journal.length + index + 1,
        at: this.clock,
        schemaVersion: 1,
        event: kept,
        previousHash: "",
        hash: "",
      };
    });
    this.journal.push(...stored);
    return stored;
  }
}
