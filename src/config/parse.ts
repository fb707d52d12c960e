/**
 * `baton.yaml` from text: all problems at once, each with its line, what is allowed and, where one is near, a suggestion.
 *
 * Owns: YAML, its bounds, positions. Does not own: words of schema problems (`messages.ts`), sense across keys (`sense.ts`).
 * Y4 A file with any error gives no settings: fail closed. Warnings do not hinder.
 * Y5 Size, nesting, aliases and the number of problems are bounded; no text makes the parser throw.
 */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { problemsOfIssue } from "./messages.ts";
import type { ConfigPath, ConfigProblem } from "./problem.ts";
import { type Settings, settingsSchema } from "./schema.ts";
import { senseProblems } from "./sense.ts";

export type { ConfigProblem } from "./problem.ts";

/** `problems` of a good file are warnings. */
export type ParsedConfig =
  | { ok: true; settings: Settings; problems: ConfigProblem[] }
  | { ok: false; problems: ConfigProblem[] };

export const configPaths = ["baton.yaml", ".github/baton.yaml"] as const;

const charactersMax = 64 * 1024;
/** The format itself is 4 deep; the parser recurses. */
const depthMax = 50;
const aliasesMax = 20;
const problemsMax = 50;

export function parseConfig(text: string): ParsedConfig {
  if (text.length > charactersMax)
    return refused(`The file has ${text.length} characters; at most ${charactersMax} are read.`);
  if (tooDeep(text)) return refused(`The file is nested more than ${depthMax} deep.`);
  const lines = new LineCounter();
  let document: Document.Parsed;
  let data: unknown;
  const problems: ConfigProblem[] = [];
  try {
    document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, logLevel: "error" });
    problems.push(...yamlProblems(document, lines));
    // A key that is there twice still leaves a file that can be read, and more to tell about it.
    if (document.errors.some(({ code }) => code !== "DUPLICATE_KEY")) return failed(problems);
    data = document.toJS({ maxAliasCount: aliasesMax }) ?? {};
  } catch (thrown) {
    return refused(thrown instanceof Error ? `The file cannot be read: ${thrown.message}` : "The file cannot be read.");
  }
  const at = (path: ConfigPath, key: boolean): { line: number; column: number } =>
    positionOf(document, lines, path, key);
  const parsed = settingsSchema.safeParse(data);
  if (!parsed.success) {
    // Finding a place costs as much as the file is long, so only so many are looked up; the rest is not shown anyway.
    const found = parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, data)).slice(0, problemsMax * 4);
    for (const { path, onKey, message, suggestion } of found) {
      problems.push({ ...at(path, onKey), path: path.join("."), message, suggestion, severity: "error" });
    }
    return failed(problems);
  }
  for (const { path, ...rest } of senseProblems(parsed.data))
    problems.push({ ...at(path, false), path: path.join("."), ...rest });
  if (problems.some(({ severity }) => severity === "error")) return failed(problems);
  return { ok: true, settings: parsed.data, problems: bounded(problems) };
}

function failed(problems: ConfigProblem[]): ParsedConfig {
  return { ok: false, problems: bounded(problems) };
}

function bounded(problems: ConfigProblem[]): ConfigProblem[] {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
  if (sorted.length <= problemsMax) return sorted;
  const last = sorted[problemsMax - 1] as ConfigProblem;
  const more = {
    ...last,
    path: "",
    suggestion: null,
    message: `There are ${sorted.length - problemsMax + 1} more problems.`,
  };
  return [...sorted.slice(0, problemsMax - 1), more];
}

function refused(message: string): ParsedConfig {
  return { ok: false, problems: [{ line: 1, column: 1, path: "", message, suggestion: null, severity: "error" }] };
}

/** An upper bound that needs no parser: indentation steps, sequence dashes and open brackets of any line. */
function tooDeep(text: string): boolean {
  let open = 0;
  for (const line of text.split("\n")) {
    if (/^\s*#/.test(line)) continue;
    const indent = /^[ \t]*(?:[-?:][ \t]+)*/.exec(line)?.[0].length ?? 0;
    if (indent > depthMax * 8) return true;
    for (const character of line) {
      if (character === "[" || character === "{") open += 1;
      else if ((character === "]" || character === "}") && open > 0) open -= 1;
      if (open > depthMax) return true;
    }
  }
  return false;
}

function yamlProblems(document: Document.Parsed, lines: LineCounter): ConfigProblem[] {
  return [...document.errors, ...document.warnings].map((problem) => ({
    ...position(lines, problem.pos[0]),
    path: "",
    message:
      problem.code === "DUPLICATE_KEY"
        ? "This key is there twice; keep one of them."
        : `This is not YAML as Baton reads it: ${problem.message}`,
    suggestion: null,
    severity: problem.name === "YAMLParseError" ? "error" : "warning",
  }));
}

/** Where a path stands in the text; where it is missing, the nearest thing around it. */
function positionOf(
  document: Document,
  lines: LineCounter,
  path: ConfigPath,
  onKey: boolean,
): { line: number; column: number } {
  let node: unknown = document.contents;
  let offset = 0;
  for (const [index, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : key) === String(part));
      if (pair === undefined) break;
      const named = onKey && index === path.length - 1;
      offset = startOf(named ? pair.key : pair.value) ?? startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = startOf(node) ?? offset;
    } else {
      break;
    }
  }
  return position(lines, offset);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
