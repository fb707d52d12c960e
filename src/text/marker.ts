/**
 * Hidden markers in Baton's texts. Baton finds its own comments by them, even after it lost an answer.
 *
 * K1 Only markers at the very end count. Quoted text of others can hold one, but never comes last.
 * K2 A marker says what a comment is, never who wrote it. Code that adopts a comment checks the author's id.
 */

const allowedKind = /^[a-z][a-z0-9-]{0,30}$/;
const allowedId = /^[A-Za-z0-9_:./#@-]{1,240}$/;
const lastMarker = /<!-- baton:([a-z][a-z0-9-]{0,30})=([A-Za-z0-9_:./#@-]{1,240}) -->\s*$/;
const markersMax = 8;

export interface Marker {
  /** `op`: the operation that wrote the text. Other kinds: the subject of the text. */
  kind: string;
  id: string;
}

export function printMarker(id: string, kind = "op"): string {
  if (!allowedKind.test(kind) || !allowedId.test(id)) {
    throw new RangeError(`"${kind}=${id}" cannot be a marker.`);
  }
  return `<!-- baton:${kind}=${id} -->`;
}

/** The markers at the end of a text, in order. */
function parseMarkers(body: string): Marker[] {
  const found: Marker[] = [];
  let rest = body;
  while (found.length < markersMax) {
    const match = lastMarker.exec(rest.slice(-400));
    if (match === null) break;
    found.unshift({ kind: match[1] ?? "", id: match[2] ?? "" });
    rest = rest.slice(0, rest.length - match[0].length);
  }
  return found;
}

/** The operation that wrote this text. null: another author wrote it. */
export function parseMarker(body: string, kind = "op"): string | null {
  return parseMarkers(body).findLast((marker) => marker.kind === kind)?.id ?? null;
}

export function withMarker(body: string, id: string, kind = "op"): string {
  return `${body.trimEnd()}\n\n${printMarker(id, kind)}`;
}
