/**
 * `baton.yaml` from text: all problems at once, each with its line, what is allowed and, where one is near, a suggestion.
 * A file with any error gives no settings: fail closed.
 */
import { type Document, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { nearest } from "../core/nearest.ts";
import { type Settings, settingsSchema } from "./schema.ts";

export interface ConfigProblem {
  line: number;
  column: number;
  /** `budget.runUsd` */
  path: string;
  message: string;
  suggestion: string | null;
}

export type ParsedConfig = { ok: true; settings: Settings } | { ok: false; problems: ConfigProblem[] };

export const configPaths = ["baton.yaml", ".github/baton.yaml"] as const;
const bytesMax = 64 * 1024;

export function parseConfig(text: string): ParsedConfig {
  if (text.length > bytesMax)
    return refused({ message: `The file has ${text.length} characters; at most ${bytesMax} are read.` });
  const lines = new LineCounter();
  // Aliases could blow a small file up; the format has no need of them.
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (document.errors.length > 0) {
    return {
      ok: false,
      problems: document.errors.map((error) => ({
        ...position(lines, error.pos[0]),
        path: "",
        message: error.message,
        suggestion: null,
      })),
    };
  }
  let data: unknown;
  try {
    data = document.toJS({ maxAliasCount: 20 }) ?? {};
  } catch (thrown) {
    return refused({ message: thrown instanceof Error ? thrown.message : String(thrown) });
  }
  const parsed = settingsSchema.safeParse(data);
  if (parsed.success) return { ok: true, settings: parsed.data };
  return { ok: false, problems: parsed.error.issues.flatMap((issue) => problemsOf(issue, document, lines)) };
}

function refused(problem: { message: string }): ParsedConfig {
  return { ok: false, problems: [{ line: 1, column: 1, path: "", suggestion: null, ...problem }] };
}

function problemsOf(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): ConfigProblem[] {
  const path = issue.path as (string | number)[];
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(path);
    return issue.keys.map((key) => {
      const suggestion = nearest(key, known);
      return {
        ...positionOf(document, lines, [...path, key], true),
        path: [...path, key].join("."),
        message: `"${key}" is not a key here. Allowed: ${known.join(", ")}.`,
        suggestion,
      };
    });
  }
  if (issue.code === "invalid_union") {
    const inner = issue.errors
      .flat()
      .flatMap((nested) =>
        problemsOf({ ...nested, path: [...path, ...nested.path] } as z.core.$ZodIssue, document, lines),
      );
    return inner.slice(-1);
  }
  const value = document.getIn(path);
  const shown = value === undefined ? "nothing" : JSON.stringify(value);
  const suggestion =
    issue.code === "invalid_value" && typeof value === "string" ? nearest(value, issue.values.map(String)) : null;
  return [
    {
      ...positionOf(document, lines, path, false),
      path: path.join("."),
      message: `${path.join(".") || "The file"} is ${shown}: ${issue.message}`,
      suggestion,
    },
  ];
}

/** Keys that the schema knows at a path, for messages. */
function keysAt(path: (string | number)[]): string[] {
  let at: unknown = settingsSchema;
  for (const part of path) at = shapeOf(at)?.[String(part)];
  return Object.keys(shapeOf(at) ?? {});
}

function shapeOf(schema: unknown): Record<string, unknown> | null {
  let at = schema as {
    shape?: Record<string, unknown>;
    unwrap?: () => unknown;
    def?: { innerType?: unknown; in?: unknown; options?: unknown[]; valueType?: unknown };
  };
  for (let depth = 0; depth < 8 && at !== undefined && at !== null; depth += 1) {
    if (at.shape !== undefined) return at.shape;
    const next =
      at.def?.innerType ??
      at.def?.in ??
      at.def?.valueType ??
      at.def?.options?.find((option) => (option as { shape?: unknown }).shape !== undefined);
    at = next as typeof at;
  }
  return null;
}

function positionOf(
  document: Document,
  lines: LineCounter,
  path: (string | number)[],
  key: boolean,
): { line: number; column: number } {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = document.getIn(path.slice(0, length - 1), true) as
      | { items?: { key?: { value?: unknown; range?: number[] }; value?: { range?: number[] } }[] }
      | undefined;
    const pair = parent?.items?.find((item) => item.key?.value === path[length - 1]);
    const range = key || pair?.value?.range === undefined ? pair?.key?.range : pair.value.range;
    if (range?.[0] !== undefined) return position(lines, range[0]);
  }
  return { line: 1, column: 1 };
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
