/**
 * How many agents work on this machine at once, and whose turn it is.
 *
 * WT1 An agent waits for none of lower priority: those that are at work already do not count. So a sweep never holds up a person,
 *     and there may be more agents than slots until the others end.
 * WT2 The highest priority goes first, then who waited longest.
 * WT3 A turn that was given is kept until its holder leaves: nobody slips in before who waits.
 */
import { type Priority, rankOf } from "../core/priority.ts";

interface Waiting {
  key: string;
  rank: number;
  onTurn(): void;
}

export class AgentSlots {
  readonly count: number;
  readonly #holders = new Map<string, number>();
  /** In the order in which they came. */
  #line: Waiting[] = [];

  constructor(count: number) {
    this.count = count;
  }

  /** True: it may begin, and holds a slot until it leaves. False: it waits, and asks again on its turn. */
  request(key: string, priority: Priority, onTurn: () => void): boolean {
    if (this.#holders.has(key)) return true;
    if (this.#line.some((one) => one.key === key)) return false;
    const rank = rankOf(priority);
    if (this.#hasRoom(rank)) {
      this.#holders.set(key, rank);
      return true;
    }
    this.#line.push({ key, rank, onTurn });
    return false;
  }

  /** Whether it was waiting, or at work. */
  leave(key: string): void {
    this.#line = this.#line.filter((one) => one.key !== key);
    if (!this.#holders.delete(key)) return;
    for (const next of this.#line.toSorted((a, b) => a.rank - b.rank)) {
      if (!this.#hasRoom(next.rank)) continue;
      this.#line = this.#line.filter((one) => one !== next);
      this.#holders.set(next.key, next.rank);
      next.onTurn();
    }
  }

  get waiting(): number {
    return this.#line.length;
  }

  /** WT1 */
  #hasRoom(rank: number): boolean {
    return [...this.#holders.values()].filter((other) => other <= rank).length < this.count;
  }
}
