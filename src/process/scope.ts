/**
 * Defines the paths that a step may change, and whether two steps may change the same path.
 *
 * Owns: the language of scopes, matching, overlap. Does not own: protected paths (`policy/paths.ts`), which have more
 * patterns.
 * SC1 Overlap is exact: two scopes overlap when some path is in both. Case makes no difference, as on some file
 *     systems.
 * SC2 An empty scope sets no limit: every path is in it. A path in a scope includes everything below it.
 */

/** A path from the root of the repository, with `*` and `?` within a name and `**` for any number of names. */
export const scopePattern = /^(?!\/)(?!.*\/\/)(?!(?:.*\/)?\.{1,2}(?:\/|$))[^\\[\]{}!()|\n\r\0]{1,300}$/;

type Unit = string | { name: string };

export function inScope(path: string, scope: readonly string[]): boolean {
  const names = path
    .toLowerCase()
    .split("/")
    .map((name) => ({ name }));
  return scope.length === 0 || scope.some((glob) => meet(unitsOf(glob), names, namesMeet));
}

/** The first pair of scopes with a common path. null: there is no such pair. */
export function overlap(one: readonly string[], other: readonly string[]): [string, string] | null {
  for (const a of one.length === 0 ? ["**"] : one)
    for (const b of other.length === 0 ? ["**"] : other) if (meet(unitsOf(a), unitsOf(b), namesMeet)) return [a, b];
  return null;
}

/** Patterns of names, and `**`. The last unit stands for everything below a directory. */
function unitsOf(glob: string): Unit[] {
  return [...glob.toLowerCase().replace(/\/$/, "").split("/"), "**"];
}

/** A name of a real path is an object: a star in it is a plain star, not a pattern. */
function namesMeet(one: Unit, other: Unit): boolean {
  return meet(charactersOf(one), charactersOf(other), (a, b) => a === "?" || b === "?" || nameOf(a) === nameOf(b));
}

function charactersOf(unit: Unit): Unit[] {
  if (typeof unit !== "string") return unit.name.split("").map((name) => ({ name }));
  return unit
    .replaceAll(/\*+/g, "*")
    .split("")
    .map((each) => (each === "*" ? "**" : each));
}

function nameOf(unit: Unit): string {
  return typeof unit === "string" ? unit : unit.name;
}

/**
 * True when some row of units matches both patterns. `**` matches any row, including an empty row. Each pair of places
 * is checked once.
 */
function meet(one: readonly Unit[], other: readonly Unit[], same: (a: Unit, b: Unit) => boolean): boolean {
  const seen = new Set<number>();
  const open: [number, number][] = [[0, 0]];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const [i, j] = at;
    const place = i * (other.length + 1) + j;
    if (seen.has(place)) continue;
    seen.add(place);
    const [a, b] = [one[i], other[j]];
    if (a === undefined && b === undefined) return true;
    if (a === "**") open.push([i + 1, j], ...(b === undefined ? [] : [[i, j + 1] as [number, number]]));
    if (b === "**") open.push([i, j + 1], ...(a === undefined ? [] : [[i + 1, j] as [number, number]]));
    if (a !== undefined && b !== undefined && a !== "**" && b !== "**" && same(a, b)) open.push([i + 1, j + 1]);
  }
  return false;
}
