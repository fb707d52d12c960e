/**
 * YAML that people write for Baton: data, problems, and the place of each path in the text.
 *
 * Owns: YAML, its bounds, positions. Does not own: the meaning of the data.
 * Y5 Size, nesting, aliases and the number of problems are bounded. No text makes the parser throw.
 */
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { ConfigPath, ConfigProblem } from "./problem.ts";

export interface YamlBounds {
  charactersMax: number;
  /** The formats themselves have few levels. The parser recurses. */
  depthMax: number;
  aliasesMax: number;
}
const yamlBounds: YamlBounds = { charactersMax: 64 * 1024, depthMax: 50, aliasesMax: 20 };
export const problemsMax = 50;

export interface Place {
  line: number;
  column: number;
}

export type YamlText =
  | { ok: false; problems: ConfigProblem[] }
  | {
      ok: true;
      data: unknown;
      /** Duplicate keys, and warnings. */
      problems: ConfigProblem[];
      place(path: ConfigPath, onKey: boolean): Place;
      /** Within the text at a path: after the `nth` occurrence of `mark`, and `plus` characters more. */
      placeWithin(path: ConfigPath, mark: string, nth: number, plus: number): Place;
    };

/** Other bounds are for tests which prove that these bounds matter. */
export function readYaml(text: string, bounds: YamlBounds = yamlBounds): YamlText {
  const { charactersMax, depthMax, aliasesMax } = bounds;
  if (text.length > charactersMax)
    return refused(`The file has ${text.length} characters; at most ${charactersMax} are read.`);
  if (tooDeep(text, depthMax)) return refused(`The file is nested more than ${depthMax} deep.`);
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      uniqueKeys: true,
      prettyErrors: false,
      logLevel: "error",
    });
    const problems = yamlProblems(document, lines);
    // A file with a duplicate key is still readable, and Baton can report more about it.
    if (document.errors.some(({ code }) => code !== "DUPLICATE_KEY")) return { ok: false, problems };
    const data: unknown = document.toJS({ maxAliasCount: aliasesMax }) ?? {};
    return {
      ok: true,
      data,
      problems,
      place: (path, onKey) => position(lines, offsetOf(document, path, onKey)),
      placeWithin: (path, mark, nth, plus) => {
        const begin = offsetOf(document, path, false);
        let at = begin;
        for (let count = 0; count <= nth; count += 1) {
          const found = text.indexOf(mark, count === 0 ? at : at + mark.length);
          if (found === -1) return position(lines, begin);
          at = found;
        }
        return position(lines, at + mark.length + plus);
      },
    };
  } catch (thrown) {
    if (thrown instanceof ReferenceError && thrown.message.startsWith("Excessive"))
      return refused(`The file has more than ${aliasesMax} copies by aliases (\`*name\`); write them out.`);
    return refused(thrown instanceof Error ? `The file cannot be read: ${thrown.message}` : "The file cannot be read.");
  }
}

/** In the order of the text, and only as many as anybody reads. */
export function bounded(problems: readonly ConfigProblem[]): ConfigProblem[] {
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

function refused(message: string): YamlText {
  return { ok: false, problems: [{ line: 1, column: 1, path: "", message, suggestion: null, severity: "error" }] };
}

/** An upper bound that needs no parser: indentation steps, sequence dashes and open brackets of any line. */
function tooDeep(text: string, depthMax: number): boolean {
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
        : problem.code === "MULTIPLE_DOCS"
          ? "A file is one document: take out this `---` and what follows, or make a file of it."
          : `This is not YAML as Baton reads it: ${problem.message}`,
    suggestion: null,
    severity: problem.name === "YAMLParseError" ? "error" : "warning",
  }));
}

/** The place of a path in the text. If the path is missing, the place of its nearest parent. */
function offsetOf(document: Document, path: ConfigPath, onKey: boolean): number {
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
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function position(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
