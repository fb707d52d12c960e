/**
 * The kinds of effect: the requests of a process, as data, and their results.
 *
 * Owns: input and output schema of each kind. Does not own: how to perform an effect (`runner/perform/*`), when it is
 * due (`due.ts`).
 * F1 An effect's input holds everything needed to perform it. A performer reads no other state of the process.
 * F2 Input and output are JSON, checked on write and on read.
 */
import { z } from "zod";
import { findingSchema } from "./finding.ts";
import { personal } from "./personal.ts";
import { earlierPlaceSchema, placementSchema, reviewFindingSchema } from "./review-finding.ts";
import { actorSchema, capabilities, jsonSchema, runIdSchema, shaSchema, verdictSchema } from "./vocabulary.ts";

/** Fields that every effect may have. */
const common = {
  /** Title in the list of steps. */
  title: z.string().min(1).max(200),
  /** The stage of the process that this effect belongs to. */
  stage: z.string().max(80).optional(),
};

const accessSchema = z.enum(["read-only", "write"]);

export const fileChangeSchema = z.object({
  path: z.string(),
  /** null for binary files. */
  added: z.number().int().nonnegative().nullable(),
  removed: z.number().int().nonnegative().nullable(),
});
export type FileChange = z.infer<typeof fileChangeSchema>;

const promptSchema = z.union([
  /** A built-in task of Baton and its facts. Baton writes the prompt when an attempt begins (`prompt/compose.ts`). */
  z.object({ task: z.string(), facts: jsonSchema }),
  /** A process's own prompt, passed on unchanged. */
  z.object({ system: z.string(), user: z.string() }),
]);

export const agentInputSchema = z.object({
  ...common,
  role: z.enum(["plan", "implement", "repair", "address", "review", "verify"]),
  prompt: promptSchema,
  access: accessSchema,
  /** The commit that the workspace starts from. */
  baseSha: shaSchema,
  /** Commits that the agent reads in addition. A reviewer or verifier sees the changes since the first of them. */
  reads: z.array(shaSchema).max(20).optional(),
  /** Names chosen for this effect. If absent, the configured defaults apply. */
  harness: z.string().optional(),
  model: z.string().optional(),
  /** Session of the same harness to resume, from an earlier agent output. */
  resumeSessionId: z.string().optional(),
  /** A bound for this effect. The smaller one of this bound and the configured bound applies. */
  maxTurns: z.number().int().positive().optional(),
  /** Capabilities that the harness must have for this step, in addition to those of the profile. */
  needs: z.array(z.enum(capabilities)).optional(),
  /**
   * The most that all attempts of this step together may spend, in USD. Beyond it the step fails, and Baton keeps its
   * work. If absent, the run's budget is the bound.
   */
  shareUsd: z.number().positive().optional(),
  /** True: no other harness takes over when `harness` fails. */
  onlyHarness: z.boolean().optional(),
  /** A profile for this effect in addition to the configured one. Both must allow the agent's actions. */
  profile: z.string().optional(),
  /** Subject line for the agent's uncommitted changes, and the default subject for squashing. */
  commitSubject: z.string().optional(),
  /** The findings of a sweep that the agent fixes. People then decide about them. */
  fixes: z.object({ detector: z.string(), fingerprints: z.array(z.string()) }).optional(),
});
export type AgentInput = z.infer<typeof agentInputSchema>;

/** The accesses that an attempt's sandbox blocked, or the reason why there was no sandbox. */
export const sandboxReportSchema = z.object({
  /** Why the attempt ran without the wanted sandbox. null: it had one, or none was wanted. */
  missing: z.string().nullable(),
  denied: z.array(z.object({ kind: z.enum(["host", "path", "memory", "processes", "disk"]), name: z.string() })),
  /** Paths outside the worktree and its scratch that tool calls named while the agent had no sandbox. */
  outside: personal(z.array(z.string())),
});
export type SandboxReport = z.infer<typeof sandboxReportSchema>;

/** Commits of an attempt outside its result: on another branch, in a stash, or in a nested worktree. */
export const asideSchema = z.object({
  name: z.string(),
  headSha: shaSchema,
  commits: z.number().int().nonnegative(),
  /** The ref where Baton keeps them. null: Baton refused them. */
  ref: z.string().nullable(),
});
export type Aside = z.infer<typeof asideSchema>;

