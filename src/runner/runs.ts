/**
 * Runs as a library (JSON-001): create, read, list, cancel, retry, advance. No shell, no thread command.
 *
 * The caller is trusted: it must itself enforce the policy of threads (who may ask). The policy for a run's actions
 * still applies.
 * RA1 `create` with the same `key` is the same run.
 * RA2 Values in and out are JSON, checked by schemas.
 */
import { z } from "zod";
import { defaultSettings, settingsSchema } from "../config/schema.ts";
import { cancel, isOver, refuseErased } from "../core/decide.ts";
import { BatonError, hasCode } from "../core/errors.ts";
import type { RunState } from "../core/state.ts";
import {
  type Actor,
  actorSchema,
  type Json,
  jsonSchema,
  type RunId,
  runStatuses,
  shortRunId,
  threadSchema,
} from "../core/vocabulary.ts";
import type { RunRow } from "../ports/store.ts";
import { parseInput } from "../process/process.ts";
import { type RunSummary, summarise } from "../summary/summary.ts";
import { createRun } from "./create-run.ts";
import { definitionOf } from "./definitions.ts";
import type { Dependencies } from "./dependencies.ts";
import { runNamed, runsNamed } from "./run-named.ts";
import type { Runner } from "./runner.ts";

export const createRunSchema = z.strictObject({
  key: z.string().min(1).max(200).describe("The same key again is the same run."),
  process: z.string().describe("Name of a registered process; its newest version runs."),
  input: jsonSchema.describe("Input of the process, checked by its own schema."),
  thread: threadSchema.describe("Where the run reports."),
  requestedBy: actorSchema.describe("Person who asked for the run. Nobody approves their own request."),
  budgetUsd: z.number().nonnegative().optional().describe("USD; without it `budget.runUsd` of the settings."),
  settings: settingsSchema.optional().describe("As in `baton.yaml`; without it the defaults."),
});
export type CreateRun = z.input<typeof createRunSchema>;

export const listRunsSchema = z.strictObject({
  repositoryId: z.number().int().optional(),
  repository: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+$/, "write owner/name")
    .optional()
    .describe("`owner/name`, in place of `repositoryId`."),
  owner: z
    .string()
    .regex(/^[\w-]+$/, "write the login of an account")
    .optional()
    .describe("Account whose repositories count."),
  number: z.number().int().positive().optional().describe("Number of the thread; needs its repository."),
  active: z.boolean().optional(),
  status: z.enum(runStatuses).optional(),
  process: z.string().optional().describe("Name of the process."),
  since: z.number().optional().describe("Begun then or later, in milliseconds since the epoch."),
  until: z.number().optional().describe("Begun before, in milliseconds since the epoch."),
  limit: z.number().int().min(1).max(200).default(50),
});
export type ListRuns = z.input<typeof listRunsSchema>;

const rowsAtOnce = 200;
const candidatesMax = 10;

type Asked = z.output<typeof listRunsSchema>;

/** Filters that the index of runs can answer alone. */
function fits(
  { threadKey, status, process, createdAt }: RunRow,
  { repositoryId, number, status: wanted, process: named, since = 0, until = Number.POSITIVE_INFINITY }: Asked,
): boolean {
  return (
    (repositoryId === undefined || threadKey.startsWith(`${repositoryId}#`)) &&
    (number === undefined || threadKey.endsWith(`#${number}`)) &&
    (wanted === undefined || status === wanted) &&
    (named === undefined || process === named) &&
    createdAt >= since &&
    createdAt < until
  );
}

/** GitHub's names are not case-sensitive. */
function isOf({ thread: { repository } }: RunState, { repository: wanted, owner }: Asked): boolean {
  return (
    (wanted === undefined || `${repository.owner}/${repository.name}`.toLowerCase() === wanted.toLowerCase()) &&
    (owner === undefined || repository.owner.toLowerCase() === owner.toLowerCase())
  );
}

/** The position after a run in a list, newest first. */
export type RunPosition = Pick<RunRow, "createdAt" | "runId">;

export interface RunPage {
  runs: RunState[];
  /** null: there are no more. */
  next: RunPosition | null;
}

function positionOf({ createdAt, runId }: RunRow): RunPosition {
  return { createdAt, runId };
}

/** Moves runs: the runner of a started Baton, or a visitor that leaves them to one. */
export type Driving = Pick<Runner, "wake" | "change" | "state" | "left">;

export class Runs {
  readonly #dependencies: Pick<Dependencies, "store" | "clock" | "processes">;
  readonly #runner: Driving;

  constructor(dependencies: Pick<Dependencies, "store" | "clock" | "processes">, runner: Driving) {
    this.#dependencies = dependencies;
    this.#runner = runner;
  }

