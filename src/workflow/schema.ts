/**
 * A YAML process: every key with its prose and type. JSON Schema, reference and messages come from here.
 *
 * YP1 Baton reads it only from the base branch, at the settings' commit: a change cannot run itself (Y1).
 * YP2 It can bound a run further, never less. The smaller of two limits counts. Questions that the settings require stay.
 */
import { z } from "zod";
import { limits } from "../core/limits.ts";
import { priorities } from "../core/priority.ts";
import { jsonSchema } from "../core/vocabulary.ts";
import { gates } from "../gate/rules/index.ts";

const stepsMax = 100;
const listMax = 100;
const text = z.string().min(1).max(20_000);
const minutes = z.number().gt(0).max(43_200);

/** A part of JSON Schema. Its depth is three, because nobody keeps more in mind. */
function typeOf(depth: number) {
  const flat = {
    type: z.enum(["string", "number", "integer", "boolean", "array", "object"]).describe("What kind of value."),
    description: z.string().max(500).optional().describe("For people."),
    enum: z
      .array(z.union([z.string(), z.number(), z.boolean()]))
      .min(1)
      .max(listMax)
      .optional()
      .describe("The only values that are allowed."),
    minimum: z.number().optional().describe("Of a number."),
    maximum: z.number().optional().describe("Of a number."),
    minLength: z.number().int().nonnegative().optional().describe("Minimum length of a text, in characters."),
    maxLength: z.number().int().nonnegative().optional().describe("Maximum length of a text, in characters."),
    minItems: z.number().int().nonnegative().optional().describe("Minimum number of entries of a list."),
    maxItems: z.number().int().nonnegative().optional().describe("Maximum number of entries of a list."),
    required: z.array(z.string()).max(listMax).optional().describe("Keys that a map must have."),
  };
  if (depth === 0) return z.strictObject(flat);
  const inner: z.ZodType<TypeSchema> = typeOf(depth - 1);
  return z.strictObject({
    ...flat,
    items: inner.optional().describe("Type of each entry of a list."),
    properties: z.record(z.string(), inner).optional().describe("Types of the keys of a map."),
  });
}
export interface TypeSchema {
  type: "string" | "number" | "integer" | "boolean" | "array" | "object";
  description?: string | undefined;
  enum?: (string | number | boolean)[] | undefined;
  minimum?: number | undefined;
  maximum?: number | undefined;
  minLength?: number | undefined;
  maxLength?: number | undefined;
  minItems?: number | undefined;
  maxItems?: number | undefined;
  required?: string[] | undefined;
  items?: TypeSchema | undefined;
  properties?: Record<string, TypeSchema> | undefined;
}
const typeSchema = typeOf(2) as z.ZodType<TypeSchema>;

const inputSchema = (typeOf(2) as unknown as z.ZodObject<{ type: z.ZodType<TypeSchema["type"]> }>).extend({
  default: jsonSchema.optional().describe("Without it the input must be given."),
}) as unknown as z.ZodType<TypeSchema & { default?: z.infer<typeof jsonSchema> }>;

const outputSchema = z.union([
  z.string(),
  z.strictObject({
    value: z.string().describe("An expression, or a text with expressions in it."),
    schema: typeSchema.optional().describe("Schema of the value. Baton checks it when the process ends."),
  }),
]);

