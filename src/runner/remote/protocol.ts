/**
 * The effect protocol (JSON-002): how a worker anywhere claims an effect, keeps it, tells its progress and gives its result.
 * Plain JSON over HTTP below `/api/v1/effects/{run}/{effect}/{attempt}`; the Action on a runner is its first client.
 *
 * EP1 A claim is a lease with an epoch. Every later request names the epoch; one that is not the newest is refused (409).
 * EP2 A result is taken once; the same result again is answered as before.
 */
import { z } from "zod";
import { agentOutputSchema } from "../../core/effect.ts";
import { errorDataSchema } from "../../core/errors.ts";
import { keptSchema, partialSchema, storedEventSchema } from "../../core/event.ts";
import { promptedSchema } from "../../core/instructions.ts";
import { shaSchema, usageSchema } from "../../core/vocabulary.ts";

/** What is handed to a job by `workflow_dispatch`, as one JSON input. */
export const orderSchema = z.object({
  run: z.string(),
  effect: z.string(),
  attempt: z.number().int().positive(),
  /** Base address of Baton; also the audience of the job's token. */
  endpoint: z.url(),
});
export type Order = z.infer<typeof orderSchema>;

const epoch = z.number().int().positive().describe("Of the claim that this request belongs to.");

export const claimRequestSchema = z.strictObject({});
export const claimAnswerSchema = z.object({
  epoch,
  leaseMs: z.number().describe("The claim is lost when no heartbeat comes for this long."),
  heartbeatMs: z.number(),
  spec: z.object({
    /** The run's journal: the worker folds it and performs the effect with the same code as the App. */
    events: z.array(storedEventSchema),
    bundle: z
      .object({ headSha: shaSchema, base64: z.base64() })
      .nullable()
      .describe("The commit to begin from, as a git bundle, where the repository does not have it yet."),
    git: z.object({ url: z.string(), token: z.string().nullable().describe("May read this one repository.") }),
    identity: z.object({
      appId: z.number().int(),
      slug: z.string(),
      bot: z.object({ id: z.number().int(), login: z.string(), kind: z.enum(["user", "bot"]) }),
    }),
  }),
});
export type ClaimAnswer = z.infer<typeof claimAnswerSchema>;

const choice = z.object({
  name: z.string().min(1).max(300),
  status: z.enum(["passed", "failed", "skipped"]),
  reason: z.string().max(2_000),
  evidence: z.array(z.never()).max(0),
});
const routedSchema = choice.extend({
  children: z.array(choice.extend({ children: z.array(z.never()).max(0) })).max(50),
});

export const heartbeatRequestSchema = z.strictObject({
  epoch,
  note: z.string().max(2_000).optional().describe("A milestone for people."),
  usage: z.array(usageSchema).default([]).describe("What was used so far."),
  partial: partialSchema.optional().describe("How far it got, by the agent's own word."),
  routed: routedSchema.optional().describe("Which agent and model the worker chose, and why: once, before it begins."),
});
export const heartbeatAnswerSchema = z.object({
  cancel: z.boolean().describe("True: stop, keep what was made, and post the result."),
});

const kept = z.object({
  usage: z.array(usageSchema),
  blobs: z.array(z.string()).default([]),
  prompted: promptedSchema.nullable().default(null).describe("What the agent was told; its texts are among `blobs`."),
});
export const resultRequestSchema = z.strictObject({
  epoch,
  result: z.discriminatedUnion("ok", [
    kept.extend({ ok: z.literal(true), output: agentOutputSchema }),
    kept.extend({ ok: z.literal(false), error: errorDataSchema, kept: keptSchema.nullable() }),
  ]),
  bundle: z
    .object({ headSha: shaSchema, base64: z.base64() })
    .nullable()
    .default(null)
    .describe("The commits that were made, as a git bundle that leads from the step's own base to `headSha`."),
});
export type ResultRequest = z.infer<typeof resultRequestSchema>;
