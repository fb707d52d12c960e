/** Two runs next to each other: inputs, the first step that differs, outcomes, cost. */
import { z } from "zod";
import { canonicalJson } from "../core/canonical.ts";
import type { EffectState, RunState } from "../core/state.ts";
import { stepStatus } from "../core/step-verdict.ts";
import { type Json, runIdSchema, verdictSchema } from "../core/vocabulary.ts";

const valueCharactersMax = 500;

const sideSchema = z.object({
  runId: runIdSchema,
  process: z.string().describe("Name and version."),
  status: z.string(),
  verdict: verdictSchema.nullable(),
  spentUsd: z.number(),
  tookMs: z.number().describe("From the begin to the last event."),
  steps: z.number().int(),
  attempts: z.number().int(),
});

export const comparisonSchema = z.object({
  one: sideSchema,
  other: sideSchema,
  inputs: z
    .array(z.object({ field: z.string(), one: z.string().nullable(), other: z.string().nullable() }))
    .describe("Fields of the input that differ, as JSON, cut at 500 characters. `null`: the field is absent."),
  sameSettings: z.boolean(),
  firstDifference: z
    .object({
      index: z.number().int().describe("Number of the step in the order of requests, from 0."),
      key: z.string(),
      what: z
        .enum(["step", "request", "status", "output"])
        .describe(
          "`step`: another step, or none. `request`: the same step with another input. `status`, `output`: the same request with another end.",
        ),
      one: z.string().nullable(),
      other: z.string().nullable(),
    })
    .nullable(),
});
export type Comparison = z.infer<typeof comparisonSchema>;

export function compareRuns(one: RunState, other: RunState): Comparison {
  return {
    one: sideOf(one),
    other: sideOf(other),
    inputs: differingFields(one.input, other.input),
    sameSettings: canonicalJson(one.settings) === canonicalJson(other.settings),
    firstDifference: firstDifference([...one.effects.values()], [...other.effects.values()]),
  };
}

function sideOf(run: RunState): Comparison["one"] {
  const effects = [...run.effects.values()];
  return {
    runId: run.runId,
    process: `${run.process.name} v${run.process.version}`,
    status: run.status,
    verdict: run.outcome?.verdict ?? null,
    spentUsd: run.money.spentUsd,
    tookMs: run.updatedAt - run.createdAt,
    steps: effects.length,
    attempts: effects.reduce((sum, { attempts }) => sum + attempts.length, 0),
  };
}

function differingFields(one: Json, other: Json): Comparison["inputs"] {
  const [a, b] = [fieldsOf(one), fieldsOf(other)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((field) => {
    const [left, right] = [text(a[field]), text(b[field])];
    return left === right ? [] : [{ field, one: cut(left), other: cut(right) }];
  });
}

function fieldsOf(input: Json): Record<string, Json | undefined> {
  return typeof input === "object" && input !== null && !Array.isArray(input) ? input : { "(all)": input };
}

/** Steps follow from the steps before them, so only the first difference says something. */
function firstDifference(ones: readonly EffectState[], others: readonly EffectState[]): Comparison["firstDifference"] {
  for (let index = 0; index < Math.max(ones.length, others.length); index += 1) {
    const [one, other] = [ones[index], others[index]];
    const found = difference(one, other);
    if (found !== null) return { index, key: (one ?? other)?.key ?? "", ...found };
  }
  return null;
}

type Found = Pick<NonNullable<Comparison["firstDifference"]>, "what" | "one" | "other">;

function difference(one: EffectState | undefined, other: EffectState | undefined): Found | null {
  const differ = (what: Found["what"], a: string | null, b: string | null): Found | null =>
    a === b ? null : { what, one: cut(a), other: cut(b) };
  if (one === undefined || other === undefined) return differ("step", nameOf(one), nameOf(other));
  return (
    differ("step", nameOf(one), nameOf(other)) ??
    differ("request", text(one.input as Json), text(other.input as Json)) ??
    differ("status", stepStatus(one), stepStatus(other)) ??
    differ("output", text(one.output as Json | undefined), text(other.output as Json | undefined))
  );
}

function nameOf(effect: EffectState | undefined): string | null {
  return effect === undefined ? null : `${effect.kind} ${effect.key}`;
}

function text(value: Json | undefined): string | null {
  return value === undefined ? null : canonicalJson(value);
}

function cut(value: string | null): string | null {
  return value === null || value.length <= valueCharactersMax ? value : `${value.slice(0, valueCharactersMax)}…`;
}
