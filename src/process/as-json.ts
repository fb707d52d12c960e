/**
 * Values of a process for the journal: either JSON, or a sentence that names the part that is not JSON.
 *
 * AJ1 Values never change on the way. Baton refuses a value that JSON would change (a date, `NaN`, a class).
 * AJ2 A member that is `undefined` is omitted, as JSON does.
 */
import { canonicalJson } from "../core/canonical.ts";
import type { Json } from "../core/vocabulary.ts";

/** A cyclic value is deeper than any bound. */
const depthMax = 100;

export type AsJson = { ok: true; value: Json } | { ok: false; problem: string };

export function asJson(value: unknown): AsJson {
  const problem = problemOf(value, "", 0);
  return problem === null ? { ok: true, value: JSON.parse(canonicalJson(value)) as Json } : { ok: false, problem };
}

function problemOf(value: unknown, path: string, depth: number): string | null {
  const at = path === "" ? "the value" : `\`${path.slice(0, 100)}\``;
  if (depth > depthMax) return `${at} is nested more than ${depthMax} levels deep`;
  if (value === null || typeof value === "string" || typeof value === "boolean") return null;
  if (typeof value === "number") return Number.isFinite(value) ? null : `${at} is ${value}`;
  if (typeof value !== "object") return `${at} is ${typeof value === "undefined" ? "undefined" : `a ${typeof value}`}`;
  const below = (name: string): string => (path === "" ? name : `${path}.${name}`);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const problem = problemOf(value[index], below(String(index)), depth + 1);
      if (problem !== null) return problem;
    }
    return null;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    return `${at} is a ${(value as object).constructor?.name || "class instance"}`;
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const problem = problemOf(member, below(name), depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}
