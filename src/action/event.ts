/**
 * Classifies a workflow's event: input for a thread's inbox, facts for waiting threads, a wake-up, or nothing.
 *
 * AE1 An irrelevant event costs nothing: Baton reads and pushes no state for it.
 * AE2 The same event has the same name, even if the job starts for it again.
 * AE3 A fork's event has no write token and no secret, so Baton tries nothing with it.
 */
import { z } from "zod";
import { commands } from "../commands/index.ts";
import { configPaths } from "../config/parse.ts";
import type { Repository } from "../core/vocabulary.ts";
import { toThreadEvent } from "../intake/events.ts";
import type { NewDelivery } from "../ports/store.ts";
import { type Order, orderSchema } from "../runner/remote/protocol.ts";
import { mayBeCommand } from "../thread/parse-command.ts";
import { type TriggerEvent, toTriggerEvent, triggerDelivery } from "../trigger/event.ts";

export type ActionEvent =
  | { kind: "thread"; number: number; delivery: NewDelivery }
  | {
      kind: "facts";
      watches: string[];
      changed: ChangedPullRequest | null;
      /** The thread that a command in the event is for. */
      commandFor: number | null;
      delivery: NewDelivery;
    }
  /** Checks one thread, or all threads that are due. */
  | { kind: "wake"; number: number | null }
  /** A push that may change the configuration. `before`: the head that it replaced. */
  | { kind: "configured"; before: string | null }
  /** An App gives an effect to this job. */
  | { kind: "order"; order: Order }
  /** Somebody started the job by hand with unusable input. */
  | { kind: "refused"; reason: string }
  | { kind: "nothing"; reason: string };

/** Its files may have changed, including the configuration. */
interface ChangedPullRequest {
  repository: Repository;
  number: number;
}

/** The single hook name for all of a repository's jobs. */
const actionsHook = "actions";

const user = z.object({ id: z.number(), login: z.string(), type: z.string() });
const paths = z.array(z.string()).optional();
const kept = z.object({
  action: z.string().optional(),
  repository: z
    .object({
      id: z.number(),
      name: z.string(),
      default_branch: z.string(),
      owner: z.object({ login: z.string() }),
    })
    .optional(),
  issue: z
    .object({
      number: z.number(),
      body: z.string().nullish(),
      user: user.nullish(),
      created_at: z.string().optional(),
      updated_at: z.string().optional(),
    })
    .optional(),
  comment: z
    .object({
      id: z.number(),
      body: z.string().optional(),
      user: user.nullish(),
      created_at: z.string().optional(),
      path: z.string().optional(),
      line: z.number().nullish(),
      diff_hunk: z.string().nullish(),
    })
    .optional(),
  sender: z.object({ id: z.number(), login: z.string().optional(), type: z.string().optional() }).optional(),
  /** Fields that an edit changed. */
  changes: z.object({ body: z.object({ from: z.string() }).optional() }).optional(),
  review: z
    .object({
      id: z.number(),
      body: z.string().nullish(),
      user: user.nullish(),
      submitted_at: z.string().nullish(),
    })
    .optional(),
  pull_request: z
    .object({
      number: z.number(),
      head: z.object({ sha: z.string(), repo: z.object({ id: z.number() }).nullish() }),
      base: z.object({ repo: z.object({ id: z.number() }) }).optional(),
    })
    .optional(),
  check_run: z.object({ head_sha: z.string() }).optional(),
  check_suite: z.object({ head_sha: z.string() }).optional(),
  workflow_run: z.object({ id: z.number(), head_sha: z.string() }).optional(),
  sha: z.string().optional(),
  /** Of a push. */
  ref: z.string().optional(),
  before: z.string().optional(),
  commits: z.array(z.object({ added: paths, modified: paths, removed: paths })).optional(),
  inputs: z.record(z.string(), z.unknown()).nullish(),
  client_payload: z.record(z.string(), z.unknown()).nullish(),
});

