/** Globs over repository paths, dotfiles included. picomatch replaces an own matcher; it is pure. */
import picomatch from "picomatch";

export function matchesAny(path: string, globs: readonly string[]): boolean {
  // A protected path stays protected in another case: some file systems do not tell them apart.
  return globs.some((glob) => picomatch.isMatch(path, glob, { dot: true, nocase: true }));
}
