/** The last fenced block of a text with the mark `json`: agents deliver structure in it. */

const block = /^(`{3,}|~{3,})json[ \t]*\n([\s\S]*?)\n\1[ \t]*$/gm;

/** `rest` is the text without the block. null: there is none. The value is null if the block is not JSON. */
export function lastJsonBlock(text: string): { value: unknown; rest: string } | null {
  const found = [...text.matchAll(block)].at(-1);
  if (found === undefined) return null;
  const rest = `${text.slice(0, found.index)}${text.slice(found.index + found[0].length)}`.trim();
  return { value: readJson(found[2] ?? ""), rest };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
