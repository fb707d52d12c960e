/**
 * A run as data for other programs (JSON-001): everything that its thread shows, without prompts, logs and prices per
 * token.
 *
 * Owns: the shape and its schema. Does not own: text for people (`thread/render`).
 */
import { z } from "zod";
import { effectKinds } from "../core/effect.ts";
import { progressOf } from "../core/progress.ts";
import type { RunState } from "../core/state.ts";
import { stepStatus, stepVerdict } from "../core/step-verdict.ts";
import {
  actorSchema,
  jsonSchema,
  runIdSchema,
  runStatuses,
  threadSchema,
  tokensSchema,
  verdictSchema,
} from "../core/vocabulary.ts";
import { health } from "./health.ts";
import { waitingFor } from "./waiting.ts";

const milliseconds = z.number().describe("Milliseconds since the epoch.");

export const runSummarySchema = z.object({
  runId: runIdSchema,
  process: z.object({
    name: z.string(),
    version: z.number().int(),
    stages: z.array(z.string()),
    source: z
      .object({ path: z.string(), hash: z.string() })
      .optional()
      .describe("The file of a YAML process and the hash of its text, which is its version."),
  }),
  thread: threadSchema,
  requestedBy: actorSchema,
  status: z.enum(runStatuses),
  createdAt: milliseconds,
  updatedAt: milliseconds,
  position: z.number().int().describe("Number of events in its journal."),
  health: z.number().int().min(0).max(100),
  progress: z
    .object({
      percent: z.number().int().min(0).max(100),
      step: z
        .object({ title: z.string(), stage: z.string().nullable(), number: z.number().int(), of: z.number().int() })
        .nullable(),
      left: z
        .object({ lowMs: z.number(), highMs: z.number() })
        .nullable()
        .describe("Work left by earlier runs, without people's time; null where fewer than three are known."),
      overdue: z.boolean().describe("True where the present stage takes longer than in any earlier run."),
      runs: z.number().int().describe("Earlier runs that are known."),
      by: z
        .object({ agents: z.array(z.string()), runs: z.number().int() })
        .nullable()
        .describe(
          "Basis of `left`: earlier runs of the same harness, with its model where known, and the lowest number of such runs of a stage. Null: runs of any harness.",
        ),
      grown: z.number().int().describe("Steps that were asked for again: the plan grew by them."),
      activity: z
        .object({ title: z.string(), note: z.string(), turns: z.number().int().nullable(), at: milliseconds })
        .nullable()
        .describe("Last sign of life of the running step."),
    })
    .describe("How far it is. The percentage never falls."),
  waitsFor: z.array(z.object({ kind: z.string(), key: z.string(), sentence: z.string(), since: milliseconds })),
  steps: z.array(
    z.object({
      key: z.string(),
      kind: z.enum(effectKinds),
      title: z.string(),
      stage: z.string().nullable(),
      status: z
        .enum(["requested", "running", "retrying", "stopped", "succeeded", "failed", "cancelled"])
        .describe("A gate, a review or a child run that ended with a no is failed, not succeeded."),
      verdict: verdictSchema.nullable().describe("Result of a gate, a question to people, or a child run."),
      attempts: z.number().int(),
      requestedAt: milliseconds,
      endedAt: milliseconds.nullable(),
      progress: z.string().nullable(),
      error: z.object({ code: z.string(), message: z.string() }).nullable(),
      costUsd: z.number(),
    }),
  ),
  money: z.object({
    budgetUsd: z.number(),
    spentUsd: z.number(),
    reservedUsd: z.number(),
    tokens: tokensSchema,
    complete: z.boolean().describe("False when the price of something used is not known."),
  }),
  verdict: verdictSchema.nullable(),
  output: jsonSchema.nullable(),
  retryOf: runIdSchema.nullable(),
});
export type RunSummary = z.infer<typeof runSummarySchema>;

export function summarise(state: RunState, now: number): RunSummary {
  const waitsFor = waitingFor(state);
  const atWork = waitsFor.some(({ kind }) => kind === "worker");
  return {
    runId: state.runId,
    process: processOf(state),
    thread: state.thread,
    requestedBy: state.requestedBy,
    status: state.status === "running" && waitsFor.length > 0 && !atWork ? "waiting" : state.status,
    createdAt: state.createdAt,
    updatedAt: state.updatedAt,
    position: state.position,
    health: health(state, now).score,
    progress: progressOf(state),
    waitsFor: waitsFor.map(({ kind, key, sentence, since }) => ({ kind, key, sentence, since })),
    steps: [...state.effects.values()].map((effect) => ({
      key: effect.key,
      kind: effect.kind,
      title: effect.title,
      stage: effect.stage,
      status: stepStatus(effect),
      verdict: stepVerdict(effect),
      attempts: effect.attempts.length,
      requestedAt: effect.requestedAt,
      endedAt: effect.endedAt,
      progress: effect.progress?.note ?? null,
      error: effect.error === null ? null : { code: effect.error.code, message: effect.error.message },
      costUsd: effect.attempts.flatMap(({ usage }) => usage).reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0),
    })),
    money: {
      budgetUsd: state.money.budgetUsd,
      spentUsd: state.money.spentUsd,
      reservedUsd: state.money.reservedUsd,
      tokens: state.money.tokens,
      complete: state.money.complete,
    },
    verdict: state.outcome?.verdict ?? null,
    output: state.outcome?.output ?? null,
    retryOf: state.retryOf,
  };
}

/** Without the texts of a YAML process, which are in the journal. */
function processOf({ process: { name, version, stages, source } }: RunState): RunSummary["process"] {
  return {
    name,
    version,
    stages,
    ...(source === undefined ? {} : { source: { path: source.path, hash: source.hash } }),
  };
}
