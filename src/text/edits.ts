/** Changes of a text by place. All are made at once, so the places of a parsed tree stay true until the end. */
export interface Edit {
  start: number;
  end: number;
  replacement: string;
}

/** If edits overlap, the first one holds. If two begin at one place, the longer one holds. */
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