export const agentOutputSchema = z.object({
  harness: z.string(),
  model: z.string(),
  /** The agent's last message: a claim, never a fact. */
  text: z.string(),
  sessionId: z.string().nullable(),
  baseSha: shaSchema,
  /** The commit that git found, already in the trusted repository. null: nothing changed. */
  headSha: shaSchema.nullable(),
  commits: z.number().int().nonnegative(),
  files: z.array(fileChangeSchema),
  /** True when Baton saved uncommitted changes in a rescue commit. */
  rescued: z.boolean(),
  /** Paths that the agent changed without write access. Git found these changes, and Baton discarded them. */
  discarded: z.array(z.string()).optional(),
  sandbox: sandboxReportSchema.optional(),
  aside: z.array(asideSchema).optional(),
  turns: z.number().int().nonnegative(),
  /** The cost of all attempts, if each price is known. The runner adds it. */
  costUsd: z.number().nonnegative().nullable().optional(),
  /** Content hash of the kept transcript and the exact prompt. */
  transcriptId: z.string().nullable(),
  promptId: z.string().nullable(),
});
export type AgentOutput = z.infer<typeof agentOutputSchema>;

export const shellInputSchema = z.object({
  ...common,
  /** Program and arguments; no shell parses them. */
  command: z.array(z.string()).min(1),
  sha: shaSchema,
  /** A later step may reuse the result of the same command over the same tree, stored under this name. */
  reuse: z.object({ as: z.string().regex(/^[a-z0-9-]{1,60}$/), forMs: z.number().int().positive() }).optional(),
  /** A detector of sweeps reads the command's result: the file at `report`, or the output. */
  detect: z
    .object({
      detector: z.string(),
      report: z.string().nullable(),
      /** The report is GitHub's own, and no command runs. */
      from: z.literal("github").optional(),
      /** Messages of rules that the repository defines. */
      rules: z.array(z.object({ id: z.string(), message: z.string() })).optional(),
    })
    .optional(),
});
const shellOutputSchema = z.object({
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  /** The last part of both streams, bounded and redacted. */
  output: z.string(),
  durationMs: z.number().nonnegative(),
  /** The result comes from an earlier step, which ended at this time. */
  reusedFrom: z.number().optional(),
  sandbox: sandboxReportSchema.optional(),
  /** The detector's findings. Notes name omitted findings, and say why a report was unreadable. */
  detected: z
    .object({
      findings: z.array(findingSchema),
      notes: z.array(z.string()),
      failed: z.boolean(),
      /** There were more findings than Baton keeps. */
      cut: z.boolean().optional(),
    })
    .optional(),
});

export const gateInputSchema = z.object({
  ...common,
  /** Name of the gate in the registry of `gate/`: for example `checks-green`. */
  gate: z.string(),
  sha: shaSchema,
  pullRequest: z.number().int().positive().optional(),
  /** Options of the gate, checked by its own schema. */
  options: jsonSchema.optional(),
});

export const breakpointInputSchema = z.object({
  ...common,
  kind: z.enum(["plan", "review", "protected-paths", "merge"]),
  /**
   * The subject of the approval: the text of a plan, or a pull request at a SHA. The approval holds for exactly this
   * subject.
   */
  subject: z.object({
    text: z.string().optional(),
    pullRequest: z.number().int().positive().optional(),
    sha: shaSchema.optional(),
    /** The base branch of the pull request. If absent, the base of the run's input applies. */
    base: z.string().optional(),
    /** The pull request is in the merge queue, and Baton waits for the result. */
    queued: z.boolean().optional(),
    paths: z.array(z.string()).optional(),
    /**
     * Where to find the content of `paths`. Baton shows this content, and the answer holds for it only
     * (`shown-change.ts`).
     */
    change: z.object({ baseSha: shaSchema, sha: shaSchema }).optional(),
  }),
});
export const breakpointOutputSchema = z.object({
  decision: z.enum(["approved", "rejected", "changes-requested", "voided"]),
  by: actorSchema.nullable(),
  /** Text of the review or of the command: data from the thread. */
  feedback: z.string(),
  sha: shaSchema.nullable(),
  /** The review that decided. It changes the run's course only once. */
  reviewId: z.number().int().nullable(),
  /** The current base branch of the pull request, if it differs from the one in the question. */
  base: z.string().optional(),
});
export type BreakpointOutput = z.infer<typeof breakpointOutputSchema>;

/**
 * The current base branch of a pull request, and the settings of that branch. The run uses them from then on
 * (`fold.ts`).
 */
export const baseInputSchema = z.object({ ...common, pullRequest: z.number().int().positive() });
export const baseOutputSchema = z.object({
  branch: z.string(),
  sha: shaSchema,
  settings: jsonSchema,
  settingsSha: z.string().nullable(),
  /** Reviews from before the change. Their approvals are for the old base. */
  reviewIds: z.array(z.number().int()),
});
export type BaseOutput = z.infer<typeof baseOutputSchema>;

