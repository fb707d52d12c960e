/** Schema problems in words: the current value, the allowed values, and a guess of the intended one. */
import type { z } from "zod";
import { nearest } from "../core/nearest.ts";
import { describeSchema, type JsonSchema, keysAt, schemasAt } from "./json-schema.ts";
import type { ConfigPath } from "./problem.ts";

export interface SchemaProblem {
  path: ConfigPath;
  /** True if the key is the problem, not its value. */
  onKey: boolean;
  message: string;
  suggestion: string | null;
}

const shownMax = 80;

/** `root`: the JSON Schema of a file other than `baton.yaml`. */
export function problemsOfIssue(issue: z.core.$ZodIssue, data: unknown, root?: JsonSchema): SchemaProblem[] {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key, root));
  // A record whose keys are limited reports the key itself as the last part of the path.
  if (issue.code === "invalid_key") {
    const unknown = unknownKey(path.slice(0, -1), String(path.at(-1)), root);
    const [reason] = issue.issues;
    // Keys that are free except for their form name that form.
    return [
      reason?.code === "invalid_format"
        ? { ...unknown, message: `${unknown.message} Write ${reason.message}.` }
        : unknown,
    ];
  }
  const value = valueAt(data, path);
  if (issue.code === "invalid_union") {
    const branch = branchMeant(issue.errors, value);
    if (branch !== null)
      return branch.flatMap((nested) =>
        problemsOfIssue({ ...nested, path: [...path, ...nested.path] } as z.core.$ZodIssue, data, root),
      );
  }
  return [{ path, onKey: false, ...wrongValue(issue, path, value, root) }];
}

function unknownKey(path: ConfigPath, key: string, root: JsonSchema | undefined): SchemaProblem {
  const known = keysAt(path, root);
  if (key === "<<")
    return {
      path: [...path, key],
      onKey: true,
      message: "Maps are not merged (`<<`), so that each step can be read where it stands; write the keys out.",
      suggestion: null,
    };
  const allowed = known.length === 0 ? "" : ` Allowed: ${known.join(", ")}.`;
  return {
    path: [...path, key],
    onKey: true,
    message: `"${cut(key)}" is not a key here.${allowed}`,
    suggestion: nearest(key, known),
  };
}

function wrongValue(
  issue: z.core.$ZodIssue,
  path: ConfigPath,
  value: unknown,
  root: JsonSchema | undefined,
): { message: string; suggestion: string | null } {
  const name = path.length === 0 ? "The file" : `\`${path.join(".")}\``;
  const allowed = [...new Set(schemasAt(path, root).map(describeSchema))].join(" or ");
  const suggestion = typeof value === "string" ? nearest(value, valuesAt(path, root)) : null;
  const size = sizeProblem(issue, name, value);
  if (size !== null) return { message: size, suggestion: null };
  if (value === undefined) return { message: `${name} is missing. Write ${allowed}.`, suggestion: null };
  // A pattern's own message says more than its kind.
  if (issue.code === "invalid_format" || issue.code === "custom")
    return { message: `${name} is ${shown(value)}. Write ${issue.message}.`, suggestion };
  return { message: `${name} is ${shown(value)}. Write ${allowed}.`, suggestion };
}

/** A value of the right kind, but with too many or too few entries. null: another problem. */
function sizeProblem(issue: z.core.$ZodIssue, name: string, value: unknown): string | null {
  if (issue.code !== "too_big" && issue.code !== "too_small") return null;
  const [has, unit] = Array.isArray(value)
    ? [value.length, "entries"]
    : typeof value === "string"
      ? [value.length, "characters"]
      : [0, null];
  if (unit === null || (issue.code === "too_small" && has === 0 && unit === "characters")) return null;
  const bound = issue.code === "too_big" ? `at most ${issue.maximum} are read` : `write ${issue.minimum} or more`;
  return `${name} has ${has} ${unit}; ${bound}.`;
}

function valuesAt(path: ConfigPath, root: JsonSchema | undefined): string[] {
  return schemasAt(path, root).flatMap(({ enum: values, const: only }) =>
    [...(values ?? []), ...(only === undefined ? [] : [only])].map(String),
  );
}

/** The form of a key that the author tried, if it has several. Baton reports problems of this form only. */
function branchMeant(branches: z.core.$ZodIssue[][], value: unknown): z.core.$ZodIssue[] | null {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  return (
    branches.find(
      (issues) =>
        !issues.some(
          ({ code, path }) => path.length === 0 && (code === "invalid_type" || (code === "invalid_value" && isMap)),
        ),
    ) ?? null
  );
}

function valueAt(data: unknown, path: ConfigPath): unknown {
  let at = data;
  for (const part of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string | number, unknown>)[part];
  }
  return at;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a map";
  return cut(JSON.stringify(value) ?? String(value));
}

function cut(text: string): string {
  const plain = text.replaceAll(/[`\r\n]/g, "?");
  return plain.length > shownMax ? `${plain.slice(0, shownMax)}…` : plain;
}
