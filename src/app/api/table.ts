/**
 * The table of the HTTP API: each route with its checks, its types and its prose. Handlers, the OpenAPI document and the
 * authorization matrix follow it.
 *
 * RT1 A route without a row does not exist. A row without a handler does not compile.
 */
import { z } from "zod";
import { effectKinds } from "../../core/effect.ts";
import { storedEventSchema } from "../../core/event.ts";
import { limits } from "../../core/limits.ts";
import {
  actorSchema,
  capabilities,
  runIdSchema,
  runStatuses,
  threadSchema,
  tokensSchema,
  verdictSchema,
} from "../../core/vocabulary.ts";
import { comparisonSchema } from "../../summary/compare.ts";
import { runSummarySchema } from "../../summary/summary.ts";
import type { Demand } from "./caller.ts";
import type { TokenScope } from "./tokens.ts";

type Shape = z.ZodObject;

interface Row<Path extends Shape, Query extends Shape, Body extends Shape, Answer extends z.ZodType> {
  method: "GET" | "POST";
  /** With `{names}` of the parameters. */
  path: string;
  tag: string;
  summary: string;
  /** The least scope of a token. */
  scope: Exclude<TokenScope, "metrics">;
  /** The permission of the person, by the policy of this command in a thread. null: about no single repository. */
  demand: Demand | null;
  /** Parameters of the path. */
  at: Path;
  query: Query;
  /** null: a GET has none. */
  body: Body | null;
  answer: Answer;
  /** No token and no operator may do it: an approval is the decision of a person. */
  approves?: true;
  /** The answer is a stream of events and not `answer` itself. */
  isStream?: true;
}
export type Route = Row<Shape, Shape, Shape, z.ZodType>;

const none = z.strictObject({});

function read<Path extends Shape, Answer extends z.ZodType, Query extends Shape = typeof none>(
  row: Omit<Row<Path, Query, typeof none, Answer>, "method" | "scope" | "query" | "body"> & { query?: Query },
): Row<Path, Query, typeof none, Answer> {
  return { query: none as unknown as Query, ...row, method: "GET", scope: "read", body: null };
}

function write<Path extends Shape, Body extends Shape, Answer extends z.ZodType>(
  row: Omit<Row<Path, typeof none, Body, Answer>, "method" | "query" | "scope"> & { scope?: Route["scope"] },
): Row<Path, typeof none, Body, Answer> {
  return { scope: "steer", ...row, method: "POST", query: none };
}

const text = z.string().max(limits.apiQueryValueCharactersMax);
const milliseconds = z.number().describe("Milliseconds since the epoch.");
const whole = z.coerce.number<string>().int();
const repositoryName = z
  .string()
  .max(limits.apiQueryValueCharactersMax)
  .regex(/^[\w.-]+\/[\w.-]+$/, "write owner/name");
const login = z
  .string()
  .max(100)
  .regex(/^[\w-]+$/, "write the login of an account");

const runPath = z.strictObject({ run: text.describe("Id of a run, or its beginning if only one run has it.") });
const stepPath = runPath.extend({ step: text.describe("Key of the step. A `/` in it is written `%2F`.") });
const questionPath = runPath.extend({ question: text.describe("Id of the question. A `/` in it is written `%2F`.") });
const threadPath = z.strictObject({ owner: login, name: text, number: whole.positive().max(1e9) });
const schedulePath = z.strictObject({ owner: login, name: text, schedule: text });
const nowhere = none;

const page = {
  limit: whole.min(1).max(limits.apiPageMax).default(50).describe("The most items of the page."),
  cursor: text.optional().describe("`next` of the page before. It holds for the same filters only."),
};
const place = {
  repository: repositoryName.optional().describe("`owner/name`."),
  owner: login.optional().describe("Account whose repositories count."),
};
const flag = z.enum(["true", "false"]).transform((word) => word === "true");
const attempt = z.strictObject({ attempt: whole.positive().max(1e6).optional().describe("Without it the newest.") });

function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next: z
      .string()
      .nullable()
      .describe("`cursor` of the next page. A page can be short or empty although there is a next one. Null: the end."),
  });
}

const threadShown = z.object({
  repository: z.string().describe("`owner/name`."),
  number: z.number().int(),
  kind: threadSchema.shape.kind,
  activeRun: runIdSchema.nullable(),
  runs: z.array(
    z.object({
      runId: runIdSchema,
      process: z.string(),
      status: z.enum(runStatuses),
      createdAt: milliseconds,
      updatedAt: milliseconds,
      spentUsd: z.number(),
    }),
  ),
});

