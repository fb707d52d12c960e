/** Callers that ask during a run share one next run. The next run begins after each of them asked. */
export class Coalesced<T> {
  readonly #turns = new Map<string, { running: Promise<T>; next: Promise<T> | null }>();

  run(key: string, body: () => Promise<T>): Promise<T> {
    const turn = this.#turns.get(key);
    if (turn === undefined) return this.#begin(key, body);
    turn.next ??= turn.running.then(
      () => this.#begin(key, body),
      () => this.#begin(key, body),
    );
    return turn.next;
  }

  #begin(key: string, body: () => Promise<T>): Promise<T> {
    const turn: { running: Promise<T>; next: Promise<T> | null } = { running: body(), next: null };
    this.#turns.set(key, turn);
    const end = (): void => {
      if (this.#turns.get(key) === turn && turn.next === null) this.#turns.delete(key);
    };
    turn.running.then(end, end);
    return turn.running;
  }
}