const wakeEvents = new Set(["schedule", "workflow_dispatch", "repository_dispatch"]);
/**
 * Type of the `repository_dispatch` that wakes Baton. Another type without a thread is only for rules of `triggers`.
 */
const wakeType = "baton";

export function toActionEvent(options: {
  name: string;
  payload: unknown;
  workflowRunId: string;
  now: number;
}): ActionEvent {
  const { name, workflowRunId, now } = options;
  const parsed = kept.safeParse(options.payload);
  if (!parsed.success) return { kind: "nothing", reason: `${name} cannot be read: ${parsed.error.issues[0]?.message}` };
  const payload = parsed.data;
  if (name === "workflow_dispatch" && payload.inputs?.["effect"] !== undefined)
    return orderOf(payload.inputs["effect"]);
  const isForRules =
    ![undefined, wakeType].includes(payload.action) && payload.client_payload?.["thread"] === undefined;
  if (name === "repository_dispatch" && isForRules)
    return { kind: "nothing", reason: `A dispatch of type "${payload.action?.slice(0, 60)}" wakes nothing.` };
  if (wakeEvents.has(name)) {
    const given = payload.inputs ?? payload.client_payload ?? {};
    return unknownInput(given) ?? wakeOf(given["thread"]);
  }
  if (isOfFork(payload.pull_request))
    return {
      kind: "nothing",
      reason: "A fork's event has no write token; the next comment, review or schedule looks at this pull request.",
    };
  // Keeps only fields that are read later: payloads are long, and every event reads the state.
  const { inputs: _inputs, client_payload: _client, commits = [], sender, issue, changes, ...rest } = payload;
  const ofIssue =
    name === "issues"
      ? { issue, sender, ...(changes === undefined ? {} : { changes }) }
      : issue === undefined
        ? {}
        : { issue: { number: issue.number } };
  const slim = { ...rest, ...ofIssue, installation: { id: 0 } };
  // `pull_request_target` is the same fact with another token.
  const event = name === "pull_request_target" ? "pull_request" : name;
  const meaning = toThreadEvent(event, slim);
  const delivery: NewDelivery = {
    hook: actionsHook,
    guid: nameOf(event, payload, workflowRunId),
    event,
    action: payload.action ?? null,
    installationId: 0,
    payload: JSON.stringify(slim),
    receivedAt: now,
  };
  switch (meaning.kind) {
    case "ignored":
      return { kind: "nothing", reason: meaning.reason };
    // No workflow starts on it.
    case "installation":
      return { kind: "nothing", reason: "Only an App is installed." };
    case "ticked":
      return { kind: "thread", number: meaning.number, delivery };
    case "facts":
      // The review that contains the comment has its own event.
      if (event === "pull_request_review_comment" && !mayBeCommand(meaning.said?.body ?? "", commands))
        return { kind: "nothing", reason: "The text holds no command." };
      return {
        kind: "facts",
        watches: meaning.watches,
        changed: meaning.changed ?? null,
        // Facts of a pull request wake every waiting thread; a command is for its own thread.
        commandFor:
          meaning.said !== undefined && mayBeCommand(meaning.said.body, commands) ? meaning.said.number : null,
        delivery,
      };
    // New schedules may be due, and the wake-up may be off.
    case "pushed":
      return mayChangeConfig(commits)
        ? { kind: "configured", before: payload.before ?? null }
        : { kind: "nothing", reason: "The push changes no configuration." };
    case "schedules":
    case "trigger":
    case "requested":
      return { kind: "nothing", reason: "A wake-up reads the configuration by itself." };
    case "comment":
      return mayBeCommand(meaning.body, commands)
        ? { kind: "thread", number: meaning.number, delivery }
        : { kind: "nothing", reason: "The text holds no command." };
  }
}

/**
 * The same event for rules of `triggers`. null: no rule can match it. An event may be both: for example, a new issue
 * with a command in it.
 */
