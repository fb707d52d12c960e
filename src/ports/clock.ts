/** Time and randomness as ports, so that tests own both. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves at or after `atMs`; rejects with the signal's reason when aborted. */
  sleepUntil(atMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** A new ULID: sortable by time. */
  ulid(nowMs: number): string;
  /** In [0, 1). */
  fraction(): number;
}
