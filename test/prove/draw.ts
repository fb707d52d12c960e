/** Choices from a seed, and inputs made of them. */
import { SeededRandom } from "../fakes/random.ts";

export class Draw {
  readonly #random: SeededRandom;

  constructor(seed: number, name: string) {
    // Each cause draws its own numbers, so a new input of one cause does not change those of another.
    let mixed = seed >>> 0;
    for (const character of name) mixed = (Math.imul(mixed ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0) + 1;
    this.#random = new SeededRandom(mixed);
  }

  /** From `min` to `max`, inclusive. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.#random.fraction() * (max - min + 1));
  }

  one<T>(from: readonly T[]): T {
    const found = from[this.whole(0, from.length - 1)];
    if (found === undefined) throw new RangeError("Nothing to choose from.");
    return found;
  }

  flip(): boolean {
    return this.#random.fraction() < 0.5;
  }

  word(length = 6): string {
    return Array.from({ length }, () => this.one([..."abcdefghijkmnopqrstuvwxyz"])).join("");
  }

  shuffled<T>(list: readonly T[]): T[] {
    const left = [...list];
    const drawn: T[] = [];
    while (left.length > 0) drawn.push(...left.splice(this.whole(0, left.length - 1), 1));
    return drawn;
  }
}

/** Fixed inputs first, then drawn ones until there are enough, each once. */
export function inputsOf<Input>(fixed: readonly Input[], draw: () => Input, count: number): Input[] {
  const seen = new Map<string, Input>();
  const take = (input: Input): void => {
    const key = JSON.stringify(input);
    if (seen.size < count && !seen.has(key)) seen.set(key, input);
  };
  fixed.forEach(take);
  for (let tries = 0; seen.size < count && tries < count * 40; tries += 1) take(draw());
  return [...seen.values()];
}
