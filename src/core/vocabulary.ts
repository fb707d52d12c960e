/**
 * The words of Baton, defined once. Events, comments, documents and the code use these words.
 *
 * delivery    one webhook or Action event, stored once by (hook, GUID)
 * command     a person's request in a thread (`/baton run`)
 * thread      an issue or a pull request of one repository
 * session     a thread and everything that Baton did for it
 * run         one execution of a process: a journal of events
 * process     a versioned function from input to output that asks for effects
 * effect      a unit of work that a process asks for, known by its key within the run
 * attempt     one try at an effect, counted from 1
 * harness     a coding-agent command line
 * workspace   an isolated worktree in which a harness edits
 * gate        facts in, verdict out
 * verdict     status, sentence, evidence, children; an error is not a "no"
 * policy      rules that allow, ask or deny
 * handoff     information that one step leaves for the next
 * ledger      the record of money: reserved, then settled
 *
 * Owns: ids, and the small shapes that every layer shares. Does not own: events (`event.ts`), effects (`effect.ts`).
 */
import { z } from "zod";
import { personal } from "./personal.ts";

/** `run_` and a ULID or a digest: unique in an installation, safe in branch names, file names and URLs. */
export const runIdSchema = z
  .string()
  .regex(/^run_[0-9a-zA-Z]{10,40}$/)
  .brand<"RunId">();
export type RunId = z.infer<typeof runIdSchema>;

/** A run as people name it. The command line accepts the beginning of an id that only one run has. */
export function shortRunId(runId: string): string {
  return runId.slice(0, 12);
}

/** The statuses of an active run in the index. An active run holds its thread, and its values stay. */
export const activeRunStatuses = ["running", "waiting", "paused"] as const;
export const runStatuses = [...activeRunStatuses, "completed", "failed", "cancelled"] as const;
export type RunStatus = (typeof runStatuses)[number];

export function isActiveStatus(status: RunStatus): boolean {
  return (activeRunStatuses as readonly RunStatus[]).includes(status);
}

/**
 * The store's values with this prefix continue with a run's id and `/`. They belong to that run, and Baton removes them
 * some time after its end.
 */
export const runValuePrefix = "effect:";

/**
 * Values with this prefix are objects that name their run in `runId`. Baton removes them with that run's other values.
 */
export const runPointerPrefix = "kept:";

/** Key of an effect in its run: scope path and name, for example `implement` or `review/2` or `race.claude/implement`. */
export const effectKeySchema = z.string().min(1).max(200).brand<"EffectKey">();
export type EffectKey = z.infer<typeof effectKeySchema>;

/** A full git object name, SHA-1 or SHA-256, lower case. */
export const shaSchema = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);

export const repositorySchema = z.object({
  /** GitHub's numeric id. A name can be renamed and registered again; an id cannot. */
  id: z.number().int().nonnegative(),
  owner: z.string().min(1),
  name: z.string().min(1),
  defaultBranch: z.string().min(1),
  installationId: z.number().int().nonnegative(),
});
export type Repository = z.infer<typeof repositorySchema>;

/** A repository as GitHub writes it, in answers and in deliveries. */
export interface GithubRepository {
  id: number;
  name: string;
  owner: { login: string };
  default_branch: string;
}

/** `installationId` is 0 if GitHub does not send it, or if there is no App. */
export function repositoryOf(found: GithubRepository, installationId = 0): Repository {
  const { id, name, owner, default_branch: defaultBranch } = found;
  return { id, owner: owner.login, name, defaultBranch, installationId };
}

export const threadSchema = z.object({
  repository: repositorySchema,
  number: z.number().int().positive(),
  kind: z.enum(["issue", "pull-request"]),
});
export type Thread = z.infer<typeof threadSchema>;

export const permissionSchema = z.enum(["none", "read", "triage", "write", "maintain", "admin"]);
export type Permission = z.infer<typeof permissionSchema>;

/** A person or bot as GitHub knows it. Rules compare `id`; people read `login`. */
export const actorSchema = z.object({
  id: personal(z.number().int()),
  login: personal(z.string().min(1)),
  kind: z.enum(["user", "bot"]),
  permission: permissionSchema,
});
export type Actor = z.infer<typeof actorSchema>;

/** Tokens as every layer counts them. The four numbers never overlap (`input` excludes tokens from or to a cache). */
export const tokensSchema = z.object({
  input: z.number().int().nonnegative(),
  output: z.number().int().nonnegative(),
  cacheRead: z.number().int().nonnegative(),
  cacheWrite: z.number().int().nonnegative(),
});
export type Tokens = z.infer<typeof tokensSchema>;

export const noTokens: Tokens = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

export function addTokens(a: Tokens, b: Tokens): Tokens {
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
  };
}

/** The usage of one model by one attempt. `costUsd` is null if the price table and the harness know no price. */
export const usageSchema = z.object({
  harness: z.string(),
  model: z.string(),
  tokens: tokensSchema,
  costUsd: z.number().nonnegative().nullable(),
  /** The part of `costUsd` for other charges than tokens: web searches. */
  feesUsd: z.number().positive().optional(),
  /** The source of the figure: our price table times tokens, or the harness's own report. */
  priceSource: z.enum(["table", "harness", "unknown"]),
  priceTableVersion: z.string().nullable(),
  /** The harness's own figures, if they differ from Baton's count. */
  reported: z.object({ tokens: tokensSchema, costUsd: z.number().nonnegative().nullable() }).optional(),
  /** Charged at the reserved amount, because Baton did not see the end of the request. */
  reserved: z.literal(true).optional(),
});
export type Usage = z.infer<typeof usageSchema>;

/** The sum of the known prices. */
export function usdOf(usage: readonly Usage[]): number {
  return usage.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0);
}

/** One piece of evidence: a link, a SHA, a count, a log extract. */
export const evidenceSchema = z.object({ label: z.string(), value: z.string(), url: z.string().optional() });
export type Evidence = z.infer<typeof evidenceSchema>;

/**
 * The shape of every decision. `error`: the question could not be answered; an error is never a "no".
 * `pending` waits for a fact. Skipped, neutral and missing are `passed` only if a rule's sentence says so.
 */
export interface Verdict {
  name: string;
  status: "passed" | "failed" | "pending" | "skipped" | "error";
  /** One sentence for people: the finding, the limit, the next step. */
  reason: string;
  evidence: Evidence[];
  children: Verdict[];
}
export const verdictSchema: z.ZodType<Verdict> = z.object({
  name: z.string(),
  status: z.enum(["passed", "failed", "pending", "skipped", "error"]),
  reason: personal(z.string()),
  evidence: personal(z.array(evidenceSchema)),
  /** Personal as a whole: a child may be named after a person. */
  get children() {
    return personal(z.array(verdictSchema));
  },
});

/** Values that survive the journal: a process's input and output, and the inputs of effects. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined };
export const jsonSchema: z.ZodType<Json> = z.json() as z.ZodType<Json>;

/** Capabilities that harnesses declare, and that steps and profiles may require. */
export const capabilities = [
  /** Continues one of its own sessions. */
  "resume",
  /** Its own flags can keep it from changing anything. */
  "readOnly",
  "systemPrompt",
  "maxTurns",
  "maxUsd",
  "reportsUsage",
  "reportsCost",
  /** Uses tools of given servers of the Model Context Protocol. */
  "toolServers",
] as const;
export type Capability = (typeof capabilities)[number];
