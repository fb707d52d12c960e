/**
 * The child runs of one driven run. It begins and checks them, passes on their parent's orders, and settles their
 * money.
 *
 * Owns: the set of tended children, and their state at the last check.
 * Does not own: a child's share and orders (`summary/child.ts`), its journal and creation (`perform/child.ts`), its
 * drive (`runner.ts`).
 * CR1 A child is checked after it or its parent changed. Otherwise a check costs one read of a position.
 * CR2 An unwanted child is tended until it has ended: the parent waits for its last words and its cost.
 */

import { attemptEnded } from "../core/decide.ts";
import { hasCode, toBatonError } from "../core/errors.ts";
import type { RunEvent } from "../core/event.ts";
import type { EffectState, RunState } from "../core/state.ts";
import type { EffectKey, RunId } from "../core/vocabulary.ts";
import { ordersFor } from "../summary/child.ts";
import type { Dependencies } from "./dependencies.ts";
import { beginChild, childLook, childOutcome, childRunIdOf, childState, ensureChild } from "./perform/child.ts";

/** Other runs, as their parent's driver sees them. */
export interface OtherRuns {
  wake(runId: RunId): void;
  change(runId: RunId, decide: (state: RunState) => RunEvent[]): Promise<void>;
  /** Resolves once this process no longer drives the run. */
  left(runId: RunId): Promise<void>;
}

/** The drive of the parent. */
export interface ParentDrive {
  state(): RunState;
  isStopping(): boolean;
  isLost(): boolean;
  change(decide: (state: RunState) => RunEvent[]): Promise<readonly unknown[]>;
  /** Money was booked. */
  spent(): Promise<void>;
  /** The view for people has changed. */
  show(): Promise<void>;
  /** The drive ends only after this work. */
  waitFor(key: EffectKey, end: () => Promise<void>): void;
}

const neverLooked = { position: 0, parent: "" };
/** The process must handle a child that can never begin. Any other error is retried with the run. */
const neverBegins = [
  "BATON_PROCESS_UNKNOWN",
  "BATON_INPUT_INVALID",
  "BATON_PROCESS_FAILED",
  "BATON_HARNESS_UNKNOWN",
] as const;

export class ChildRuns {
  readonly #dependencies: Dependencies;
  readonly #runs: OtherRuns;
  readonly #parent: ParentDrive;
  readonly #known: Map<EffectKey, { position: number; parent: string }>;

  constructor(dependencies: Dependencies, runs: OtherRuns, parent: ParentDrive) {
    this.#dependencies = dependencies;
    this.#runs = runs;
    this.#parent = parent;
    // In these states no child of the effect is running.
    const gone = ["requested", "retrying", "succeeded"];
    const begun = [...parent.state().effects.values()].filter(
      ({ kind, status, attempts }) => kind === "subprocess" && attempts.length > 0 && !gone.includes(status),
    );
    this.#known = new Map(begun.map(({ key }) => [key, neverLooked]));
  }

  /** core-child.CH1 */
  async begin(effect: EffectState): Promise<void> {
    if (this.#known.has(effect.key)) return;
    await this.#parent.change((state) => (state.open.has(effect.key) ? beginChild(state, effect) : []));
    this.#known.set(effect.key, neverLooked);
    await this.look();
  }

  /** CR1 */
  async look(): Promise<void> {
    for (const [key, known] of this.#known) {
      const state = this.#parent.state();
      const effect = state.effects.get(key);
      if (effect === undefined || this.#parent.isStopping()) continue;
      const position = await this.#dependencies.store.position(childRunIdOf(state, effect));
      const parent = this.#wishesFor(key);
      if (position > 0 && position === known.position && parent === known.parent) continue;
      this.#known.set(key, { position, parent });
      await this.#tend(effect);
    }
  }

  /** True when a child has not received its parent's current orders yet. */
  areBehind(): boolean {
    return [...this.#known].some(([key, { parent }]) => parent !== this.#wishesFor(key));
  }

  /** The parts of the parent's state that its child must know. */
  #wishesFor(key: EffectKey): string {
    const { status, topUps, open, priority, deadline } = this.#parent.state();
    return `${status} ${topUps.length} ${open.has(key)} ${priority} ${deadline}`;
  }

  /** Handles the child's outcome or progress, then sends its orders (core-child.CH2). Creates a missing child. */
  async #tend(effect: EffectState): Promise<void> {
    const { key } = effect;
    const state = this.#parent.state();
    const child = (await childState(this.#dependencies, state, effect)) ?? (await this.#create(state, effect));
    if (child === null) {
      if (!state.open.has(key)) this.#known.delete(key);
      return;
    }
    const outcome = childOutcome(child);
    if (outcome !== null) {
      this.#known.delete(key);
      // A cancelled effect may already be settled: its money is booked only once.
      if (!state.open.has(key) && (effect.attempts.at(-1)?.usage.length ?? 0) > 0) return;
      await this.#end(effect, outcome);
      await this.#parent.spent();
      await this.#parent.show();
      return;
    }
    const seen = await this.#parent.change((now) => {
      const known = now.effects.get(key);
      return known === undefined ? [] : childLook(now, known, child);
    });
    if (seen.length > 0) await this.#parent.show();
    await this.#tell(state, effect, child);
    if (!state.open.has(key)) this.#awaitEnd(key, child.runId);
  }

  /** null: the child is not wanted now, or can never begin. */
  async #create(state: RunState, effect: EffectState): Promise<RunState | null> {
    if (effect.status !== "running" || state.status !== "running") return null;
    try {
      await ensureChild(this.#dependencies, state, effect);
    } catch (thrown) {
      if (!neverBegins.some((code) => hasCode(thrown, code))) throw thrown;
      this.#known.delete(effect.key);
      await this.#end(effect, { ok: false, error: toBatonError(thrown).toData(), usage: [], kept: null });
      return null;
    }
    this.#runs.wake(childRunIdOf(state, effect));
    return childState(this.#dependencies, state, effect);
  }

  async #end(effect: EffectState, outcome: NonNullable<ReturnType<typeof childOutcome>>): Promise<void> {
    const { clock } = this.#dependencies;
    await this.#parent.change((now) => attemptEnded(now, effect.key, effect.attempts.length, outcome, clock.now()));
  }

  async #tell(state: RunState, effect: EffectState, child: RunState): Promise<void> {
    const { runId } = child;
    if (ordersFor(state, effect, child).length === 0) return;
    await this.#runs
      .change(runId, (now) => ordersFor(state, effect, now))
      .catch((thrown: unknown) =>
        this.#dependencies.log.warn("A child run could not be told", { runId, error: toBatonError(thrown) }),
      );
  }

  /** CR2 */
  #awaitEnd(key: EffectKey, runId: RunId): void {
    this.#known.delete(key);
    this.#parent.waitFor(key, async () => {
      await this.#runs.left(runId);
      const effect = this.#parent.state().effects.get(key);
      if (effect !== undefined && !this.#parent.isLost()) await this.#tend(effect);
    });
  }
}
