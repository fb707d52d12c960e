/**
 * The one catalogue of errors. Each entry has a code, what to do next, and how the engine treats it.
 *
 * Owns: codes, classes of treatment, remedies. Does not own: redaction (`thread/redact.ts`), rendering.
 * E1 Decide by `code`, never by `instanceof`: errors cross the journal and lose their class.
 * E2 A message says what failed, the offending value, what is allowed; the remedy says what to do.
 * E3 `cause` is kept.
 */
import { z } from "zod";

/** How the engine goes on: `terminal` never again, `retryable` another attempt, `cancelled` somebody asked to stop. */
export type ErrorTreatment = "terminal" | "retryable" | "cancelled";

interface CatalogueEntry {
  treatment: ErrorTreatment;
  /** What a person does next; shown under every message. */
  remedy: string;
  httpStatus: number;
}

const entry = (treatment: ErrorTreatment, httpStatus: number, remedy: string): CatalogueEntry => ({
  treatment,
  httpStatus,
  remedy,
});

export const errorCatalogue = {
  // engine
  BATON_DIVERGENCE: entry(
    "terminal",
    409,
    "The process changed under a running run. Restore the process version that the run began with, or `/baton retry` to begin anew.",
  ),
  BATON_PROCESS_STALLED: entry(
    "terminal",
    500,
    "The process awaits something that is not an effect. Use only `ctx` to wait; see docs/guides/processes.md.",
  ),
  BATON_PROCESS_FAILED: entry("terminal", 500, "Read the failing step in the thread, then `/baton retry`."),
  BATON_PROCESS_UNKNOWN: entry("terminal", 404, "Use one of the listed process names, or register the process."),
  BATON_INPUT_INVALID: entry("terminal", 422, "Correct the named field and ask again."),
  BATON_EVENT_INVALID: entry(
    "terminal",
    500,
    "The journal holds an event that this version cannot read. Upgrade Baton, or restore the journal from a backup.",
  ),
  BATON_JOURNAL_CONFLICT: entry("retryable", 409, "Another worker was first. Baton reads the journal again by itself."),
  BATON_JOURNAL_BROKEN: entry(
    "terminal",
    500,
    "The hash chain of this run is broken, so its journal was altered. Restore it from a backup; Baton will not go on.",
  ),
  BATON_LEASE_LOST: entry("retryable", 409, "Another worker took this run over. Nothing to do."),
  BATON_CANCELLED: entry("cancelled", 409, "Somebody asked to stop. `/baton retry` begins anew."),
  BATON_TIMEOUT: entry("retryable", 504, "Raise the limit in `baton.yaml` (`limits`) or split the task."),
  BATON_ATTEMPT_LOST: entry("retryable", 503, "The worker died while this step ran. Baton tries again by itself."),
  // storage
  BATON_DATABASE_LOCKED: entry(
    "terminal",
    503,
    "Another Baton uses this data directory. Stop it, choose another directory with BATON_DATA, or use a PostgreSQL server through DATABASE_URL.",
  ),
  BATON_DATABASE_NEWER: entry("terminal", 503, "A newer Baton wrote this database. Upgrade this one."),
  BATON_DATABASE_UNAVAILABLE: entry(
    "retryable",
    503,
    "Check that the database server runs and that DATABASE_URL is right.",
  ),
  // git and workspaces
  BATON_GIT_FAILED: entry(
    "retryable",
    502,
    "See the git message. Baton tries again; if it stays, check access and the repository.",
  ),
  BATON_BRANCH_MOVED: entry(
    "terminal",
    409,
    "Somebody pushed to the branch meanwhile. Nothing was overwritten; `/baton retry` goes on from the new head.",
  ),
  BATON_TREE_REFUSED: entry(
    "terminal",
    422,
    "The agent's commit holds something that is not allowed (see the reason). Nothing was pushed.",
  ),
  BATON_NOTHING_CHANGED: entry(
    "terminal",
    422,
    "The agent changed nothing. Say more precisely what to do, or choose another model.",
  ),
  // harnesses
  BATON_HARNESS_UNKNOWN: entry("terminal", 404, "Use one of the listed harnesses."),
  BATON_HARNESS_MISSING: entry(
    "terminal",
    503,
    "Install the harness on the machine that runs Baton (the command is in the message).",
  ),
  BATON_HARNESS_KEY_MISSING: entry("terminal", 503, "Set the named environment variable where Baton runs."),
  BATON_HARNESS_SANDBOX: entry(
    "terminal",
    503,
    "Allow unprivileged user namespaces where Baton runs (in a container: by its seccomp profile), or use another harness.",
  ),
  BATON_HARNESS_AUTH: entry(
    "terminal",
    502,
    "The model's service refused the key. Check that it is valid and has credit.",
  ),
  BATON_HARNESS_QUOTA: entry(
    "retryable",
    429,
    "The model's service limits the rate or quota. Baton waits and tries again.",
  ),
  BATON_HARNESS_UNAVAILABLE: entry("retryable", 503, "The model's service fails. Baton waits and tries again."),
  BATON_HARNESS_REFUSED: entry(
    "terminal",
    422,
    "The model refused the task. Say it differently, or choose another model.",
  ),
  BATON_HARNESS_CRASHED: entry("retryable", 502, "The harness ended without a result. Baton tries again."),
  BATON_HARNESS_HUNG: entry(
    "retryable",
    504,
    "The harness printed nothing for too long. Baton stopped it and tries again.",
  ),
  BATON_HARNESS_OUTPUT: entry(
    "retryable",
    502,
    "The harness printed what Baton cannot read. Check its version with `baton harness doctor`.",
  ),
  BATON_HARNESS_TURNS: entry(
    "terminal",
    422,
    "The harness reached its turn limit. Raise `limits.turns` or split the task.",
  ),
  // money
  BATON_BUDGET_EXCEEDED: entry(
    "terminal",
    402,
    "Top the run up with `/baton budget +2`, or cancel it. The work so far is kept.",
  ),
  BATON_PRICE_UNKNOWN: entry(
    "terminal",
    422,
    "Add the model's price to `prices` in `baton.yaml`, or choose a model with a known price.",
  ),
  // GitHub
  BATON_GITHUB_UNAVAILABLE: entry("retryable", 502, "GitHub does not answer. Baton tries again."),
  BATON_GITHUB_LIMITED: entry("retryable", 429, "GitHub limits the rate. Baton waits as told."),
  BATON_GITHUB_DENIED: entry(
    "terminal",
    403,
    "Give the App the permission named in the message (Settings → GitHub Apps → Baton).",
  ),
  BATON_GITHUB_NOT_FOUND: entry("terminal", 404, "Check that the App is installed on this repository."),
  BATON_GITHUB_CONFLICT: entry(
    "terminal",
    409,
    "GitHub refused the change because the state moved. `/baton retry` goes on from the new state.",
  ),
  BATON_SIGNATURE_INVALID: entry(
    "terminal",
    401,
    "Use the same webhook secret in the App's settings and in WEBHOOK_SECRET.",
  ),
  BATON_PAYLOAD_TOO_LARGE: entry(
    "terminal",
    413,
    "Deliveries above 25 MB are not accepted; Baton reads the state from GitHub instead.",
  ),
  BATON_PAYLOAD_INVALID: entry("terminal", 400, "The delivery is not what GitHub sends."),
  // people and policy
  BATON_CONFIG_INVALID: entry("terminal", 422, "Correct `baton.yaml` on the default branch at the named line."),
  BATON_COMMAND_UNKNOWN: entry("terminal", 400, "`/baton help` lists the commands."),
  BATON_COMMAND_INVALID: entry("terminal", 400, "`/baton help` shows how the command is written."),
  BATON_POLICY_DENIED: entry("terminal", 403, "Ask one of the people that the message names."),
  BATON_NO_RUN: entry("terminal", 404, "Begin one with `/baton run`."),
  BATON_RUN_ACTIVE: entry("terminal", 409, "Wait for the active run, or `/baton cancel` it."),
  // set-up
  BATON_SETTINGS_INVALID: entry("terminal", 500, "Correct the named environment variable."),
  BATON_INTERNAL: entry("terminal", 500, "This is a fault in Baton. Please report it with the code and the run id."),
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof errorCatalogue;
export const errorCodes = Object.keys(errorCatalogue) as ErrorCode[];

/** The form in which an error crosses the journal, the thread and the API. */
export const errorDataSchema = z.object({
  code: z.enum(errorCodes as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  /** Milliseconds after which another try makes sense, where somebody said so (`retry-after`). */
  retryAfterMs: z.number().nonnegative().optional(),
  details: z.record(z.string(), z.string()).optional(),
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

/** True when `value` is an error with this code, also after it crossed the journal. */
export function hasCode(value: unknown, code: ErrorCode): boolean {
  return typeof value === "object" && value !== null && "code" in value && value.code === code;
}

/** Any thrown thing as a BatonError; what is not ours becomes `fallback` and keeps the original as `cause`. */
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

/** Compile-time proof that a union was handled whole; at run time a loud stop. */
export function unreachable(value: never): never {
  throw new BatonError("BATON_INTERNAL", `Unhandled case ${JSON.stringify(value)}.`);
}
