/**
 * One run in memory: its folded state and its live process, moved only by appended events.
 *
 * Owns: decide → turn → append → fold, one append at a time. Does not own: due actions, performing, leases
 * (`run-driver.ts`).
 * A1 Only an event that the store has acknowledged changes the state (J1, J2). The process takes its turn before, and its
 *    requests and free starts share the append of the event that moved it. Nothing of a turn is performed before.
 * A2 One append at a time. Changes that wait meanwhile are decided in their order, each on the result of the one before,
 *    and share the next append.
 * A3 After a conflict with another replica's append, the actor reads those events and decides again. If its process has
 *    moved ahead of the journal, the journal is replayed first.
 * A4 An error between an event and the next append, outside the store, ends the run as failed. A retry would fail
 *    again, and the thread would wait for a run that nobody can move.
 * A5 A migrated run continues at once with its new version's process, brought to the same place. Work under way stays.
 * A6 If the store fails after the process moved, the actor is unusable. The next load replays the journal.
 */
import { overwrite } from "../core/ahead.ts";
import { isOver, stop, turnEvents } from "../core/decide.ts";
import { BatonError, hasCode, toBatonError } from "../core/errors.ts";
import type { RunEvent, StoredEvent } from "../core/event.ts";
import { applyEvent, fold } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import type { RunId } from "../core/vocabulary.ts";
import type { Fence, TransactionWrites } from "../ports/store.ts";
import { ProcessInstance } from "../process/instance.ts";
import type { ProcessDefinition } from "../process/process.ts";
import { replay } from "../process/replay.ts";
import { languageVersion } from "../workflow/compile.ts";
import { definitionOf } from "./definitions.ts";
import type { Dependencies } from "./dependencies.ts";
import { Draft } from "./draft.ts";

/** The events that a state calls for, and other writes in the same transaction. */
export type Decide = (state: RunState) => RunEvent[] | { events: RunEvent[]; also: TransactionWrites };

type ActorDependencies = Pick<Dependencies, "store" | "clock" | "settle" | "processes">;

/** Begins attempts that wait for nothing in the append that asks for them. */
export interface Starter {
  /** The `effect.started` of attempts that may begin at once. */
  starts(state: RunState): RunEvent[];
  /** These starts are durable. */
  started(starts: readonly StoredEvent[]): void;
}

interface Change {
  decide: Decide;
  resolve(stored: StoredEvent[]): void;
  reject(thrown: unknown): void;
}

/** The answer to a change, once everything that was decided with it is durable. */
interface Answer {
  change: Change;
  answer(stored: readonly StoredEvent[]): void;
}

/** Conflicts without an append of its own between them. */
const conflictsMax = 50;
/** Bounds one append. More changes wait for the next one. */
const eventsAtOnce = 200;

export class RunActor {
  readonly state: RunState;
  readonly #dependencies: ActorDependencies;
  #definition: ProcessDefinition | null = null;
  #instance: ProcessInstance | null = null;
  readonly #fence: Fence | null;
  #starter: Starter | null = null;
  readonly #waiting: Change[] = [];
  #tail: Promise<unknown> = Promise.resolve();
  #conflicts = 0;
  #broken: BatonError | null = null;

  private constructor(dependencies: ActorDependencies, state: RunState, fence: Fence | null) {
    this.#dependencies = dependencies;
    this.state = state;
    this.#fence = fence;
  }

  /**
   * Reads the journal, folds it and replays the process. The actor appends the process's next requests only with a
   * fence.
   */
  static async load(dependencies: ActorDependencies, runId: RunId, fence: Fence | null): Promise<RunActor> {
    const events = await dependencies.store.read(runId);
    if (events.length === 0) throw new BatonError("BATON_NO_RUN", `There is no run ${runId}.`);
    const actor = new RunActor(dependencies, fold(events), fence);
    if (!isOver(actor.state)) await actor.#absorb([], await actor.#begin(events));
    return actor;
  }

