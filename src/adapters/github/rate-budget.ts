/**
 * Baton's own bound for one installation's limits (github.G1). It is below GitHub's limits, because others share them.
 *
 * RB1 While GitHub asks to wait, Baton sends nothing at all. RB2 Content writes are counted over a minute and over an
 *     hour.
 * RB3 Content writes leave in the order of their requests. A read never waits for a write.
 * RB5 An edit of a shown text never waits in line and never uses what others need. Baton refuses it with the time of
 *     the next try. By then there is a newer text.
 * RB4 A stopping Baton waits for nothing. It refuses calls that would have to wait, and the next start repeats them.
 *     The other calls are still sent.
 */
import { BatonError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { Clock } from "../../ports/clock.ts";

/** The effect of a call: none, a write that somebody waits for, or an edit of a shown text. */
export type Write = boolean | "edit";

const minuteMs = 60_000;
const hourMs = 3_600_000;

export class RateBudget {
  readonly #clock: Clock;
  readonly #stop: AbortSignal | undefined;
  #blockedUntil = 0;
  #writes: number[] = [];
  #edits: number[] = [];
  #writeTurn: Promise<void> = Promise.resolve();

  constructor(clock: Clock, stop?: AbortSignal) {
    this.#clock = clock;
    this.#stop = stop;
  }

  /**
   * Resolves when a call may be sent. Rejects with BATON_GITHUB_LIMITED when the call would have to wait and Baton
   * stops.
   */
  async admit(contentWrite: Write): Promise<void> {
    if (contentWrite === "edit") return this.#admitEdit();
    if (!contentWrite) return this.#wait(false);
    const mine = this.#writeTurn.then(() => this.#wait(true));
    this.#writeTurn = mine.catch(() => {});
    return mine;
  }

  /** GitHub asks to wait. The whole installation waits. */
  block(forMs: number): void {
    this.#blockedUntil = Math.max(this.#blockedUntil, this.#clock.now() + forMs);
  }

  get blockedUntil(): number {
    return this.#blockedUntil;
  }

  async #wait(contentWrite: boolean): Promise<void> {
    for (;;) {
      const now = this.#clock.now();
      const until = Math.max(this.#blockedUntil, contentWrite ? this.#nextWriteAt(now) : 0);
      if (until <= now) break;
      await this.#clock.sleepUntil(until, this.#stop).catch((thrown: unknown) => {
        if (this.#stop?.aborted !== true) throw thrown;
        throw new BatonError("BATON_GITHUB_LIMITED", "Baton is being stopped and does not wait for GitHub's limit.", {
          cause: thrown,
          retryAfterMs: until - now,
        });
      });
    }
    if (contentWrite) this.#writes.push(this.#clock.now());
  }

  /** RB5 */
  #admitEdit(): void {
    const now = this.#clock.now();
    this.#edits = this.#edits.filter((at) => at > now - hourMs);
    this.#writes = this.#writes.filter((at) => at > now - hourMs);
    const until = Math.max(
      this.#blockedUntil,
      this.#nextWriteAt(now),
      nextAt(this.#edits, now, minuteMs, limits.editsPerMinuteMax),
      nextAt(this.#edits, now, hourMs, limits.editsPerHourMax),
      nextAt(this.#writes, now, hourMs, limits.writesPerHourForEditsMax),
    );
    if (until > now)
      throw new BatonError("BATON_GITHUB_LIMITED", "Edits give way to replies, pull requests and merges.", {
        retryAfterMs: until - now,
      });
    this.#edits.push(now);
    this.#writes.push(now);
  }

  #nextWriteAt(now: number): number {
    this.#writes = this.#writes.filter((at) => at > now - hourMs);
    return Math.max(
      nextAt(this.#writes, now, minuteMs, limits.contentWritesPerMinuteMax),
      nextAt(this.#writes, now, hourMs, limits.contentWritesPerHourMax),
    );
  }
}

/** When one more call fits within `spanMs`. 0: now. */
function nextAt(times: readonly number[], now: number, spanMs: number, max: number): number {
  const within = times.filter((at) => at > now - spanMs);
  return within.length < max ? 0 : (within[within.length - max] as number) + spanMs;
}
