/**
 * Problems of a YAML process whose keys are each right by themselves: kinds of steps, order, expressions, references.
 *
 * Owns: those problems, each with its path. Does not own: lines (`parse.ts`), words of schema problems (`config/messages.ts`).
 */
import type { ConfigPath } from "../config/problem.ts";
import { nearest } from "../core/nearest.ts";
import { type Json, shaSchema } from "../core/vocabulary.ts";
import { misfits, type Shape } from "../process/schema-fit.ts";
import { ancestorsOf, orderProblems } from "../process/workflow.ts";
import { accessOf, kindOf, needsOf, type ProcessFile, type StepFile, type StepKind, stepKinds } from "./schema.ts";
import { contextNames, outputsShape, resultContext, resultShape, scopeShape, shapeAt } from "./scope.ts";
import { expressionsOf, hasExpression, parseTemplate, type Template } from "./template.ts";
import { schemaOfType } from "./value-type.ts";

export interface FoundProblem {
  path: ConfigPath;
  onKey: boolean;
  /** Within an expression: the number of the expression in the text, and the distance from its opening. */
  within: { nth: number; offset: number } | null;
  message: string;
  suggestion: string | null;
}

/** Other processes that `uses` may name. */
export interface KnownProcess {
  /** Its inputs, as `with` gives them. */
  input: Shape;
  output: Shape;
}
export type KnownProcesses = ReadonlyMap<string, KnownProcess>;

/** `known` null: Baton does not check other processes. A run that has begun continues, whatever became of them. */
export function findProblems(file: ProcessFile, known: KnownProcesses | null): FoundProblem[] {
  return new Checker(file, known).run();
}

/** The kinds of steps that a key is for. */
const keyKinds: Readonly<Record<string, readonly StepKind[]>> = {
  at: ["agent", "shell", "gate"],
  with: ["uses"],
  budgetUsd: ["uses"],
  harness: ["uses"],
  model: ["uses"],
  // Others need no worker, so nothing waits for them.
  priority: ["agent", "shell"],
  group: ["agent", "shell"],
};
const agentKeys = { budgetUsd: true, harness: true, model: true };

class Checker {
  readonly #file: ProcessFile;
  readonly #known: KnownProcesses | null;
  readonly #found: FoundProblem[] = [];

  constructor(file: ProcessFile, known: KnownProcesses | null) {
    this.#file = file;
    this.#known = known;
  }

  run(): FoundProblem[] {
    const { steps } = this.#file;
    this.#inputs();
    const ids = steps.map(({ id }) => id);
    for (const [index, { id }] of steps.entries())
      if (ids.indexOf(id) !== index)
        this.#say(["steps", index, "id"], `The step \`${id}\` is there twice; name them apart.`);
    const needs = needsOf(steps);
    // With two steps of one name, a reference is ambiguous.
    const order = new Set(ids).size === ids.length ? orderProblems(needs) : [];
    for (const { step, need, message, suggestion } of order) {
      const index = ids.indexOf(step);
      const at = steps[index]?.needs?.indexOf(need) ?? -1;
      this.#say(at === -1 ? ["steps", index] : ["steps", index, "needs", at], message, suggestion);
    }
    const ordered = order.length === 0 && new Set(ids).size === ids.length;
    for (const [index, step] of steps.entries()) {
      const before = ordered ? ancestorsOf(step.id, needs) : new Set(ids);
      this.#step(step, index, before);
      if (ordered) this.#heads(step, index, before, needs);
    }
    for (const [name, output] of Object.entries(this.#file.outputs)) {
      const path = typeof output === "string" ? ["outputs", name] : ["outputs", name, "value"];
      this.#template(typeof output === "string" ? output : output.value, path, this.#scope(new Set(ids)), contextNames);
    }
    return this.#found;
  }

  #say(path: ConfigPath, message: string, suggestion: string | null = null, onKey = false): void {
    this.#found.push({ path, onKey, within: null, message, suggestion });
  }

