/** Globs over repository paths, dotfiles included. picomatch replaces an own matcher; it is pure. */
import picomatch from "picomatch";

/** Compiling a list costs more than matching thousands of paths with it. */
const compiled = new WeakMap<readonly string[], (path: string) => boolean>();

export function matchesAny(path: string, globs: readonly string[]): boolean {
  let matches = compiled.get(globs);
  if (matches === undefined) {
    // A protected path stays protected in another case: some file systems do not tell them apart.
    // And a line break in a name does not slip past `**`: git allows it.
    matches = picomatch([...globs], { dot: true, nocase: true, flags: "is" });
    compiled.set(globs, matches);
  }
  return matches(path);
}
