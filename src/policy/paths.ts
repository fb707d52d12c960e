/** Globs over repository paths, including dotfiles. picomatch replaces our own matcher; it is pure. */
import picomatch from "picomatch";

/** Compiling a list costs more than matching thousands of paths with it. */
const compiled = new WeakMap<readonly string[], (path: string) => boolean>();

/** With more stars in one part of a path, a single name can keep a processor busy for minutes. */
const starsMax = 3;

/**
 * Why a glob is rejected. null: it is valid. Groups such as `+(a)` are not supported, so their text would match by
 * accident.
 */
export function globProblem(glob: string): string | null {
  if (/[@?+*!]\(/.test(glob)) return "groups such as `+(a|b)` are not supported; write `{a,b}`";
  const crowded = glob.split("/").some((part) => part.replaceAll("**", "").split("*").length - 1 > starsMax);
  return crowded ? `at most ${starsMax} \`*\` between two slashes` : null;
}

export function matchesAny(path: string, globs: readonly string[]): boolean {
  let matches = compiled.get(globs);
  if (matches === undefined) {
    const problem = globs.map(globProblem).find((one) => one !== null);
    if (problem != null) throw new RangeError(`A glob cannot be used: ${problem}.`);
    // A protected path stays protected in another case, because some file systems ignore case.
    // A line break in a name, which git allows, still matches `**`.
    matches = picomatch([...globs], { dot: true, nocase: true, flags: "is", noextglob: true });
    compiled.set(globs, matches);
  }
  return matches(path);
}

/** Globs for files and folders with everything below them. Brackets are part of a name. */
export function belowGlobs(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const bare = bareOf(path);
    return bare.endsWith("*") ? [bare] : [bare, `${bare}/**`];
  });
}

const bareOf = (path: string): string => path.replace(/\/+$/, "").replaceAll(/[[\]]/g, "\\$&");

/**
 * One glob, `!{…}`, for every path that none of `paths` covers. A path that does not end in `*` is a file or a folder with everything
 * below it. Brackets are part of a name.
 */
export function outsideOf(paths: readonly string[]): string {
  const globs = paths.map((path) => {
    const bare = bareOf(path);
    // In one part each, so that the stars of two paths never count as stars of one name.
    return bare.endsWith("*") ? bare : `${bare}{,/**}`;
  });
  // One alternative alone would not be read as a choice.
  return `!{${(globs.length === 1 ? [...globs, ...globs] : globs).join(",")}}`;
}

/** The folder that a path or glob is about, as far as it is certain. Empty: the root. */
export function folderOfGlob(glob: string): string {
  const parts = glob.split("/");
  const open = parts.findIndex((part) => /[*?{]/.test(part));
  return (open < 0 ? parts : parts.slice(0, open)).join("/").replace(/\/+$/, "");
}