  #inputs(): void {
    for (const [name, { default: value, ...type }] of Object.entries(this.#file.inputs)) {
      if (value === undefined) continue;
      const read = schemaOfType(type).safeParse(value);
      if (read.success) continue;
      const [issue] = read.error.issues;
      const at = issue?.path.length ? `at \`${issue.path.join(".")}\`: ` : "";
      this.#say(
        ["inputs", name, "default"],
        `The default of \`${name}\` is not what its type says (${type.type}): ${at}${issue?.message.replace(/^Invalid input: /, "") ?? ""}.`,
      );
    }
  }

  #step(step: StepFile, index: number, before: ReadonlySet<string>): void {
    const at: ConfigPath = ["steps", index];
    const kind = kindOf(step);
    const named = stepKinds.filter((one) => step[one] !== undefined);
    if (named.length !== 1)
      this.#say(
        named.length === 0 ? at : [...at, named[1] as string],
        named.length === 0
          ? `The step \`${step.id}\` does nothing. Give it one of: ${stepKinds.join(", ")}.`
          : `The step \`${step.id}\` is ${named.join(" and ")} at once; make a step of each.`,
        null,
        true,
      );
    for (const key of ["at", "with", "budgetUsd", "harness", "model", "priority", "group"] as const) {
      const kinds = keyKinds[key] ?? [];
      if (step[key] !== undefined && kind !== null && !kinds.includes(kind))
        this.#say(
          [...at, key],
          kind === "agent" && key in agentKeys
            ? `\`${key}\` of an agent stands below \`agent\`.`
            : `\`${key}\` says nothing with \`${kind}\`; it goes with ${kinds.join(", ")}.`,
          null,
          true,
        );
    }
    const scope = this.#scope(before);
    const check = (text: string | undefined, path: ConfigPath): Template | null =>
      text === undefined ? null : this.#template(text, [...at, ...path], scope, contextNames);
    check(step.title, ["title"]);
    check(step.at, ["at"]);
    if (step.at !== undefined && !hasExpression(step.at) && !shaSchema.safeParse(step.at).success)
      this.#say([...at, "at"], "`at` is a commit: 40 hexadecimal digits, or an expression that gives them.");
    if (typeof step.if === "string") this.#condition(step.if, [...at, "if"], scope);
    check(step.agent?.prompt, ["agent", "prompt"]);
    check(step.breakpoint?.text, ["breakpoint", "text"]);
    check(step.ask?.question, ["ask", "question"]);
    if (step.ask?.confirm === true && step.ask.choices !== undefined)
      this.#say([...at, "ask", "confirm"], "A question is `confirm` or has `choices`, not both.", null, true);
    if (step.breakpoint?.kind === "plan" && step.breakpoint.text === undefined)
      this.#say([...at, "breakpoint"], "`breakpoint.text` is missing: what is approved.");
    for (const [position, word] of (step.shell ?? []).entries()) {
      if (position === 0 && hasExpression(word))
        this.#say([...at, "shell", 0], "Which program is run is written out; expressions are for its arguments.");
      else check(word, ["shell", position]);
    }
    this.#publish(step, at, check);
    this.#uses(step, at, scope);
    const own: Shape = {
      ...scope,
      properties: { ...scope.properties, [resultContext]: kind === "uses" ? this.#child(step) : resultShape(step) },
    };
    for (const [name, text] of Object.entries(step.outputs ?? {}))
      this.#template(text, [...at, "outputs", name], own, [...contextNames, resultContext]);
  }

  #publish(step: StepFile, at: ConfigPath, check: (text: string | undefined, path: ConfigPath) => unknown): void {
    const { publish } = step;
    if (publish === undefined || typeof publish === "string") return;
    if ((publish.comment === undefined) === (publish.pullRequest === undefined))
      this.#say([...at, "publish"], "`publish` has one of `comment` and `pullRequest`.");
    check(publish.comment, ["publish", "comment"]);
    check(publish.pullRequest?.title, ["publish", "pullRequest", "title"]);
    check(publish.pullRequest?.body, ["publish", "pullRequest", "body"]);
  }

  #child(step: StepFile): Shape {
    return (step.uses === undefined ? undefined : this.#known?.get(step.uses)?.output) ?? {};
  }

  #uses(step: StepFile, at: ConfigPath, scope: Shape): void {
    const given: Record<string, Shape> = {};
    for (const [name, value] of Object.entries(step.with ?? {}))
      given[name] = this.#value(value, [...at, "with", name], scope);
    if (step.uses === undefined || this.#known === null) return;
    const target = this.#known.get(step.uses);
    if (target === undefined) {
      const names = [...this.#known.keys()];
      this.#say(
        [...at, "uses"],
        `There is no process \`${step.uses.slice(0, 60)}\`. There are: ${names.join(", ")}.`,
        nearest(step.uses, names),
      );
      return;
    }
    const shape: Shape = {
      type: "object",
      properties: given,
      required: Object.keys(given),
      additionalProperties: false,
    };
    for (const { path, expected, found } of misfits(shape, target.input)) {
      const [name] = path;
      const names = Object.keys(target.input.properties ?? {});
      if (expected === "no such key")
        this.#say(
          [...at, "with", ...path],
          `\`${step.uses}\` has no input \`${path.join(".")}\`. It has: ${names.join(", ") || "none"}.`,
          nearest(String(name), names),
          true,
        );
      else
        this.#say(
          step.with === undefined || found === "nothing" ? [...at, "uses"] : [...at, "with", ...path],
          `\`${step.uses}\` takes ${expected} at \`${path.join(".")}\`, and here is ${found}.`,
        );
    }
  }

  /** The shape of a value of `with`, whose texts may be expressions. */
  #value(value: Json, path: ConfigPath, scope: Shape): Shape {
    if (typeof value === "string") {
      const template = this.#template(value, path, scope, contextNames);
      if (template?.kind === "text") return hasExpression(value) ? { type: "string" } : { const: value };
      const only = template?.kind === "value" ? template.expression.only : null;
      const found = only === null ? null : shapeAt(scope, only);
      return found !== null && "shape" in found ? (found.shape ?? {}) : {};
    }
    if (Array.isArray(value)) {
      value.forEach((one, index) => this.#value(one, [...path, index], scope));
      return { type: "array" };
    }
    if (typeof value === "object" && value !== null) {
      const properties = Object.fromEntries(
        Object.entries(value).map(([key, one]) => [key, this.#value(one ?? null, [...path, key], scope)]),
      );
      return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
    }
    return { const: value };
  }

  /** Steps after `before` see the results of only these steps (workflow.WF1). */
  #scope(before: ReadonlySet<string>): Shape {
    return scopeShape(
      this.#file,
      this.#file.steps
        .filter(({ id }) => before.has(id))
        .map((step) => ({
          id: step.id,
          outputs: outputsShape(step, kindOf(step) === "uses" ? this.#child(step) : null),
        })),
    );
  }

  #condition(text: string, path: ConfigPath, scope: Shape): void {
    if (hasExpression(text)) {
      const template = this.#template(text, path, scope, contextNames, true);
      if (template?.kind === "text") this.#say(path, "A condition is one expression, with nothing around it.");
      return;
    }
    this.#template(`\${{${text}}}`, path, scope, contextNames, true, text.length);
  }

  /** `bare`: the text itself is the expression, without its braces. */
  #template(
    text: string,
    path: ConfigPath,
    scope: Shape,
    contexts: readonly string[],
    withStatus = false,
    bare: number | null = null,
  ): Template | null {
    const { template, problems } = parseTemplate(text, contexts, withStatus);
    const place = (nth: number, offset: number): FoundProblem["within"] => (bare === null ? { nth, offset } : null);
    for (const { nth, offset, message, suggestion } of problems)
      this.#found.push({ path, onKey: false, within: place(nth, offset), message, suggestion });
    for (const [nth, expression] of expressionsOf(template).entries()) {
      for (const reference of expression.references) {
        const found = shapeAt(scope, reference);
        if (!("problem" in found)) continue;
        const later = this.#laterStep(reference.path, scope);
        const { message, suggestion } = later ?? found.problem;
        this.#found.push({ path, onKey: false, within: place(nth, reference.offset), message, suggestion });
      }
    }
    return problems.length === 0 ? template : null;
  }

  #laterStep([context, id = ""]: readonly string[], scope: Shape): { message: string; suggestion: null } | null {
    if (context !== "steps" || !this.#file.steps.some((step) => step.id === id)) return null;
    if (Object.hasOwn(scope.properties?.["steps"]?.properties ?? {}, id)) return null;
    return { message: `The step \`${id}\` is not known to have ended here; add it to \`needs\`.`, suggestion: null };
  }

  /** The order must determine the commit with which a step begins. */
  #heads(
    step: StepFile,
    index: number,
    before: ReadonlySet<string>,
    needs: ReadonlyMap<string, readonly string[]>,
  ): void {
    const kind = kindOf(step);
    const uses =
      kind === "publish"
        ? step.publish !== "request-review"
        : kind === "agent" || kind === "shell" || kind === "gate" || step.breakpoint?.kind === "review";
    if (!uses || step.at !== undefined) return;
    if (typeof step.publish === "object" && step.publish.comment !== undefined) return;
    const last = lastWriters(this.#file.steps, before, needs);
    if (last.length < 2) return;
    const both = last.map((id) => `\`${id}\``).join(" and ");
    this.#say(
      ["steps", index],
      `Which commit \`${step.id}\` begins with is not clear: ${both} write, and none needs the other. ${kind === "publish" ? "Let one need the other." : "Say it with `at`."}`,
    );
  }
}

/** Steps that may leave another commit: the writing steps before that no other writing step needs. */
export function lastWriters(
  steps: readonly StepFile[],
  before: ReadonlySet<string>,
  needs: ReadonlyMap<string, readonly string[]>,
): string[] {
  const writers = steps.filter((step) => before.has(step.id) && mayWrite(step)).map(({ id }) => id);
  return writers.filter((id) => !writers.some((other) => other !== id && ancestorsOf(other, needs).has(id)));
}

function mayWrite(step: StepFile): boolean {
  return step.uses !== undefined || (step.agent !== undefined && accessOf(step.agent) === "write");
}
