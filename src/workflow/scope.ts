/**
 * What expressions of a YAML process can name, as shapes before it runs; `compile.ts` gives the values.
 *
 * Owns: the contexts and what is known of each. Does not own: where which may stand (`check.ts`).
 */
import { z } from "zod";
import { effectSchemas } from "../core/effect.ts";
import { nearest } from "../core/nearest.ts";
import type { Shape } from "../process/schema-fit.ts";
import type { Reference } from "./expression.ts";
import { kindOf, type ProcessFile, type StepFile, type StepKind, type TypeSchema } from "./schema.ts";

export const contextNames = [
  "base",
  "branch",
  "inputs",
  "instructions",
  "pullRequest",
  "repository",
  "steps",
  "thread",
];
/** In a step's own `outputs` also what it came to. */
export const resultContext = "result";

const text: Shape = { type: "string" };
const number: Shape = { type: "number" };
const map = (properties: Record<string, Shape>): Shape => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const maybe = (shape: Shape): Shape => ({ anyOf: [shape, { type: "null" }] });
const outputOf = (schema: z.ZodType): Shape =>
  z.toJSONSchema(schema, { io: "output", unrepresentable: "any" }) as Shape;

/** What a step of each kind comes to, before outputs of its own. */
const results: Record<Exclude<StepKind, "uses">, Shape> = {
  agent: outputOf(effectSchemas.agent.output),
  shell: outputOf(effectSchemas.shell.output),
  gate: map({ name: text, status: text, reason: text, evidence: { type: "array" }, children: { type: "array" } }),
  breakpoint: outputOf(effectSchemas.breakpoint.output),
  ask: outputOf(effectSchemas.ask.output),
  sleep: map({}),
  publish: outputOf(effectSchemas.publish.output),
};

export function resultShape(step: StepFile): Shape {
  const kind = kindOf(step);
  // Which process `uses` names is known only where it is looked up; its outputs are checked at run time.
  if (kind === null || kind === "uses") return {};
  const shape = results[kind];
  if (kind !== "agent" || step.agent?.answer === undefined) return shape;
  return { ...shape, properties: { ...shape.properties, answer: shapeOfType(step.agent.answer) } };
}

export function outputsShape(step: StepFile, child: Shape | null = null): Shape {
  const shape = kindOf(step) === "uses" ? (child ?? {}) : resultShape(step);
  if (step.outputs === undefined || shape.properties === undefined) return shape;
  return {
    ...shape,
    properties: { ...shape.properties, ...Object.fromEntries(Object.keys(step.outputs).map((name) => [name, {}])) },
  };
}

/** Keys without `required` may be missing, as JSON Schema has it. */
export function shapeOfType(type: TypeSchema): Shape {
  return { ...(type as Shape), ...(type.properties === undefined ? {} : { additionalProperties: false }) };
}

export function scopeShape(
  file: Pick<ProcessFile, "inputs" | "on">,
  steps: readonly { id: string; outputs: Shape }[],
): Shape {
  return map({
    base: map({ branch: text, sha: text }),
    branch: text,
    inputs: map(Object.fromEntries(Object.entries(file.inputs).map(([name, type]) => [name, shapeOfType(type)]))),
    instructions: text,
    pullRequest: maybe(number),
    repository: map({ owner: text, name: text }),
    steps: map(
      Object.fromEntries(
        steps.map(({ id, outputs }) => [
          id,
          map({ outcome: { enum: ["succeeded", "failed", "skipped"] }, outputs, error: maybe(text) }),
        ]),
      ),
    ),
    thread: map({ number, kind: { enum: file.on }, title: text, body: text, author: text }),
  });
}

export interface ReferenceProblem {
  message: string;
  suggestion: string | null;
}

/** The shape that a path leads to, or why it leads nowhere; null: nobody knows before it runs. */
export function shapeAt(root: Shape, { path }: Reference): { shape: Shape | null } | { problem: ReferenceProblem } {
  let here: Shape = root;
  for (const [index, part] of path.entries()) {
    const next = step(here, part);
    if (next === null) return { shape: null };
    if (next === "nothing") {
      const known = namesIn(here);
      const before = path.slice(0, index).join(".");
      const where = index === 0 ? "here" : `in \`${before}\``;
      return {
        problem: {
          message: `There is no \`${part.slice(0, 60)}\` ${where}.${known.length === 0 ? "" : ` There are: ${known.join(", ")}.`}`,
          suggestion: nearest(part, known),
        },
      };
    }
    here = next;
  }
  return { shape: here };
}

function formsOf(shape: Shape): Shape[] {
  return (shape.anyOf ?? shape.oneOf)?.flatMap(formsOf) ?? [shape];
}

function namesIn(shape: Shape): string[] {
  return [...new Set(formsOf(shape).flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

function step(shape: Shape, part: string): Shape | "nothing" | null {
  const forms = formsOf(shape).filter(({ type }) => type !== "null");
  const found = forms.map((form) => {
    if (form["$ref"] !== undefined) return null;
    const named =
      form.properties !== undefined && Object.hasOwn(form.properties, part) ? form.properties[part] : undefined;
    if (named !== undefined) return named;
    if (form.type === "array")
      return /^\d+$/.test(part) && !Array.isArray(form.items) ? (form.items ?? null) : "nothing";
    if (form.type === "object" && form.additionalProperties === false) return "nothing";
    return form.type === undefined || form.type === "object" ? null : "nothing";
  });
  const known = found.find((one) => one !== null && one !== "nothing");
  if (known !== undefined) return known as Shape;
  return found.every((one) => one === "nothing") ? "nothing" : null;
}
