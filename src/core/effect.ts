/**
 * The kinds of effect: what a process may ask for, as data, and what it gets back.
 *
 * Owns: input and output schema of each kind. Does not own: how one is performed (`runner/perform/*`),
 * when one is due (`due.ts`).
 * F1 An effect's input holds everything needed to perform it; a performer reads no other state of the process.
 * F2 Input and output are JSON, checked on write and on read.
 */
import { z } from "zod";
import { findingSchema } from "./finding.ts";
import { personal } from "./personal.ts";
import { actorSchema, capabilities, jsonSchema, runIdSchema, shaSchema, verdictSchema } from "./vocabulary.ts";

/** What every effect may carry. */
const common = {
  /** Title in the list of steps. */
  title: z.string().min(1).max(200),
  /** The stage of the process that this belongs to. */
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
  /** A task of Baton's and its facts: the words are made when an attempt begins (`prompt/compose.ts`). */
  z.object({ task: z.string(), facts: jsonSchema }),
  /** A process's own words, told as they are. */
  z.object({ system: z.string(), user: z.string() }),
]);

export const agentInputSchema = z.object({
  ...common,
  role: z.enum(["plan", "implement", "repair", "address", "review", "verify"]),
  prompt: promptSchema,
  access: accessSchema,
  /** The commit that the workspace starts from. */
  baseSha: shaSchema,
  /** Commits that it looks at besides. Who reviews or verifies is shown what changed since the first of them. */
  reads: z.array(shaSchema).max(20).optional(),
  /** Names chosen for this effect; without them the configured defaults. */
  harness: z.string().optional(),
  model: z.string().optional(),
  /** Session of the same harness to resume, from an earlier agent output. */
  resumeSessionId: z.string().optional(),
  /** A bound for this effect; the smaller one of this and of the settings counts. */
  maxTurns: z.number().int().positive().optional(),
  /** Capabilities that the harness must have for this step, beside those of the profile. */
  needs: z.array(z.enum(capabilities)).optional(),
  /** Most that all attempts of this step together may spend, in USD; beyond it the step fails and its work is kept. Without it the run's budget bounds. */
  shareUsd: z.number().positive().optional(),
  /** True: nobody else takes over where `harness` fails. */
  onlyHarness: z.boolean().optional(),
  /** A profile for this effect beside that of the settings: both must allow what it does. */
  profile: z.string().optional(),
  /** Subject line for what the agent leaves uncommitted, and the default one for squashing. */
  commitSubject: z.string().optional(),
});
export type AgentInput = z.infer<typeof agentInputSchema>;

/** What an attempt's sandbox stopped, or why there was none. */
export const sandboxReportSchema = z.object({
  /** Why the attempt ran without a sandbox although one was wanted; null: it had one, or none was wanted. */
  missing: z.string().nullable(),
  denied: z.array(z.object({ kind: z.enum(["host", "path", "memory", "processes", "disk"]), name: z.string() })),
  /** Paths outside the worktree and its scratch that tool calls named while no sandbox held them. */
  outside: personal(z.array(z.string())),
});
export type SandboxReport = z.infer<typeof sandboxReportSchema>;

/** Commits of an attempt that its result does not hold: on another branch, in a stash, in a nested worktree. */
export const asideSchema = z.object({
  name: z.string(),
  headSha: shaSchema,
  commits: z.number().int().nonnegative(),
  /** Where Baton keeps them; null: they were refused. */
  ref: z.string().nullable(),
});
export type Aside = z.infer<typeof asideSchema>;