const agentSchema = z.strictObject({
  prompt: text.describe(
    "Task of the agent, in your words. Baton inserts expressions as data. The agent always gets the thread and the project's instructions.",
  ),
  role: z
    .enum(["plan", "implement", "repair", "address", "review", "verify"])
    .default("implement")
    .describe("Kind of work. `models` and `profiles` of `baton.yaml` depend on it."),
  access: z
    .enum(["read-only", "write"])
    .optional()
    .describe("`read-only` for `plan`, `review` and `verify`, else `write`; where the settings allow less, less."),
  answer: typeSchema
    .optional()
    .describe(
      "Schema of the agent's final JSON answer, available as `outputs.answer`. Any other answer fails the step.",
    ),
  harness: z.string().min(1).optional().describe("Coding agent for this step."),
  model: z.string().min(1).optional().describe("Model for this step, or `fast`, `standard` or `strong`."),
  profile: z
    .string()
    .min(1)
    .optional()
    .describe("Profile for this step, beside that of the run: both must allow what is done."),
  budgetUsd: z.number().gt(0).optional().describe("Most that all tries of this step together may spend, in USD."),
  expectedUsd: z
    .number()
    .gt(0)
    .optional()
    .describe(
      "Expected cost in USD. Baton sets it aside before the step, and more when the step needs it. Default: `limits.attemptUsd`.",
    ),
  turns: z.number().int().min(1).max(500).optional().describe("Most turns of one attempt."),
});

const gateNames = [...gates.keys()] as [string, ...string[]];
const gateSchema = z.union([
  z.enum(gateNames),
  z.strictObject({
    name: z.enum(gateNames).describe("Name of the gate."),
    options: jsonSchema.optional().describe("Options of the gate."),
  }),
]);

const publishSchema = z.union([
  z.enum(["push", "pull-request", "request-review"]),
  z.strictObject({
    comment: text.optional().describe("Text of a comment in the thread."),
    pullRequest: z
      .strictObject({
        title: text.optional().describe("Without it the thread's."),
        body: text.optional().describe("Without it the report of the last agent."),
        draft: z.boolean().default(false).describe("Open it as a draft."),
      })
      .optional()
      .describe("Push the work and open the pull request, or refresh its text."),
  }),
]);

export const stepKinds = ["agent", "shell", "gate", "breakpoint", "ask", "sleep", "uses", "publish"] as const;
export type StepKind = (typeof stepKinds)[number];

const stepSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, "a name of lower-case letters, digits and -, beginning with a letter")
    .describe("Its name: in `needs`, in `steps.<id>`, in the journal."),
  title: z.string().min(1).max(200).optional().describe("Title in the list of steps."),
  stage: z.string().min(1).max(80).optional().describe("The stage that it belongs to; stages are shown as the plan."),
  needs: z
    .array(z.string())
    .max(stepsMax)
    .optional()
    .describe("Steps that must have ended before. Without it: the step written before. `[]`: none, it begins at once."),
  if: z
    .union([z.string().min(1), z.boolean()])
    .optional()
    .describe("A condition. Unless it asks `failure()` or `always()`, it also needs that nothing before has failed."),
  timeoutMinutes: minutes
    .optional()
    .describe(
      "Limit of one attempt of an agent or a command; for other steps, the limit since the request. The settings' limit always holds.",
    ),
  retry: z
    .strictObject({
      attempts: z.number().int().min(1).max(limits.attemptsPerEffectMax).describe("How often it is tried at all."),
      pauseSeconds: z.number().min(0).max(86_400).default(5).describe("Before the second try; doubled after each."),
    })
    .optional()
    .describe("Baton retries failures that may pass by themselves and attempts with a bad result."),
  continueOnError: z.boolean().default(false).describe("Its failure is not one of the process."),
  priority: z
    .enum(priorities)
    .optional()
    .describe("The highest goes first among the steps that could begin. Default: `normal`."),
  group: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, "a name of lower-case letters, digits and -, beginning with a letter")
    .optional()
    .describe("Agents and commands of one group run one at a time, for example because they use the same port."),
  at: z
    .string()
    .min(1)
    .optional()
    .describe(
      "The commit that an agent, a command or a gate works on. Default: the commit of the previous writing steps.",
    ),
  agent: agentSchema.optional().describe("A coding agent in a workspace of its own."),
  shell: z
    .array(z.string())
    .min(1)
    .max(listMax)
    .optional()
    .describe("A program and its arguments, without a shell, in a workspace of its own, without token or key."),
  gate: gateSchema.optional().describe("Facts of GitHub or git, judged; it fails when the verdict is not `passed`."),
  breakpoint: z
    .strictObject({
      kind: z
        .enum(["plan", "review"])
        .describe("`plan`: `/baton approve`. `review`: a review of the pull request at exactly this commit."),
      text: text.optional().describe("Text to approve, with `plan`."),
    })
    .optional()
    .describe("People approve; it fails when they do not."),
  ask: z
    .strictObject({
      question: text.describe("What people are asked."),
      choices: z.array(z.string().min(1)).min(2).max(20).optional().describe("Allowed answers."),
      confirm: z.boolean().default(false).describe("Yes or no."),
    })
    .optional()
    .describe("A question, answered by `/baton answer`."),
  sleep: z
    .strictObject({ minutes: minutes.describe("How long.") })
    .optional()
    .describe("Time passes, also while Baton is down."),
  uses: z.string().min(1).optional().describe("Another process as a child run; it fails when that does not pass."),
  with: z
    .record(z.string(), jsonSchema)
    .optional()
    .describe("With `uses`: its inputs, checked against what the process takes."),
  budgetUsd: z
    .number()
    .gt(0)
    .optional()
    .describe(
      "With `uses`: most that the child run may spend, in USD. Without it `budgetUsd` of its file, else `budget.childShare` of `baton.yaml`.",
    ),
  harness: z.string().min(1).optional().describe("With `uses`: coding agent for steps of the child that name none."),
  model: z
    .string()
    .min(1)
    .optional()
    .describe("With `uses`: model for steps of the child that name none, or `fast`, `standard` or `strong`."),
  publish: publishSchema.optional().describe("Write to GitHub, judged by the policy. Merging is not among it."),
  outputs: z
    .record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9_-]*$/, "a name of letters, digits, _ and -"), z.string())
    .optional()
    .describe("Outputs of your own, from `result`: `${{ fromJSON(result.output).total }}`."),
});

