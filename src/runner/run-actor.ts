/**
 * One run in memory: its folded state and its live process, moved only by appended events.
 *
 * Owns: append → fold → deliver → append, one at a time. Does not own: due actions, performing, leases
 * (`run-driver.ts`).
 * A1 Only an event that the store has acknowledged changes the state (J1, J2).
 * A2 One change at a time: changes queue behind each other.
 * A3 After a conflict with another replica's append, the actor reads those events and decides again.
 * A4 An error between an event and the next append, outside the store, ends the run as failed. A retry would fail
 *    again, and the thread would wait for a run that nobody can move.
 * A5 A migrated run continues at once with its new version's process, brought to the same place. Work under way stays.
 */
import { isOver, stop, turnEvents } from "../core/decide.ts";
import { BatonError, hasCode, toBatonError } from "../core/errors.ts";
import type { RunEvent, StoredEvent } from "../core/event.ts";
import { applyEvent, fold } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import type { RunId } from "../core/vocabulary.ts";
import type { Fence, LedgerRow, TransactionWrites } from "../ports/store.ts";
import { ProcessInstance } from "../process/instance.ts";
import type { ProcessDefinition } from "../process/process.ts";
import { replay } from "../process/replay.ts";
import { languageVersion } from "../workflow/compile.ts";
import { definitionOf } from "./definitions.ts";
import type { Dependencies } from "./dependencies.ts";
import { ledgerRows } from "./ledger-rows.ts";

/** The events that a state calls for, and other writes in the same transaction. */
export type Decide = (state: RunState) => RunEvent[] | { events: RunEvent[]; also: TransactionWrites };

type ActorDependencies = Pick<Dependencies, "store" | "clock" | "settle" | "processes">;

const conflictsMax = 50;

export class RunActor {
  readonly state: RunState;
  readonly #dependencies: ActorDependencies;
  #definition: ProcessDefinition | null;
  #instance: ProcessInstance | null = null;
  readonly #fence: Fence | null;
  #tail: Promise<unknown> = Promise.resolve();
  #broken: BatonError | null = null;

  private constructor(
    dependencies: ActorDependencies,
    state: RunState,
    definition: ProcessDefinition | null,
    fence: Fence | null,
  ) {
    this.#dependencies = dependencies;
    this.state = state;
    this.#definition = definition;
    this.#fence = fence;
  }

  /**
   * Reads the journal, folds it and replays the process. The actor appends the process's next requests only with a
   * fence.
   */
  static async load(dependencies: ActorDependencies, runId: RunId, fence: Fence | null): Promise<RunActor> {
    const events = await dependencies.store.read(runId);
    if (events.length === 0) throw new BatonError("BATON_NO_RUN", `There is no run ${runId}.`);
    const state = fold(events);
    if (isOver(state)) return new RunActor(dependencies, state, null, fence);
    let actor: RunActor;
    let asked: RunEvent[];
    try {
      const definition = definitionOf(dependencies.processes, state);
      actor = new RunActor(dependencies, state, definition, fence);
      const replayed = await replay(definition, events, dependencies.settle);
      actor.#instance = replayed.instance;
      asked = turnEvents(state, definition, replayed.turn);
    } catch (thrown) {
      // During an upgrade, an older replica may find a newer run. It leaves that run to newer replicas.
      if (hasCode(thrown, "BATON_PROCESS_UNKNOWN") && isNewer(dependencies, state)) throw thrown;
      // R3, A4: a run that cannot be driven fails with an error. Nothing here reads or writes outside.
      actor = new RunActor(dependencies, state, null, fence);
      asked = stop(state, toBatonError(thrown, "BATON_PROCESS_FAILED"), true);
    }
    await actor.#take([], asked);
    return actor;
  }

  /** Decides on the present state, appends, and returns the appended events. An empty decision appends nothing. */
  async change(decide: Decide): Promise<StoredEvent[]> {
    const result = this.#tail.then(() => this.#change(decide));
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Reads another replica's new events. false: there are none. */
  async catchUp(): Promise<boolean> {
    const result = this.#tail.then(() => this.#catchUp());
    this.#tail = result.catch(() => {});
    return result;
  }

  async #change(decide: Decide): Promise<StoredEvent[]> {
    for (let conflicts = 0; ; conflicts += 1) {
      if (this.#broken !== null) throw this.#broken;
      const decided = decide(this.state);
      const { events, also } = Array.isArray(decided) ? { events: decided, also: {} } : decided;
      if (events.length === 0) return [];
      try {
        return await this.#advance(events, also);
      } catch (thrown) {
        if (!hasCode(thrown, "BATON_JOURNAL_CONFLICT") || conflicts >= conflictsMax) throw thrown;
        await this.#catchUp();
      }
    }
  }

  async #catchUp(): Promise<boolean> {
    const events = await this.#dependencies.store.read(this.state.runId, this.state.position);
    if (events.length > 0) await this.#take(events);
    return events.length > 0;
  }

