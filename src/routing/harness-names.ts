/** Harnesses as people name them. */

/** `claude` means `claude-code` where no harness is called `claude`: an exact name, else the only one that begins so. */
export function harnessNamed(word: string, known: readonly string[]): string | null {
  const wanted = word.toLowerCase();
  if (known.includes(wanted)) return wanted;
  const begin = known.filter((name) => name.startsWith(`${wanted}-`));
  return begin.length === 1 ? (begin[0] as string) : null;
}
