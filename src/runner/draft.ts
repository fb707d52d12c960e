/**
 * Events that are decided and not durable yet, for one append.
 *
 * Owns: their positions, times and ledger rows, and the state that they lead to. Does not own: appending (`run-actor.ts`).
 * DR1 The run's own state stays as it is until the store has acknowledged the events.
 * DR2 Each event counts on the state after the events before it.
 */
import { ahead } from "../core/ahead.ts";
import { eventSchemaVersion, type RunEvent, type StoredEvent } from "../core/event.ts";
import { applyEvent } from "../core/fold.ts";
import type { RunState } from "../core/state.ts";
import type { LedgerRow } from "../ports/store.ts";
import { ledgerRows } from "./ledger-rows.ts";

export class Draft {
  readonly events: RunEvent[] = [];
  readonly times: number[] = [];
  readonly ledger: LedgerRow[] = [];
  /** The process took a turn by one of the events. */
  moved = false;
  readonly #base: RunState;
  readonly #now: () => number;
  #ahead: RunState | null = null;
  #folded = 0;

  constructor(base: RunState, now: () => number) {
    this.#base = base;
    this.#now = now;
  }

  /** The state after the events. A single event costs nothing until somebody asks for it. */
  get state(): RunState {
    if (this.events.length === 0) return this.#base;
    this.#ahead ??= ahead(this.#base);
    for (; this.#folded < this.events.length; this.#folded += 1) applyEvent(this.#ahead, this.#storedAt(this.#folded));
    return this.#ahead;
  }

  add(event: RunEvent): StoredEvent {
    const at = this.#now();
    this.ledger.push(...ledgerRows(this.state, [event], at));
    this.events.push(event);
    this.times.push(at);
    return this.#storedAt(this.events.length - 1);
  }

  /** The store adds the hashes, which no process and no decision reads. */
  #storedAt(index: number): StoredEvent {
    return {
      stream: this.#base.runId,
      position: this.#base.position + index + 1,
      at: this.times[index] ?? 0,
      schemaVersion: eventSchemaVersion,
      event: this.events[index] as RunEvent,
      previousHash: "",
      hash: "",
    };
  }
}
