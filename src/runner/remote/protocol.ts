/**
 * The effect protocol (JSON-002): how any worker claims an effect, renews its claim, reports progress and posts its
 * result.
 * Plain JSON over HTTP below `/api/v1/effects/{run}/{effect}/{attempt}`. The Action on a runner is its first client.
 *
 * EP1 A claim is a lease with an epoch. Every later request names the epoch. A request with an old epoch is refused
 *     (409).
 * EP2 A result is accepted once. The same result again gets the same answer.
 */
import { z } from "zod";
import { agentInputSchema, agentOutputSchema } from "../../core/effect.ts";
import { type ErrorCode, errorDataSchema } from "../../core/errors.ts";
import { keptSchema, partialSchema, storedEventSchema } from "../../core/event.ts";
import { promptedSchema } from "../../core/instructions.ts";
import { jsonSchema, shaSchema, usageSchema } from "../../core/vocabulary.ts";

/** The order that `workflow_dispatch` gives to a job, as one JSON input. */
export const orderSchema = z.object({
  run: z.string(),
  effect: z.string(),
  attempt: z.number().int().positive(),
  /** Base address of Baton, and the audience of the job's token. */
  endpoint: z.url(),
});
export type Order = z.infer<typeof orderSchema>;

const epoch = z.number().int().positive().describe("Epoch of this request's claim.");

const claimRequestSchema = z.strictObject({});
export const claimAnswerSchema = z.object({
  epoch,
  leaseMs: z.number().describe("The claim is lost when no heartbeat comes for this long."),
  heartbeatMs: z.number(),
  spec: z.object({
    /** The task, for workers that do not read journals. The Action reads the journal. */
    effect: z
      .object({
        title: z.string(),
        role: agentInputSchema.shape.role,
        access: agentInputSchema.shape.access.describe("With `read-only` a result brings no commits."),
        baseSha: shaSchema.describe("The commit that the step begins from, and that its commits are measured from."),
        startSha: shaSchema.describe("Last commit of an earlier attempt. Otherwise `baseSha`."),
        timeoutMs: z.number().nullable().describe("Timeout of the step. Null: the timeout of the settings."),
        budgetUsd: z.number().describe("Set aside for this attempt."),
        prompt: z
          .object({ system: z.string(), user: z.string() })
          .describe("Prompt for an agent with tools to read, change, and run."),
      })
      .optional()
      .describe("Always there; a worker of an earlier version did without."),
    /** The run's journal. The worker folds it and performs the effect with the same code as the App. */
    events: z.array(storedEventSchema),
    learned: z
      .record(z.string(), jsonSchema)
      .default({})
      .describe("Results of earlier attempts on runners of this repository. The Action uses them to choose."),
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
  usage: z.array(usageSchema).default([]).describe("Usage so far."),
  partial: partialSchema.optional().describe("How far it got, by the agent's own word."),
  metered: z
    .object({
      usage: z.array(usageSchema),
      held: z.array(usageSchema).describe("The most that requests under way may use."),
      request: z
        .object({
          harness: z.string().max(100),
          model: z.string().max(300).nullable(),
          wantUsd: z.number().nonnegative(),
          leastUsd: z.number().nonnegative(),
        })
        .nullable()
        .describe("A request that waits for its money; it is sent only after the answer."),
      capUsd: z.number().nonnegative().nullable().describe("The most that the attempt may use in all; null: no bound."),
    })
    .optional()
    .describe("Usage and allowance. The App keeps them before the worker spends more."),
  routed: routedSchema.optional().describe("Which agent and model the worker chose, and why: once, before it begins."),
});
export const heartbeatAnswerSchema = z.object({
  cancel: z.boolean().describe("True: stop, keep what was made, and post the result."),
  metered: z
    .object({
      grantedUsd: z.number().nullable().describe("Allowance of the request. Null: the remaining budget is too small."),
      reservedUsd: z.number().describe("Set aside for the attempt now."),
    })
    .optional()
    .describe("The answer to `metered`."),
});

const kept = z.object({
  usage: z.array(usageSchema),
  ran: z
    .object({
      harness: z.string().min(1).max(100),
      model: z.string().max(300).nullable(),
      durationMs: z.number().nonnegative(),
      code: errorDataSchema.shape.code.nullable().describe("Why it failed; null: it did not."),
    })
    .nullable()
    .default(null)
    .describe("Which harness worked for how long: Baton chooses the next one by it."),
  blobs: z.array(z.string()).default([]),
  prompted: promptedSchema.nullable().default(null).describe("The agent's prompt. Its texts are in `blobs`."),
});
const resultRequestSchema = z.strictObject({
  epoch,
  result: z.discriminatedUnion("ok", [
    kept.extend({ ok: z.literal(true), output: agentOutputSchema }),
    kept.extend({ ok: z.literal(false), error: errorDataSchema, kept: keptSchema.nullable() }),
  ]),
  bundle: z
    .object({ headSha: shaSchema, base64: z.base64() })
    .nullable()
    .default(null)
    .describe(
      "The commits that were made, as a git bundle that leads from the step's own base to `headSha`; its one ref is `refs/baton/bundles/<headSha>`.",
    ),
});
const resultAnswerSchema = z.object({ taken: z.literal(true) });

/** All verbs: the HTTP handler answers them, and `docs/reference/openapi.json` describes them. */
export const effectVerbs = {
  claim: {
    summary: "Claims the attempt and tells what to do. Answered 409 while another worker holds it.",
    request: claimRequestSchema,
    answer: claimAnswerSchema,
  },
  heartbeat: {
    summary: "Keeps the claim, tells a milestone and what was used so far, hears of a cancellation.",
    request: heartbeatRequestSchema,
    answer: heartbeatAnswerSchema,
  },
  result: {
    summary:
      "Ends the attempt, with the commits that were made as a git bundle. The same result again changes nothing.",
    request: resultRequestSchema,
    answer: resultAnswerSchema,
  },
} as const;
export type EffectVerb = keyof typeof effectVerbs;

/** The refusals, each with its status in the catalog. Any other error is a fault of Baton or its environment. */
export const effectRefusals = {
  BATON_PAYLOAD_INVALID: "The body is not JSON, or did not arrive whole in time.",
  BATON_WORKER_REFUSED: "The token does not hold.",
  BATON_POLICY_DENIED: "The job is not of the repository's runner workflow on its default branch.",
  BATON_GITHUB_DENIED: "The App may not read the repository any more.",
  BATON_NO_RUN: "There is no such run of the job's repository, or no such path.",
  BATON_GITHUB_NOT_FOUND: "The repository is gone, or the App is not installed on it.",
  BATON_LEASE_LOST: "Another worker has the attempt, it is over, or it was never handed to a worker: stop.",
  BATON_PAYLOAD_TOO_LARGE: "The body is larger than Baton takes.",
  BATON_INPUT_INVALID: "The body does not fit its schema; the message names the fields.",
  BATON_GITHUB_LIMITED: "GitHub limits the rate: again later.",
  BATON_INTERNAL: "A fault of Baton: again later.",
  BATON_GITHUB_UNAVAILABLE: "GitHub, or its keys, cannot be asked: again later.",
  BATON_GIT_FAILED: "The repository could not be fetched: again later.",
} as const satisfies Partial<Record<ErrorCode, string>>;
export type ResultRequest = z.infer<typeof resultRequestSchema>;
