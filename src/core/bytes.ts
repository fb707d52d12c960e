/**
 * Length of a text in UTF-8 bytes, as GitHub and git count it. This function needs no Buffer, so pure folders may call
 * it.
 */
export function bytesOf(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