  /** Appends, then lets the process take its turns until it only waits. */
  async #advance(first: RunEvent[], also: TransactionWrites = {}): Promise<StoredEvent[]> {
    if (first.length === 0) return [];
    const stored = await this.#append(first, also);
    await this.#take(stored);
    return stored;
  }

  /** Folds events and lets the process take its turns until it only waits. `asked`: the process's requests so far. */
  async #take(events: StoredEvent[], asked: RunEvent[] = []): Promise<void> {
    let incoming = events;
    let news = asked;
    for (let conflicts = 0; ; ) {
      try {
        for (const stored of incoming) {
          applyEvent(this.state, stored);
          // Nothing follows an end: Baton drops the process's reaction to its stopped effects.
          if (isOver(this.state)) news = [];
          else if (stored.event.type === "run.migrated") news = await this.#migrated();
          else if (ProcessInstance.moves(stored)) news.push(...(await this.#turn(stored)));
        }
        // Only the owner appends the process's requests. A visitor leaves them to the owner, who tails the journal.
        if (news.length === 0 || this.#fence === null) return;
        incoming = await this.#append(news, {});
        news = [];
      } catch (thrown) {
        // A4: events are checked before anything is written (core-event.J4).
        if (hasCode(thrown, "BATON_EVENT_INVALID") && this.#instance !== null && news.length > 0) {
          this.#instance = null;
          incoming = [];
          news = stop(this.state, new BatonError("BATON_PROCESS_FAILED", toBatonError(thrown).message));
          continue;
        }
        if (hasCode(thrown, "BATON_JOURNAL_CONFLICT") && conflicts < conflictsMax) {
          conflicts += 1;
          incoming = await this.#dependencies.store.read(this.state.runId, this.state.position);
          continue;
        }
        // The process moved but the journal did not. Never drive it further: the next load replays it.
        this.#broken = toBatonError(thrown);
        throw thrown;
      }
    }
  }

  /** A5: the old version's requests of this turn are not appended yet, and the new version makes the same requests. */
  async #migrated(): Promise<RunEvent[]> {
    if (this.#fence === null) {
      this.#instance = null;
      return [];
    }
    const { store, processes, settle } = this.#dependencies;
    const definition = definitionOf(processes, this.state);
    const events = (await store.read(this.state.runId)).slice(0, this.state.position);
    const replayed = await replay(definition, events, settle);
    this.#definition = definition;
    this.#instance = replayed.instance;
    return turnEvents(this.state, definition, replayed.turn);
  }

  async #turn(stored: StoredEvent): Promise<RunEvent[]> {
    if (this.#instance === null || this.#definition === null) return [];
    try {
      return turnEvents(this.state, this.#definition, await this.#instance.deliver(stored));
    } catch (thrown) {
      this.#instance = null;
      return stop(this.state, toBatonError(thrown, "BATON_PROCESS_FAILED"));
    }
  }

  async #append(events: RunEvent[], also: TransactionWrites): Promise<StoredEvent[]> {
    const { store, clock } = this.#dependencies;
    const ledger: LedgerRow[] = ledgerRows(this.state, events, clock.now());
    return store.append({
      runId: this.state.runId,
      expectedPosition: this.state.position,
      events,
      now: clock.now(),
      ...(this.#fence === null ? {} : { fence: this.#fence }),
      also: ledger.length === 0 ? also : { ...also, ledger: [...(also.ledger ?? []), ...ledger] },
    });
  }
}

/** True when this process has the run's process or text language, but only in an older version. */
function isNewer({ processes }: Pick<Dependencies, "processes">, { process }: RunState): boolean {
  if (process.source !== undefined) return process.version > languageVersion;
  return processes.names().includes(process.name) && processes.latest(process.name).version < process.version;
}
