/** Time and randomness as ports, so that tests control both. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves at or after `atMs`. Rejects with the signal's reason on abort. */
  sleepUntil(atMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** A new ULID: sortable by time. */
  ulid(nowMs: number): string;
  /** A number in [0, 1). */
  fraction(): number;
}
