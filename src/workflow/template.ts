/**
 * Texts with expressions in them. A text that is only an expression keeps the type of its value. Any other text gets the
 * values written into it.
 */
import type { Json } from "../core/vocabulary.ts";
import { type Expression, type ExpressionProblem, evaluate, parseExpression, type Status } from "./expression.ts";

export type Template = { kind: "value"; expression: Expression } | { kind: "text"; parts: (string | Expression)[] };

export interface TemplateProblem extends ExpressionProblem {
  /** The number of its `${{` in the text, from 0. `offset` counts from the end of that opening. */
  nth: number;
}

const open = "${{";
const close = "}}";

export function hasExpression(text: string): boolean {
  return text.includes(open);
}

export function parseTemplate(
  text: string,
  contexts: readonly string[],
  withStatus = false,
): { template: Template; problems: TemplateProblem[] } {
  const parts: (string | Expression)[] = [];
  const problems: TemplateProblem[] = [];
  let at = 0;
  for (let nth = 0; ; nth += 1) {
    const begin = text.indexOf(open, at);
    if (begin === -1) break;
    const inside = begin + open.length;
    const end = endOf(text, inside);
    if (end === null) {
      problems.push({ nth, offset: 0, message: "The expression has no end: `}}` is missing.", suggestion: null });
      at = text.length;
      break;
    }
    if (begin > at) parts.push(text.slice(at, begin));
    const source = text.slice(inside, end);
    const parsed = parseExpression(source, contexts, withStatus);
    if (parsed.ok) parts.push(parsed.value);
    else problems.push({ nth, ...parsed.problem });
    at = end + close.length;
  }
  if (at < text.length) parts.push(text.slice(at));
  const [only] = parts;
  const template: Template =
    parts.length === 1 && only !== undefined && typeof only !== "string"
      ? { kind: "value", expression: only }
      : { kind: "text", parts };
  return { template, problems };
}

/** The place of `}}` outside of a quoted text such as `'}}'`. */
function endOf(text: string, from: number): number | null {
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === "'") quoted = !quoted;
    else if (!quoted && text.startsWith(close, at)) return at;
  }
  return null;
}

export function expressionsOf(template: Template): Expression[] {
  if (template.kind === "value") return [template.expression];
  return template.parts.filter((part): part is Expression => typeof part !== "string");
}

export function fill(template: Template, scope: Readonly<Record<string, Json>>, status?: Status): Json {
  return template.kind === "value" ? evaluate(template.expression, scope, status) : fillText(template, scope);
}

/** Always returns a text. `written` writes the value of an expression as text. */
export function fillText(
  template: Template,
  scope: Readonly<Record<string, Json>>,
  written: (value: Json) => string = asText,
): string {
  const parts = template.kind === "value" ? [template.expression] : template.parts;
  return parts.map((part) => (typeof part === "string" ? part : written(evaluate(part, scope)))).join("");
}

/** As in Actions, except that lists and maps become JSON. */
export function asText(value: Json): string {
  if (value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
