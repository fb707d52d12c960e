/** What steps of one role came to with one harness and model so far: the measure of what the next will cost and take. */
export interface History {
  attempts: number;
  successes: number;
  /** Means in which a later attempt weighs more; null before the first that tells. */
  usd: number | null;
  durationMs: number | null;
}

export const newHistory: History = { attempts: 0, successes: 0, usd: null, durationMs: null };

const newest = 0.2;

export function afterAttempt(
  history: History,
  { ok, usd, durationMs }: { ok: boolean; usd: number | null; durationMs: number },
): History {
  const mean = (before: number | null, value: number): number =>
    before === null ? value : before + newest * (value - before);
  return {
    attempts: history.attempts + 1,
    successes: history.successes + (ok ? 1 : 0),
    // What broke off early costs and takes too little to tell.
    usd: ok && usd !== null ? mean(history.usd, usd) : history.usd,
    durationMs: ok ? mean(history.durationMs, durationMs) : history.durationMs,
  };
}