export function toActionTrigger(options: {
  name: string;
  payload: unknown;
  workflowRunId: string;
}): TriggerEvent | null {
  const { name, payload, workflowRunId } = options;
  const parsed = kept.safeParse(payload);
  // AE3
  if (!parsed.success || isOfFork(parsed.data.pull_request) || parsed.data.inputs?.["effect"] !== undefined)
    return null;
  const event = name === "pull_request_target" ? "pull_request" : name;
  return toTriggerEvent(event, { ...(payload as object), installation: { id: 0 } }, `run-${workflowRunId}`);
}

/** The delivery that a job adds to the inbox of the run's thread. */
export function triggerDeliveryOf(
  event: TriggerEvent,
  { dashboard, workflowRunId, now }: { dashboard: number | null; workflowRunId: string; now: number },
): NewDelivery {
  return {
    hook: actionsHook,
    guid: `${triggerDelivery}:run-${workflowRunId}`,
    event: triggerDelivery,
    action: null,
    installationId: 0,
    payload: JSON.stringify({ event, dashboard }),
    receivedAt: now,
  };
}

function orderOf(text: unknown): ActionEvent {
  let json: unknown = null;
  try {
    json = JSON.parse(String(text));
  } catch {
    // Reported below, like any other invalid order.
  }
  const order = orderSchema.safeParse(json);
  if (order.success) return { kind: "order", order: order.data };
  return {
    kind: "refused",
    reason: `The input \`effect\` is not an order of an App: ${order.error.issues[0]?.message}`,
  };
}

function nameOf(event: string, payload: z.infer<typeof kept>, workflowRunId: string): string {
  const action = payload.action ?? "";
  if (event === "issue_comment" && payload.comment !== undefined) return `${event}.${action}:${payload.comment.id}`;
  if (event === "issues" && action === "opened" && payload.issue !== undefined)
    return `${event}.${action}:${payload.issue.number}`;
  if (event === "pull_request_review_comment" && payload.comment !== undefined)
    return `${event}.${action}:${payload.comment.id}`;
  if (event === "pull_request_review" && payload.review !== undefined) return `${event}.${action}:${payload.review.id}`;
  // A job that a person reruns has the run id of its first start.
  return `${event}.${action}:run-${workflowRunId}`;
}

/**
 * The payload of a push in Actions lists no files. There, `paths` of the workflow chose the push.
 * Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#push
 */
function mayChangeConfig(commits: NonNullable<z.infer<typeof kept>["commits"]>): boolean {
  const told = commits.flatMap(({ added, modified, removed }) => [added, modified, removed]);
  const listed = told.filter((files) => files !== undefined);
  return listed.length === 0 || configPaths.some((path) => listed.flat().includes(path));
}

function isOfFork(pull: z.infer<typeof kept>["pull_request"]): boolean {
  return pull?.base !== undefined && pull.head.repo?.id !== pull.base.repo.id;
}

/** An input that nobody reads would make the job green without effect. An empty input counts as absent. */
function unknownInput(given: Record<string, unknown>): ActionEvent | null {
  const name = Object.keys(given).find(
    (key) => key !== "thread" && ![undefined, null, ""].includes(given[key] as null),
  );
  if (name === undefined) return null;
  const shown = JSON.stringify(name).slice(0, 60);
  return {
    kind: "refused",
    reason: `Unknown input ${shown}. Baton reads \`thread\`: the number of an issue or pull request.`,
  };
}

function wakeOf(thread: unknown): ActionEvent {
  const given = typeof thread === "string" || typeof thread === "number" ? `${thread}`.trim() : thread;
  if (given === undefined || given === null || given === "") return { kind: "wake", number: null };
  const number = Number(/^#?([1-9]\d{0,15})$/.exec(typeof given === "string" ? given : "")?.[1]);
  if (Number.isSafeInteger(number)) return { kind: "wake", number };
  const shown = JSON.stringify(given).slice(0, 60);
  return { kind: "refused", reason: `\`thread\` is ${shown}. Write the number of an issue or pull request.` };
}
