/**
 * Stages in a row, each with the schema of its input and output (PROC-001).
 *
 * Owns: the checks between stages. Does not own: the work of a stage.
 * PL1 A mismatch between schemas is reported when the pipeline is defined. A mismatch of a value is reported when it
 *     appears, before the next stage asks for anything. Both name the stages, the path, the expected value and the
 *     found value.
 */
import { z } from "zod";
import { BatonError } from "../core/errors.ts";
import type { Json } from "../core/vocabulary.ts";
import type { ProcessContext, ProcessDefinition } from "./process.ts";
import { misfits, type Shape, valueInWords } from "./schema-fit.ts";

export interface PipelineStage<I = unknown, O = unknown> {
  name: string;
  input: z.ZodType<I>;
  output: z.ZodType<O>;
  run(ctx: ProcessContext, input: I): Promise<O>;
}

export interface Pipeline<O = unknown> {
  name: string;
  stages: readonly PipelineStage[];
  /** Schema of the last stage's output. */
  output: z.ZodType<O>;
}

/** One stage. Its own schemas check its types at run time, so that one list can hold stages of all kinds. */
export function defineStage<I, O>(stage: PipelineStage<I, O>): PipelineStage {
  return stage as unknown as PipelineStage;
}

/** A registered process as a stage: a child run. The stage fails when the child's verdict differs from "passed". */
export function processStage<I, O>(definition: ProcessDefinition<I, O>): PipelineStage {
  return {
    name: definition.name,
    input: definition.input,
    output: definition.output,
    async run(ctx, input) {
      const { output, verdict } = await ctx.subprocess("run", {
        title: `Run ${definition.name}`,
        process: definition.name,
        input: input as Json,
      });
      if (verdict.status !== "passed")
        throw new BatonError(
          "BATON_STEP_FAILED",
          `\`${definition.name}\` ended as ${verdict.status}: ${verdict.reason}`,
        );
      return output;
    },
  };
}

/** Throws BATON_PIPELINE_MISMATCH if a stage's output does not always fit the input of the next stage (FIT2). */
export function definePipeline(name: string, stages: readonly PipelineStage[]): Pipeline {
  const last = stages.at(-1);
  if (last === undefined) throw new BatonError("BATON_PIPELINE_MISMATCH", `Pipeline "${name}" has no stage.`);
  const names = stages.map((stage) => stage.name);
  const twice = names.find((one, index) => names.indexOf(one) !== index);
  if (twice !== undefined)
    throw new BatonError("BATON_PIPELINE_MISMATCH", `Pipeline "${name}" has two stages "${twice}"; name them apart.`);
  const found = stages.slice(1).flatMap((stage, index) => {
    const before = stages[index] as PipelineStage;
    return misfits(shapeOf(before.output, "output"), shapeOf(stage.input, "input"), "every").map(
      ({ path, expected, found: given }) =>
        `\`${before.name}\` gives ${given} at ${where(path)}, and \`${stage.name}\` takes ${expected}`,
    );
  });
  if (found.length > 0)
    throw new BatonError("BATON_PIPELINE_MISMATCH", `Stages of "${name}" do not fit: ${found.join("; ")}.`);
  return { name, stages, output: last.output };
}

export async function runPipeline(
  { name, stages }: Pipeline,
  input: unknown,
  within: (stage: string) => ProcessContext,
): Promise<unknown> {
  let value = input;
  let from = "its input";
  for (const stage of stages) {
    const taken = demandFits(`Pipeline "${name}": ${from} is not what stage "${stage.name}" takes`, stage.input, value);
    const given = await stage.run(within(stage.name), taken);
    value = demandFits(
      `Pipeline "${name}": the output of stage "${stage.name}" does not fit its schema`,
      stage.output,
      given,
    );
    from = `what stage "${stage.name}" gave`;
  }
  return value;
}

/** BATON_PIPELINE_MISMATCH names each path, with the expected and the found value. */
export function demandFits<T>(what: string, schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map(({ path, message }) => {
    const at = path.map((part) => (typeof part === "symbol" ? String(part) : part));
    return `${where(at)}: ${message.replace(/^Invalid input: /, "").replace(/, received .*$/, "")}, found ${valueInWords(valueAt(value, at))}`;
  });
  throw new BatonError("BATON_PIPELINE_MISMATCH", `${what}: ${lines.join("; ")}.`);
}

function where(path: readonly (string | number)[]): string {
  return path.length === 0 ? "the whole" : `\`${path.join(".")}\``;
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string | number, unknown>)[part];
  }
  return at;
}

/** A schema that JSON Schema cannot express has an empty shape (FIT1). */
export function shapeOf(schema: z.ZodType, io: "input" | "output"): Shape {
  return z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Shape;
}
