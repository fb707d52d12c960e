/** A clock that moves only when the test moves it. */
import type { Clock } from "../../src/ports/clock.ts";

interface Sleeper {
  at: number;
  resolve(): void;
  reject(reason: unknown): void;
}

export class ManualClock implements Clock {
  #now: number;
  #sleepers: Sleeper[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleepUntil(atMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (atMs <= this.#now) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const sleeper: Sleeper = { at: atMs, resolve, reject };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason);
      });
    });
  }

  /** Moves time on. Sleepers wake in the order of their times. */
  advance(ms: number): void {
    const target = this.#now + ms;
    for (;;) {
      const next = this.#sleepers.filter(({ at }) => at <= target).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      next.resolve();
    }
    this.#now = target;
  }

  get sleeping(): number {
    return this.#sleepers.length;
  }
}