  /** Replays the process. Returns its requests beyond the journal, which the state holds. */
  async #begin(events: readonly StoredEvent[]): Promise<RunEvent[]> {
    const { processes, settle } = this.#dependencies;
    try {
      this.#definition = definitionOf(processes, this.state);
      const replayed = await replay(this.#definition, events, settle);
      this.#instance = replayed.instance;
      return turnEvents(this.state, this.#definition, replayed.turn);
    } catch (thrown) {
      // During an upgrade, an older replica may find a newer run. It leaves that run to newer replicas.
      if (hasCode(thrown, "BATON_PROCESS_UNKNOWN") && isNewer(this.#dependencies, this.state)) throw thrown;
      // R3, A4: a run that cannot be driven fails with an error. Nothing here reads or writes outside.
      this.#definition = null;
      this.#instance = null;
      return stop(this.state, toBatonError(thrown, "BATON_PROCESS_FAILED"), true);
    }
  }

  /** Attempts that begin with the append that asks for them, and what begins them once they are durable. */
  startWith(starter: Starter): void {
    this.#starter = starter;
  }

  /** Decides on the present state, appends, and returns the appended events. An empty decision appends nothing. */
  async change(decide: Decide): Promise<StoredEvent[]> {
    const { promise, resolve, reject } = Promise.withResolvers<StoredEvent[]>();
    this.#waiting.push({ decide, resolve, reject });
    void this.#inTurn(() => this.#changeAll());
    return promise;
  }

  /** Reads another replica's new events. false: there are none. */
  async catchUp(): Promise<boolean> {
    return this.#inTurn(() => this.#catchUp());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => {});
    return result;
  }

  /** Every waiting change. More of them arrive while the process takes its turns. */
  async #changeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const draft = this.#draft();
      const answers: Answer[] = [];
      try {
        if (this.#broken !== null) throw this.#broken;
        const also = await this.#decideAll(draft, answers);
        const stored = draft.events.length === 0 ? [] : await this.#store(draft, also);
        if (stored.some(({ event }) => event.type === "run.migrated")) await this.#absorb([], await this.#migrated());
        for (const { answer } of answers) answer(stored);
      } catch (thrown) {
        const changes = answers.map(({ change }) => change);
        if (hasCode(thrown, "BATON_JOURNAL_CONFLICT") && this.#broken === null && this.#conflicts < conflictsMax) {
          this.#waiting.unshift(...changes);
          continue;
        }
        if (draft.moved) this.#broken ??= toBatonError(thrown);
        for (const { reject } of changes.length > 0 ? changes : this.#waiting.splice(0)) reject(thrown);
      }
    }
  }

  #draft(): Draft {
    return new Draft(this.state, () => this.#dependencies.clock.now());
  }

  /** Answers count once the draft is durable: each may rest on the events before it (A2). */
  async #decideAll(draft: Draft, answers: Answer[]): Promise<TransactionWrites> {
    for (let change = this.#waiting[0]; change !== undefined; change = this.#waiting[0]) {
      const { resolve, reject } = change;
      const from = draft.events.length;
      if (from >= eventsAtOnce) break;
      let events: RunEvent[];
      let also: TransactionWrites = {};
      try {
        const decided = change.decide(draft.state);
        if (Array.isArray(decided)) events = decided;
        else ({ events, also } = decided);
        events = this.#dependencies.store.journaled(events);
      } catch (thrown) {
        this.#waiting.shift();
        answers.push({ change, answer: () => reject(thrown) });
        continue;
      }
      // Other writes have conditions of their own. A migrated run has another process (A5).
      const alone = Object.keys(also).length > 0 || events.some(({ type }) => type === "run.migrated");
      if (alone && from > 0 && events.length > 0) break;
      this.#waiting.shift();
      answers.push({ change, answer: (stored) => resolve(stored.slice(from, from + events.length)) });
      if (events.length === 0) continue;
      await this.#follow(draft, events);
      if (alone) return also;
    }
    return {};
  }

  /** Adds events to the draft, and lets the process take its turns until it only waits. */
  async #follow(draft: Draft, decided: RunEvent[]): Promise<void> {
    // A migrated run continues by its new process, and only its owner's process asks for more.
    const isStill = this.#fence === null || decided.some(({ type }) => type === "run.migrated");
    let incoming = decided;
    while (incoming.length > 0) {
      let news: RunEvent[] = [];
      for (const event of incoming) {
        const stored = draft.add(event);
        if (isStill) continue;
        // Nothing follows an end: Baton drops the process's reaction to its stopped effects.
        if (endsRun(event)) news = [];
        else if (ProcessInstance.moves(stored) && !isOver(draft.state)) {
          draft.moved = true;
          news.push(...(await this.#turn(draft.state, stored)));
        }
      }
      incoming = this.#asked(draft.state, news);
    }
  }

  /** A4: the process's requests, checked before anything is written (core-event.J4). */
  #asked(state: RunState, news: RunEvent[]): RunEvent[] {
    const { store } = this.#dependencies;
    try {
      return store.journaled(news);
    } catch (thrown) {
      if (!hasCode(thrown, "BATON_EVENT_INVALID")) throw thrown;
      this.#instance = null;
      return store.journaled(stop(state, new BatonError("BATON_PROCESS_FAILED", toBatonError(thrown).message)));
    }
  }

  /** One append for the whole draft. If it fails after the process moved, the process is ahead of the journal. */
  async #store(draft: Draft, also: TransactionWrites): Promise<StoredEvent[]> {
    const { store, clock } = this.#dependencies;
    const from = draft.events.length;
    if (draft.moved && this.#starter !== null)
      for (const event of store.journaled(this.#starter.starts(draft.state))) draft.add(event);
    const { events, times, ledger } = draft;
    let stored: StoredEvent[];
    try {
      stored = await store.append({
        runId: this.state.runId,
        expectedPosition: this.state.position,
        previousHash: this.state.hash,
        events,
        now: clock.now(),
        times,
        ...(this.#fence === null ? {} : { fence: this.#fence }),
        also: ledger.length === 0 ? also : { ...also, ledger: [...(also.ledger ?? []), ...ledger] },
      });
    } catch (thrown) {
      if (hasCode(thrown, "BATON_JOURNAL_CONFLICT") && this.#conflicts < conflictsMax)
        await this.#backToJournal(draft.moved);
      else if (draft.moved) this.#broken = toBatonError(thrown);
      throw thrown;
    }
    this.#conflicts = 0;
    try {
      for (const one of stored) applyEvent(this.state, one);
    } catch (thrown) {
      this.#broken = toBatonError(thrown);
      throw thrown;
    }
    if (stored.length > from) this.#starter?.started(stored.slice(from));
    return stored;
  }

  /** A3 */
  async #backToJournal(moved: boolean): Promise<void> {
    this.#conflicts += 1;
    if (!moved) {
      await this.#catchUp();
      return;
    }
    try {
      const events = await this.#dependencies.store.read(this.state.runId);
      overwrite(this.state, fold(events));
      if (!isOver(this.state)) await this.#absorb([], await this.#begin(events));
    } catch (thrown) {
      this.#broken ??= toBatonError(thrown);
      throw thrown;
    }
  }

  async #catchUp(): Promise<boolean> {
    const events = await this.#dependencies.store.read(this.state.runId, this.state.position);
    if (events.length > 0) await this.#absorb(events);
    return events.length > 0;
  }

  /** Folds durable events, and appends the process's requests. `asked`: its requests so far. */
  async #absorb(events: StoredEvent[], asked: RunEvent[] = []): Promise<void> {
    try {
      let news = asked;
      for (const stored of events) {
        applyEvent(this.state, stored);
        if (isOver(this.state)) news = [];
        else if (stored.event.type === "run.migrated") news = await this.#migrated();
        else if (ProcessInstance.moves(stored)) news.push(...(await this.#turn(this.state, stored)));
      }
      // Only the owner appends the process's requests. A visitor leaves them to the owner, who tails the journal.
      if (news.length === 0 || this.#fence === null) return;
      await this.#ask(news);
    } catch (thrown) {
      // The process moved but the journal did not. Never drive it further: the next load replays it.
      this.#broken ??= toBatonError(thrown);
      throw thrown;
    }
  }

  /** Appends the requests that follow from durable events. After a conflict, the journal's replay asks again (A3). */
  async #ask(news: RunEvent[]): Promise<void> {
    const draft = this.#draft();
    draft.moved = true;
    await this.#follow(draft, this.#asked(this.state, news));
    await this.#store(draft, {}).catch((thrown: unknown) => {
      if (!hasCode(thrown, "BATON_JOURNAL_CONFLICT") || this.#broken !== null) throw thrown;
    });
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

  async #turn(state: RunState, stored: StoredEvent): Promise<RunEvent[]> {
    if (this.#instance === null || this.#definition === null) return [];
    try {
      return turnEvents(state, this.#definition, await this.#instance.deliver(stored));
    } catch (thrown) {
      this.#instance = null;
      return stop(state, toBatonError(thrown, "BATON_PROCESS_FAILED"));
    }
  }
}

function endsRun({ type }: RunEvent): boolean {
  return type === "run.completed" || type === "run.failed" || type === "run.cancelled";
}

/** True when this process has the run's process or text language, but only in an older version. */
function isNewer({ processes }: Pick<Dependencies, "processes">, { process }: RunState): boolean {
  if (process.source !== undefined) return process.version > languageVersion;
  return processes.names().includes(process.name) && processes.latest(process.name).version < process.version;
}
