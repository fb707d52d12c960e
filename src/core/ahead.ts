/**
 * A state that may run ahead of the journal: the fold changes it, and the given state stays.
 *
 * Owns: which parts of a state the fold writes. Does not own: the fold.
 * AH1 Folding events into it gives the state that the given one would have.
 * AH2 The cost is that of the open effects and the events, for any length of the run.
 */
import type { AttemptState, EffectState, RunState } from "./state.ts";
import type { EffectKey } from "./vocabulary.ts";

export function ahead(state: RunState): RunState {
  return {
    ...state,
    effects: new Effects(state.effects),
    open: new Set(state.open),
    money: { ...state.money, stopsAfter: [...state.money.stopsAfter] },
    decisions: [...state.decisions],
    handled: new Set(state.handled),
    topUps: [...state.topUps],
  };
}

/** Gives a state the content of another one. Its effects and attempts stay the same objects, because readers hold them. */
export function overwrite(state: RunState, other: RunState): void {
  const effects = [...other.effects].map(([key, effect]): [EffectKey, EffectState] => {
    const known = state.effects.get(key);
    if (known === undefined) return [key, effect];
    const attempts = effect.attempts.map((attempt, index): AttemptState => {
      const before = known.attempts[index];
      return before === undefined ? attempt : Object.assign(before, attempt);
    });
    return [key, Object.assign(known, effect, { attempts })];
  });
  Object.assign(state, other, { effects: new Map(effects) });
}

/** Copies an effect when somebody gets it, because the fold writes into it. Lists are only read. */
class Effects extends Map<EffectKey, EffectState> {
  readonly #base: ReadonlyMap<EffectKey, EffectState>;

  constructor(base: ReadonlyMap<EffectKey, EffectState>) {
    super();
    this.#base = base;
  }

  override get(key: EffectKey): EffectState | undefined {
    const own = super.get(key);
    if (own !== undefined) return own;
    const effect = this.#base.get(key);
    if (effect === undefined) return undefined;
    const copy: EffectState = { ...effect, attempts: effect.attempts.map((attempt) => ({ ...attempt })) };
    super.set(key, copy);
    return copy;
  }

  override has(key: EffectKey): boolean {
    return super.has(key) || this.#base.has(key);
  }

  override get size(): number {
    return [...this.keys()].length;
  }

  override *entries(): MapIterator<[EffectKey, EffectState]> {
    for (const [key, effect] of this.#base) yield [key, super.get(key) ?? effect];
    for (const [key, effect] of super.entries()) if (!this.#base.has(key)) yield [key, effect];
  }

  override *keys(): MapIterator<EffectKey> {
    for (const [key] of this.entries()) yield key;
  }

  override *values(): MapIterator<EffectState> {
    for (const [, effect] of this.entries()) yield effect;
  }

  override [Symbol.iterator](): MapIterator<[EffectKey, EffectState]> {
    return this.entries();
  }

  override forEach(each: (effect: EffectState, key: EffectKey, map: Map<EffectKey, EffectState>) => void): void {
    for (const [key, effect] of this.entries()) each(effect, key, this);
  }

  override delete(key: EffectKey): never {
    throw new Error(`No fold removes an effect, and ${key} stays.`);
  }
}
