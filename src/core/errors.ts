/**
 * The single catalog of errors. Each entry has a code, its cause, its remedy, and its treatment by the engine.
 * `docs/reference/errors.md` is generated from it.
 *
 * Owns: codes, classes of treatment, remedies. Does not own: redaction (`text/redact.ts`), rendering.
 * E1 Decide by `code`, never by `instanceof`: errors cross the journal and lose their class.
 * E2 A message says what failed, the offending value and the allowed values. The remedy says what to do.
 * E3 `cause` is kept.
 */
import { z } from "zod";
import { personal } from "./personal.ts";

/**
 * How the engine continues. `terminal`: never again. `retryable`: another attempt. `cancelled`: somebody asked to stop.
 */
export type ErrorTreatment = "terminal" | "retryable" | "cancelled";

interface CatalogueEntry {
  treatment: ErrorTreatment;
  /** The cause of the error, for the reference. */
  when: string;
  /** The next step for a person. Every message shows it. */
  remedy: string;
  httpStatus: number;
}

const entry = (treatment: ErrorTreatment, httpStatus: number, when: string, remedy: string): CatalogueEntry => ({
  treatment,
  httpStatus,
  when,
  remedy,
});

export const errorCatalogue = {
  // Engine
  BATON_DIVERGENCE: entry(
    "terminal",
    409,
    "On replay the process asks for something else than its journal holds; the message has both values.",
    "The process changed under a running run. Restore the process version that the run started with, or use `/baton retry` to start again.",
  ),
  BATON_PROCESS_STALLED: entry(
    "terminal",
    500,
    "A process waits, but none of its effects is open.",
    "In the process, use only `ctx` to wait: docs/guides/processes.md.",
  ),
  BATON_PROCESS_FAILED: entry(
    "terminal",
    500,
    "A process threw, gave an output that is not JSON, used a step key twice, never waited, asked for more than 10,000 effects, or nested its child runs too deep.",
    "Read the failing step in the thread, then `/baton retry`.",
  ),
  BATON_PROCESS_UNKNOWN: entry(
    "terminal",
    404,
    "No process is registered by this name or, for a run under way, in this version.",
    "Use one of the listed process names, or register the process.",
  ),
  BATON_MIGRATION_REFUSED: entry(
    "terminal",
    409,
    "The newest version of a process cannot go on with a run that began with another one.",
    "The run goes on as it was, with its own version. To use the newer one, `/baton cancel` and `/baton run`.",
  ),
  BATON_STEP_FAILED: entry(
    "terminal",
    422,
    "A step of a workflow ended, but not as it should: a command with another exit code than 0, a gate that says no, a child run that did not pass.",
    "Look at the step's output. `retry` gives it another try, `continueOnError` lets the others go on.",
  ),
  BATON_PLAN_INVALID: entry(
    "terminal",
    422,
    "A plan has no steps that Baton can read, its steps wait for each other in a circle or for one that is not there, or two that would run at once may change the same paths.",
    "Change `dependsOn` or `scope` of the steps that the message names. If an agent wrote the plan, run it again with another model.",
  ),
  BATON_SCOPE_LEFT: entry(
    "terminal",
    422,
    "A step of a plan changed paths that are not in its scope, by git's measure, and nobody allowed it.",
    "Widen the step's `scope`, or allow the change when Baton asks.",
  ),
  BATON_PIPELINE_MISMATCH: entry(
    "terminal",
    422,
    "The output of one pipeline stage does not fit the input of the next stage. The message names the stages, the path, and both values.",
    "Change the schema or the value of what is named. In a YAML process these are `inputs`, `with` and `outputs`; `baton process check` reads the file before it is pushed.",
  ),
  BATON_EXPRESSION_INVALID: entry(
    "terminal",
    422,
    "An expression of a YAML process gives no value: text that should be JSON and is not, or a text beyond every bound.",
    "Correct the expression, or look at the value that it was given; see docs/guides/yaml-processes.md#expressions.",
  ),
  BATON_PROCESS_INVALID: entry(
    "terminal",
    422,
    "A YAML process of the repository has errors; the message has each with its line and column.",
    "Correct the file on the base branch. `baton process check <file>` shows the same without a run.",
  ),
  BATON_INPUT_INVALID: entry(
    "terminal",
    422,
    "The input of a process, an effect or a library call does not fit its schema, or a branch to work from is missing.",
    "Correct the named field and ask again.",
  ),
  BATON_REPORT_INVALID: entry(
    "terminal",
    422,
    "A report that a detector of a sweep should read is empty, too large, or not of its format.",
    "Run the detector's command by hand, and check its report with `baton sweep detect`.",
  ),
  BATON_EVENT_INVALID: entry(
    "terminal",
    500,
    "An event does not fit the schema of events, or has no place where it stands in the journal.",
    "The journal holds an event that this version cannot read. Upgrade Baton, or restore the journal from a backup.",
  ),
  BATON_EVENT_NEWER: entry(
    "retryable",
    500,
    "A journal holds an event of a kind or of a schema version that this Baton does not know: a newer Baton wrote it.",
    "This Baton leaves the run to the newer one and goes on with all others. Finish the upgrade on every replica; if you went back on purpose, cancel the run with the newer version first.",
  ),
  BATON_ERASE_REFUSED: entry(
    "terminal",
    409,
    "Personal texts of a run cannot be deleted now, or not without breaking its hash chain.",
    "Cancel a run that is not over and wait for its end. Journals of a Baton before 0.2 keep their texts; remove such a run as a whole.",
  ),
  BATON_RUN_ERASED: entry(
    "terminal",
    410,
    "A run is to be begun again or moved, but its personal texts were deleted, and its input with them.",
    "Begin a new run with `/baton run` in its thread.",
  ),
  BATON_JOURNAL_CONFLICT: entry(
    "retryable",
    409,
    "An append expected the journal to end somewhere else.",
    "Another worker was first. Baton reads the journal again by itself.",
  ),
  BATON_JOURNAL_BROKEN: entry(
    "terminal",
    500,
    "An event is missing, altered or out of order.",
    "The hash chain of this run is broken, so its journal was altered, and Baton does not go on with it. Restore the database from a backup. In Actions mode, restore the thread's ref, or delete it to start again: docs/guides/actions-mode.md#when-the-state-is-broken.",
  ),
  BATON_LEASE_LOST: entry(
    "retryable",
    409,
    "A worker writes to a run whose lease it does not hold any more.",
    "Another worker took this run over. Nothing to do.",
  ),
  BATON_CANCELLED: entry(
    "cancelled",
    409,
    "The run, or the branch of the process that the step belongs to, was cancelled.",
    "Somebody asked Baton to stop. Use `/baton retry` to start again.",
  ),
  BATON_TIMEOUT: entry(
    "retryable",
    504,
    "A step, a gate, a question or `waitFor` took longer than its limit.",
    "Raise the limit (`limits` in `baton.yaml`, or `timeoutMinutes` of the step of a YAML process) or split the task.",
  ),
  BATON_ATTEMPT_LOST: entry(
    "retryable",
    503,
    "The worker stopped or died during an attempt.",
    "The worker died while this step ran. Baton tries again by itself.",
  ),
  // Storage
  BATON_DATABASE_LOCKED: entry(
    "terminal",
    503,
    "Another process holds the data directory.",
    "Another Baton uses this data directory. Stop it, choose another directory with BATON_DATA, or use a PostgreSQL server through DATABASE_URL.",
  ),
  BATON_DATABASE_NEWER: entry(
    "terminal",
    503,
    "The database has a migration that this version does not know.",
    "A newer Baton wrote this database. Upgrade this one.",
  ),
  BATON_DATABASE_UNAVAILABLE: entry(
    "retryable",
    503,
    "The database cannot be opened, migrated, read or written.",
    "Check that the database server runs and that DATABASE_URL is right.",
  ),
  BATON_DATABASE_MISSING: entry(
    "terminal",
    503,
    "No database is set up: neither a PostgreSQL server nor the embedded database.",
    "Set DATABASE_URL to a PostgreSQL server, or install the embedded database next to Baton: `npm install @electric-sql/pglite@0.5`.",
  ),
  BATON_SHARE_EXCEEDED: entry(
    "terminal",
    402,
    "A step used up the share of the run's budget that was meant for it, while others of the run go on with theirs.",
    "Give the run more (`--budget`), or let fewer share it. Baton keeps the step's work so far.",
  ),
  // Git and workspaces
  BATON_GIT_FAILED: entry(
    "retryable",
    502,
    "A git command of Baton's own failed.",
    "See the git message. Baton tries again; if it stays, check access and the repository.",
  ),
  BATON_GIT_DENIED: entry(
    "terminal",
    403,
    "Actions mode: the repository's git refuses the job's token. It may not write, or it has run out.",
    "Give the job `permissions: { contents: write }` in its workflow. A token of your own needs the same, and must live as long as the job: an App's lives an hour.",
  ),
  BATON_STATE_BROKEN: entry(
    "terminal",
    500,
    "A file of Actions mode's state in the repository's git is not what Baton wrote.",
    "Somebody changed the ref that the message names. Restore the previous commit, or delete the ref to start again: docs/guides/actions-mode.md#when-the-state-is-broken.",
  ),
  BATON_STATE_ROLLED_BACK: entry(
    "terminal",
    409,
    "The ref of a thread in Actions mode is older than one that Baton has seen, or was removed.",
    "Push the commit that the message names to that ref again. If the change was meant, say so with one more ref: docs/guides/actions-mode.md#when-a-ref-was-set-back.",
  ),
  BATON_MOUNT_FAILED: entry(
    "retryable",
    503,
    "A workspace's overlay could not be mounted or unmounted.",
    "See the message. Baton's machine keeps the agent's files. If that machine can no longer mount, set BATON_WORKSPACES=checkout.",
  ),
  BATON_BRANCH_MOVED: entry(
    "terminal",
    409,
    "The branch is not at the commit that the run knows, so the push was not made.",
    "Somebody pushed to the branch meanwhile. Nothing was overwritten; `/baton retry` goes on from the new head.",
  ),
  BATON_PUSH_REFUSED: entry(
    "terminal",
    422,
    "GitHub refuses a push by a rule of the repository, a hook or a permission. The branch did not move.",
    "The message quotes GitHub and says what helps. The commits are kept: change it, then `/baton retry`.",
  ),
  BATON_TREE_REFUSED: entry(
    "terminal",
    422,
    "The agent's commits have a path, a mode, a size or a number of files that is not let in.",
    "The agent's commit holds something that is not allowed (see the reason). Nothing was pushed.",
  ),
  BATON_WORK_TOO_LARGE: entry(
    "terminal",
    413,
    "The commits of a step are too large to be kept for the steps after it.",
    "Keep large files out of the change, for example with Git LFS, then `/baton retry`.",
  ),
  BATON_WORK_SEALED: entry(
    "terminal",
    409,
    "Commits that the scan for secrets blocked are kept encrypted, and this job cannot open them.",
    "Give Baton's step the `state-key` that they were encrypted with. If that key is lost, `/baton retry` does the steps again.",
  ),
  // Sandbox
  BATON_SANDBOX_REFUSED: entry(
    "terminal",
    503,
    "The sandbox cannot be set up for this attempt: it does not work on this machine, or a path may not be shown to an agent.",
    "Run `baton sandbox test` where Baton runs. It shows what is missing and how to install or allow it.",
  ),
  BATON_SECRET_FOUND: entry(
    "terminal",
    422,
    "A commit that Baton was about to push holds a secret: in a file, a name, a message or an author.",
    "Baton pushed nothing. Change the secret if it is real, then `/baton retry`. For strings that only look like tokens, list their files in `secrets.allow` of `baton.yaml`.",
  ),
  // Harnesses
  BATON_HARNESS_UNKNOWN: entry(
    "terminal",
    404,
    "No harness has this name, or it is not set up here.",
    "Use one of the listed harnesses.",
  ),
  BATON_HARNESS_MISSING: entry(
    "terminal",
    503,
    "The program of the harness, or of a shell step, is not found.",
    "Install the harness on the machine that runs Baton (the command is in the message).",
  ),
  BATON_HARNESS_KEY_MISSING: entry(
    "terminal",
    503,
    "The harness needs a key and none is set.",
    "Set the named environment variable where Baton runs; in Actions mode in `env` of Baton's step, from a secret (one that does not exist is empty).",
  ),
  BATON_HARNESS_SANDBOX: entry(
    "terminal",
    503,
    "Codex cannot set up its sandbox on this machine.",
    "Allow unprivileged user namespaces where Baton runs (in a container: by its seccomp profile), or use another harness.",
  ),
  BATON_SANDBOX_UNAVAILABLE: entry(
    "terminal",
    503,
    "A sandbox is required for agents, and the machine that runs them has none that works.",
    "Run `baton sandbox test` on that machine: it names what is missing. `sandbox` in `baton.yaml` and BATON_SANDBOX set whether a sandbox is required (docs/guides/sandbox.md).",
  ),
  BATON_SANDBOX_LIMIT: entry(
    "terminal",
    422,
    "An attempt used more memory, processes or disk than its sandbox allows.",
    "Raise the limit that the message names (BATON_SANDBOX_MEMORY, BATON_SANDBOX_PROCESSES or BATON_SANDBOX_DISK where agents run), or split the task.",
  ),
  BATON_SETUP_FAILED: entry(
    "terminal",
    422,
    "A command of `sandbox.setup` failed, so no agent was started.",
    "Fix the command in `baton.yaml`, or add the host that it needs to `sandbox.network`.",
  ),
  BATON_HARNESS_AUTH: entry(
    "terminal",
    502,
    "The model's service refuses the key.",
    "The model's service refused the key. Check that it is valid and has credit.",
  ),
  BATON_HARNESS_QUOTA: entry(
    "retryable",
    429,
    "The model's service answers that there were too many requests or that the quota is used up.",
    "The model's service limits the rate or quota. Baton waits and tries again.",
  ),
  BATON_HARNESS_UNAVAILABLE: entry(
    "retryable",
    503,
    "The model's service answers with a fault of its own.",
    "The model's service fails. Baton waits and tries again.",
  ),
  BATON_HARNESS_REFUSED: entry(
    "terminal",
    422,
    "The model declined to do the task.",
    "The model refused the task. Say it differently, or choose another model.",
  ),
  BATON_MODEL_UNKNOWN: entry(
    "terminal",
    404,
    "The model's service does not know the model that was asked for, or has retired it.",
    "Name one of the listed models in `models` or `tiers` of `baton.yaml`, or with `--model`. `npm run models:check` shows which defaults retire.",
  ),
  BATON_PROMPT_TOO_LONG: entry(
    "terminal",
    413,
    "The model's service refuses a request because its input is longer than the model's window.",
    "Split the task, or choose a model with a larger window (`models` in `baton.yaml`, or `--model`).",
  ),
  BATON_HARNESS_LOOP: entry(
    "terminal",
    422,
    "The harness stopped its own agent because it repeated itself.",
    "Say the task more precisely, or choose another model or harness, then `/baton retry`.",
  ),
  BATON_HARNESS_CRASHED: entry(
    "retryable",
    502,
    "The harness ended by a signal, with a failure, or without a result.",
    "The harness ended without a result. Baton tries again.",
  ),
  BATON_HARNESS_HUNG: entry(
    "retryable",
    504,
    "No output for `limits.silenceMinutes`.",
    "The harness printed nothing for too long. Baton stopped it and tries again.",
  ),
  BATON_HARNESS_OUTPUT: entry(
    "retryable",
    502,
    "The harness printed without end, or ended without the message that says how.",
    "The harness printed what Baton cannot read. Compare what `baton harness doctor` says of its version with docs/guides/harnesses.md.",
  ),
  BATON_HARNESS_TURNS: entry(
    "terminal",
    422,
    "An attempt used all of `limits.turns`.",
    "The harness reached its turn limit. Raise `limits.turns` or split the task.",
  ),
  BATON_HARNESS_TOKENS: entry(
    "retryable",
    422,
    "An attempt used all of `limits.attemptTokens`.",
    "The harness reached `limits.attemptTokens`. Baton goes on from its work in another attempt; raise the limit or split the task.",
  ),
  BATON_HARNESS_FALLBACK: entry(
    "retryable",
    503,
    "A harness failed by a fault of its own, and another of `harness.fallback` takes the step over.",
    "Nothing to do for this run. See what the message says of the one that failed.",
  ),
  BATON_HARNESS_UNSUITABLE: entry(
    "terminal",
    422,
    "No harness of `harness.default` and `harness.fallback` has what the step or its profile needs.",
    "Change `harness.profile`, `harness.fallback` or `harness.models` in `baton.yaml` as the message says.",
  ),
  // Money
  BATON_BUDGET_EXCEEDED: entry(
    "terminal",
    402,
    "An attempt reached the amount that was set aside for it.",
    "Top the run up with `/baton budget +2`, or cancel it. The work so far is kept.",
  ),
  BATON_DAY_BUDGET: entry(
    "terminal",
    402,
    "The repository has used `budget.dayUsd` of this day, so no paid work starts.",
    "Start it on the next day, or raise `budget.dayUsd` in `baton.yaml` on the default branch.",
  ),
  BATON_PRICE_UNKNOWN: entry(
    "terminal",
    422,
    "A model is asked for whose price nobody knows, while `budget.unknownPrice: stop`. Its first request is refused.",
    "Add the model's price to `prices` in `baton.yaml`, or choose a model with a known price.",
  ),
  // GitHub
  BATON_GITHUB_UNAVAILABLE: entry(
    "retryable",
    502,
    "GitHub answers 5xx, or not at all.",
    "GitHub does not answer. Baton tries again.",
  ),
  BATON_GITHUB_LIMITED: entry(
    "retryable",
    429,
    "GitHub answers 429, or 403 because of a rate limit.",
    "GitHub limits the rate. Baton waits as told.",
  ),
  BATON_GITHUB_DENIED: entry(
    "terminal",
    403,
    "GitHub answers 401 or 403: the App, or the job's token, lacks a permission.",
    "Give the permission named in the message: to the App (Settings → GitHub Apps → Baton), in Actions mode to the job (`permissions` of its workflow).",
  ),
  BATON_THREAD_CLOSED: entry(
    "terminal",
    403,
    "GitHub takes no comment of Baton's in a thread: it is locked, or the repository is archived.",
    "Unlock the conversation, or unarchive the repository. Then give the command again.",
  ),
  BATON_GITHUB_NOT_FOUND: entry(
    "terminal",
    404,
    "GitHub answers 404 or 410.",
    "Check that the App is installed on this repository.",
  ),
  BATON_GITHUB_INCOMPLETE: entry(
    "terminal",
    502,
    "GitHub has more checks, reviews, files or comments in one place than Baton reads (3,000), or can tell.",
    "Nothing is decided on a part of the facts. Split the change or go on in a new thread; a person can decide on GitHub.",
  ),
  BATON_GITHUB_CONFLICT: entry(
    "terminal",
    409,
    "GitHub refuses a change in the present state, or a question was answered meanwhile.",
    "GitHub refused the change because the state moved. `/baton retry` goes on from the new state.",
  ),
  BATON_MERGE_LATER: entry(
    "retryable",
    409,
    "GitHub does not merge at this moment: the base just moved, or GitHub is still computing whether it can.",
    "Baton tries again.",
  ),
  BATON_MERGE_REFUSED: entry(
    "terminal",
    409,
    "GitHub does not merge the pull request by a rule of the repository.",
    "The message quotes GitHub. A person with write access can do what it asks for; Baton then merges.",
  ),
  BATON_UNREACHABLE: entry(
    "retryable",
    503,
    "A runner of `executor: actions` gets no answer from the Baton that gave it its order.",
    "Look whether Baton runs, and whether BATON_PUBLIC_URL leads to it from outside (docs/guides/runners.md).",
  ),
  BATON_TOKEN_DENIED: entry(
    "terminal",
    403,
    "GITHUB_TOKEN of the command line is refused, sees no such repository, or may not do what is asked.",
    "Give a token that may: `gh auth refresh --scopes repo,workflow`, then `GITHUB_TOKEN=$(gh auth token)`. A fine-grained one needs contents, pull requests and workflows: write.",
  ),
  BATON_RUNNER_ABSENT: entry(
    "terminal",
    422,
    "`executor: actions` cannot start its workflow: it is not on the default branch, is disabled, or is not one that Baton may start.",
    "Correct what the message names (docs/guides/runners.md), then `/baton retry`.",
  ),
  BATON_WORKER_REFUSED: entry(
    "terminal",
    401,
    "The worker's token is invalid: not a job's token, another audience, expired, or not signed by GitHub.",
    "Ask the platform for a fresh token whose audience is the `endpoint` of the order; the job needs `permissions: id-token: write`.",
  ),
  BATON_SIGNATURE_INVALID: entry(
    "terminal",
    401,
    "A delivery is not signed with the webhook secret.",
    "Use the same webhook secret in the App's settings and in WEBHOOK_SECRET.",
  ),
  BATON_PAYLOAD_TOO_LARGE: entry(
    "terminal",
    413,
    "A delivery is larger than 25 MB, or a runner's result larger than Baton or a proxy before it takes.",
    "For a delivery, Baton reads the state from GitHub instead. For runners, let the reverse proxy pass 300 MB, and divide a step that needs more.",
  ),
  BATON_PAYLOAD_INVALID: entry(
    "terminal",
    400,
    "A delivery lacks its headers, or a request is not JSON or does not arrive whole in time.",
    "The delivery is not what GitHub sends, or the request not what the effect protocol describes (docs/reference/effects.openapi.json).",
  ),
  // People and policy
  BATON_COMMAND_UNKNOWN: entry(
    "terminal",
    400,
    "`/baton help` is asked about a command that does not exist.",
    "`/baton help` lists the commands.",
  ),
  BATON_COMMAND_INVALID: entry(
    "terminal",
    400,
    "A command is not written as its grammar says, or has no meaning in the present state.",
    "`/baton help` shows how the command is written.",
  ),
  BATON_NOT_ASKED: entry(
    "terminal",
    409,
    "A command answers or undoes what the run does not wait for: nothing is asked, or it is not paused.",
    "`/baton why` says what the run waits for.",
  ),
  BATON_POLICY_DENIED: entry(
    "terminal",
    403,
    "A rule of the policy says no; the message quotes it.",
    "Ask the person that the message names, or change the named setting.",
  ),
  BATON_NOT_POSSIBLE: entry(
    "terminal",
    422,
    "A run could not reach its end in this repository as it is: a rule, a name or a setting is in the way. It is looked for before anything is paid.",
    "Change what the message names, then give the command again.",
  ),
  BATON_NEEDS_DECISION: entry(
    "terminal",
    409,
    "Something that a run usually needs is missing: CI, or a person who may approve. A person decides whether it goes on without.",
    "Provide what is missing, or give the command with the words that the message ends with.",
  ),
  BATON_NO_RUN: entry(
    "terminal",
    404,
    "A command needs a run and the thread has none, or none that is active; a worker names one that is not there.",
    "Begin one with `/baton run`, or give the command in the thread of the run.",
  ),
  BATON_RUN_ACTIVE: entry(
    "terminal",
    409,
    "A thread has one active run at most.",
    "Wait for the active run, or `/baton cancel` it.",
  ),
  // Setup
  BATON_SETTINGS_INVALID: entry(
    "terminal",
    500,
    "An environment variable is missing or not of the form it needs.",
    "Correct the named environment variable.",
  ),
  BATON_ADDRESS_UNAVAILABLE: entry(
    "terminal",
    500,
    "The App cannot listen at `HOST` and `PORT`.",
    "End what uses that address, or set `PORT` (and `HOST`) to one that is free on this machine.",
  ),
  BATON_DOOR_TAKEN: entry(
    "terminal",
    500,
    "At the start Baton sends itself a signed delivery, and something else answers it: another handler of the same server, or Probot's own.",
    "Give Baton a server without another handler at that path: `npm start`, or `probot run` with this application alone and `WEBHOOK_PATH` unset.",
  ),
  BATON_STOPPING: entry(
    "retryable",
    503,
    "A request comes while Baton stops.",
    "Send it again when Baton runs. A delivery that GitHub sent is asked for again at the next start.",
  ),
  BATON_INTERNAL: entry(
    "terminal",
    500,
    "Something happened that the code rules out.",
    "This is a fault in Baton. Please report it with the code and the run id.",
  ),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof errorCatalogue;
export const errorCodes = Object.keys(errorCatalogue) as ErrorCode[];

/** The form of an error in the journal, the thread and the API. */
export const errorDataSchema = z.object({
  code: z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]),
  message: personal(z.string()),
  /** Milliseconds until another try makes sense, if the other side gave a time (`retry-after`). */
  retryAfterMs: z.number().nonnegative().optional(),
  details: personal(z.record(z.string(), z.string())).optional(),
});
export type ErrorData = z.infer<typeof errorDataSchema>;

