/** The part of an hour that many repositories with one cron expression are spread over: the same for the same seed, always. */

/** FNV-1a, 32 bits: spread evenly enough, and nothing secret depends on it. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value ^= text.charCodeAt(index);
    value = Math.imul(value, 0x01000193);
  }
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  return value >>> 0;
}

/** Whole seconds in [0, `minutes`), in milliseconds. */
export function jitterMs(seed: string, minutes: number): number {
  const seconds = Math.floor(minutes * 60);
  return seconds <= 0 ? 0 : (hash(seed) % seconds) * 1_000;
}
