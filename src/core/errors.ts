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
import { product } from "./product.ts";

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
    "On replay the process asks for something else than its journal holds. The message has both values.",
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
    "Read the failing step in the thread, then write `/baton retry`.",
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
    "The newest version of a process cannot continue a run that began with another version.",
    "The run continues with its own version. To use the newer version, write `/baton cancel`, then `/baton run`.",
  ),
  BATON_STEP_FAILED: entry(
    "terminal",
    422,
    "A step of a workflow did not succeed: its command exited with a code other than 0, its gate is red, or its child run did not pass.",
    "Read the step's output. In the YAML file, `retry` repeats the step, and `continueOnError` lets the other steps continue.",
  ),
  BATON_PLAN_INVALID: entry(
    "terminal",
    422,
    "A plan has no readable steps, its steps depend on each other in a circle or on a missing step, or two parallel steps may change the same paths.",
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
    "Change the named schema or value. In a YAML process these are `inputs`, `with` and `outputs`. `baton process check` checks the file before a push.",
  ),
  BATON_EXPRESSION_INVALID: entry(
    "terminal",
    422,
    "An expression of a YAML process gives no value, because its text is not JSON or is too long.",
    "Correct the expression, or check its input: docs/guides/yaml-processes.md#expressions.",
  ),
  BATON_PROCESS_INVALID: entry(
    "terminal",
    422,
    "A YAML process of the repository has errors. The message lists each with its line and column.",
    "Correct the file on the base branch. `baton process check <file>` shows the same errors without a run.",
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
    "An event does not fit the schema of events, or is out of place in the journal.",
    "Upgrade Baton, or restore the journal from a backup.",
  ),
  BATON_EVENT_NEWER: entry(
    "retryable",
    500,
    "A newer Baton wrote an event of a kind or schema version that this Baton does not know.",
    "Finish the upgrade on every replica. Until then this Baton leaves the run alone. Before a deliberate downgrade, cancel the run with the newer version.",
  ),
  BATON_ERASE_REFUSED: entry(
    "terminal",
    409,
    "Personal texts of a run cannot be deleted now, or not without breaking its hash chain.",
    "If the run is active, cancel it and wait for its end. Journals of a Baton before 0.2 keep their texts. Remove such a run as a whole.",
  ),
  BATON_RUN_ERASED: entry(
    "terminal",
    410,
    "A run cannot start again or move, because its personal texts were deleted, and its input with them.",
    "Begin a new run with `/baton run` in its thread.",
  ),
  BATON_JOURNAL_CONFLICT: entry(
    "retryable",
    409,
    "An append expected the journal to end somewhere else.",
    "Nothing to do. Baton reads the journal again by itself.",
  ),
  BATON_JOURNAL_BROKEN: entry(
    "terminal",
    500,
    "An event is missing, altered or out of order.",
    "Somebody altered the journal, so Baton does not continue the run. Restore the database from a backup. In Actions mode, restore the thread's ref, or delete it to start again: docs/guides/actions-mode.md#when-the-state-is-broken.",
  ),
  BATON_LEASE_LOST: entry(
    "retryable",
    409,
    "A worker wrote to a run whose lease it no longer holds.",
    "Nothing to do. Another worker took over the run.",
  ),
  BATON_CANCELLED: entry(
    "cancelled",
    409,
    "The run, or the branch of the process that the step belongs to, was cancelled.",
    "Write `/baton retry` to start again.",
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
    "Nothing to do. Baton tries again by itself.",
  ),
  // Storage
  BATON_DATABASE_LOCKED: entry(
    "terminal",
    503,
    "Another process holds the data directory.",
    "Stop the other Baton, choose another directory with BATON_DATA, or use a PostgreSQL server with DATABASE_URL.",
  ),
  BATON_DATABASE_NEWER: entry(
    "terminal",
    503,
    "The database has a migration that this version does not know.",
    "Upgrade this Baton. A newer one wrote the database.",
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
    "A step used up its share of the run's budget, while other steps of the run continue with theirs.",
    "Give the run more with `--budget`, or let fewer steps share it. Baton keeps the work so far.",
  ),
  // Git and workspaces
  BATON_GIT_FAILED: entry(
    "retryable",
    502,
    "A git command that Baton ran failed.",
    "Baton tries again. If the error stays, check access and the repository by git's message.",
  ),
  BATON_GIT_DENIED: entry(
    "terminal",
    403,
    "Actions mode: git refuses the job's token, because it cannot write or has expired.",
    "Give the job `permissions: { contents: write }` in its workflow. Another token needs the same permission, and must be valid as long as the job. An App's token is valid for an hour.",
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
    "Push the commit that the message names to that ref again. If somebody changed it on purpose, add one more ref: docs/guides/actions-mode.md#when-a-ref-was-set-back.",
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
    "The branch is not at the commit that the run knows, so Baton did not push.",
    "Write `/baton retry` to continue from the new head. Baton overwrote nothing.",
  ),
  BATON_PUSH_REFUSED: entry(
    "terminal",
    422,
    "GitHub refuses a push by a rule of the repository, a hook or a permission. The branch did not move.",
    "Follow GitHub's words in the message, then write `/baton retry`. Baton keeps the commits.",
  ),
  BATON_TREE_REFUSED: entry(
    "terminal",
    422,
    "The agent's commits have a path, a mode, a size, or a number of files that Baton does not accept.",
    "Remove the named file, or add it to `.gitignore`, then write `/baton retry`. Baton pushed nothing.",
  ),
  BATON_WORK_TOO_LARGE: entry(
    "terminal",
    413,
    "The commits of a step are too large to be kept for the steps after it.",
    "Keep large files out of the change, for example with Git LFS, then write `/baton retry`.",
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
    "Baton cannot set up the sandbox for this attempt: it does not work on this machine, or an agent must not see a path.",
    "Run `baton sandbox test` where Baton runs. It shows what is missing and how to install or allow it.",
  ),
  BATON_SECRET_FOUND: entry(
    "terminal",
    422,
    "A commit that Baton was about to push holds a secret: in a file, a name, a message or an author.",
    "If the secret is real, change it, then write `/baton retry`. For strings that only look like tokens, list their files in `secrets.allow` of `baton.yaml`. Baton pushed nothing.",
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
    "Install the harness on the machine that runs Baton, with the command in the message.",
  ),
  BATON_HARNESS_KEY_MISSING: entry(
    "terminal",
    503,
    "The harness needs a key and none is set.",
    "Set the named environment variable where Baton runs. In Actions mode, set it in `env` of Baton's step from a secret. A missing secret is empty.",
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
    "Run `baton sandbox test` on that machine. It names what is missing. `sandbox` in `baton.yaml` and BATON_SANDBOX set whether a sandbox is required (docs/guides/sandbox.md).",
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
    "A command of `sandbox.setup` failed, so Baton started no agent.",
    "Fix the command in `baton.yaml`, or add the host that it needs to `sandbox.network`.",
  ),
  BATON_HARNESS_AUTH: entry(
    "terminal",
    502,
    "The model's service refuses the key.",
    "Check that the key is valid and has credit.",
  ),
  BATON_HARNESS_QUOTA: entry(
    "retryable",
    429,
    "The model's service reports too many requests, or a quota that is used up.",
    "Baton waits and tries again. If the error stays, raise the quota at the service.",
  ),
  BATON_HARNESS_UNAVAILABLE: entry(
    "retryable",
    503,
    "The model's service has a fault of its own.",
    "Baton waits and tries again.",
  ),
  BATON_HARNESS_REFUSED: entry(
    "terminal",
    422,
    "The model declined to do the task.",
    "Describe the task differently, or choose another model, then write `/baton retry`.",
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
    "Describe the task more precisely, or choose another model or harness, then write `/baton retry`.",
  ),
  BATON_HARNESS_CRASHED: entry(
    "retryable",
    502,
    "The harness ended by a signal, with a failure, or without a result.",
    "Baton tries again. If the error stays, run `baton harness doctor`.",
  ),
  BATON_HARNESS_HUNG: entry(
    "retryable",
    504,
    "No output for `limits.silenceMinutes`.",
    "Baton tries again. If builds print nothing, raise `limits.silenceMinutes`.",
  ),
  BATON_HARNESS_OUTPUT: entry(
    "retryable",
    502,
    "The harness printed without end, or without a final result.",
    "Compare the version that `baton harness doctor` shows with docs/guides/harnesses.md.",
  ),
  BATON_HARNESS_TURNS: entry(
    "terminal",
    422,
    "An attempt used all of `limits.turns`.",
    "Raise the limit, or split the task.",
  ),
  BATON_HARNESS_TOKENS: entry(
    "retryable",
    422,
    "An attempt used all of `limits.attemptTokens`.",
    "Baton continues from its work in another attempt. To avoid that, raise the limit or split the task.",
  ),
  BATON_HARNESS_FALLBACK: entry(
    "retryable",
    503,
    "A harness failed by a fault of its own, and another one of `harness.fallback` takes over the step.",
    "Nothing to do for this run. The message says why the harness failed.",
  ),
  BATON_HARNESS_UNSUITABLE: entry(
    "terminal",
    422,
    "No harness of `harness.default` and `harness.fallback` fits the step or its profile.",
    "Change `harness.profile`, `harness.fallback`, or `harness.models` in `baton.yaml`, as the message says.",
  ),
  // Money
  BATON_BUDGET_EXCEEDED: entry(
    "terminal",
    402,
    "An attempt reached the amount that was set aside for it.",
    "Write `/baton budget +2` to add 2 USD, or `/baton cancel`. Baton keeps the work so far.",
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
    "The price of a model is unknown, and `budget.unknownPrice` is `stop`. Baton refuses its first request.",
    "Add the model's price to `prices` in `baton.yaml`, or choose a model with a known price.",
  ),
  // GitHub
  BATON_GITHUB_UNAVAILABLE: entry(
    "retryable",
    502,
    "GitHub answers 5xx, or does not answer.",
    "Baton tries again by itself.",
  ),
  BATON_GITHUB_LIMITED: entry(
    "retryable",
    429,
    "GitHub answers 429, or 403 because of a rate limit.",
    "Baton waits as long as GitHub asks, then continues.",
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
    "GitHub accepts no comment in a thread, because it is locked or the repository is archived.",
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
    "GitHub has more checks, reviews, files, or comments in one place than the 3,000 that Baton reads.",
    "Split the change, continue in a new thread, or decide on GitHub. Baton decides nothing on a part of the facts.",
  ),
  BATON_GITHUB_CONFLICT: entry(
    "terminal",
    409,
    "GitHub refuses a change in the present state, or somebody answered a question meanwhile.",
    "Write `/baton retry` to continue from the new state.",
  ),
  BATON_MERGE_LATER: entry(
    "retryable",
    409,
    "GitHub does not merge right now, because the base just moved or GitHub still computes the merge.",
    "Baton tries again.",
  ),
  BATON_MERGE_REFUSED: entry(
    "terminal",
    409,
    "GitHub does not merge the pull request by a rule of the repository.",
    "A person with write access does what GitHub asks for in the message. Then Baton merges.",
  ),
  BATON_UNREACHABLE: entry(
    "retryable",
    503,
    "A runner of `executor: actions` gets no answer from its Baton.",
    "Check that Baton runs and that BATON_PUBLIC_URL reaches it from outside: docs/guides/runners.md.",
  ),
  BATON_TOKEN_DENIED: entry(
    "terminal",
    403,
    "GitHub refuses GITHUB_TOKEN of the command line, or the token lacks a permission or the repository.",
    "Get a token with these permissions: `gh auth refresh --scopes repo,workflow`, then `GITHUB_TOKEN=$(gh auth token)`. A fine-grained token needs contents, pull requests, and workflows: write.",
  ),
  BATON_RUNNER_ABSENT: entry(
    "terminal",
    422,
    "`executor: actions` cannot start its workflow, because it is missing on the default branch, disabled, or not allowed.",
    "Correct what the message names, then write `/baton retry`: docs/guides/runners.md.",
  ),
  BATON_WORKER_REFUSED: entry(
    "terminal",
    401,
    "The worker's token is invalid: not a job's token, another audience, expired, or not signed by GitHub.",
    "Ask the platform for a fresh token whose audience is the `endpoint` of the order; the job needs `permissions: id-token: write`.",
  ),
  BATON_TOKEN_REFUSED: entry(
    "terminal",
    401,
    "A request to the HTTP API carries no token of this Baton and no session, or one that is expired, revoked, used up, or of another Baton.",
    "Create a token with `baton token create`, and send it as `Authorization: Bearer <token>`: docs/guides/api.md.",
  ),
  BATON_RATE_LIMITED: entry(
    "retryable",
    429,
    "A client of the HTTP API sent more requests than Baton accepts from one client, or acted too often in one thread.",
    "Wait for the time of the header `Retry-After`, then send the request again.",
  ),
  BATON_PATH_UNKNOWN: entry(
    "terminal",
    404,
    "The HTTP API has no such path, or does not answer this method there.",
    "Compare the request with `docs/reference/openapi.json`.",
  ),
  BATON_KEY_REUSED: entry(
    "terminal",
    422,
    "A request to the HTTP API carries the `Idempotency-Key` of an earlier, different request.",
    "Send each request with a key of its own. Send the same key again only to repeat the same request.",
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
    "A delivery is larger than 25 MB, or a runner's result is larger than Baton or its proxy accepts.",
    "For a delivery, nothing to do: Baton reads the state from GitHub. For runners, let the reverse proxy pass 300 MB, and split a larger step.",
  ),
  BATON_PAYLOAD_INVALID: entry(
    "terminal",
    400,
    "A delivery lacks its headers, or a request is not JSON or does not arrive completely in time.",
    "Send what GitHub sends, or what the effect protocol describes: docs/reference/openapi.json.",
  ),
  // People and policy
  BATON_COMMAND_UNKNOWN: entry(
    "terminal",
    400,
    "`/baton help` names a command that does not exist.",
    "`/baton help` lists the commands.",
  ),
  BATON_COMMAND_INVALID: entry(
    "terminal",
    400,
    "A command has a wrong form, or makes no sense in the present state.",
    "`/baton help` shows how the command is written.",
  ),
  BATON_NOT_ASKED: entry(
    "terminal",
    409,
    "A command answers a question that the run does not ask, or resumes a run that is not paused.",
    "`/baton why` says what the run waits for.",
  ),
  BATON_POLICY_DENIED: entry(
    "terminal",
    403,
    "A rule of the policy says no. The message quotes the rule.",
    "Ask the person that the message names, or change the named setting.",
  ),
  BATON_NOT_POSSIBLE: entry(
    "terminal",
    422,
    "A rule, a name, or a setting of this repository would stop the run. Baton checks that before anything is paid.",
    "Change what the message names, then give the command again.",
  ),
  BATON_NEEDS_DECISION: entry(
    "terminal",
    409,
    "CI or a person who may approve is missing. A person decides whether the run continues without.",
    "Provide what is missing, or give the command with the words that the message ends with.",
  ),
  BATON_NO_RUN: entry(
    "terminal",
    404,
    "A command needs a run, and the thread has none or none that is active. Or a worker names a run that does not exist.",
    "Start one with `/baton run`, or give the command in the thread of the run.",
  ),
  BATON_RUN_ACTIVE: entry(
    "terminal",
    409,
    "A thread has one active run at most.",
    "Wait for the active run, or stop it with `/baton cancel`.",
  ),
  // Setup
  BATON_SETTINGS_INVALID: entry(
    "terminal",
    500,
    "An environment variable is missing or has a wrong form.",
    "Correct the named environment variable.",
  ),
  BATON_ADDRESS_UNAVAILABLE: entry(
    "terminal",
    500,
    "The App cannot listen at `HOST` and `PORT`.",
    "Stop the program that uses that address, or set `PORT` and `HOST` to a free address.",
  ),
  BATON_DOOR_TAKEN: entry(
    "terminal",
    500,
    "At the start Baton sends itself a signed delivery, and another handler of the same server answers it.",
    "Give Baton a server without another handler at that path: `npm start`, or `probot run` with this application alone and `WEBHOOK_PATH` unset.",
  ),
  BATON_STOPPING: entry(
    "retryable",
    503,
    "A request arrived while Baton was stopping.",
    "Send the request again when Baton runs. Baton asks GitHub for missed deliveries at the next start.",
  ),
  BATON_INTERNAL: entry(
    "terminal",
    500,
    "Baton has a fault.",
    `Report it with the code and the run's id: https://github.com/${product.repository}/issues.`,
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
