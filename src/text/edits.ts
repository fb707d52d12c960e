/** Changes of a text by place, made at once, so that the places of a parsed tree stay true until the end. */
export interface Edit {
  start: number;
  end: number;
  replacement: string;
}

/** Of edits that overlap the one that begins first holds, the longer one before the shorter. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const ordered = [...edits].sort((a, b) => a.start - b.start || b.end - a.end);
  let edited = "";
  let from = 0;
  for (const { start, end, replacement } of ordered) {
    if (start < from) continue;
    edited += text.slice(from, start) + replacement;
    from = end;
  }
  return edited + text.slice(from);
}
