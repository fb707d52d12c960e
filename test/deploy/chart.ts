/**
 * Renders the Helm chart without Helm: only the part of Go's templates that the chart uses. An unknown word is an error, so
 * the chart stays within the checked part. Helm itself was not available.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";

export const chartFolder = fileURLToPath(new URL("../../deploy/helm/baton", import.meta.url));

type Value = unknown;
interface Scope {
  dot: Value;
  root: Record<string, Value>;
  variables: ReadonlyMap<string, Value>;
}
type Part = { text: string } | { action: string };
type Node =
  | { kind: "text"; text: string }
  | { kind: "print"; pipe: string }
  | { kind: "if" | "with"; pipe: string; body: Node[]; otherwise: Node[] }
  | { kind: "range"; names: string[]; pipe: string; body: Node[] };

/** The chart's manifests, with these values over its own. */
export function renderChart(values: object = {}): { path: string; text: string; manifest: Value }[] {
  const read = (path: string): string => readFileSync(join(chartFolder, path), "utf8");
  const chart = parse(read("Chart.yaml")) as { name: string; version: string; appVersion: string };
  const root = {
    Values: merged(parse(read("values.yaml")), values),
    Release: { Name: "baton" },
    Chart: { Name: chart.name, Version: chart.version, AppVersion: chart.appVersion },
  };
  const templates = new Map<string, Node[]>();
  const sources = readdirSync(join(chartFolder, "templates")).sort();
  for (const path of sources.filter((one) => one.endsWith(".tpl"))) define(read(join("templates", path)), templates);
  return sources
    .filter((path) => !path.endsWith(".tpl"))
    .map((path) => {
      const nodes = parseTemplate(read(join("templates", path)));
      const text = run(nodes, { dot: root, root, variables: new Map() }, templates);
      return { path, text, manifest: path.endsWith(".yaml") ? parse(text) : null };
    })
    .filter(({ text }) => text.trim() !== "");
}

function merged(base: Value, over: Value): Value {
  if (!isMap(base) || !isMap(over)) return over ?? base;
  const keys = new Set([...Object.keys(base), ...Object.keys(over)]);
  return Object.fromEntries([...keys].map((key) => [key, merged(base[key], over[key])]));
}

const isMap = (value: Value): value is Record<string, Value> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `{{-` and `-}}` remove the white space next to them. */
function partsOf(source: string): Part[] {
  const parts: Part[] = [];
  let rest = source;
  for (;;) {
    const match = /\{\{(-?)\s*([\s\S]*?)\s*(-?)\}\}/.exec(rest);
    if (match === null) return [...parts, { text: rest }];
    const before = rest.slice(0, match.index);
    parts.push({ text: match[1] === "-" ? before.trimEnd() : before }, { action: match[2] as string });
    rest = rest.slice(match.index + match[0].length);
    if (match[3] === "-") rest = rest.trimStart();
  }
}

function define(source: string, templates: Map<string, Node[]>): void {
  for (const [, name = "", body = ""] of source.matchAll(/\{\{-? define "([\w.]+)" -?\}\}([\s\S]*?)\{\{-? end -?\}\}/g))
    templates.set(name, parseTemplate(body.trim()));
}

function parseTemplate(source: string): Node[] {
  const parts = partsOf(source);
  let at = 0;
  const block = (): { nodes: Node[]; end: string } => {
    const nodes: Node[] = [];
    while (at < parts.length) {
      const part = parts[at++] as Part;
      if ("text" in part) {
        nodes.push({ kind: "text", text: part.text });
        continue;
      }
      const [word = "", ...words] = part.action.split(/\s+/);
      const pipe = words.join(" ");
      if (word === "end" || word === "else") return { nodes, end: word };
      if (word === "if" || word === "with") {
        const { nodes: body, end } = block();
        nodes.push({ kind: word, pipe, body, otherwise: end === "else" ? block().nodes : [] });
      } else if (word === "range") {
        const match = /^\$(\w+), \$(\w+) := (.*)$/.exec(pipe);
        const names = match === null ? [] : [match[1] as string, match[2] as string];
        nodes.push({ kind: "range", names, pipe: match?.[3] ?? pipe, body: block().nodes });
      } else nodes.push({ kind: "print", pipe: part.action });
    }
    return { nodes, end: "" };
  };
  const { nodes, end } = block();
  if (end !== "" || at < parts.length) throw new Error("A block of the template is not balanced.");
  return nodes;
}

function run(nodes: readonly Node[], scope: Scope, templates: ReadonlyMap<string, Node[]>): string {
  const evaluate = (pipe: string, inner = scope): Value => pipeOf(pipe, inner, templates);
  return nodes
    .map((node) => {
      if (node.kind === "text") return node.text;
      const value = evaluate(node.pipe);
      if (node.kind === "print") return printed(value);
      if (node.kind === "range") {
        const entries = Array.isArray(value) ? [...value.entries()] : Object.entries((value ?? {}) as object);
        return entries
          .map(([key, item]) => {
            const named = node.names.map((name, index) => [name, index === 0 ? key : item] as const);
            const variables = new Map([...scope.variables, ...named]);
            return run(node.body, { ...scope, dot: item, variables }, templates);
          })
          .join("");
      }
      const inner = node.kind === "with" ? { ...scope, dot: value } : scope;
      return isTrue(value) ? run(node.body, inner, templates) : run(node.otherwise, scope, templates);
    })
    .join("");
}

function printed(value: Value): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") throw new Error("The chart prints a list or a map. Use toYaml.");
  return `${value as string | number | boolean}`;
}

/** True as Go's templates decide it. */
function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== "" && value !== 0 && value !== false;
}

function pipeOf(pipe: string, scope: Scope, templates: ReadonlyMap<string, Node[]>): Value {
  let value: Value;
  for (const [index, stage] of pipe.split(" | ").entries()) {
    const words = stage.match(/"[^"]*"|\S+/g) ?? [];
    const piped = index === 0 ? [] : [value];
    const [first = "", ...rest] = words;
    const given = [...rest.map((word) => termOf(word, scope)), ...piped];
    value = /^[."$]/.test(first) || /^\d+$/.test(first) ? termOf(first, scope) : call(first, given, scope, templates);
  }
  return value;
}

function termOf(word: string, { dot, root, variables }: Scope): Value {
  if (word.startsWith('"')) return JSON.parse(word);
  if (/^\d+$/.test(word)) return Number(word);
  if (word.startsWith("$")) return variables.get(word.slice(1));
  if (word === ".") return dot;
  const path = word.slice(1).split(".");
  const start = ["Values", "Release", "Chart"].includes(path[0] as string) ? root : dot;
  return path.reduce<Value>((value, key) => (isMap(value) ? value[key] : undefined), start);
}

function call(name: string, given: readonly Value[], scope: Scope, templates: ReadonlyMap<string, Node[]>): Value {
  const [first, second] = given;
  const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, " ".repeat(first as number));
  switch (name) {
    case "quote":
      return JSON.stringify(printed(first));
    case "eq":
      return first === second;
    case "default":
      return isTrue(second) ? second : first;
    case "toYaml":
      return stringify(first).trimEnd();
    case "nindent":
      return `\n${indented(String(second))}`;
    case "include": {
      const template = templates.get(String(first));
      if (template === undefined) throw new Error(`There is no template ${String(first)}.`);
      return run(template, { ...scope, dot: second }, templates);
    }
    case "required":
      if (!isTrue(second)) throw new Error(String(first));
      return second;
    default:
      throw new Error(`The chart uses ${name}, which this check does not know.`);
  }
}