/** Merges commits onto `baseSha` in their order, without a work tree, up to the first commit that git cannot merge. */
export const joinInputSchema = z.object({ ...common, baseSha: shaSchema, shas: z.array(shaSchema).min(1).max(100) });
const joinOutputSchema = z.object({
  headSha: shaSchema,
  /** The number of commits, counted from the first, that the result contains. */
  joined: z.number().int().nonnegative(),
  conflict: z.object({ sha: shaSchema, paths: z.array(z.string()) }).nullable(),
});

/** Finds the place of each finding in the change of `sha` since `baseSha`, by git alone, and verifies its quote. */
export const placeInputSchema = z.object({
  ...common,
  baseSha: shaSchema,
  sha: shaSchema,
  /** The head of the review before. null: everything counts as new. */
  since: shaSchema.nullable(),
  findings: z.array(reviewFindingSchema).max(50),
  earlier: z.array(earlierPlaceSchema),
});

const askInputSchema = z.object({
  ...common,
  question: z.string(),
  answerKind: z.enum(["text", "choice", "confirm"]),
  choices: z.array(z.string()).optional(),
});
const askOutputSchema = z.object({ answer: z.string(), by: actorSchema });

export const sleepInputSchema = z.object({ ...common, /** Milliseconds since the epoch. */ until: z.number() });
const sleepOutputSchema = z.object({ wokeAt: z.number() });

export const subprocessInputSchema = z.object({
  ...common,
  process: z.string(),
  input: jsonSchema,
  /**
   * The most that the child run may spend, in USD, never more than the rest of the budget. If absent,
   * `budget.childShare` applies.
   */
  shareUsd: z.number().positive().optional(),
  /** For the child's steps that name no harness. If absent, the run's harness applies. */
  harness: z.string().optional(),
  model: z.string().optional(),
});
const subprocessOutputSchema = z.object({ runId: runIdSchema, verdict: verdictSchema, output: jsonSchema });

/** Asks Baton to add its measurements below a text: the change of `sha` against a branch, and the cost so far. */
const measuredSchema = z.object({ baseBranch: z.string(), sha: shaSchema });

/** One write to the outside. Each is an *ensure*: two executions leave one result. */
export const publishOperationSchema = z.discriminatedUnion("operation", [
  z.object({
    operation: z.literal("push"),
    branch: z.string(),
    sha: shaSchema,
    /** The known head for the compare-and-swap. null: the branch must not exist yet. */
    expectedSha: shaSchema.nullable(),
  }),
  z.object({
    operation: z.literal("pull-request"),
    head: z.string(),
    base: z.string(),
    title: z.string(),
    body: z.string(),
    draft: z.boolean().default(false),
    measured: measuredSchema.optional(),
  }),
  z.object({
    operation: z.literal("update-pull-request"),
    pullRequest: z.number().int().positive(),
    title: z.string().optional(),
    body: z.string().optional(),
    measured: measuredSchema.optional(),
  }),
  z.object({
    operation: z.literal("request-review"),
    pullRequest: z.number().int().positive(),
    reviewers: z.array(z.string()),
    teams: z.array(z.string()),
  }),
  z.object({
    operation: z.literal("merge"),
    pullRequest: z.number().int().positive(),
    /** The approved head. GitHub refuses the merge if the head moved. */
    sha: shaSchema,
    /** The base branch of the judgment. If absent, the base of the run's input applies. */
    base: z.string().optional(),
    method: z.enum(["merge", "squash", "rebase"]),
  }),
  z.object({
    operation: z.literal("update-branch"),
    pullRequest: z.number().int().positive(),
    /** The head that Baton updates with its base. */
    sha: shaSchema,
  }),
  z.object({
    operation: z.literal("enqueue"),
    pullRequest: z.number().int().positive(),
    sha: shaSchema,
    base: z.string().optional(),
  }),
  z.object({
    operation: z.literal("comment"),
    number: z.number().int().positive(),
    body: z.string(),
    /** The decision that the comment reports, for `/baton why`. */
    verdict: verdictSchema.optional(),
  }),
  /** Baton's review of a pull request at `sha`. Baton edits its earlier review where there is no new comment. */
  z.object({
    operation: z.literal("review"),
    pullRequest: z.number().int().positive(),
    sha: shaSchema,
    /** Baton never approves. */
    event: z.enum(["comment", "request-changes"]),
    body: z.string(),
    /** The body where GitHub accepts no comment on these lines. */
    bodyWithFindings: z.string(),
    comments: z.array(
      z.object({
        path: z.string(),
        side: z.enum(["LEFT", "RIGHT"]),
        line: z.number().int().positive(),
        startLine: z.number().int().positive().nullable(),
        body: z.string(),
      }),
    ),
    /** Baton's review before. null: there is none. */
    earlier: z.number().int().nullable(),
    /** Threads to resolve, by their ids in GraphQL. */
    resolve: z.array(z.string()),
    /** Withdraws the earlier request for changes, if nothing of it stands. */
    withdraw: z.boolean(),
  }),
  /** An answer in the thread of a comment at a line. In the pull request's thread if the comment is gone. */
  z.object({
    operation: z.literal("reply"),
    pullRequest: z.number().int().positive(),
    to: z.number().int().positive(),
    body: z.string(),
  }),
  /** A check run of its own on a commit. */
  z.object({
    operation: z.literal("check"),
    sha: shaSchema,
    name: z.string().min(1).max(100),
    conclusion: z.enum(["success", "failure", "neutral"]),
    title: z.string(),
    summary: z.string(),
  }),
  z.object({
    operation: z.literal("delete-branch"),
    /** A branch that this run pushed. Baton leaves the branch alone if it moved since. */
    branch: z.string(),
    expectedSha: shaSchema,
  }),
]);
export type PublishOperation = z.infer<typeof publishOperationSchema>;

