/** Past results of one role's steps with one harness and model. They predict the cost and duration of the next step. */
export interface History {
  attempts: number;
  successes: number;
  /** Means in which a later attempt weighs more. null until the first attempt with data. */
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
    // An attempt that ended early costs and takes too little to be evidence.
    usd: ok && usd !== null ? mean(history.usd, usd) : history.usd,
    durationMs: ok ? mean(history.durationMs, durationMs) : history.durationMs,
  };
}
