/** How much one client may ask. Each process counts for itself, in windows of a minute. */
import { BatonError } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";

const windowMs = 60_000;
/** Beyond, the oldest are forgotten. Addresses are many, and anybody has some. */
const keysMax = 10_000;

export class Rates {
  readonly #clock: Clock;
  readonly #counts = new Map<string, { since: number; count: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts one more. Throws beyond `max` in a window. */
  demand(key: string, max: number, what: string): void {
    const now = this.#clock.now();
    const window = this.#window(key, now);
    if (window.count >= max)
      throw new BatonError("BATON_RATE_LIMITED", `More than ${max} ${what} came within a minute.`, {
        retryAfterMs: window.since + windowMs - now,
      });
    window.count += 1;
  }

  #window(key: string, now: number): { since: number; count: number } {
    const known = this.#counts.get(key);
    if (known !== undefined && now - known.since < windowMs) return known;
    const fresh = { since: now, count: 0 };
    this.#counts.delete(key);
    this.#counts.set(key, fresh);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > keysMax && oldest !== undefined) this.#counts.delete(oldest);
    return fresh;
  }
}