export const publishInputSchema = z.object({ ...common, publish: publishOperationSchema });
export const publishOutputSchema = z.object({
  /** Number of the pull request, or id of the comment. */
  number: z.number().int().nullable(),
  url: z.string().nullable(),
  /**
   * Head after a push or of the pull request. Merge commit after a merge. If a rule requires signed commits, GitHub
   * creates Baton's commits again. Then the head after a push differs from the given commit: judge the new head.
   * The reviewed commit after a review. null: GitHub accepted no comments on its lines.
   */
  sha: shaSchema.nullable(),
});
export type PublishOutput = z.infer<typeof publishOutputSchema>;

export const effectSchemas = {
  agent: { input: agentInputSchema, output: agentOutputSchema },
  shell: { input: shellInputSchema, output: shellOutputSchema },
  join: { input: joinInputSchema, output: joinOutputSchema },
  base: { input: baseInputSchema, output: baseOutputSchema },
  place: { input: placeInputSchema, output: placementSchema },
  gate: { input: gateInputSchema, output: verdictSchema },
  breakpoint: { input: breakpointInputSchema, output: breakpointOutputSchema },
  ask: { input: askInputSchema, output: askOutputSchema },
  sleep: { input: sleepInputSchema, output: sleepOutputSchema },
  subprocess: { input: subprocessInputSchema, output: subprocessOutputSchema },
  publish: { input: publishInputSchema, output: publishOutputSchema },
} as const;

export type EffectKind = keyof typeof effectSchemas;
export const effectKinds = Object.keys(effectSchemas) as EffectKind[];
export type EffectInput<K extends EffectKind> = z.infer<(typeof effectSchemas)[K]["input"]>;
export type EffectOutput<K extends EffectKind> = z.infer<(typeof effectSchemas)[K]["output"]>;

/**
 * The source of an effect's end. A `worker` performs it, `people` answer it, `time` passes, `facts` arrive from GitHub,
 * or a child `run` ends.
 */
export const effectEndedBy = {
  agent: "worker",
  shell: "worker",
  join: "worker",
  base: "worker",
  place: "worker",
  publish: "worker",
  gate: "facts",
  breakpoint: "people",
  ask: "people",
  sleep: "time",
  subprocess: "run",
} as const satisfies Record<EffectKind, "worker" | "people" | "time" | "facts" | "run">;

export const retryPolicySchema = z.object({
  attemptsMax: z.number().int().min(1).max(20),
  /** First pause. It doubles after each failure, up to `pauseMaxMs`. */
  pauseMs: z.number().nonnegative(),
  pauseMaxMs: z.number().nonnegative(),
});
export type RetryPolicy = z.infer<typeof retryPolicySchema>;

export const hintsSchema = z.object({
  /** A higher number goes first, among the effects of its run. */
  priority: z.number().int().optional(),
  /** Workers' effects of one group run one at a time. */
  group: z.string().optional(),
  /** The expected cost. Baton sets it aside before the attempt, which may ask for more. Absent: the settings' amount. */
  costUsd: z.number().positive().optional(),
  /** The earliest start, in milliseconds since the epoch. */
  notBefore: z.number().optional(),
  /** The time that this effect's shielded scope may take after a cancel. Absent: the process sets no own time. */
  shieldedMs: z.number().positive().optional(),
});
export type Hints = z.infer<typeof hintsSchema>;