export const processFileSchema = z
  .strictObject({
    version: z.literal(1).default(1).describe("Version of this file's format."),
    summary: z.string().min(1).max(200).describe("One sentence for `/baton help`."),
    on: z
      .array(z.enum(["issue", "pull-request"]))
      .min(1)
      .default(["issue", "pull-request"])
      .describe("Threads that it works on."),
    budgetUsd: z.number().gt(0).optional().describe("Most that a run of it may spend, in USD."),
    inputs: z
      .record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9_-]*$/, "a name of letters, digits, _ and -"), inputSchema)
      .default({})
      .describe("Inputs: `/baton run <name> key=value`, or `with` of another process."),
    steps: z.array(stepSchema).min(1).max(stepsMax).describe("In order; `needs` makes some run at once."),
    outputs: z
      .record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9_-]*$/, "a name of letters, digits, _ and -"), outputSchema)
      .default({})
      .describe("Outputs, by name."),
  })
  .describe("A process of a repository, in `.github/baton/processes/<name>.yaml`.");

export type ProcessFile = z.output<typeof processFileSchema>;
export type StepFile = ProcessFile["steps"][number];

export function kindOf(step: StepFile): StepKind | null {
  const named = stepKinds.filter((kind) => step[kind] !== undefined);
  return named.length === 1 ? (named[0] as StepKind) : null;
}

export function accessOf({ role, access }: NonNullable<StepFile["agent"]>): "read-only" | "write" {
  return access ?? (role === "plan" || role === "review" || role === "verify" ? "read-only" : "write");
}

/** Without `needs`, a step needs the step before it. */
export function needsOf(steps: readonly StepFile[]): Map<string, readonly string[]> {
  return new Map(
    steps.map((step, index) => [step.id, step.needs ?? (index === 0 ? [] : [(steps[index - 1] as StepFile).id])]),
  );
}
