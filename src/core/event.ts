/**
 * Events of a run: what happened, in order. The journal is the only truth; everything else is folded from it.
 *
 * Owns: the union of events, their schema versions, the stored envelope. Does not own: what they do to a state (`fold.ts`).
 * J1 A request is durable before its effect is performed (`effect.requested`, `effect.started`).
 * J2 An outcome is durable before the process takes its next turn.
 * J3 The same key is the same effect, whatever happens in between.
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
/** Values of a process or of the outside: all their texts may be personal. */
const personalJson = (): z.ZodType<Json> => personal(z.json() as z.ZodType<Json>);

/** How far an attempt got by its own word: bounded and redacted before it is kept. Data, never an instruction. */
export const partialSchema = z.object({
  /** The end of what it said. */
  text: personalText(),
  /** Its list of things to do, as it last wrote it. */
  todo: personalText(),
  lastAction: personalText(),
  turns: z.number().int().nonnegative(),
});
export type PartialWork = z.infer<typeof partialSchema>;

/** Work of an attempt that did not succeed: never thrown away (W4). */
export const keptSchema = z.object({
  headSha: shaSchema.nullable(),
  sessionId: z.string().nullable(),
  harness: z.string(),
  partial: partialSchema.optional(),
  sandbox: sandboxReportSchema.optional(),
  aside: z.array(asideSchema).optional(),
  /** Content hash of the kept transcript. Absent: written by an older Baton, or there is none. */
  transcriptId: z.string().optional(),
});
export type Kept = z.infer<typeof keptSchema>;

const attempt = z.number().int().positive();

const textSchema = z.object({
  name: z.string(),
  path: z.string(),
  /** Of the text: the version of a process that is no code. */
  hash: z.string(),
  text: z.string(),
});

/** What one stage came to in one earlier run, and who worked in it; without: an older Baton did not say. */
export const stageSampleSchema = z.object({
  activeMs: z.number().nonnegative(),
  steps: z.number().int().nonnegative(),
  agents: z.array(z.object({ harness: z.string(), model: z.string().nullable() })).optional(),
});

/** The texts that a process was made of: a run goes on with these, whatever the branch holds meanwhile. */
export const processSourceSchema = textSchema.omit({ name: true }).extend({
  /** Others that it uses, directly or through others. */
  uses: z.array(textSchema),
});
export type ProcessSource = z.infer<typeof processSourceSchema>;

/** A schedule and one of its times. */
const occurrenceSchema = z.object({
  name: z.string(),
  /** The time by its cron expression, in milliseconds since the epoch. */
  at: z.number(),
  /** It began later than it should have. */
  late: z.boolean(),
  /** Times before it that never ran. */
  missed: z.number().int().nonnegative(),
});

/** Everybody whose permission a run has: none of them approves its work. Absent: the person who asked for it, alone. */
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
    /** The event belongs to no thread: the run reports in the dashboard issue, where its rule has a place of its own. */
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

