/**
 * Events of a run in their order. The journal is the only truth. Everything else is folded from it.
 *
 * Owns: the union of events, their schema versions, the stored envelope. Does not own: their effect on a state
 * (`fold.ts`).
 * J1 A request is durable before its effect is performed (`effect.requested`, `effect.started`).
 * J2 An outcome is durable no later than the turn that follows from it: both are in one append, and nothing of the turn
 *    is performed or shown before.
 * J3 The same key is the same effect, regardless of events in between.
 * J4 An event is checked against its schema before append and after read.
 */
import { z } from "zod";
import {
  asideSchema,
  type EffectKind,
  effectKinds,
  hintsSchema,
  retryPolicySchema,
  sandboxReportSchema,
} from "./effect.ts";
import { errorDataSchema } from "./errors.ts";
import { promptedSchema } from "./instructions.ts";
import { personal } from "./personal.ts";
import { priorities } from "./priority.ts";
import {
  actorSchema,
  effectKeySchema,
  type Json,
  jsonSchema,
  runIdSchema,
  shaSchema,
  threadSchema,
  usageSchema,
  verdictSchema,
} from "./vocabulary.ts";

const key = effectKeySchema;
const personalText = (): z.ZodString => personal(z.string());
/** Values of a process or from outside: all their texts may be personal. */
const personalJson = (): z.ZodType<Json> => personal(z.json() as z.ZodType<Json>);

/**
 * The progress of an attempt as the agent reports it, bounded and redacted before Baton keeps it. Data, never an
 * instruction.
 */
export const partialSchema = z.object({
  /** The end of the agent's words. */
  text: personalText(),
  /** The agent's last list of tasks. */
  todo: personalText(),
  lastAction: personalText(),
  turns: z.number().int().nonnegative(),
});
export type PartialWork = z.infer<typeof partialSchema>;

/** Work of an attempt that did not succeed. Baton never discards it (W4). */
export const keptSchema = z.object({
  headSha: shaSchema.nullable(),
  sessionId: z.string().nullable(),
  harness: z.string(),
  partial: partialSchema.optional(),
  sandbox: sandboxReportSchema.optional(),
  aside: z.array(asideSchema).optional(),
  /** Content hash of the kept transcript. Absent: an older Baton wrote the event, or there is no transcript. */
  transcriptId: z.string().optional(),
});
export type Kept = z.infer<typeof keptSchema>;

const attempt = z.number().int().positive();

const textSchema = z.object({
  name: z.string(),
  path: z.string(),
  /** Hash of the text, which is the version of a process without code. */
  hash: z.string(),
  text: z.string(),
});

/** The result of one stage in one earlier run, and its agents. Without agents: an older Baton recorded none. */
export const stageSampleSchema = z.object({
  activeMs: z.number().nonnegative(),
  steps: z.number().int().nonnegative(),
  agents: z.array(z.object({ harness: z.string(), model: z.string().nullable() })).optional(),
});

/** The texts that define a process. A run keeps these texts, even if the branch changes. */
export const processSourceSchema = textSchema.omit({ name: true }).extend({
  /** Other texts that this text uses, directly or through others. */
  uses: z.array(textSchema),
});
export type ProcessSource = z.infer<typeof processSourceSchema>;

/** A schedule and one of its times. */
const occurrenceSchema = z.object({
  name: z.string(),
  /** The time that the cron expression gives, in milliseconds since the epoch. */
  at: z.number(),
  /** The run began later than planned. */
  late: z.boolean(),
  /** Earlier times that never ran. */
  missed: z.number().int().nonnegative(),
});

/**
 * Everybody whose permission a run has: none of them can approve its work. Absent: only the person who asked for the
 * run.
 */
const authorsSchema = z.array(z.object({ id: z.number().int(), login: z.string() })).optional();