export interface BatonErrorOptions {
  cause?: unknown;
  retryAfterMs?: number | undefined;
  details?: Record<string, string>;
}

export class BatonError extends Error {
  override readonly name = "BatonError";
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly details: Record<string, string> | undefined;

  constructor(code: ErrorCode, message: string, options: BatonErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
  }

  get treatment(): ErrorTreatment {
    return errorCatalogue[this.code].treatment;
  }

  get remedy(): string {
    return errorCatalogue[this.code].remedy;
  }

  toData(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}

export function isBatonError(value: unknown): value is BatonError {
  return value instanceof BatonError;
}

/** True when `value` is an error with this code, even after it crossed the journal. */
export function hasCode(value: unknown, code: ErrorCode): boolean {
  return typeof value === "object" && value !== null && "code" in value && value.code === code;
}

/** For `catch`: turns errors with these codes into null, and throws every other error again. */
export function nullFor(...codes: readonly ErrorCode[]): (thrown: unknown) => null {
  return (thrown) => {
    if (codes.some((code) => hasCode(thrown, code))) return null;
    throw thrown;
  };
}

/** Turns any thrown value into a BatonError. A foreign error becomes `fallback` and keeps the original as `cause`. */
export function toBatonError(thrown: unknown, fallback: ErrorCode = "BATON_INTERNAL"): BatonError {
  if (isBatonError(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new BatonError(fallback, message, { cause: thrown });
}

export function fromData(data: ErrorData): BatonError {
  return new BatonError(data.code, data.message, {
    ...(data.retryAfterMs === undefined ? {} : { retryAfterMs: data.retryAfterMs }),
    ...(data.details === undefined ? {} : { details: data.details }),
  });
}

/** The error of a write that was decided under a lease, after another holder acquired that lease. */
export function leaseLost({ name, owner, epoch }: { name: string; owner: string; epoch: number }): BatonError {
  const message = `The lease ${name} (epoch ${epoch}) is not held by ${owner} any more.`;
  return new BatonError("BATON_LEASE_LOST", message, { details: { lease: name } });
}

/** Proves at compile time that the code handles a whole union. At run time it throws. */
export function unreachable(value: never): never {
  throw new BatonError("BATON_INTERNAL", `Unhandled case ${JSON.stringify(value)}.`);
}