/** What a process asks for; checked when it asks, so that no request can spoil the journal. */
export const requestedSchema = z.object({
  type: z.literal("effect.requested"),
  key,
  kind: z.enum(effectKinds as [EffectKind, ...EffectKind[]]),
  input: personalJson(),
  /** Position of the event whose delivery made the process ask; replay checks it. */
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
    /** What began it: operation key of the delivery or call, and the comment where there is one. */
    trigger: z.object({ operationKey: z.string(), commentId: z.number().int().nullable(), text: personalText() }),
    budgetUsd: z.number().nonnegative(),
    /** Effective configuration at the base commit, as `config/` made it. */
    settings: jsonSchema,
    settingsSha: z.string().nullable(),
    parent: z.object({ runId: runIdSchema, key, depth: z.number().int() }).nullable(),
    retryOf: runIdSchema.nullable(),
    /** What its stages came to in earlier runs, as it was known when this one began: by stage, oldest run first. */
    history: z.record(z.string(), z.array(stageSampleSchema)).optional(),
    /** The rule that began it; absent: a person, a program or another run did. */
    startedBy: startedBySchema.optional(),
    /** The same, as an older Baton wrote it: of a trigger, too. */
    schedule: occurrenceSchema.optional(),
    /** Which agents its own wait for; absent in journals of an older Baton. */
    priority: z.enum(priorities).optional(),
  }),
  requestedSchema,
  z.object({
    type: z.literal("effect.started"),
    key,
    attempt,
    /** Who performs it, for people and for take-over. */
    worker: z.string(),
    /** Money set aside before the dispatch; settled by the attempt's end. */
    reservedUsd: z.number().nonnegative(),
  }),
  /** What the attempt's agent is told, before it is told. */
  promptedSchema.extend({ type: z.literal("effect.prompted") }),
  /** Milestones of a long attempt: bounded in number by the runner. */
  z.object({
    type: z.literal("effect.progress"),
    key,
    attempt,
    note: personalText(),
    usage: z.array(usageSchema),
    partial: partialSchema.optional(),
  }),
  /** Money of an attempt, before more of it is used: what was used so far, and the most that requests under way may use (B4). */
  z.object({
    type: z.literal("effect.metered"),
    key,
    attempt,
    usage: z.array(usageSchema),
    held: z.array(usageSchema),
    /** What is set aside for the attempt from now on, where that changed. */
    reservedUsd: z.number().nonnegative().optional(),
  }),
  /** A decision that is not final yet: a gate with pending checks, a review that does not count, with its reason. */
  z.object({ type: z.literal("effect.observed"), key, verdict: verdictSchema, facts: personalJson() }),
  z.object({
    type: z.literal("effect.attempt-failed"),
    key,
    attempt,
    error: errorDataSchema,
    usage: z.array(usageSchema),
    /** When the next attempt is due, in milliseconds since the epoch. */
    retryAt: z.number(),
    /** What the attempt leaves to the next: commits that were saved, the harness session. */
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
    /** What the last attempt leaves: for people, and for a run that begins anew. */
    kept: keptSchema.nullable().optional(),
  }),
  /** The process or a person no longer wants it; a late outcome is ignored. */
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
  /** It goes on with another version of its process, which asked for the same so far (`migrate.ts`). */
  z.object({ type: z.literal("run.migrated"), by: actorSchema, process: runProcessSchema }),
  z.object({
    type: z.literal("run.budget-raised"),
    by: actorSchema,
    addUsd: z.number().positive(),
    /** A child run that gets it: set aside for it at once. */
    key: key.optional(),
  }),
  z.object({ type: z.literal("run.budget-warned"), fraction: z.number(), spentUsd: z.number() }),
  /** An effect waits because the budget does not cover it; a top-up lets it go on. */
  z.object({
    type: z.literal("run.budget-stopped"),
    key,
    neededUsd: z.number(),
    spentUsd: z.number(),
    /** The day's budget of the repository, where it is in the way: the step goes on by itself at `until`. */
    day: z.object({ until: z.number(), reason: personalText() }).optional(),
  }),
  /** Every decision of policy that touched the run, for `/baton why`. */
  z.object({
    type: z.literal("policy.decided"),
    action: z.string(),
    actor: actorSchema.nullable(),
    verdict: verdictSchema,
    /** Of the delivery or call that asked; the same one again changes nothing (J3). */
    operationKey: z.string().nullable(),
  }),
  z.object({ type: z.literal("run.completed"), output: personalJson(), verdict: verdictSchema }),
  z.object({ type: z.literal("run.failed"), error: errorDataSchema, verdict: verdictSchema }),
  z.object({ type: z.literal("run.cancelled"), reason: personalText(), by: actorSchema.nullable() }),
]);
const knownTypes = new Set(runEventSchema.options.map((option) => option.shape.type.value as string));

/** True when this Baton has the kind of event; its fields may still not fit. */
export function isKnownEvent(event: unknown): boolean {
  return typeof event === "object" && event !== null && "type" in event && knownTypes.has(event.type as string);
}
export type RunEvent = z.infer<typeof runEventSchema>;
export type RunEventOf<T extends RunEvent["type"]> = Extract<RunEvent, { type: T }>;

/**
 * Raised when what is stored of an event means something else, or is hashed otherwise; older forms stay readable.
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
  /** Hash of the event before it in the stream; the empty string for the first. */
  previousHash: z.string(),
  hash: z.string(),
  /** Its personal texts were deleted. */
  erased: z.literal(true).optional(),
  /** Place in the feed of its thread, in a compacted journal. */
  feed: z.number().int().positive().optional(),
});
export type StoredEvent = z.infer<typeof storedEventSchema>;