/** The rule of `baton.yaml` that began a run. */
const startedBySchema = z.discriminatedUnion("kind", [
  occurrenceSchema.extend({ kind: z.literal("schedule"), authors: authorsSchema }),
  z.object({
    kind: z.literal("trigger"),
    authors: authorsSchema,
    name: z.string(),
    /** The event. */
    on: z.string(),
    at: z.number(),
    /** The event belongs to no thread. The run reports in the rule's section of the dashboard issue. */
    inDashboard: z.boolean(),
  }),
]);
export type StartedBy = z.infer<typeof startedBySchema>;
const runProcessSchema = z.object({
  name: z.string(),
  version: z.number().int().positive(),
  stages: z.array(z.string()),
  source: processSourceSchema.optional(),
});

/** A request of a process. The check happens at the request, so that no request can spoil the journal. */
export const requestedSchema = z.object({
  type: z.literal("effect.requested"),
  key,
  kind: z.enum(effectKinds as [EffectKind, ...EffectKind[]]),
  input: personalJson(),
  /** Position of the event whose delivery made the process ask. Replay checks it. */
  cause: z.number().int().nonnegative(),
  timeoutMs: z.number().positive().nullable(),
  retry: retryPolicySchema,
  hints: hintsSchema,
});

export const runEventSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("run.created"),
    runId: runIdSchema,
    process: runProcessSchema,
    input: personalJson(),
    thread: threadSchema,
    requestedBy: actorSchema,
    /** The trigger of the run: operation key of the delivery or call, and the comment if there is one. */
    trigger: z.object({ operationKey: z.string(), commentId: z.number().int().nullable(), text: personalText() }),
    budgetUsd: z.number().nonnegative(),
    /** Effective configuration at the base commit, as `config/` made it. */
    settings: jsonSchema,
    settingsSha: z.string().nullable(),
    parent: z.object({ runId: runIdSchema, key, depth: z.number().int() }).nullable(),
    retryOf: runIdSchema.nullable(),
    /** The results of its stages in earlier runs, as known when this run began. By stage, oldest run first. */
    history: z.record(z.string(), z.array(stageSampleSchema)).optional(),
    /** The rule that began the run. Absent: a person, a program or another run began it. */
    startedBy: startedBySchema.optional(),
    /** The same rule in the form of an older Baton. Triggers use this field, too. */
    schedule: occurrenceSchema.optional(),
    /** Priority of the run's agents in the queue. Absent in journals of an older Baton. */
    priority: z.enum(priorities).optional(),
    /** When people want the result. Absent: no time. */
    deadline: z.number().optional(),
  }),
  requestedSchema,
  z.object({
    type: z.literal("effect.started"),
    key,
    attempt,
    /** The worker that performs it, for people and for takeover. */
    worker: z.string(),
    /** Money reserved before the dispatch. The attempt's end settles it. */
    reservedUsd: z.number().nonnegative(),
  }),
  /** The prompt of the attempt's agent, recorded before the agent gets it. */
  promptedSchema.extend({ type: z.literal("effect.prompted") }),
  /** Milestones of a long attempt. The runner bounds their number. */
  z.object({
    type: z.literal("effect.progress"),
    key,
    attempt,
    note: personalText(),
    usage: z.array(usageSchema),
    partial: partialSchema.optional(),
  }),
  /** Money of an attempt before it uses more: the usage so far, and the maximum of requests under way (B4). */
  z.object({
    type: z.literal("effect.metered"),
    key,
    attempt,
    usage: z.array(usageSchema),
    held: z.array(usageSchema),
    /** The new reservation of the attempt, if it changed. */
    reservedUsd: z.number().nonnegative().optional(),
  }),
  /** A decision that is not final, with its reason: a gate with pending checks, or a review that does not count. */
  z.object({ type: z.literal("effect.observed"), key, verdict: verdictSchema, facts: personalJson() }),
  z.object({
    type: z.literal("effect.attempt-failed"),
    key,
    attempt,
    error: errorDataSchema,
    usage: z.array(usageSchema),
    /** When the next attempt is due, in milliseconds since the epoch. */
    retryAt: z.number(),
    /** Work for the next attempt: saved commits, and the harness session. */
    kept: keptSchema.nullable(),
  }),
  z.object({
    type: z.literal("effect.succeeded"),
    key,
    attempt: z.number().int().nonnegative(),
    output: personalJson(),
    usage: z.array(usageSchema),
  }),
  z.object({
    type: z.literal("effect.failed"),
    key,
    attempt: z.number().int().nonnegative(),
    error: errorDataSchema,
    usage: z.array(usageSchema),
    /** Work of the last attempt, for people and for a new run of the same task. */
    kept: keptSchema.nullable().optional(),
  }),
  /** The process or a person no longer wants the effect. Baton ignores a late outcome. */
  z.object({
    type: z.literal("effect.cancelled"),
    key,
    reason: personalText(),
    usage: z.array(usageSchema),
    kept: keptSchema.nullable().optional(),
  }),
  z.object({ type: z.literal("run.cancel-requested"), by: actorSchema, reason: personalText() }),
  z.object({ type: z.literal("run.paused"), by: actorSchema, reason: personalText() }),
  z.object({ type: z.literal("run.resumed"), by: actorSchema }),
  /** The run continues with another version of its process, which asked for the same effects so far (`migrate.ts`). */
  z.object({ type: z.literal("run.migrated"), by: actorSchema, process: runProcessSchema }),
  z.object({
    type: z.literal("run.budget-raised"),
    by: actorSchema,
    addUsd: z.number().positive(),
    /** A child run that gets the money: reserved for it at once. */
    key: key.optional(),
  }),
  /** Its waiting agents and its child runs follow. */
  z.object({
    type: z.literal("run.priority-changed"),
    by: actorSchema,
    priority: z.enum(priorities),
    /** null: none. Absent: unchanged. */
    deadline: z.number().nullable().optional(),
  }),
  z.object({ type: z.literal("run.budget-warned"), fraction: z.number(), spentUsd: z.number() }),
  /** An effect waits because the budget does not cover it. A top-up lets it continue. */
  z.object({
    type: z.literal("run.budget-stopped"),
    key,
    neededUsd: z.number(),
    spentUsd: z.number(),
    /** The day's budget of the repository, if it blocks the step. The step continues without a command at `until`. */
    day: z.object({ until: z.number(), reason: personalText() }).optional(),
  }),
  /** Every policy decision for the run, for `/baton why`. */
  z.object({
    type: z.literal("policy.decided"),
    action: z.string(),
    actor: actorSchema.nullable(),
    verdict: verdictSchema,
    /** Key of the delivery or call that asked. The same key again changes nothing (J3). */
    operationKey: z.string().nullable(),
  }),
  z.object({ type: z.literal("run.completed"), output: personalJson(), verdict: verdictSchema }),
  z.object({ type: z.literal("run.failed"), error: errorDataSchema, verdict: verdictSchema }),
  z.object({ type: z.literal("run.cancelled"), reason: personalText(), by: actorSchema.nullable() }),
]);
const knownTypes = new Set(runEventSchema.options.map((option) => option.shape.type.value as string));

/** True when this Baton knows the kind of event. Its fields may still not fit. */
export function isKnownEvent(event: unknown): boolean {
  return typeof event === "object" && event !== null && "type" in event && knownTypes.has(event.type as string);
}
export type RunEvent = z.infer<typeof runEventSchema>;
export type RunEventOf<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

/**
 * Raise it when the stored form gets another meaning or another hash. Older forms stay readable.
 * 2: the hash covers hashes of personal fields (`personal.ts`).
 */
export const eventSchemaVersion = 2;

/** An event as the journal keeps it. `position` counts from 1 within its stream. */
export const storedEventSchema = z.object({
  stream: z.string(),
  position: z.number().int().positive(),
  /** Milliseconds since the epoch, by the clock of the appender. */
  at: z.number(),
  schemaVersion: z.number().int().positive(),
  event: runEventSchema,
  /** Hash of the previous event in the stream. The first event has the empty string. */
  previousHash: z.string(),
  hash: z.string(),
  /** The event's personal texts were deleted. */
  erased: z.literal(true).optional(),
  /** Place in the feed of its thread, in a compacted journal. */
  feed: z.number().int().positive().optional(),
});
export type StoredEvent = z.infer<typeof storedEventSchema>;
