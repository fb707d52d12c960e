/**
 * How many agents work on this machine at once, and which waiting agent is next.
 *
 * WT1 An agent never waits for agents of lower priority, even running ones. So a sweep never holds up a person, and the
 *     machine may run more agents than slots until others end.
 * WT2 The highest priority goes first, then the earliest deadline, then the longest wait.
 * WT3 A given turn is kept until its holder leaves: nobody gets ahead of a waiting agent.
 */
import { type Priority, rankOf } from "../core/priority.ts";

interface Waiting {
  key: string;
  rank: number;
  deadline: number;
  onTurn(): void;
}

export class AgentSlots {
  readonly count: number;
  readonly #holders = new Map<string, number>();
  /** In the order of arrival. */
  #line: Waiting[] = [];

  constructor(count: number) {
    this.count = count;
  }

  /**
   * True: the agent may begin, and holds a slot until it leaves. False: the agent waits, and asks again on its turn.
   */
  request(
    key: string,
    { priority, deadline }: { priority: Priority; deadline: number | null },
    onTurn: () => void,
  ): boolean {
    if (this.#holders.has(key)) return true;
    if (this.#line.some((one) => one.key === key)) return false;
    const rank = rankOf(priority);
    if (this.#hasRoom(rank)) {
      this.#holders.set(key, rank);
      return true;
    }
    this.#line.push({ key, rank, deadline: deadline ?? Number.POSITIVE_INFINITY, onTurn });
    return false;
  }

  /** Works for a waiting agent and for a running one. */
  leave(key: string): void {
    this.#line = this.#line.filter((one) => one.key !== key);
    if (!this.#holders.delete(key)) return;
    for (const next of this.#line.toSorted(inTurn)) {
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

/** WT2: a stable sort keeps the order of arrival. */
function inTurn(a: Waiting, b: Waiting): number {
  if (a.rank !== b.rank) return a.rank - b.rank;
  return a.deadline === b.deadline ? 0 : a.deadline < b.deadline ? -1 : 1;
}