export const agentOutputSchema = z.object({
  harness: z.string(),
  model: z.string(),
  /** The agent's last message: its word, never a fact. */
  text: z.string(),
  sessionId: z.string().nullable(),
  baseSha: shaSchema,
  /** The commit that git found, already in the trusted repository; null when nothing changed. */
  headSha: shaSchema.nullable(),
  commits: z.number().int().nonnegative(),
  files: z.array(fileChangeSchema),
  /** True when uncommitted leftovers were saved in a rescue commit. */
  rescued: z.boolean(),
  /** Paths that it changed where it may not write: found by git, and thrown away. */
  discarded: z.array(z.string()).optional(),
  sandbox: sandboxReportSchema.optional(),
  aside: z.array(asideSchema).optional(),
  turns: z.number().int().nonnegative(),
  /** What all its attempts cost, where each price is known: the runner adds it. */
  costUsd: z.number().nonnegative().nullable().optional(),
  /** Content hash of the kept transcript and of the exact prompt. */
  transcriptId: z.string().nullable(),
  promptId: z.string().nullable(),
});
export type AgentOutput = z.infer<typeof agentOutputSchema>;

export const shellInputSchema = z.object({
  ...common,
  /** Program and arguments; no shell parses them. */
  command: z.array(z.string()).min(1),
  sha: shaSchema,
  /** The result of the same command over the same tree may be used again, kept by this name. */
  reuse: z.object({ as: z.string().regex(/^[a-z0-9-]{1,60}$/), forMs: z.number().int().positive() }).optional(),
  /** A detector of sweeps reads what the command left: the file at `report`, or what it printed. */
  detect: z
    .object({
      detector: z.string(),
      report: z.string().nullable(),
      /** The report is GitHub's own, and the command starts nothing. */
      from: z.literal("github").optional(),
      /** Messages of rules that the repository writes. */
      rules: z.array(z.object({ id: z.string(), message: z.string() })).optional(),
    })
    .optional(),
});
const shellOutputSchema = z.object({
  exitCode: z.number().int().nullable(),
  signal: z.string().nullable(),
  /** Last part of both streams, bounded and redacted. */
  output: z.string(),
  durationMs: z.number().nonnegative(),
  /** It is the result of an earlier step, of this time. */
  reusedFrom: z.number().optional(),
  sandbox: sandboxReportSchema.optional(),
  /** What the detector made of it; notes say what was left out, and why nothing could be read. */
  detected: z
    .object({
      findings: z.array(findingSchema),
      notes: z.array(z.string()),
      failed: z.boolean(),
      /** There were more findings than are kept. */
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
  /** What is approved: the text of a plan, or a pull request at a SHA. The approval holds for exactly this. */
  subject: z.object({
    text: z.string().optional(),
    pullRequest: z.number().int().positive().optional(),
    sha: shaSchema.optional(),
    /** The branch that the pull request goes to; without it that of the run's input. */
    base: z.string().optional(),
    /** It is in the merge queue: its end is waited for. */
    queued: z.boolean().optional(),
    paths: z.array(z.string()).optional(),
    /** Where the content of `paths` is: it is shown, and the answer holds for it only (`shown-change.ts`). */
    change: z.object({ baseSha: shaSchema, sha: shaSchema }).optional(),
  }),
});
export const breakpointOutputSchema = z.object({
  decision: z.enum(["approved", "rejected", "changes-requested", "voided"]),
  by: actorSchema.nullable(),
  /** Text of the review or of the command; data from the thread. */
  feedback: z.string(),
  sha: shaSchema.nullable(),
  /** The review that decided; it steers only once. */
  reviewId: z.number().int().nullable(),
  /** The branch that the pull request goes to now, where it is another than the one that was asked about. */
  base: z.string().optional(),
});
export type BreakpointOutput = z.infer<typeof breakpointOutputSchema>;

/** Where a pull request goes now, and the settings of that branch: the run's own from then on (`fold.ts`). */
export const baseInputSchema = z.object({ ...common, pullRequest: z.number().int().positive() });
export const baseOutputSchema = z.object({
  branch: z.string(),
  sha: shaSchema,
  settings: jsonSchema,
  settingsSha: z.string().nullable(),
  /** Reviews that were there already: their approvals are for the base before. */
  reviewIds: z.array(z.number().int()),
});
export type BaseOutput = z.infer<typeof baseOutputSchema>;

/** Merges commits onto `baseSha` in their order, without a work tree, up to the first that git cannot merge. */
export const joinInputSchema = z.object({ ...common, baseSha: shaSchema, shas: z.array(shaSchema).min(1).max(100) });
const joinOutputSchema = z.object({
  headSha: shaSchema,
  /** How many of them, from the first, are in it. */
  joined: z.number().int().nonnegative(),
  conflict: z.object({ sha: shaSchema, paths: z.array(z.string()) }).nullable(),
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
  /** Most that the child run may spend, in USD; without it what `budget.childShare` says. Never more than is left. */
  shareUsd: z.number().positive().optional(),
  /** For the steps of the child that name none themselves; without them those of the run. */
  harness: z.string().optional(),
  model: z.string().optional(),
});
const subprocessOutputSchema = z.object({ runId: runIdSchema, verdict: verdictSchema, output: jsonSchema });

/** Ask for what Baton measured to be put below a text: the change of `sha` against a branch, and the cost so far. */
const measuredSchema = z.object({ baseBranch: z.string(), sha: shaSchema });

/** One write to the outside. Each is an *ensure*: performed twice it leaves one result. */
export const publishOperationSchema = z.discriminatedUnion("operation", [
  z.object({
    operation: z.literal("push"),
    branch: z.string(),
    sha: shaSchema,
    /** The head that we know; null when the branch must not exist yet. Compare-and-swap. */
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
    /** The approved head; GitHub refuses when it moved. */
    sha: shaSchema,
    /** The branch that was judged; without it that of the run's input. */
    base: z.string().optional(),
    method: z.enum(["merge", "squash", "rebase"]),
  }),
  z.object({
    operation: z.literal("update-branch"),
    pullRequest: z.number().int().positive(),
    /** The head that is brought up to date with its base. */
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
    /** The decision that the comment tells of, for `/baton why`. */
    verdict: verdictSchema.optional(),
  }),
  z.object({
    operation: z.literal("delete-branch"),
    /** A branch that this run pushed; one that moved since is left alone. */
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
   * Head after a push or of the pull request; merge commit after a merge. Where a rule wants signed commits, GitHub makes Baton's
   * commits again, so the head after a push is another commit than the one given: judge that one.
   */
  sha: shaSchema.nullable(),
});
export type PublishOutput = z.infer<typeof publishOutputSchema>;

export const effectSchemas = {
  agent: { input: agentInputSchema, output: agentOutputSchema },
  shell: { input: shellInputSchema, output: shellOutputSchema },
  join: { input: joinInputSchema, output: joinOutputSchema },
  base: { input: baseInputSchema, output: baseOutputSchema },
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

/** Who ends an effect: `worker` performs it, `people` answer it, `time` passes, `facts` arrive from GitHub, `run` is a child. */
export const effectEndedBy = {
  agent: "worker",
  shell: "worker",
  join: "worker",
  base: "worker",
  publish: "worker",
  gate: "facts",
  breakpoint: "people",
  ask: "people",
  sleep: "time",
  subprocess: "run",
} as const satisfies Record<EffectKind, "worker" | "people" | "time" | "facts" | "run">;

export const retryPolicySchema = z.object({
  attemptsMax: z.number().int().min(1).max(20),
  /** First pause; doubled after each failure up to `pauseMaxMs`. */
  pauseMs: z.number().nonnegative(),
  pauseMaxMs: z.number().nonnegative(),
});
export type RetryPolicy = z.infer<typeof retryPolicySchema>;

export const hintsSchema = z.object({
  /** Higher first. */
  priority: z.number().int().optional(),
  /** Effects of one group count together against the parallel limit. */
  group: z.string().optional(),
  /** Not before this time, in milliseconds since the epoch. */
  notBefore: z.number().optional(),
  /** How long after a cancel the shielded scope of this effect may last, where its process asks for a time of its own. */
  shieldedMs: z.number().positive().optional(),
});
export type Hints = z.infer<typeof hintsSchema>;