const effectShown = z.object({
  key: z.string(),
  kind: z.enum(effectKinds),
  title: z.string(),
  stage: z.string().nullable(),
  status: runSummarySchema.shape.steps.element.shape.status,
  requestedAt: milliseconds,
  endedAt: milliseconds.nullable(),
  verdict: verdictSchema.nullable(),
  error: runSummarySchema.shape.steps.element.shape.error,
  attempts: z.array(
    z.object({
      attempt: z.number().int(),
      startedAt: milliseconds,
      endedAt: milliseconds.nullable(),
      harness: z.string().nullable(),
      model: z.string().nullable(),
      costUsd: z.number(),
      error: z.object({ code: z.string(), message: z.string() }).nullable(),
    }),
  ),
});

const questionShown = z.object({
  id: z.string().describe("For the paths of this question."),
  run: runIdSchema,
  repository: z.string(),
  number: z.number().int(),
  kind: z.enum(["answer", "approval", "review", "money"]).describe("How people answer it."),
  title: z.string(),
  text: z.string().describe("The question, or the plan to approve."),
  choices: z.array(z.string()).nullable(),
  askedAt: milliseconds,
  open: z.boolean(),
  how: z.string().describe("The command that answers it in the thread, as a sentence."),
});

const costShown = z.object({ name: z.string(), usd: z.number(), tokens: tokensSchema });

const scheduleShown = z.object({
  repository: z.string(),
  name: z.string(),
  cron: z.string(),
  timeZone: z.string(),
  next: milliseconds.nullable(),
  pausedBy: z.string().nullable(),
  problem: z.string().nullable(),
  lastRun: z
    .object({ runId: z.string(), status: z.string(), createdAt: milliseconds, spentUsd: z.number() })
    .nullable(),
});

const reasonBody = z.strictObject({ reason: z.string().max(5_000).default("").describe("Shown in the thread.") });
const emptyBody = z.strictObject({});
const steers = (command: string): Demand => ({ command, needs: "steer" });
const starts = (command: string): Demand => ({ command, needs: "run" });
const reads = (command: string): Demand => ({ command, needs: "read" });

