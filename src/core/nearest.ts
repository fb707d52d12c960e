/** The known word that a mistyped word most likely means. null: no known word is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best !== null && bestDistance <= Math.max(1, Math.floor(Math.max(word.length, best.length) / 3)) ? best : null;
}

/**
 * The known word that is at most `editsMax` edits away. A short word must keep all letters but one, because two edits
 * may change half of it. "make" is not a typo of "race", nor "keep" of "sweep".
 */
export function nearestWithin(word: string, known: readonly string[], editsMax: number): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance > editsMax || lettersMissing(candidate.toLowerCase(), word.toLowerCase()) > 1) continue;
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Counts the letters of a short known word that `word` lacks. For a longer known word the count is 0. */
function lettersMissing(known: string, word: string): number {
  if (known.length > shortLettersMax) return 0;
  let left = word;
  let missing = 0;
  for (const letter of known) {
    if (left.includes(letter)) left = left.replace(letter, "");
    else missing += 1;
  }
  return missing;
}

const shortLettersMax = 5;

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighboring letters. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last: number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(
        (last[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (last[j - 1] as number) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] as number) + 1);
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] as number;
}