  async create(request: CreateRun): Promise<RunSummary> {
    const { key, process, input, thread, requestedBy, budgetUsd, settings } = parseInput(
      "create",
      createRunSchema,
      request,
    );
    const effective = settings ?? defaultSettings;
    const runId = await createRun(this.#dependencies, {
      operationKey: `library:${key}`,
      definition: this.#dependencies.processes.latest(process),
      input,
      thread,
      requestedBy,
      commentId: null,
      instructions: "",
      budgetUsd: budgetUsd ?? effective.budget.runUsd,
      settings: effective as unknown as Json,
      settingsSha: null,
      retryOf: null,
    });
    await this.#runner.wake(runId, true);
    return this.read(runId);
  }

  async read(runId: string): Promise<RunSummary> {
    return summarise(await this.#state(runId), this.#dependencies.clock.now());
  }

  /** Newest first. */
  async list(filter: ListRuns = {}): Promise<RunSummary[]> {
    const now = this.#dependencies.clock.now();
    return (await this.page(filter)).runs.map((state) => summarise(state, now));
  }

  /**
   * One page of the list. `mayRead` decides once for each repository, at most `repositoriesMax` times. Then, and after
   * `rowsMax` rows, the page ends, though it may be short.
   */
  async page(
    filter: ListRuns = {},
    {
      after = null,
      mayRead = async () => true,
      rowsMax = Number.POSITIVE_INFINITY,
      repositoriesMax = Number.POSITIVE_INFINITY,
    }: {
      after?: RunPosition | null;
      mayRead?: (run: RunState) => Promise<boolean>;
      rowsMax?: number;
      repositoriesMax?: number;
    } = {},
  ): Promise<RunPage> {
    const asked = parseInput("list", listRunsSchema, filter);
    const { repositoryId, repository, number, active, limit } = asked;
    if (number !== undefined && repositoryId === undefined && repository === undefined)
      throw new BatonError("BATON_INPUT_INVALID", "list: `number` needs `repositoryId` or `repository`.");
    const runs: RunState[] = [];
    // The newest run of a repository has its name. Other runs of that id have the same one, or an earlier one.
    const [named, others] = [new Set<string>(), new Set<string>()];
    let before: RunPosition | null = after;
    let seen = 0;
    let decided = 0;
    for (;;) {
      const rows: RunRow[] = await this.#dependencies.store.runs({
        ...(number === undefined || repositoryId === undefined ? {} : { threadKey: `${repositoryId}#${number}` }),
        ...(repositoryId === undefined ? {} : { repositoryId }),
        ...(active === undefined ? {} : { active }),
        ...(before === null ? {} : { before }),
        limit: rowsAtOnce,
      });
      for (const row of rows) {
        const last: RunPosition | null = before;
        seen += 1;
        before = row;
        if (!fits(row, asked)) continue;
        const [id = ""] = row.threadKey.split("#");
        if (others.has(id)) continue;
        const run = await this.#listed(row.runId);
        if (run === null) continue;
        const isNew = !named.has(id) && isOf(run, asked);
        if (isNew && decided === repositoriesMax) return { runs, next: last };
        if (isNew) decided += 1;
        if (!named.has(id) && !(isNew && (await mayRead(run)))) {
          others.add(id);
          continue;
        }
        named.add(id);
        runs.push(run);
        if (runs.length === limit) return { runs, next: positionOf(row) };
      }
      const oldest = rows.at(-1);
      if (oldest === undefined || rows.length < rowsAtOnce || oldest.createdAt < (asked.since ?? 0))
        return { runs, next: null };
      if (seen >= rowsMax) return { runs, next: positionOf(oldest) };
    }
  }

  /** Null: a newer Baton wrote the run. It must not hide all others here. */
  async #listed(runId: RunId): Promise<RunState | null> {
    try {
      return await this.#state(runId);
    } catch (thrown) {
      if (hasCode(thrown, "BATON_EVENT_NEWER")) return null;
      throw thrown;
    }
  }

  async cancel(runId: string, by: Actor, reason: string): Promise<RunSummary> {
    const { state } = await this.#runner.change(await this.#known(runId), (now) => cancel(now, by, reason));
    return summarise(state, this.#dependencies.clock.now());
  }

  /**
   * Deletes the personal texts of a finished run: in its journal, and in the messages sent for it. Its chain still
   * holds.
   */
  async erase(runId: string): Promise<RunSummary> {
    const state = await this.#state(runId);
    if (!isOver(state))
      throw new BatonError("BATON_ERASE_REFUSED", `The run \`${shortRunId(state.runId)}\` is ${state.status}.`);
    await this.#dependencies.store.erase(state.runId);
    return this.read(runId);
  }

  /** Starts a finished run again, with its input and settings. A run can be retried once. */
  async retry(runId: string, by: Actor): Promise<RunSummary> {
    const last = await this.#state(runId);
    if (!isOver(last))
      throw new BatonError(
        "BATON_RUN_ACTIVE",
        `The run \`${shortRunId(last.runId)}\` is ${last.status}. Cancel it first.`,
      );
    refuseErased(last);
    const retried = await createRun(this.#dependencies, {
      operationKey: `retry:${last.runId}`,
      // A retry uses the same text: the library knows no branch to read another from.
      definition:
        last.process.source === undefined
          ? this.#dependencies.processes.latest(last.process.name)
          : definitionOf(this.#dependencies.processes, last),
      input: last.input,
      thread: last.thread,
      requestedBy: by,
      commentId: null,
      instructions: last.trigger.text,
      budgetUsd: last.money.budgetUsd,
      settings: last.settings,
      settingsSha: last.settingsSha,
      retryOf: last.runId,
    });
    await this.#runner.wake(retried, true);
    return this.read(retried);
  }

  /** Drives the run until it needs others, and returns the reason for its wait. */
  async advance(runId: string): Promise<RunSummary> {
    const id = await this.#known(runId);
    await this.#runner.wake(id, true);
    await this.#runner.left(id);
    return this.read(id);
  }

  /** Runs that a word may mean: an id, or the beginning of some. */
  candidates(word: string): Promise<RunId[]> {
    return runsNamed(this.#dependencies.store, word, candidatesMax);
  }

  async #known(runId: string): Promise<RunId> {
    const found = await runNamed(this.#dependencies.store, runId);
    if (found !== null) return found;
    throw new BatonError("BATON_NO_RUN", `There is no run "${runId.slice(0, 60)}".`);
  }

  async #state(runId: string): Promise<RunState> {
    const state = await this.#runner.state(await this.#known(runId));
    if (state === null) throw new BatonError("BATON_NO_RUN", `There is no run "${runId.slice(0, 60)}".`);
    return state;
  }
}
