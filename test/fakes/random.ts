/** Randomness from a seed: the same seed gives the same identifiers and fractions. */
import type { Random } from "../../src/ports/clock.ts";

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

export class SeededRandom implements Random {
  #state: number;

  constructor(seed = 1) {
    this.#state = seed >>> 0;
  }

  /** Mulberry32: small, and even enough for tests. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  ulid(nowMs: number): string {
    let time = "";
    for (let left = nowMs, index = 0; index < 10; index += 1, left = Math.floor(left / 32))
      time = `${alphabet[left % 32]}${time}`;
    return time + Array.from({ length: 16 }, () => alphabet[Math.floor(this.fraction() * 32)]).join("");
  }
}
