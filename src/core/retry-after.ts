/**
 * How other services write a waiting time: numbers in a unit, and the header `retry-after` (RFC 9110, section 10.2.3).
 */

/** Milliseconds, rounded up. null: not a plain number. */
export function millisecondsOf(text: unknown, unitMs: number): number | null {
  return typeof text === "string" && /^\s*\d{1,12}(?:\.\d{1,9})?\s*$/.test(text)
    ? Math.ceil(Number(text) * unitMs)
    : null;
}

/**
 * A delay from now, or an instant that may have passed. null: unreadable. Services send fractions of a second, which
 * the RFC does not allow.
 */
export function retryAfterOf(text: unknown): { afterMs: number } | { at: number } | null {
  const afterMs = millisecondsOf(text, 1_000);
  if (afterMs !== null) return { afterMs };
  if (typeof text !== "string" || !/^[A-Za-z]{3,9}, .{10,30} GMT$/.test(text.trim())) return null;
  const at = Date.parse(text);
  return Number.isFinite(at) ? { at } : null;
}
