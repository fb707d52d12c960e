/** Hidden markers in what Baton writes: by them its own comments are found again, also after a lost answer. */

const pattern = /<!-- baton:op=([A-Za-z0-9_:./#@-]{1,240}) -->/;
const allowed = /^[A-Za-z0-9_:./#@-]{1,240}$/;

export function printMarker(operationKey: string): string {
  if (!allowed.test(operationKey)) throw new RangeError(`Operation key "${operationKey}" cannot be a marker.`);
  return `<!-- baton:op=${operationKey} -->`;
}

/** The operation that wrote this text; null for other people's. */
export function parseMarker(body: string): string | null {
  return pattern.exec(body)?.[1] ?? null;
}

export function withMarker(body: string, operationKey: string): string {
  return `${body.trimEnd()}\n\n${printMarker(operationKey)}`;
}
