/**
 * A short hash of a text (FNV-1a, mixed). Use it where no secret depends on it and rare collisions are acceptable.
 * If collisions must never happen, use SHA-256 outside the pure folders.
 */
export function hash32(text: string, seed = 0x811c9dc5): number {
  let value = seed >>> 0;
  for (let index = 0; index < text.length; index += 1) {
    value ^= text.charCodeAt(index);
    value = Math.imul(value, 0x01000193);
  }
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35);
  value ^= value >>> 16;
  return value >>> 0;
}

/** 16 hexadecimal digits. */
export function hash64(text: string): string {
  const part = (seed: number): string => hash32(text, seed).toString(16).padStart(8, "0");
  return part(0x811c9dc5) + part(0x9747b28c);
}
