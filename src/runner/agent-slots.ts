/**
 * How many agents work on this machine at once, and which waiting agent is next.
 *
 * WT1 An agent never waits for agents of lower priority, even running ones. So a sweep never holds up a person, and the
 *     machine may run more agents than slots until others end.
 * WT2 The highest priority goes first, then the earliest deadline. An agent without a deadline, or with a late one, counts
 *     as due `patienceMs` after it came. So a near deadline goes ahead, and nobody waits forever behind deadlines.
 * WT3 A given turn is kept until its holder leaves: nobody gets ahead of a waiting agent.
 * WT4 A changed priority or deadline counts at once, for agents that wait and for agents at work.
 */
import { type Priority, rankOf } from "../core/priority.ts";

interface Waiting {
  key: string;
  rank: number;
  since: number;
  due: number;
  onTurn(): void;
}

/** Also the most that an agent lets later ones with nearer deadlines go ahead. */
const patienceMs = 3_600_000;

export class AgentSlots {
  readonly count: number;
  readonly #now: () => number;
  readonly #holders = new Map<string, number>();
  /** In the order of arrival. */
  #line: Waiting[] = [];

  constructor(count: number, now: () => number) {
    this.count = count;
    this.#now = now;
  }

  /**
   * True: the agent may begin, and holds a slot until it leaves. False: the agent waits, and asks again on its turn.
   */
  request(
    key: string,
    { priority, deadline }: { priority: Priority; deadline: number | null },
    onTurn: () => void,
  ): boolean {
    const rank = rankOf(priority);
    const held = this.#holders.get(key);
    if (held !== undefined) {
      this.#holders.set(key, rank);
      // An agent at work with a lower priority than before holds up fewer others.
      if (rank > held) this.#next();
      return true;
    }
    const waiting = this.#line.find((one) => one.key === key);
    if (this.#hasRoom(rank)) {
      this.#line = this.#line.filter((one) => one !== waiting);
      this.#holders.set(key, rank);
      return true;
    }
    const since = waiting?.since ?? this.#now();
    const due = Math.min(deadline ?? Number.POSITIVE_INFINITY, since + patienceMs);
    if (waiting === undefined) this.#line.push({ key, rank, since, due, onTurn });
    else Object.assign(waiting, { rank, due });
    return false;
  }

  /** Works for a waiting agent and for a running one. */
  leave(key: string): void {
    this.#line = this.#line.filter((one) => one.key !== key);
    if (this.#holders.delete(key)) this.#next();
  }

  #next(): void {
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
  return a.rank - b.rank || a.due - b.due;
}