export const routes = {
  me: read({
    path: "/api/v1/me",
    tag: "caller",
    summary: "The caller: token, person, scope.",
    demand: null,
    at: nowhere,
    answer: z.object({
      kind: z.enum(["token", "person", "operator"]),
      name: z.string(),
      login: z.string(),
      scope: z.enum(["read", "steer", "admin"]),
      repositories: z.array(z.string()).describe("Those of a token. Empty for others, who have all."),
      owners: z.array(z.string()),
    }),
  }),
  listRuns: read({
    path: "/api/v1/runs",
    tag: "runs",
    summary: "Runs that the caller may read, newest first.",
    demand: reads("status"),
    at: nowhere,
    query: z.strictObject({
      ...page,
      ...place,
      number: whole.positive().max(1e9).optional().describe("Number of the thread; needs `repository`."),
      active: flag.optional(),
      status: z.enum(runStatuses).optional(),
      process: text.optional().describe("Name of the process."),
      since: z.coerce.number<string>().optional().describe("Begun then or later, in milliseconds since the epoch."),
      until: z.coerce.number<string>().optional().describe("Begun before, in milliseconds since the epoch."),
    }),
    answer: pageOf(runSummarySchema),
  }),
  createRun: write({
    path: "/api/v1/runs",
    tag: "runs",
    summary: "Starts a run in a thread, as the comment `/baton run <text>` does.",
    demand: starts("run"),
    at: nowhere,
    body: z.strictObject({
      repository: repositoryName.describe("`owner/name`."),
      number: z.number().int().positive().max(1e9).describe("Number of the issue or pull request."),
      text: z.string().max(20_000).default("").describe("Words as after `/baton run`: process, options, instructions."),
    }),
    answer: runSummarySchema,
  }),
  readRun: read({
    path: "/api/v1/runs/{run}",
    tag: "runs",
    summary: "A run: steps, progress, cost, what it waits for, its verdict.",
    demand: reads("status"),
    at: runPath,
    answer: runSummarySchema,
  }),
  cancelRun: write({
    path: "/api/v1/runs/{run}/cancel",
    tag: "runs",
    summary: "Stops the run. Pushed work stays.",
    demand: steers("cancel"),
    at: runPath,
    body: reasonBody,
    answer: runSummarySchema,
  }),
  pauseRun: write({
    path: "/api/v1/runs/{run}/pause",
    tag: "runs",
    summary: "The run begins no further step until it is resumed.",
    demand: steers("pause"),
    at: runPath,
    body: reasonBody,
    answer: runSummarySchema,
  }),
  resumeRun: write({
    path: "/api/v1/runs/{run}/resume",
    tag: "runs",
    summary: "A paused run continues.",
    demand: steers("resume"),
    at: runPath,
    body: emptyBody,
    answer: runSummarySchema,
  }),
  advanceRun: write({
    path: "/api/v1/runs/{run}/advance",
    tag: "runs",
    summary: "Baton reads the facts that the run waits for again, as `/baton refresh` does.",
    demand: reads("refresh"),
    at: runPath,
    body: emptyBody,
    answer: runSummarySchema,
  }),
  topUpRun: write({
    path: "/api/v1/runs/{run}/budget",
    tag: "runs",
    summary: "Adds money to the run's budget.",
    demand: starts("budget"),
    at: runPath,
    body: z.strictObject({ addUsd: z.number().positive().max(10_000) }),
    answer: runSummarySchema,
  }),
  retryRun: write({
    path: "/api/v1/runs/{run}/retry",
    tag: "runs",
    summary: "Starts a finished run again. The answer is the new run.",
    demand: starts("retry"),
    at: runPath,
    body: z.strictObject({ budgetUsd: z.number().positive().max(10_000).optional() }),
    answer: runSummarySchema,
  }),
  eraseRun: write({
    path: "/api/v1/runs/{run}/erase",
    tag: "runs",
    summary: "Deletes the personal texts of a finished run. Status, money and verdicts stay.",
    scope: "admin",
    demand: { command: "erase", needs: "admin" },
    at: runPath,
    body: emptyBody,
    answer: runSummarySchema,
  }),
  compareRuns: read({
    path: "/api/v1/runs/{run}/compare/{other}",
    tag: "runs",
    summary: "Two runs next to each other: inputs, the first step that differs, outcomes, cost.",
    demand: steers("compare"),
    at: runPath.extend({ other: runPath.shape.run }),
    answer: comparisonSchema,
  }),
  listEffects: read({
    path: "/api/v1/runs/{run}/effects",
    tag: "effects",
    summary: "Steps of a run with their attempts, in the order of their requests.",
    demand: reads("status"),
    at: runPath,
    query: z.strictObject({
      kind: z.enum(effectKinds).optional(),
      status: runSummarySchema.shape.steps.element.shape.status.optional(),
    }),
    answer: z.object({ items: z.array(effectShown) }),
  }),
  readEffect: read({
    path: "/api/v1/runs/{run}/effects/{step}",
    tag: "effects",
    summary: "One step of a run with its attempts.",
    demand: reads("status"),
    at: stepPath,
    answer: effectShown,
  }),
  listQuestions: read({
    path: "/api/v1/questions",
    tag: "questions",
    summary: "Open questions of active runs that the caller may read.",
    demand: reads("status"),
    at: nowhere,
    query: z.strictObject({ ...page, ...place }),
    answer: pageOf(questionShown),
  }),
  listRunQuestions: read({
    path: "/api/v1/runs/{run}/questions",
    tag: "questions",
    summary: "Questions of a run, open and answered, in the order in which Baton asked them.",
    demand: reads("status"),
    at: runPath,
    answer: z.object({ items: z.array(questionShown) }),
  }),
  readQuestion: read({
    path: "/api/v1/runs/{run}/questions/{question}",
    tag: "questions",
    summary: "One question of a run.",
    demand: reads("status"),
    at: questionPath,
    answer: questionShown,
  }),
  answerQuestion: write({
    path: "/api/v1/runs/{run}/questions/{question}/answer",
    tag: "questions",
    summary: "Answers a question of the kind `answer`. The first answer counts.",
    demand: steers("answer"),
    at: questionPath,
    body: z.strictObject({ text: z.string().min(1).max(20_000) }),
    answer: runSummarySchema,
  }),
  approveQuestion: write({
    path: "/api/v1/runs/{run}/questions/{question}/approve",
    tag: "questions",
    summary: "Approves what a question of the kind `approval` shows. Only for a person who signed in with GitHub.",
    approves: true,
    demand: steers("approve"),
    at: questionPath,
    body: z.strictObject({ comment: z.string().max(20_000).default("") }),
    answer: runSummarySchema,
  }),
  rejectQuestion: write({
    path: "/api/v1/runs/{run}/questions/{question}/reject",
    tag: "questions",
    summary: "Sends back what a question of the kind `approval` shows. The reason goes to the agent.",
    demand: steers("reject"),
    at: questionPath,
    body: z.strictObject({ reason: z.string().min(1).max(20_000) }),
    answer: runSummarySchema,
  }),
  listThreads: read({
    path: "/api/v1/threads",
    tag: "threads",
    summary: "Threads in which a run began, by their newest run.",
    demand: reads("status"),
    at: nowhere,
    query: z.strictObject({ ...page, ...place }),
    answer: pageOf(threadShown),
  }),
  readThread: read({
    path: "/api/v1/threads/{owner}/{name}/{number}",
    tag: "threads",
    summary: "A thread with its newest runs.",
    demand: reads("status"),
    at: threadPath,
    answer: threadShown,
  }),
  readCosts: read({
    path: "/api/v1/costs",
    tag: "costs",
    summary: "Settled cost of repositories, summed by one field.",
    demand: reads("cost"),
    at: nowhere,
    query: z.strictObject({
      ...place,
      since: z.coerce.number<string>().min(0).describe("Milliseconds since the epoch."),
      until: z.coerce.number<string>().optional().describe("Milliseconds since the epoch."),
      by: z.enum(["day", "repository", "person", "harness", "model", "process", "run"]).default("day"),
    }),
    answer: z.object({ totalUsd: z.number(), items: z.array(costShown) }),
  }),
  readRunCosts: read({
    path: "/api/v1/runs/{run}/costs",
    tag: "costs",
    summary: "Cost of a run by step, attempt and model.",
    demand: reads("cost"),
    at: runPath,
    answer: z.object({
      money: runSummarySchema.shape.money,
      items: z.array(
        z.object({
          step: z.string(),
          attempt: z.number().int(),
          harness: z.string(),
          model: z.string(),
          tokens: tokensSchema,
          costUsd: z.number().nullable().describe("Null: the price is unknown."),
        }),
      ),
    }),
  }),
  readBudget: read({
    path: "/api/v1/budgets/{owner}/{name}",
    tag: "costs",
    summary: "The money that a repository may still spend today.",
    demand: reads("cost"),
    at: z.strictObject({ owner: login, name: text }),
    answer: z.object({
      dayUsd: z.number().nullable().describe("`budget.dayUsd` of `baton.yaml`. Null: no limit."),
      leftUsd: z.number().nullable().describe("Null: no limit."),
      until: milliseconds.nullable().describe("When the next day begins."),
      reason: z.string(),
    }),
  }),
  readDecisions: read({
    path: "/api/v1/runs/{run}/decisions",
    tag: "decisions",
    summary: "Decisions about a run with their rules, as `/baton why` shows them.",
    demand: reads("why"),
    at: runPath,
    answer: z.object({
      decisions: z.array(
        z.object({ at: milliseconds, action: z.string(), actor: actorSchema.nullable(), verdict: verdictSchema }),
      ),
      judged: z.array(z.object({ step: z.string(), verdict: verdictSchema })),
      health: z.object({
        score: z.number().int(),
        deductions: z.array(z.object({ points: z.number(), reason: z.string() })),
      }),
    }),
  }),
  listSchedules: read({
    path: "/api/v1/schedules",
    tag: "schedules",
    summary: "Schedules of repositories, as Baton last read them.",
    demand: reads("status"),
    at: nowhere,
    query: z.strictObject(place),
    answer: z.object({ items: z.array(scheduleShown) }),
  }),
  runSchedule: write({
    path: "/api/v1/schedules/{owner}/{name}/{schedule}/run",
    tag: "schedules",
    summary: "Baton starts the schedule at its next look, within 30 s.",
    demand: starts("schedule"),
    at: schedulePath,
    body: emptyBody,
    answer: scheduleShown,
  }),
  pauseSchedule: write({
    path: "/api/v1/schedules/{owner}/{name}/{schedule}/pause",
    tag: "schedules",
    summary: "The schedule starts nothing until it is resumed.",
    demand: starts("schedule"),
    at: schedulePath,
    body: emptyBody,
    answer: scheduleShown,
  }),
  resumeSchedule: write({
    path: "/api/v1/schedules/{owner}/{name}/{schedule}/resume",
    tag: "schedules",
    summary: "A paused schedule continues. Times that passed meanwhile do not run.",
    demand: starts("schedule"),
    at: schedulePath,
    body: emptyBody,
    answer: scheduleShown,
  }),
  listHarnesses: read({
    path: "/api/v1/harnesses",
    tag: "harnesses",
    summary: "Harnesses of this Baton, each with its circuit.",
    demand: null,
    at: nowhere,
    answer: z.object({
      items: z.array(
        z.object({
          name: z.string(),
          defaultModel: z.string().nullable(),
          capabilities: z.record(z.enum(capabilities), z.boolean()),
          circuit: z.enum(["closed", "open", "half-open"]),
          openUntil: milliseconds.nullable(),
        }),
      ),
    }),
  }),
  listProcesses: read({
    path: "/api/v1/processes",
    tag: "processes",
    summary: "Processes of this Baton. Repositories may have more.",
    demand: null,
    at: nowhere,
    answer: z.object({
      items: z.array(
        z.object({ name: z.string(), version: z.number().int(), summary: z.string(), stages: z.array(z.string()) }),
      ),
    }),
  }),
  readTranscript: read({
    path: "/api/v1/runs/{run}/transcripts/{step}",
    tag: "texts",
    summary: "The redacted transcript of a step's agent: its words and actions. Needs the permission to steer.",
    demand: steers("transcript"),
    at: stepPath,
    query: attempt,
    answer: z.object({ step: z.string(), attempt: z.number().int(), transcript: z.string() }),
  }),
  readPrompt: read({
    path: "/api/v1/runs/{run}/prompts/{step}",
    tag: "texts",
    summary: "The prompt of a step's agent by stratum, with sizes. Needs the permission to steer.",
    demand: steers("prompt"),
    at: stepPath,
    query: attempt,
    answer: z.object({
      step: z.string(),
      attempt: z.number().int(),
      harness: z.string(),
      model: z.string().nullable(),
      cacheBoundary: z.number().int().describe("Characters that a cache can reuse."),
      strata: z.array(
        z.object({
          stratum: z.string(),
          characters: z.number().int(),
          tokens: z.number().int().describe("Estimated."),
          sections: z.array(z.object({ name: z.string(), characters: z.number().int(), tokens: z.number().int() })),
        }),
      ),
      system: z.string(),
      user: z.string(),
    }),
  }),
  readText: read({
    path: "/api/v1/runs/{run}/texts/{text}",
    tag: "texts",
    summary: "A kept text that an event of the run names by its content hash, redacted. Needs the permission to steer.",
    demand: steers("transcript"),
    at: runPath.extend({ text: z.string().regex(/^[0-9a-f]{64}$/, "a content hash is expected") }),
    answer: z.object({ text: z.string() }),
  }),
  readJournal: read({
    path: "/api/v1/runs/{run}/events",
    tag: "events",
    summary: "Events of a run's journal, its hash chain checked. Needs the permission to steer.",
    demand: steers("journal"),
    at: runPath,
    query: z.strictObject({
      after: whole.min(0).default(0).describe("Position of the last known event."),
      limit: whole.min(1).max(1_000).default(200),
    }),
    answer: z.object({
      items: z.array(storedEventSchema),
      next: z.number().int().nullable().describe("`after` of the next page. Null: the end."),
    }),
  }),
  streamEvents: read({
    path: "/api/v1/events",
    tag: "events",
    summary:
      "News of runs as server-sent events, in one order for all replicas. Send `Last-Event-ID` to continue after an event.",
    demand: reads("status"),
    at: nowhere,
    query: z.strictObject({
      ...place,
      run: runPath.shape.run.optional(),
      number: whole.positive().max(1e9).optional().describe("Number of the thread; needs `repository`."),
      after: whole.min(0).optional().describe("The same as `Last-Event-ID`, which takes precedence."),
    }),
    answer: z.object({
      run: runIdSchema,
      repository: z.string(),
      number: z.number().int(),
      position: z.number().int().describe("Position of the event in the run's journal."),
      at: milliseconds,
      type: z.string().describe("Type of the journal's event."),
      step: z.string().nullable(),
    }),
    isStream: true,
  }),
} as const;

export type RouteName = keyof typeof routes;
export const routeNames = Object.keys(routes) as RouteName[];
export type Given<Name extends RouteName> = {
  at: z.output<(typeof routes)[Name]["at"]>;
  query: z.output<(typeof routes)[Name]["query"]>;
  body: z.output<NonNullable<(typeof routes)[Name]["body"]>>;
};
export type AnswerOf<Name extends RouteName> = z.input<(typeof routes)[Name]["answer"]>;
